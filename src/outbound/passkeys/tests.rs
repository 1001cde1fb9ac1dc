//! A third-party software authenticator (the `passkey` crate) against this node's side, and evidence with one change at
//! a time.

mod device;

use passkey::authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod};
use passkey::client::{Client, DefaultClientData};
use passkey::crypto::rust_crypto::RustCryptoBackend;
use passkey::types::Passkey as Credential;
use passkey::types::ctap2::{Aaguid, Ctap2Error};
use passkey::types::webauthn::{CredentialCreationOptions, CredentialRequestOptions};

use super::*;
use crate::domain::consent::{Commitment, PasskeyError};
use crate::domain::jose::{SigningKey, from_b64url};

const NODE: &str = "https://espoo.example";

/// An owner who is present, and verified or not.
struct Owner {
    proves: bool,
}

#[async_trait::async_trait]
impl UserValidationMethod for Owner {
    type PasskeyItem = Credential;

    async fn check_user<'a>(
        &self,
        _: UiHint<'a, Credential>,
        _: bool,
        _: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        Ok(UserCheck { presence: true, verification: self.proves })
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }
}

/// A browser with a device. Macros, because the browser's type cannot be named here.
macro_rules! browser {
    () => {
        Client::new(Authenticator::new(
            Aaguid::new_empty(),
            None::<Credential>,
            Owner { proves: true },
            RustCryptoBackend,
        ))
    };
}

macro_rules! register {
    ($station:expr, $browser:expr) => {{
        let ceremony = $station.begin_registration(PersonId::from_bytes([7; 16]), "Aino", &[]).unwrap();
        let options: CredentialCreationOptions = serde_json::from_str(&ceremony.options).unwrap();
        let origin: Url = NODE.parse().unwrap();
        let answer = $browser.register(&origin, options, DefaultClientData).await.unwrap();
        let answer = as_a_script_writes(serde_json::to_value(&answer).unwrap()).to_string();
        $station.finish_registration(&ceremony.state, &answer, "Puhelin").unwrap()
    }};
}

macro_rules! sign {
    ($station:expr, $browser:expr, $passkey:expr, $challenge:expr) => {{
        let options = $station.begin_signing(std::slice::from_ref(&$passkey), &$challenge).unwrap();
        let options: CredentialRequestOptions = serde_json::from_str(&options).unwrap();
        let origin: Url = NODE.parse().unwrap();
        let answer = $browser.authenticate(&origin, options, DefaultClientData).await.unwrap();
        as_a_script_writes(serde_json::to_value(&answer).unwrap()).to_string()
    }};
}

/// The crate writes bytes as lists of numbers, a browser's script as base64url.
fn as_a_script_writes(value: Value) -> Value {
    match value {
        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_u64) => {
            let byte = |item: &Value| u8::try_from(item.as_u64().unwrap()).unwrap();
            json!(b64url(&items.iter().map(byte).collect::<Vec<_>>()))
        }
        Value::Array(items) => items.into_iter().map(as_a_script_writes).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name, as_a_script_writes(value))).collect()
        }
        other => other,
    }
}

fn station() -> WebAuthn {
    WebAuthn::new(&EntityId::new(NODE).unwrap(), "Espoo")
}

fn challenge(byte: u8) -> String {
    b64url(&[byte; 32])
}

#[tokio::test]
async fn a_passkey_signs_a_commitment_and_nothing_else() {
    let (station, mut browser) = (station(), browser!());
    let passkey = register!(station, browser);
    let known = std::slice::from_ref(&passkey);
    let answer = sign!(station, browser, passkey, challenge(1));
    let signed = station.finish_signing(known, &challenge(1), &answer).unwrap();
    let commitment = Commitment::from_text(challenge(1));
    assert_eq!(signed.evidence.verify(&commitment, NODE), Ok(passkey.thumbprint.clone()));
    assert_eq!(signed.passkey.label, "Puhelin");
    // The same response to another decision, by another's passkey, and malformed ones.
    let refused = |known: &[Passkey], challenge: &str, answer: &str| {
        station.finish_signing(known, challenge, answer).map(|_| ()).unwrap_err()
    };
    assert_eq!(refused(known, &challenge(2), &answer), PasskeyFault("signature"));
    let other = register!(station, browser!());
    assert_eq!(refused(&[other], &challenge(1), &answer), PasskeyFault("signature"));
    assert_eq!(refused(known, &challenge(1), "{}"), PasskeyFault("answer"));
    assert_eq!(
        refused(known, &challenge(1), &" ".repeat(MAX_ANSWER_BYTES + 1)),
        PasskeyFault("answer too large")
    );
    assert_eq!(refused(&[], &challenge(1), &answer), PasskeyFault("no passkey"));
}

#[tokio::test]
async fn evidence_that_was_changed_in_one_place_is_refused_by_name() {
    let (station, mut browser) = (station(), browser!());
    let passkey = register!(station, browser);
    let answer = sign!(station, browser, passkey, challenge(1));
    let good =
        station.finish_signing(std::slice::from_ref(&passkey), &challenge(1), &answer).unwrap().evidence;
    let commitment = Commitment::from_text(challenge(1));
    let with = |change: &dyn Fn(&mut PasskeyEvidence)| {
        let mut evidence = good.clone();
        change(&mut evidence);
        evidence.verify(&commitment, NODE).unwrap_err()
    };
    let bytes = |text: &str, place: usize, bits: u8| {
        let mut bytes = from_b64url(text).unwrap();
        bytes[place] ^= bits;
        b64url(&bytes)
    };
    let client_data = |from: &str, to: &str| {
        let text = String::from_utf8(from_b64url(&good.client_data).unwrap()).unwrap();
        assert!(text.contains(from), "{text}");
        b64url(text.replace(from, to).as_bytes())
    };
    use PasskeyError as E;
    let stranger = SigningKey::generate().unwrap().public().to_jwk();
    type Change = Box<dyn Fn(&mut PasskeyEvidence)>;
    let cases: [(&str, E, Change); 12] = [
        ("another challenge", E::Challenge, {
            let changed = client_data(&challenge(1), &challenge(2));
            Box::new(move |evidence| evidence.client_data.clone_from(&changed))
        }),
        ("another purpose", E::Purpose, {
            let changed = client_data("webauthn.get", "webauthn.create");
            Box::new(move |evidence| evidence.client_data.clone_from(&changed))
        }),
        ("another origin", E::Origin, {
            let changed = client_data(NODE, "https://evil.example");
            Box::new(move |evidence| evidence.client_data.clone_from(&changed))
        }),
        ("another host", E::Origin, {
            let changed = bytes(&good.authenticator_data, 0, 1);
            Box::new(move |evidence| evidence.authenticator_data.clone_from(&changed))
        }),
        ("nobody there", E::Owner, {
            let changed = bytes(&good.authenticator_data, 32, 0x01);
            Box::new(move |evidence| evidence.authenticator_data.clone_from(&changed))
        }),
        ("an owner who did not prove it", E::Owner, {
            let changed = bytes(&good.authenticator_data, 32, 0x04);
            Box::new(move |evidence| evidence.authenticator_data.clone_from(&changed))
        }),
        ("another counter", E::Signature, {
            let changed = bytes(&good.authenticator_data, 36, 0x01);
            Box::new(move |evidence| evidence.authenticator_data.clone_from(&changed))
        }),
        ("another signature", E::Signature, {
            let changed = bytes(&good.signature, 20, 0x10);
            Box::new(move |evidence| evidence.signature.clone_from(&changed))
        }),
        ("an empty signature", E::Signature, Box::new(|evidence| evidence.signature.clear())),
        ("short data", E::Malformed, Box::new(|evidence| evidence.authenticator_data = b64url(&[0; 36]))),
        ("no base64", E::Malformed, Box::new(|evidence| evidence.client_data.push('='))),
        ("another key", E::Signature, {
            Box::new(move |evidence| evidence.public_key.clone_from(&stranger))
        }),
    ];
    for (name, expected, change) in cases {
        assert_eq!(with(&*change), expected, "{name}");
    }
    assert_eq!(good.verify(&commitment, "https://helsinki.example"), Err(E::Origin));
    assert_eq!(good.verify(&Commitment::from_text(challenge(3)), NODE), Err(E::Challenge));
    assert_eq!(with(&|evidence| evidence.public_key = serde_json::json!({"kty": "oct"})), E::Key);
}

#[test]
fn an_address_without_a_host_name_bears_no_passkeys() {
    let station = WebAuthn::new(&EntityId::new("http://127.0.0.1:8401").unwrap(), "Espoo");
    let begun = station.begin_registration(PersonId::from_bytes([7; 16]), "Aino", &[]);
    assert_eq!(begun.map(|_| ()).unwrap_err(), PasskeyFault("no host name"));
}

#[test]
fn es256_and_rs256_are_offered_and_nothing_else() {
    let ceremony = station().begin_registration(PersonId::from_bytes([7; 16]), "Aino", &[]).unwrap();
    let options: Value = serde_json::from_str(&ceremony.options).unwrap();
    let offered: Vec<i64> = options["publicKey"]["pubKeyCredParams"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| kind["alg"].as_i64().unwrap())
        .collect();
    assert_eq!(offered, [-7, -257]);
}

#[test]
fn a_passkey_of_every_offered_kind_signs_and_is_judged_again_as_evidence() {
    for kind in device::Kind::ALL {
        let device = device::Device::new(kind);
        let passkey = device.register(&station());
        let options = station().begin_signing(std::slice::from_ref(&passkey), &challenge(1)).unwrap();
        let answer = device.sign(&options, NODE);
        let signed =
            station().finish_signing(std::slice::from_ref(&passkey), &challenge(1), &answer).unwrap();
        let good = signed.evidence;
        let commitment = Commitment::from_text(challenge(1));
        assert_eq!(good.verify(&commitment, NODE), Ok(passkey.thumbprint.clone()), "{kind:?}");
        assert_eq!(good.public_key["kty"], kind.kty());
        let thumbprint = crate::domain::jose::id_token::thumbprint(&good.public_key).unwrap();
        assert_eq!(passkey.thumbprint.as_str(), thumbprint);

        let mut spoilt = from_b64url(&good.signature).unwrap();
        *spoilt.last_mut().unwrap() ^= 1;
        let wrong = PasskeyEvidence { signature: b64url(&spoilt), ..good.clone() };
        assert_eq!(wrong.verify(&commitment, NODE), Err(PasskeyError::Signature), "{kind:?}");
        let other = device::Device::new(kind).register(&station());
        let wrong = PasskeyEvidence { public_key: other.public_key, ..good };
        assert_eq!(wrong.verify(&commitment, NODE), Err(PasskeyError::Signature), "{kind:?}");
    }
}

#[test]
fn a_key_of_a_kind_that_was_not_offered_is_refused() {
    for kind in [device::Kind::P384, device::Kind::Ed25519] {
        let device = device::Device::new(kind);
        assert_eq!(device.try_register(&station()).unwrap_err(), PasskeyFault("registration"), "{kind:?}");
    }
}
