//! Passkeys through webauthn-rs. It parses what browsers and devices send (CBOR, COSE, attestation); the resulting
//! evidence is verified again by `domain::consent::passkey`, which needs none of that.

use serde_json::{Value, json};
use url::Url;
use webauthn_rs::prelude::{
    COSEKey, COSEKeyType, CredentialID, ECDSACurve, EDDSACurve, PasskeyAuthentication, PasskeyRegistration,
    PublicKeyCredential, RegisterPublicKeyCredential, Uuid, Webauthn, WebauthnBuilder,
};

use crate::domain::consent::PasskeyEvidence;
use crate::domain::ids::{EntityId, PersonId};
use crate::domain::jose::{ExternalKey, b64url, sha256};
use crate::domain::login::Passkey;
use crate::ports::{Ceremony, PasskeyFault, PasskeySignature, Passkeys};

/// The signature algorithms that evidence can be verified with, preferred first: their COSE numbers (RFC 9053 §2, RFC
/// 8812 §2) and webauthn-rs' names for them. Windows Hello without a newer TPM has RS256 alone. Ed25519 is not offered:
/// evidence with it can be verified, but webauthn-rs cannot register it.
const ALGORITHMS: [(i64, &str); 2] = [(-7, "ES256"), (-257, "RS256")];

/// Maximum size of a browser's response in bytes.
const MAX_ANSWER_BYTES: usize = 32 * 1024;

/// The relying party: the host of the node's base URL. Behind a port although it sends no requests: webauthn-rs draws
/// its own randomness and parses what browsers and devices send, which `node/` must not depend on. `None` if the
/// address has no host name, which Web Authentication requires.
pub(crate) struct WebAuthn(Option<Webauthn>);

impl WebAuthn {
    /// The relying party of a node.
    #[must_use]
    pub(crate) fn new(node: &EntityId, name: &str) -> Self {
        let made = Url::parse(node.as_str()).ok().and_then(|origin| {
            let host = origin.domain()?;
            WebauthnBuilder::new(host, &origin).ok()?.rp_name(name).build().ok()
        });
        if made.is_none() {
            tracing::warn!(
                event = "passkeys_unavailable",
                "the node's address has no host name, so residents cannot use passkeys here"
            );
        }
        Self(made)
    }

    fn party(&self) -> Result<&Webauthn, PasskeyFault> {
        self.0.as_ref().ok_or(PasskeyFault("no host name"))
    }

    /// The options and state of a signature, with the given challenge in place of webauthn-rs' random one.
    fn signing(
        &self,
        known: &[Passkey],
        challenge: &str,
    ) -> Result<(Value, PasskeyAuthentication), PasskeyFault> {
        if known.is_empty() {
            return Err(PasskeyFault("no passkey"));
        }
        let keys: Vec<webauthn_rs::prelude::Passkey> = known.iter().map(opened).collect::<Result<_, _>>()?;
        let (options, state) =
            self.party()?.start_passkey_authentication(&keys).map_err(|_| PasskeyFault("begin"))?;
        let form = |_| PasskeyFault("form");
        let mut options = serde_json::to_value(options).map_err(form)?;
        let mut state = serde_json::to_value(state).map_err(form)?;
        for place in [options.pointer_mut("/publicKey/challenge"), state.pointer_mut("/ast/challenge")] {
            *place.ok_or(PasskeyFault("form"))? = json!(challenge);
        }
        Ok((options, serde_json::from_value(state).map_err(form)?))
    }
}

impl Passkeys for WebAuthn {
    fn begin_registration(
        &self,
        person: PersonId,
        name: &str,
        known: &[Passkey],
    ) -> Result<Ceremony, PasskeyFault> {
        let known: Vec<CredentialID> = known
            .iter()
            .map(|passkey| opened(passkey).map(|key| key.cred_id().clone()))
            .collect::<Result<_, _>>()?;
        let (options, state) = self
            .party()?
            .start_passkey_registration(Uuid::from_bytes(*person.as_bytes()), name, name, Some(known))
            .map_err(|_| PasskeyFault("begin"))?;
        let mut options = serde_json::to_value(options).map_err(|_| PasskeyFault("form"))?;
        let mut state = serde_json::to_value(&state).map_err(|_| PasskeyFault("form"))?;
        // webauthn-rs replaces the list with its own, which includes P-384; evidence with that cannot be verified.
        let offered = ALGORITHMS.map(|(alg, _)| json!({"type": "public-key", "alg": alg}));
        let accepted = ALGORITHMS.map(|(_, name)| name);
        for (place, list) in [
            (options.pointer_mut("/publicKey/pubKeyCredParams"), json!(offered)),
            (state.pointer_mut("/rs/credential_algorithms"), json!(accepted)),
        ] {
            *place.ok_or(PasskeyFault("form"))? = list;
        }
        Ok(Ceremony { options: options.to_string(), state: state.to_string() })
    }

    fn finish_registration(&self, state: &str, answer: &str, label: &str) -> Result<Passkey, PasskeyFault> {
        let state: PasskeyRegistration = serde_json::from_str(state).map_err(|_| PasskeyFault("state"))?;
        let answer: RegisterPublicKeyCredential = parsed(answer)?;
        let key = self
            .party()?
            .finish_passkey_registration(&answer, &state)
            .map_err(|_| PasskeyFault("registration"))?;
        let public_key = jwk(key.get_public_key()).ok_or(PasskeyFault("kind of key"))?;
        let thumbprint =
            ExternalKey::from_jwk(&public_key).map_err(|_| PasskeyFault("key"))?.thumbprint().clone();
        Ok(Passkey {
            credential_hash: b64url(&sha256(key.cred_id().as_ref())),
            public_key,
            thumbprint,
            credential: serde_json::to_string(&key).map_err(|_| PasskeyFault("form"))?,
            label: label.to_owned(),
        })
    }

    fn begin_signing(&self, known: &[Passkey], challenge: &str) -> Result<String, PasskeyFault> {
        self.signing(known, challenge).map(|(options, _)| options.to_string())
    }

    fn finish_signing(
        &self,
        known: &[Passkey],
        challenge: &str,
        answer: &str,
    ) -> Result<PasskeySignature, PasskeyFault> {
        let (_, state) = self.signing(known, challenge)?;
        let answer: PublicKeyCredential = parsed(answer)?;
        let result = self
            .party()?
            .finish_passkey_authentication(&answer, &state)
            .map_err(|_| PasskeyFault("signature"))?;
        let credential_hash = b64url(&sha256(result.cred_id().as_ref()));
        let mut passkey = known
            .iter()
            .find(|passkey| passkey.credential_hash == credential_hash)
            .cloned()
            .ok_or(PasskeyFault("another passkey"))?;
        let mut key = opened(&passkey)?;
        if key.update_credential(&result) == Some(true) {
            passkey.credential = serde_json::to_string(&key).map_err(|_| PasskeyFault("form"))?;
        }
        let evidence = PasskeyEvidence {
            credential_hash,
            public_key: passkey.public_key.clone(),
            client_data: b64url(answer.response.client_data_json.as_ref()),
            authenticator_data: b64url(answer.response.authenticator_data.as_ref()),
            signature: b64url(answer.response.signature.as_ref()),
        };
        Ok(PasskeySignature { passkey, evidence })
    }
}

fn opened(passkey: &Passkey) -> Result<webauthn_rs::prelude::Passkey, PasskeyFault> {
    serde_json::from_str(&passkey.credential).map_err(|_| PasskeyFault("stored passkey"))
}

fn parsed<T: serde::de::DeserializeOwned>(answer: &str) -> Result<T, PasskeyFault> {
    if answer.len() > MAX_ANSWER_BYTES {
        return Err(PasskeyFault("answer too large"));
    }
    serde_json::from_str(answer).map_err(|_| PasskeyFault("answer"))
}

/// A COSE key (RFC 9053 §7, RFC 8230 §4) as a JWK.
fn jwk(key: &COSEKey) -> Option<Value> {
    match &key.key {
        COSEKeyType::EC_EC2(ec) if ec.curve == ECDSACurve::SECP256R1 => {
            Some(json!({"kty": "EC", "crv": "P-256", "x": b64url(&ec.x), "y": b64url(&ec.y)}))
        }
        COSEKeyType::EC_OKP(okp) if okp.curve == EDDSACurve::ED25519 => {
            Some(json!({"kty": "OKP", "crv": "Ed25519", "x": b64url(&okp.x)}))
        }
        COSEKeyType::RSA(rsa) => {
            // A JWK has no leading zeros (RFC 7518 §6.3.1), and COSE none either (RFC 8230 §4).
            Some(json!({"kty": "RSA", "n": b64url(&rsa.n), "e": b64url(&rsa.e)}))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
