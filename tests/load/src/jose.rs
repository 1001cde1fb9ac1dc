//! ES256 over compact JWS (RFC 7515, RFC 7518 §3.4), as much as a client and a login provider need.

use anyhow::{Context, Result, anyhow, bail};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, ParsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

pub fn b64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn b64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref());
    digest
}

/// So many random bytes, base64url.
pub fn secret<const N: usize>() -> String {
    let mut bytes = [0; N];
    // Without randomness nothing can be signed either, and that is an error there.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    b64url(&bytes)
}

pub fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// RFC 7638, of a key of P-256: the required members in the order of their names.
pub fn thumbprint(jwk: &Value) -> Result<String> {
    let (Some(x), Some(y)) = (jwk["x"].as_str(), jwk["y"].as_str()) else { bail!("no key of P-256") };
    Ok(b64url(&sha256(format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#).as_bytes())))
}

/// A private key, named by its thumbprint.
pub struct Key {
    pair: EcdsaKeyPair,
    random: SystemRandom,
    pub kid: String,
    pub public: Value,
}

impl Key {
    pub fn generate() -> Result<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| anyhow!("no key"))?;
        let point = pair.public_key().as_ref();
        let (x, y) = (b64url(&point[1..33]), b64url(&point[33..65]));
        let public = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y});
        let kid = thumbprint(&public)?;
        Ok(Self { pair, random: SystemRandom::new(), kid, public })
    }

    /// As it stands in a JWK Set.
    pub fn jwk(&self) -> Value {
        let mut jwk = self.public.clone();
        jwk["kid"] = json!(self.kid);
        jwk["alg"] = json!("ES256");
        jwk["use"] = json!("sig");
        jwk
    }

    pub fn jwks(&self) -> Value {
        json!({"keys": [self.jwk()]})
    }

    /// A compact JWS over claims, with the key's name.
    pub fn sign(&self, typ: &str, claims: &Value) -> Result<String> {
        let header = json!({"alg": "ES256", "typ": typ, "kid": self.kid});
        self.sign_parts(&b64url(header.to_string().as_bytes()), claims.to_string().as_bytes())
    }

    /// The header of a DPoP proof (RFC 9449 §4.2), base64url, which is the same for every proof of the key.
    pub fn proof_header(&self) -> String {
        b64url(json!({"alg": "ES256", "typ": "dpop+jwt", "jwk": self.public}).to_string().as_bytes())
    }

    /// A compact JWS of an encoded header and a payload.
    pub fn sign_parts(&self, header: &str, payload: &[u8]) -> Result<String> {
        let mut text = String::with_capacity(header.len() + payload.len() * 4 / 3 + 96);
        text.push_str(header);
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut text);
        let signature =
            self.pair.sign(&self.random, text.as_bytes()).map_err(|_| anyhow!("the key does not sign"))?;
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut text);
        Ok(text)
    }
}

/// A public key, parsed once.
pub struct Verifier {
    kid: Option<String>,
    key: ParsedPublicKey,
}

impl Verifier {
    pub fn from_jwk(jwk: &Value) -> Result<Self> {
        let part = |name: &str| -> Result<Vec<u8>> {
            let text = jwk[name].as_str().with_context(|| format!("a key without {name}"))?;
            Ok(URL_SAFE_NO_PAD.decode(text)?)
        };
        let mut point = vec![4];
        point.extend(part("x")?);
        point.extend(part("y")?);
        let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point)
            .map_err(|_| anyhow!("a key is not of P-256"))?;
        Ok(Self { kid: jwk["kid"].as_str().map(str::to_owned), key })
    }

    /// Header and claims of a compact JWS whose signature holds.
    pub fn verify(&self, text: &str) -> Result<(Value, Value)> {
        self.verify_signature(text)?;
        unverified(text)
    }

    pub fn verify_signature(&self, text: &str) -> Result<()> {
        let (signed, signature) = text.rsplit_once('.').context("not a compact JWS")?;
        let signature = URL_SAFE_NO_PAD.decode(signature)?;
        self.key.verify_sig(signed.as_bytes(), &signature).map_err(|_| anyhow!("the signature does not hold"))
    }
}

/// Header and claims of a compact JWS.
pub fn unverified(text: &str) -> Result<(Value, Value)> {
    let mut parts = text.split('.');
    let (Some(header), Some(claims)) = (parts.next(), parts.next()) else { bail!("not a compact JWS") };
    let read = |part: &str| -> Result<Value> { Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part)?)?) };
    Ok((read(header)?, read(claims)?))
}

/// The ES256 keys of a JWK Set.
pub struct Keys(Vec<Verifier>);

impl Keys {
    pub fn from_jwks(jwks: &Value) -> Result<Self> {
        let keys = jwks["keys"].as_array().context("no JWK Set")?;
        let ours = keys.iter().filter(|jwk| jwk["kty"] == "EC" && jwk["crv"] == "P-256");
        Ok(Self(ours.map(Verifier::from_jwk).collect::<Result<_>>()?))
    }

    /// The claims of a compact JWS of that `typ`, signed by one of the keys.
    pub fn verify(&self, typ: &str, text: &str) -> Result<Value> {
        let (header, _) = unverified(text)?;
        if header["typ"] != typ || header["alg"] != "ES256" {
            bail!("typ {} and alg {} in place of {typ} and ES256", header["typ"], header["alg"]);
        }
        let key = self.0.iter().find(|key| key.kid.as_deref() == header["kid"].as_str());
        Ok(key.context("signed by an unknown key")?.verify(text)?.1)
    }
}
