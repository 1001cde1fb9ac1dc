//! Against the standards' examples, and messages that josekit, another implementation, encrypted.

use serde_json::json;

use super::testing::encrypt_with;
use super::*;
use crate::domain::jose::b64url;

const RSA: [&str; 2] = ["RSA-OAEP", "RSA-OAEP-256"];
const EC: [&str; 3] = ["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"];
fn encrypt(key: &LoginKey, alg: &str, enc: &str, more: &[(&str, Value)]) -> String {
    encrypt_with(key.to_public_jwk(), (alg, enc), more, "the signed token")
}

const CONTENT: [&str; 4] = ["A128GCM", "A256GCM", "A128CBC-HS256", "A256CBC-HS512"];

fn rsa() -> LoginKey {
    LoginKey::generate(LoginKeyKind::RsaDecryption).unwrap()
}

fn ec() -> LoginKey {
    LoginKey::generate(LoginKeyKind::EcDecryption).unwrap()
}

/// The same message with another header: its authentication fails unless it is refused before.
fn with_header(text: &str, change: impl FnOnce(&mut Map<String, Value>)) -> String {
    let (header, rest) = text.split_once('.').unwrap();
    let mut header = parse_object(&from_b64url(header).unwrap()).unwrap();
    change(&mut header);
    format!("{}.{rest}", b64url(Value::Object(header).to_string().as_bytes()))
}

#[test]
fn every_algorithm_of_the_list_is_opened() {
    let (rsa, ec) = (rsa(), ec());
    let keys = [ec.clone(), rsa.clone()];
    for enc in CONTENT {
        for (key, algorithms) in [(&rsa, &RSA[..]), (&ec, &EC[..])] {
            for alg in algorithms {
                let text = encrypt(key, alg, enc, &[("cty", json!("JWT"))]);
                assert!(is_compact_jwe(&text));
                assert_eq!(decrypt_with(&text, &keys).as_deref(), Ok("the signed token"), "{alg} {enc}");
            }
        }
    }
}

#[test]
fn the_agreed_key_is_the_standards() {
    // RFC 7518 appendix C.
    let bob = json!({
        "kty": "EC", "crv": "P-256", "x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
        "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck", "d": "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw",
    });
    let key = LoginKey::from_private_jwk(LoginKeyKind::EcDecryption, &bob.to_string()).unwrap();
    let header = json!({
        "alg": "ECDH-ES", "enc": "A128GCM", "apu": "QWxpY2U", "apv": "Qm9i",
        "epk": {
            "kty": "EC", "crv": "P-256", "x": "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
            "y": "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
        },
    });
    let text =
        format!("{}..{}.AA.{}", b64url(header.to_string().as_bytes()), b64url(&[0; 12]), b64url(&[0; 16]));
    let header = header.as_object().unwrap();
    let parts = Parts::read(&text, header).unwrap();
    let agreed = parts.content_key(key.private()).unwrap();
    assert_eq!(b64url(&agreed), "VqqN6vgjbSBcIijNcacQGg");
}

#[test]
fn a_key_is_found_by_its_name_and_else_tried() {
    let (old, new) = (rsa(), rsa());
    let keys = [new.clone(), old.clone()];
    for (kid, opens) in [
        (json!(old.kid()), true),
        (json!("a-name-that-the-provider-gave"), true),
        // The `kid` names the other key: no further keys are tried.
        (json!(new.kid()), false),
    ] {
        let text = encrypt(&old, "RSA-OAEP", "A128GCM", &[("kid", kid.clone())]);
        assert_eq!(decrypt_with(&text, &keys).is_ok(), opens, "{kid}");
    }
    let text = encrypt(&old, "RSA-OAEP", "A128GCM", &[]);
    assert_eq!(decrypt_with(&text, &[new]), Err(JoseError::Decryption));
    assert_eq!(decrypt_with(&text, &[]), Err(JoseError::Decryption));
}

#[test]
fn headers_that_choose_work_or_keys_are_refused_before_a_key_is_touched() {
    let key = rsa();
    let good = encrypt(&key, "RSA-OAEP", "A128GCM", &[]);
    for (name, value, expected) in [
        ("zip", json!("DEF"), JoseError::ForbiddenHeader),
        ("crit", json!(["exp"]), JoseError::ForbiddenHeader),
        ("p2c", json!(2_000_000_000), JoseError::ForbiddenHeader),
        ("p2s", json!("AAAA"), JoseError::ForbiddenHeader),
        ("jwk", json!({}), JoseError::ForbiddenHeader),
        ("jku", json!("https://evil.example"), JoseError::ForbiddenHeader),
        ("alg", json!("RSA1_5"), JoseError::AlgorithmNotAllowed),
        ("alg", json!("dir"), JoseError::AlgorithmNotAllowed),
        ("alg", json!("PBES2-HS256+A128KW"), JoseError::AlgorithmNotAllowed),
        ("alg", json!(["RSA-OAEP"]), JoseError::AlgorithmNotAllowed),
        ("enc", json!("A192GCM"), JoseError::AlgorithmNotAllowed),
        ("enc", json!(null), JoseError::AlgorithmNotAllowed),
        ("cty", json!("text"), JoseError::WrongType),
        ("cty", json!(1), JoseError::WrongType),
        ("enc", json!("A256GCM"), JoseError::Decryption),
        ("alg", json!("ECDH-ES"), JoseError::Decryption),
        ("anything", json!(1), JoseError::Decryption),
    ] {
        let text = with_header(&good, |header| drop(header.insert(name.to_owned(), value.clone())));
        assert_eq!(decrypt_with(&text, std::slice::from_ref(&key)), Err(expected), "{name} {value}");
    }
}

#[test]
fn what_was_changed_or_cut_on_the_way_is_not_opened() {
    let (rsa, ec) = (rsa(), ec());
    let keys = [rsa.clone(), ec.clone()];
    for (key, alg) in [(&rsa, "RSA-OAEP"), (&ec, "ECDH-ES"), (&ec, "ECDH-ES+A128KW")] {
        for enc in CONTENT {
            let good = encrypt(key, alg, enc, &[]);
            let parts: Vec<Vec<u8>> =
                good.split('.').skip(1).map(|part| from_b64url(part).unwrap()).collect();
            let header = good.split('.').next().unwrap();
            for place in 0..parts.len() {
                let mut changes = vec![Vec::new()];
                if let Some(last) = parts[place].len().checked_sub(1) {
                    let mut flipped = parts[place].clone();
                    flipped[last] ^= 1;
                    changes.extend([flipped, parts[place][..last].to_vec()]);
                }
                for change in changes {
                    if change == parts[place] {
                        continue;
                    }
                    let mut spoilt = parts.clone();
                    spoilt[place] = change;
                    let spoilt: Vec<String> = spoilt.iter().map(|part| b64url(part)).collect();
                    let text = format!("{header}.{}", spoilt.join("."));
                    assert_eq!(decrypt_with(&text, &keys), Err(JoseError::Decryption), "{alg} {enc} {place}");
                }
            }
        }
    }
    for text in ["", "a.b.c", "a.b.c.d.e", "a.b.c.d.e.f"] {
        assert!(decrypt_with(text, &keys).is_err());
    }
}

#[test]
fn an_ephemeral_key_that_is_not_on_the_curve_is_refused() {
    let key = ec();
    let good = encrypt(&key, "ECDH-ES", "A128GCM", &[]);
    for (name, value) in
        [("y", json!(b64url(&[1; 32]))), ("crv", json!("P-384")), ("kty", json!("OKP")), ("x", json!(null))]
    {
        let text = with_header(&good, |header| header["epk"][name] = value.clone());
        assert_eq!(decrypt_with(&text, std::slice::from_ref(&key)), Err(JoseError::Decryption), "{name}");
    }
}
