//! The provider's side: encryption to a key that this node publishes, by josekit.

use josekit::jwe::{self, JweHeader};
use serde_json::Value;

/// Encrypts as a provider would, with further header members if given.
pub(crate) fn encrypt_with(
    public_jwk: &Value,
    (alg, enc): (&str, &str),
    more: &[(&str, Value)],
    content: &str,
) -> String {
    let mut public = public_jwk.as_object().unwrap().clone();
    for name in ["alg", "use", "kid"] {
        public.remove(name);
    }
    let jwk = josekit::jwk::Jwk::from_map(public).unwrap();
    let mut header = JweHeader::new();
    header.set_content_encryption(enc);
    for (name, value) in more {
        header.set_claim(name, Some(value.clone())).unwrap();
    }
    let encrypter: Box<dyn jwe::JweEncrypter> = match alg {
        "RSA-OAEP" => Box::new(jwe::RSA_OAEP.encrypter_from_jwk(&jwk).unwrap()),
        "RSA-OAEP-256" => Box::new(jwe::RSA_OAEP_256.encrypter_from_jwk(&jwk).unwrap()),
        "ECDH-ES" => Box::new(jwe::ECDH_ES.encrypter_from_jwk(&jwk).unwrap()),
        "ECDH-ES+A128KW" => Box::new(jwe::ECDH_ES_A128KW.encrypter_from_jwk(&jwk).unwrap()),
        _ => Box::new(jwe::ECDH_ES_A256KW.encrypter_from_jwk(&jwk).unwrap()),
    };
    jwe::serialize_compact(content.as_bytes(), &header, &*encrypter).unwrap()
}
