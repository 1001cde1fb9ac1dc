//! Why a signed message or a key is refused.

/// One variant per check. Contains nothing of the refused input, which may be personal or hostile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// Longer than the profile allows.
    #[error("the message is too large")]
    TooLarge,
    /// Not exactly three parts (RFC 7515 §7.1): the JSON serialisation, a JWE, trailing text.
    #[error("not a compact JWS")]
    NotCompact,
    /// A part is not canonical base64url without padding.
    #[error("a part is not canonical base64url")]
    Base64,
    /// Header or payload is not UTF-8.
    #[error("a part is not UTF-8")]
    Utf8,
    /// Header or payload is not JSON; also a byte order mark, a lone surrogate, a number out of range.
    #[error("a part is not JSON")]
    Json,
    /// Header or payload is JSON, but not an object.
    #[error("a part is not a JSON object")]
    NotObject,
    /// A member name occurs twice in an object, at any depth, also when one is escaped.
    #[error("a member name occurs twice")]
    DuplicateMember,
    /// JSON nested deeper than allowed.
    #[error("JSON is nested too deeply")]
    TooDeep,
    /// A `crit` header; no extension is understood.
    #[error("a critical header extension is not understood")]
    CriticalHeader,
    /// `b64`, `zip`, `enc`, `jku`, `x5u` or `x5c`, a `jwk` where the key is found by `kid`, or what the profile forbids.
    #[error("a header member is forbidden")]
    ForbiddenHeader,
    /// `typ` absent or other than the profile's.
    #[error("the message is of another type")]
    WrongType,
    /// `alg` absent or not one that is accepted; `none` and all symmetric ones.
    #[error("the algorithm is not accepted")]
    AlgorithmNotAllowed,
    /// `alg` is not the key's.
    #[error("the algorithm is not the key's")]
    AlgorithmMismatch,
    /// `kid` absent where the key is to be found by it.
    #[error("the key identifier is missing")]
    MissingKeyId,
    /// `kid` is not a well-formed key identifier.
    #[error("the key identifier is malformed")]
    MalformedKeyId,
    /// `jwk` absent where the message must carry its key.
    #[error("the key in the header is missing")]
    MissingEmbeddedKey,
    /// The signature has not the algorithm's length, or is zero in whole or in half.
    #[error("the signature is malformed")]
    SignatureForm,
    /// No key of that `kid` among the given keys, or not the key in the message.
    #[error("the key is not known")]
    UnknownKey,
    /// The signature does not verify.
    #[error("the signature does not verify")]
    Signature,
    /// A required claim is absent or null.
    #[error("the claim {0} is missing")]
    MissingClaim(&'static str),
    /// A claim that the profile does not allow.
    #[error("a claim is unknown")]
    UnknownClaim,
    /// A time claim that is no number of seconds from 1970 to 9999.
    #[error("the claim {0} is not a time")]
    MalformedTime(&'static str),
    /// The claims do not match their type.
    #[error("the claims are malformed")]
    MalformedClaims,
    /// `exp` has been reached.
    #[error("the message has expired")]
    Expired,
    /// `nbf` or `iat` is further ahead than the allowed clock difference.
    #[error("the message is not valid yet")]
    NotYetValid,
    /// Not a public key of an accepted kind: wrong `kty`, `crv`, `alg`, `use`, `key_ops`, length, or not on the curve.
    #[error("the key is malformed or of a kind that is not accepted")]
    MalformedKey,
    /// A private or symmetric key instead of a public one.
    #[error("a private key where a public one belongs")]
    PrivateKey,
    /// Not a key set: no `keys`, too many, or a key without `kid`.
    #[error("the key set is malformed")]
    MalformedKeySet,
    /// Two keys of a set have the same `kid`.
    #[error("two keys have the same identifier")]
    DuplicateKeyId,
    /// The private half does not belong to the public half, or is malformed.
    #[error("the signing key is malformed")]
    MalformedSigningKey,
    /// OpenSSL could not make a key or a signature.
    #[error("the cryptographic library failed")]
    Crypto,
    /// No key decrypts the message, or it is malformed. The two are deliberately not distinguished.
    #[error("the message cannot be decrypted")]
    Decryption,
    /// The claims to sign are not a JSON object.
    #[error("the claims to sign are not a JSON object")]
    UnsignableClaims,
}

impl JoseError {
    /// A stable code for refusal records and tests.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::NotCompact => "not_compact",
            Self::Base64 => "base64",
            Self::Utf8 => "utf8",
            Self::Json => "json",
            Self::NotObject => "not_object",
            Self::DuplicateMember => "duplicate_member",
            Self::TooDeep => "too_deep",
            Self::CriticalHeader => "critical_header",
            Self::ForbiddenHeader => "forbidden_header",
            Self::WrongType => "wrong_type",
            Self::AlgorithmNotAllowed => "algorithm_not_allowed",
            Self::AlgorithmMismatch => "algorithm_mismatch",
            Self::MissingKeyId => "missing_key_id",
            Self::MalformedKeyId => "malformed_key_id",
            Self::MissingEmbeddedKey => "missing_embedded_key",
            Self::SignatureForm => "signature_form",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
            Self::MissingClaim(_) => "missing_claim",
            Self::UnknownClaim => "unknown_claim",
            Self::MalformedTime(_) => "malformed_time",
            Self::MalformedClaims => "malformed_claims",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::MalformedKey => "malformed_key",
            Self::PrivateKey => "private_key",
            Self::MalformedKeySet => "malformed_key_set",
            Self::DuplicateKeyId => "duplicate_key_id",
            Self::MalformedSigningKey => "malformed_signing_key",
            Self::Crypto => "crypto",
            Self::Decryption => "decryption",
            Self::UnsignableClaims => "unsignable_claims",
        }
    }
}
