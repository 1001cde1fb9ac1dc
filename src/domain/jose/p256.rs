//! ES256 by AWS-LC, behind josekit's traits. Reading a key and verifying one signature with it, which is what every DPoP proof
//! needs, takes a third of OpenSSL's time.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, ParsedPublicKey,
};
use josekit::JoseError as JosekitError;
use josekit::jws::{ES256, JwsAlgorithm, JwsSigner, JwsVerifier};

use super::{JoseError, from_b64url};

/// Length of a signature in the JOSE format (RFC 7518 §3.4), in bytes.
const SIGNATURE_LEN: usize = 64;

/// A public key on P-256.
#[derive(Debug, Clone)]
pub(super) struct Verifier(ParsedPublicKey);

impl Verifier {
    /// From its coordinates, base64url of 32 bytes each.
    ///
    /// # Errors
    /// [`JoseError::MalformedKey`] when they name no point of the curve.
    pub(super) fn new(x: &str, y: &str) -> Result<Self, JoseError> {
        let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point(x, y)?);
        key.map(Self).map_err(|_| JoseError::MalformedKey)
    }
}

impl JwsVerifier for Verifier {
    fn algorithm(&self) -> &dyn JwsAlgorithm {
        &ES256
    }

    fn key_id(&self) -> Option<&str> {
        None
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), JosekitError> {
        self.0.verify_sig(message, signature).map_err(|error| JosekitError::InvalidSignature(error.into()))
    }

    fn box_clone(&self) -> Box<dyn JwsVerifier> {
        Box::new(self.clone())
    }
}

/// A private key on P-256.
#[derive(Clone)]
pub(super) struct Signer(Arc<EcdsaKeyPair>);

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}

impl Signer {
    /// From its private value and the coordinates of its public key, base64url of 32 bytes each.
    ///
    /// # Errors
    /// [`JoseError::MalformedSigningKey`] when they do not belong together.
    pub(super) fn new(d: &str, x: &str, y: &str) -> Result<Self, JoseError> {
        let malformed = |_| JoseError::MalformedSigningKey;
        let private = zeroize::Zeroizing::new(from_b64url(d).map_err(malformed)?);
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &private,
            &point(x, y)?,
        );
        pair.map(|pair| Self(Arc::new(pair))).map_err(|_| JoseError::MalformedSigningKey)
    }
}

impl JwsSigner for Signer {
    fn algorithm(&self) -> &dyn JwsAlgorithm {
        &ES256
    }

    fn key_id(&self) -> Option<&str> {
        None
    }

    fn signature_len(&self) -> usize {
        SIGNATURE_LEN
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, JosekitError> {
        match self.0.sign(&SystemRandom::new(), message) {
            Ok(signature) => Ok(signature.as_ref().to_vec()),
            Err(error) => Err(JosekitError::InvalidSignature(error.into())),
        }
    }

    fn box_clone(&self) -> Box<dyn JwsSigner> {
        Box::new(self.clone())
    }
}

/// The uncompressed form of a point (SEC 1 §2.3.3).
fn point(x: &str, y: &str) -> Result<Vec<u8>, JoseError> {
    let coordinate = |text| from_b64url(text).map_err(|_| JoseError::MalformedKey);
    Ok([&[4], coordinate(x)?.as_slice(), coordinate(y)?.as_slice()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::jose::b64url;

    // RFC 7515 appendix A.3.
    const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
    const D: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
    const MESSAGE: &[u8] = b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const SIGNATURE: &str =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

    /// The order of the group, and the prime of the field (SEC 2 §2.4.2).
    const N: &str = "_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE";
    const P: &str = "_____wAAAAEAAAAAAAAAAAAAAAD_______________8";

    #[test]
    fn the_standards_example_is_verified_and_signed_anew() {
        let verifier = Verifier::new(X, Y).unwrap();
        verifier.verify(MESSAGE, &from_b64url(SIGNATURE).unwrap()).unwrap();
        let signature = Signer::new(D, X, Y).unwrap().sign(MESSAGE).unwrap();
        assert_eq!(signature.len(), SIGNATURE_LEN);
        verifier.verify(MESSAGE, &signature).unwrap();
        assert!(verifier.verify(b"other", &signature).is_err());
    }

    #[test]
    fn numbers_out_of_range_make_no_key_and_no_signature() {
        let zero = b64url(&[0; 32]);
        assert!(Verifier::new(P, Y).is_err() && Verifier::new(X, P).is_err());
        assert!(Verifier::new(&zero, &zero).is_err());
        for d in [zero.as_str(), N] {
            assert!(Signer::new(d, X, Y).is_err(), "{d}");
        }
        let verifier = Verifier::new(X, Y).unwrap();
        let good = from_b64url(SIGNATURE).unwrap();
        let (r, s) = good.split_at(32);
        let n = from_b64url(N).unwrap();
        for (r, s) in [(n.as_slice(), s), (r, n.as_slice()), (&[0; 32], s), (r, &[0; 32])] {
            assert!(verifier.verify(MESSAGE, &[r, s].concat()).is_err());
        }
        for length in [0, 63, 65, 72] {
            let mut signature = good.clone();
            signature.resize(length, 0);
            assert!(verifier.verify(MESSAGE, &signature).is_err(), "{length}");
        }
    }
}
