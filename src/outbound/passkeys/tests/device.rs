//! A device with keys of every kind, for those that the `passkey` crate lacks. It writes CBOR and COSE by hand.

use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;

use super::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    P256,
    Ed25519,
    Rsa,
    P384,
}

impl Kind {
    /// Those that a resident may register.
    pub(super) const ALL: [Self; 2] = [Self::P256, Self::Rsa];

    pub(super) fn kty(self) -> &'static str {
        match self {
            Self::P256 | Self::P384 => "EC",
            Self::Ed25519 => "OKP",
            Self::Rsa => "RSA",
        }
    }
}

pub(super) struct Device {
    kind: Kind,
    key: PKey<Private>,
    credential_id: [u8; 16],
}

/// A CBOR head (RFC 8949 §3): major type and argument.
fn head(major: u8, argument: usize) -> Vec<u8> {
    let major = major << 5;
    match argument {
        0..24 => vec![major | u8::try_from(argument).unwrap()],
        24..256 => vec![major | 24, u8::try_from(argument).unwrap()],
        _ => [&[major | 25][..], &u16::try_from(argument).unwrap().to_be_bytes()].concat(),
    }
}

fn integer(value: i64) -> Vec<u8> {
    match usize::try_from(value) {
        Ok(value) => head(0, value),
        Err(_) => head(1, usize::try_from(-1 - value).unwrap()),
    }
}

fn bytes(value: &[u8]) -> Vec<u8> {
    [head(2, value.len()), value.to_vec()].concat()
}

fn text(value: &str) -> Vec<u8> {
    [head(3, value.len()), value.as_bytes().to_vec()].concat()
}

fn map(members: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let content: Vec<u8> = members.iter().flat_map(|(name, value)| [&name[..], value].concat()).collect();
    [head(5, members.len()), content].concat()
}

impl Device {
    pub(super) fn new(kind: Kind) -> Self {
        let curve = |nid| {
            let group = EcGroup::from_curve_name(nid).unwrap();
            PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
        };
        let key = match kind {
            Kind::P256 => curve(Nid::X9_62_PRIME256V1),
            Kind::P384 => curve(Nid::SECP384R1),
            Kind::Ed25519 => PKey::generate_ed25519().unwrap(),
            Kind::Rsa => PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap(),
        };
        let mut credential_id = [0; 16];
        openssl::rand::rand_bytes(&mut credential_id).unwrap();
        Self { kind, key, credential_id }
    }

    fn coordinates(&self, length: i32) -> (Vec<u8>, Vec<u8>) {
        let key = self.key.ec_key().unwrap();
        let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
        let mut context = BigNumContext::new().unwrap();
        key.public_key().affine_coordinates(key.group(), &mut x, &mut y, &mut context).unwrap();
        (x.to_vec_padded(length).unwrap(), y.to_vec_padded(length).unwrap())
    }

    /// RFC 9053 §7, RFC 8230 §4.
    fn cose_key(&self) -> Vec<u8> {
        let members: Vec<(i64, Vec<u8>)> = match self.kind {
            Kind::P256 | Kind::P384 => {
                let p256 = self.kind == Kind::P256;
                let (x, y) = self.coordinates(if p256 { 32 } else { 48 });
                let (alg, crv) = if p256 { (-7, 1) } else { (-35, 2) };
                vec![(1, integer(2)), (3, integer(alg)), (-1, integer(crv)), (-2, bytes(&x)), (-3, bytes(&y))]
            }
            Kind::Ed25519 => {
                let x = self.key.raw_public_key().unwrap();
                vec![(1, integer(1)), (3, integer(-8)), (-1, integer(6)), (-2, bytes(&x))]
            }
            Kind::Rsa => {
                let key = self.key.rsa().unwrap();
                let (n, e) = (key.n().to_vec(), key.e().to_vec());
                vec![(1, integer(3)), (3, integer(-257)), (-1, bytes(&n)), (-2, bytes(&e))]
            }
        };
        let members: Vec<_> = members.into_iter().map(|(name, value)| (integer(name), value)).collect();
        map(&members)
    }

    /// Authenticator data (Web Authentication Level 2 §6.1): user present and verified.
    fn data(&self, host: &str, attested: bool) -> Vec<u8> {
        let flags = if attested { 0x45 } else { 0x05 };
        let mut data = [&sha256(host.as_bytes())[..], &[flags, 0, 0, 0, 0]].concat();
        if attested {
            data.extend([0; 16]);
            data.extend([0, 16]);
            data.extend(self.credential_id);
            data.extend(self.cose_key());
        }
        data
    }

    fn client_data(kind: &str, challenge: &Value, origin: &str) -> String {
        json!({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false}).to_string()
    }

    pub(super) fn try_register(&self, station: &WebAuthn) -> Result<Passkey, PasskeyFault> {
        let ceremony = station.begin_registration(PersonId::from_bytes([7; 16]), "Aino", &[]).unwrap();
        let options: Value = serde_json::from_str(&ceremony.options).unwrap();
        let client_data = Self::client_data("webauthn.create", &options["publicKey"]["challenge"], NODE);
        let attestation = map(&[
            (text("fmt"), text("none")),
            (text("attStmt"), map(&[])),
            (text("authData"), bytes(&self.data("espoo.example", true))),
        ]);
        let id = b64url(&self.credential_id);
        let answer = json!({
            "id": id, "rawId": id, "type": "public-key", "extensions": {},
            "response": {
                "attestationObject": b64url(&attestation), "clientDataJSON": b64url(client_data.as_bytes()),
            },
        });
        station.finish_registration(&ceremony.state, &answer.to_string(), "Puhelin")
    }

    pub(super) fn register(&self, station: &WebAuthn) -> Passkey {
        self.try_register(station).unwrap()
    }

    pub(super) fn sign(&self, options: &str, origin: &str) -> String {
        let options: Value = serde_json::from_str(options).unwrap();
        let client_data = Self::client_data("webauthn.get", &options["publicKey"]["challenge"], origin);
        let data = self.data("espoo.example", false);
        let message = [&data[..], &sha256(client_data.as_bytes())].concat();
        let mut signer = match self.kind {
            Kind::Ed25519 => Signer::new_without_digest(&self.key).unwrap(),
            _ => Signer::new(MessageDigest::sha256(), &self.key).unwrap(),
        };
        let signature = signer.sign_oneshot_to_vec(&message).unwrap();
        let id = b64url(&self.credential_id);
        json!({
            "id": id, "rawId": id, "type": "public-key", "extensions": {},
            "response": {
                "authenticatorData": b64url(&data), "clientDataJSON": b64url(client_data.as_bytes()),
                "signature": b64url(&signature), "userHandle": null,
            },
        })
        .to_string()
    }
}
