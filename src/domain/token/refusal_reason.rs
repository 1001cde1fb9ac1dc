//! The check that refused: one vocabulary for the check, the record and the resident's page.

use crate::domain::consent::state::NotInForce;
use crate::domain::jose::{JoseError, KeyGivenUp};
use crate::domain::word_enum::word_enum;

word_enum! {
    /// The check that refused an exchange or a request about a grant. Contains nothing of the request.
    pub enum RefusalReason {
        /// The token is too large.
        TokenTooLarge = "token_too_large",
        /// The token names another issuer.
        IssuerUnknown = "issuer_unknown",
        /// The token is for another node.
        AudienceOther = "audience_other",
        /// The token's lifetime is longer than this node's maximum.
        LifetimeOverPolicy = "lifetime_over_policy",
        /// The token does not have exactly one `authorization_details` entry.
        AuthorizationDetailsNotOne = "authorization_details_not_one",
        /// A management token's subject is not its client.
        SubjectNotClient = "subject_not_client",
        /// A management token has an unknown scope.
        ScopeUnknown = "scope_unknown",
        /// A management token is not for this action.
        ManagementScope = "management_scope",
        /// The token states a time after its key was revoked.
        KeyRevoked = "key_revoked",
        /// The token's key was compromised, and no record of the token is older.
        KeyCompromised = "key_compromised",
        /// There is no `Authorization` header.
        AuthorizationMissing = "authorization_missing",
        /// There is more than one `Authorization` header.
        AuthorizationTwice = "authorization_twice",
        /// The authorization scheme is not `DPoP`.
        SchemeNotDpop = "scheme_not_dpop",
        /// A token in the query, which would be logged (RFC 6750 §2.3).
        TokenInQuery = "token_in_query",
        /// There is no `DPoP` header.
        ProofMissing = "proof_missing",
        /// There is more than one `DPoP` header.
        ProofTwice = "proof_twice",
        /// The proof was used before.
        ProofReplayed = "proof_replayed",
        /// The proof contains no key.
        JwkMissing = "jwk_missing",
        /// The proof is for another method.
        HtmOther = "htm_other",
        /// The proof is for another address.
        HtuOther = "htu_other",
        /// The proof is too old.
        IatOld = "iat_old",
        /// The proof is from the future.
        IatAhead = "iat_ahead",
        /// The proof is for another token.
        AthOther = "ath_other",
        /// The proof was signed with another key than the token is bound to.
        KeyOther = "key_other",
        /// The proof lacks a valid nonce of this node.
        NonceMissingOrStale = "nonce_missing_or_stale",
        /// The recipient is not, or no longer, a trusted member.
        RecipientNotTrusted = "recipient_not_trusted",
        /// The member does not have the recipient's role.
        RecipientRoleMissing = "recipient_role_missing",
        /// Whether the recipient is trusted cannot be decided now.
        TrustUndecided = "trust_undecided",
        /// The clock of this process differs from the database's.
        ClockDiffers = "clock_differs",
        /// The database was restored from a backup, and the recipient has not reported its knowledge of the consent
        /// yet.
        RestoredBackup = "restored_backup",
        /// There is no such consent.
        ConsentUnknown = "consent_unknown",
        /// The token contradicts its consent.
        NotThisConsent = "not_this_consent",
        /// The consent is suspended.
        ConsentSuspended = "consent_suspended",
        /// The consent has ended.
        ConsentEnded = "consent_ended",
        /// No exchange is left.
        ConsentExhausted = "consent_exhausted",
        /// The consent's frequency is used up until its period has passed.
        FrequencyFull = "frequency_full",
        /// There is no such grant of this client's.
        GrantUnknown = "grant_unknown",
        /// The dataset now requires a stronger login than that of the decision.
        AssuranceTooLow = "assurance_too_low",
        /// The dataset now requires a passkey's signature, which the decision lacks.
        PasskeyMissing = "passkey_missing",
        /// The login provider has changed the resident's identifier.
        IdentifierChanged = "identifier_changed",
        /// There is no such dataset.
        DatasetUnknown = "dataset_unknown",
        /// The consent is for another dataset.
        DatasetOther = "dataset_other",
        /// The method is not a read method.
        MethodNotRead = "method_not_read",
        /// The request has a body.
        BodyNotExpected = "body_not_expected",
        /// The query has an unknown parameter.
        ParameterUnknown = "parameter_unknown",
        /// A field name is malformed.
        FieldMalformed = "field_malformed",
        /// A field is named twice.
        FieldTwice = "field_twice",
        /// A field is outside the consent.
        FieldNotConsented = "field_not_consented",
        /// The identifier of a person or record is malformed, or named twice.
        PersonMalformed = "person_malformed",
        /// A person is outside the consent.
        PersonNotConsented = "person_not_consented",
        /// A record is outside the consent.
        RecordNotConsented = "record_not_consented",
        /// The dataset no longer has a field of the consent.
        FieldWithdrawn = "field_withdrawn",
        /// The recipient no longer publishes the declared use.
        DeclaredUseWithdrawn = "declared_use_withdrawn",
        /// The declared use no longer covers what the resident was shown.
        DeclaredUseNarrowed = "declared_use_narrowed",
        /// The declared use is not available now.
        DeclaredUseUndecided = "declared_use_undecided",
        /// The register does not answer.
        Register = "register",
        /// The register answered with somebody else's record.
        RegisterAnsweredForAnother = "register_answered_for_another",
        /// A record has a plain value where the dataset has an object or a list.
        RegisterShapeOther = "register_shape_other",
        /// A record's date is malformed.
        RegisterDateMalformed = "register_date_malformed",
        /// The register does not say whether a non-disclosure order protects a record.
        RegisterMarkMissing = "register_mark_missing",
        /// A record has no first day, and the permission is limited to a period.
        RegisterDateMissing = "register_date_missing",
        /// The dataset's records no longer have the dates that the consent's period needs.
        DatasetLostItsPeriod = "dataset_lost_its_period",
        /// The dataset's records no longer name the persons or records that the consent is narrowed to.
        DatasetLostItsPersons = "dataset_lost_its_persons",
        /// A record does not say whom it is about.
        RegisterPersonMissing = "register_person_missing",
        /// The records cannot be serialised as JSON.
        AnswerNotJson = "answer_not_json",
        /// The signing keys are not available now.
        Keys = "keys",
        /// The receipt could not be signed.
        Signing = "signing",
        /// The store is unavailable.
        Store = "store",
        /// Internal error.
        Internal = "internal",
        /// JOSE: Longer than the profile allows.
        TooLarge = "too_large",
        /// JOSE: Not exactly three parts (RFC 7515 §7.1): the JSON serialisation, a JWE, trailing text.
        NotCompact = "not_compact",
        /// JOSE: A part is not canonical base64url without padding.
        Base64 = "base64",
        /// JOSE: Header or payload is not UTF-8.
        Utf8 = "utf8",
        /// JOSE: Header or payload is not JSON; also a byte order mark, a lone surrogate, a number out of range.
        Json = "json",
        /// JOSE: Header or payload is JSON, but not an object.
        NotObject = "not_object",
        /// JOSE: A member name occurs twice in an object, at any depth, also when one is escaped.
        DuplicateMember = "duplicate_member",
        /// JOSE: JSON nested deeper than any message of this product.
        TooDeep = "too_deep",
        /// JOSE: A `crit` header; no extension is understood.
        CriticalHeader = "critical_header",
        /// JOSE: `b64`, `zip`, `enc`, `jku`, `x5u` or `x5c`, or a `jwk` where the key is found by `kid`.
        ForbiddenHeader = "forbidden_header",
        /// JOSE: `typ` absent or other than the profile's.
        WrongType = "wrong_type",
        /// JOSE: `alg` absent or not one that is accepted; `none` and all symmetric ones.
        AlgorithmNotAllowed = "algorithm_not_allowed",
        /// JOSE: `alg` is not the key's.
        AlgorithmMismatch = "algorithm_mismatch",
        /// JOSE: `kid` absent where the key is to be found by it.
        MissingKeyId = "missing_key_id",
        /// JOSE: `kid` is not a well-formed key identifier.
        MalformedKeyId = "malformed_key_id",
        /// JOSE: `jwk` absent where the message must carry its key.
        MissingEmbeddedKey = "missing_embedded_key",
        /// JOSE: The signature has not the algorithm's length, or is zero in whole or in half.
        SignatureForm = "signature_form",
        /// JOSE: No key of that `kid` among the keys given, or not the key that the message names or carries.
        UnknownKey = "unknown_key",
        /// JOSE: The signature does not verify.
        Signature = "signature",
        /// JOSE: A required claim is absent or null.
        MissingClaim = "missing_claim",
        /// JOSE: A claim that the profile does not know.
        UnknownClaim = "unknown_claim",
        /// JOSE: A time claim that is no whole number from 1970 to 9999.
        MalformedTime = "malformed_time",
        /// JOSE: The claims do not have the form that their type asks for.
        MalformedClaims = "malformed_claims",
        /// JOSE: `exp` has been reached.
        Expired = "expired",
        /// JOSE: `nbf` or `iat` lies ahead by more than the allowed difference of clocks.
        NotYetValid = "not_yet_valid",
        /// JOSE: Not a public key of an accepted kind: wrong `kty`, `crv`, `alg`, `use`, `key_ops`, length, or not on the curve.
        MalformedKey = "malformed_key",
        /// JOSE: A private or symmetric key where a public one belongs.
        PrivateKey = "private_key",
        /// JOSE: Not a key set: no `keys`, too many, or a key without `kid`.
        MalformedKeySet = "malformed_key_set",
        /// JOSE: Two keys of a set have the same `kid`.
        DuplicateKeyId = "duplicate_key_id",
        /// JOSE: The private half does not belong to the public half, or is malformed.
        MalformedSigningKey = "malformed_signing_key",
        /// JOSE: OpenSSL could not make a key or a signature.
        Crypto = "crypto",
        /// JOSE: The claims to sign are not a JSON object.
        UnsignableClaims = "unsignable_claims",
    }
}

impl From<JoseError> for RefusalReason {
    fn from(error: JoseError) -> Self {
        match error {
            JoseError::TooLarge => Self::TooLarge,
            JoseError::NotCompact => Self::NotCompact,
            JoseError::Base64 => Self::Base64,
            JoseError::Utf8 => Self::Utf8,
            JoseError::Json => Self::Json,
            JoseError::NotObject => Self::NotObject,
            JoseError::DuplicateMember => Self::DuplicateMember,
            JoseError::TooDeep => Self::TooDeep,
            JoseError::CriticalHeader => Self::CriticalHeader,
            JoseError::ForbiddenHeader => Self::ForbiddenHeader,
            JoseError::WrongType => Self::WrongType,
            JoseError::AlgorithmNotAllowed => Self::AlgorithmNotAllowed,
            JoseError::AlgorithmMismatch => Self::AlgorithmMismatch,
            JoseError::MissingKeyId => Self::MissingKeyId,
            JoseError::MalformedKeyId => Self::MalformedKeyId,
            JoseError::MissingEmbeddedKey => Self::MissingEmbeddedKey,
            JoseError::SignatureForm => Self::SignatureForm,
            JoseError::UnknownKey => Self::UnknownKey,
            JoseError::Signature => Self::Signature,
            JoseError::MissingClaim(_) => Self::MissingClaim,
            JoseError::UnknownClaim => Self::UnknownClaim,
            JoseError::MalformedTime(_) => Self::MalformedTime,
            JoseError::MalformedClaims => Self::MalformedClaims,
            JoseError::Expired => Self::Expired,
            JoseError::NotYetValid => Self::NotYetValid,
            JoseError::MalformedKey => Self::MalformedKey,
            JoseError::PrivateKey => Self::PrivateKey,
            JoseError::MalformedKeySet => Self::MalformedKeySet,
            JoseError::DuplicateKeyId => Self::DuplicateKeyId,
            JoseError::MalformedSigningKey => Self::MalformedSigningKey,
            // Only a login provider's messages are encrypted; no refusal is about one.
            JoseError::Crypto | JoseError::Decryption => Self::Crypto,
            JoseError::UnsignableClaims => Self::UnsignableClaims,
        }
    }
}

impl From<KeyGivenUp> for RefusalReason {
    fn from(given_up: KeyGivenUp) -> Self {
        match given_up {
            KeyGivenUp::Superseded => Self::KeyRevoked,
            KeyGivenUp::Compromised => Self::KeyCompromised,
        }
    }
}

impl From<NotInForce> for RefusalReason {
    fn from(why: NotInForce) -> Self {
        match why {
            NotInForce::Suspended => Self::ConsentSuspended,
            NotInForce::Ended => Self::ConsentEnded,
            NotInForce::Exhausted => Self::ConsentExhausted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_jose_refuses_keeps_its_word() {
        for error in
            [JoseError::TooLarge, JoseError::UnknownKey, JoseError::MissingClaim("iss"), JoseError::Expired]
        {
            assert_eq!(RefusalReason::from(error).as_str(), error.reason());
        }
        for given_up in [KeyGivenUp::Superseded, KeyGivenUp::Compromised] {
            assert_eq!(RefusalReason::from(given_up).as_str(), given_up.reason());
        }
    }
}
