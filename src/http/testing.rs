//! Certificates of a private authority.

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};

/// An authority that signs certificates.
pub(crate) struct Authority {
    pub(crate) certificate: X509,
    pub(crate) key: PKey<Private>,
}

/// A certificate for a name, its own authority's where no issuer is given.
pub(crate) fn certificate(name: &str, issuer: Option<&Authority>) -> (X509, PKey<Private>) {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_u32(if issuer.is_some() { 2 } else { 1 }).unwrap();
    builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(2).unwrap()).unwrap();
    builder.set_pubkey(&key).unwrap();
    match issuer {
        None => {
            builder.set_issuer_name(&subject).unwrap();
            builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
            builder.sign(&key, MessageDigest::sha256()).unwrap();
        }
        Some(issuer) => {
            builder.set_issuer_name(issuer.certificate.subject_name()).unwrap();
            let context = builder.x509v3_context(Some(&issuer.certificate), None);
            let names = SubjectAlternativeName::new().dns(name).build(&context).unwrap();
            builder.append_extension(names).unwrap();
            builder.sign(&issuer.key, MessageDigest::sha256()).unwrap();
        }
    }
    (builder.build(), key)
}

/// A new authority.
pub(crate) fn authority() -> Authority {
    let (certificate, key) = certificate("Test authority", None);
    Authority { certificate, key }
}
