//! A newtype for every identifier, so that a dataset cannot be passed where a consent is meant.
//!
//! Text identifiers are checked when they are created and are immutable: a value of one of these types is always
//! well-formed. Secrets (`NationalIdentifier`) print as `[redacted]`.

use std::fmt;
use std::str::FromStr;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// Why a text is not an identifier of the expected kind. Contains no part of the text, which may be personal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a well-formed {kind}: {rule}")]
pub struct IdError {
    /// The expected kind.
    pub kind: &'static str,
    /// The rule that the text breaks.
    pub rule: &'static str,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks the text and wraps it.
            ///
            /// # Errors
            /// [`IdError`] when the text breaks the rule of this kind.
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                let check: fn(&str) -> bool = $check;
                if check(&text) { Ok(Self(text)) } else { Err(IdError { kind: stringify!($name), rule: $rule }) }
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> { Self::new(text) }
        }
        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> { Self::new(text) }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String { id.0 }
        }
    };
}

fn is_slug(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_field_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn is_token_text(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:~".contains(&b))
}

fn is_base_url(text: &str) -> bool {
    text.len() <= 512
        && !text.ends_with('/')
        && url::Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "https" | "http")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
                // The canonical spelling only: two spellings of one peer must not become two peers.
                && url.as_str().trim_end_matches('/') == text
        })
}

fn is_use_url(text: &str) -> bool {
    text.rsplit_once("/catalogue/uses/").is_some_and(|(base, slug)| is_base_url(base) && is_slug(slug))
}

text_id!(
    /// A federation member's entity identifier: its base URL, canonical, without a trailing slash
    /// (OpenID Federation 1.0 §1.2).
    EntityId,
    "a canonical https base URL without user, query, fragment or trailing slash",
    is_base_url
);
text_id!(
    /// One catalogue entry of a holder; the last part of its URL.
    DatasetId,
    "1 to 64 of a-z, 0-9 and inner hyphens",
    is_slug
);
text_id!(
    /// Kind of a dataset, the same in every city (`early-education-placements`).
    DatasetType,
    "1 to 64 of a-z, 0-9 and inner hyphens",
    is_slug
);
text_id!(
    /// One of the city's registers, by its name in the configuration.
    RegisterId,
    "1 to 64 of a-z, 0-9 and inner hyphens",
    is_slug
);
text_id!(
    /// A service of a city, known to that city's node.
    ServiceId,
    "1 to 64 of a-z, 0-9 and inner hyphens",
    is_slug
);
text_id!(
    /// One activity of the city's record of processing.
    ProcessingId,
    "1 to 64 of a-z, 0-9 and inner hyphens",
    is_slug
);
text_id!(
    /// A role in which a city's employees use data, by its name in the record of processing.
    RoleId,
    "1 to 64 of a-z, 0-9 and inner hyphens",
    is_slug
);
text_id!(
    /// A law that allows to withhold a use from its person for a time, by its name in the configuration.
    HidingReason,
    "1 to 64 of a-z, 0-9 and inner hyphens",
    is_slug
);
text_id!(
    /// The URL of a declared use: `<recipient>/catalogue/uses/<slug>`.
    UseId,
    "the recipient's base URL, then /catalogue/uses/ and a name of a-z, 0-9 and inner hyphens",
    is_use_url
);
text_id!(
    /// One field of a record, or of an object within it.
    FieldName,
    "a letter, then up to 63 letters and digits",
    is_field_name
);
text_id!(
    /// A field at any depth of a record: the names from the outside in, joined by dots (`decision.unit.name`). A list
    /// adds no name of its own.
    FieldPath,
    "up to 5 field names joined by dots, at most 64 characters",
    |text| text.len() <= 64
        && text.split('.').count() <= FieldPath::MAX_DEPTH
        && text.split('.').all(is_field_name)
);
text_id!(
    /// A currency (ISO 4217).
    Currency,
    "three capital letters",
    |text| text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase())
);
text_id!(
    /// A key identifier (`kid`) in a JOSE header or JWK, chosen by whoever creates the key (RFC 7517 §4.5): base64 and
    /// DID URLs are common.
    KeyId,
    "1 to 256 printable ASCII characters without spaces, quotes, backslashes and angle brackets",
    |text| (1..=256).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_graphic() && !b"\"'`\\<>".contains(&b))
);
text_id!(
    /// A JWT identifier (`jti`).
    Jti,
    "1 to 128 of letters, digits and -_.:~",
    is_token_text
);
text_id!(
    /// A grant identifier (Grant Management for OAuth 2.0), shared by holder and recipient.
    GrantId,
    "1 to 128 of letters, digits and -_.:~",
    is_token_text
);
text_id!(
    /// The pairwise `sub` of a person, for one holder and one recipient; meaningless to anyone else.
    PairwiseSubject,
    "1 to 128 of letters, digits and -_.:~",
    is_token_text
);
text_id!(
    /// An RFC 7638 SHA-256 JWK thumbprint, base64url without padding.
    Thumbprint,
    "43 characters of base64url",
    |text| text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
);

impl FieldPath {
    /// Maximum number of names in a path.
    pub(crate) const MAX_DEPTH: usize = 5;

    /// The names, from the outside in.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('.')
    }

    /// The path of a field within this one; `None` below the maximum depth or beyond the maximum length.
    #[must_use]
    pub(crate) fn child(&self, name: &FieldName) -> Option<Self> {
        Self::new(format!("{self}.{name}")).ok()
    }

    /// Whether it is this path or one within it.
    #[must_use]
    pub(crate) fn is_within(&self, outer: &Self) -> bool {
        self.0.strip_prefix(outer.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

impl From<&FieldName> for FieldPath {
    fn from(name: &FieldName) -> Self {
        Self(name.0.clone())
    }
}

impl EntityId {
    /// Parses an identifier in a non-canonical spelling: with a trailing slash, capitals in the host or the scheme's
    /// default port. For identifiers that are only followed; those that decide are compared as written.
    ///
    /// # Errors
    /// [`IdError`] when it is no base URL in any spelling.
    pub fn normalized(text: &str) -> Result<Self, IdError> {
        let canonical = url::Url::parse(text).map_or_else(|_| text.to_owned(), String::from);
        Self::new(canonical.strip_suffix('/').unwrap_or(&canonical))
    }

    /// The host, with the port if it is not the scheme's default: distinguishes two members of the same name.
    #[must_use]
    pub fn host(&self) -> &str {
        host(&self.0)
    }
}

/// The host of an address, with its port.
fn host(address: &str) -> &str {
    let (_, rest) = address.split_once("://").unwrap_or(("", address));
    rest.split('/').next().unwrap_or(rest)
}

impl UseId {
    /// The recipient that published this use.
    #[must_use]
    pub fn recipient(&self) -> &str {
        self.0.rsplit_once("/catalogue/uses/").map_or("", |(base, _)| base)
    }

    /// The recipient's host, as [`EntityId::host`].
    #[must_use]
    pub fn host(&self) -> &str {
        host(&self.0)
    }

    /// The use's own name at its recipient.
    #[must_use]
    pub fn slug(&self) -> &str {
        self.0.rsplit_once("/catalogue/uses/").map_or("", |(_, slug)| slug)
    }
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Wraps 16 bytes, from the caller's source of randomness or of a keyed hash.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self { Self(bytes) }

            /// The bytes as stored.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] { &self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&URL_SAFE_NO_PAD.encode(self.0)) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, concat!(stringify!($name), "({})"), self) }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                URL_SAFE_NO_PAD
                    .decode(text)
                    .ok()
                    .and_then(|bytes| bytes.try_into().ok())
                    .map(Self)
                    .ok_or(IdError { kind: stringify!($name), rule: "16 bytes in base64url" })
            }
        }
        impl TryFrom<&[u8]> for $name {
            type Error = IdError;
            fn try_from(bytes: &[u8]) -> Result<Self, IdError> {
                bytes.try_into().map(Self).map_err(|_| IdError { kind: stringify!($name), rule: "16 bytes" })
            }
        }
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> { out.collect_str(self) }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                String::deserialize(input)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

random_id!(
    /// A consent at its holder.
    ConsentId
);
random_id!(
    /// A consent request at its holder, before it is decided.
    RequestId
);
/// A consent has the identifier of its request: the document that the resident signs contains it before the consent
/// exists, and a request leads to one consent at most.
impl From<RequestId> for ConsentId {
    fn from(request: RequestId) -> Self {
        Self(request.0)
    }
}

random_id!(
    /// A consent at its recipient, from the service's request on.
    HeldConsentId
);
random_id!(
    /// A resident at one node: the pair (`iss`, `sub`) of a login.
    PersonId
);
random_id!(
    /// A person whom records are about, for one recipient; meaningless to anyone else.
    PairwisePerson
);
random_id!(
    /// A record of a dataset, for one recipient; meaningless to anyone else.
    PairwiseRecord
);
random_id!(
    /// One exchange at its holder.
    ExchangeId
);
random_id!(
    /// One standing denial of a resident.
    DenialId
);
random_id!(
    /// One receipt of a decision or a change.
    ReceiptId
);
random_id!(
    /// A resident's passkey at one node.
    PasskeyId
);
random_id!(
    /// A use of a person's data that a service reported.
    ReportedUseId
);
random_id!(
    /// A proposal to withhold a reported use.
    HidingId
);
random_id!(
    /// A resident's objection to a use.
    ObjectionId
);
random_id!(
    /// One item of the outbox.
    OutboxId
);

/// A national identifier, as stated by the login provider and used by the registers.
///
/// Never logged or compared with another person's; stored only sealed, looked up only by keyed hash.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NationalIdentifier(String);

impl NationalIdentifier {
    /// Wraps the identifier, trimmed, in upper case (Finnish identifiers are case-insensitive).
    ///
    /// # Errors
    /// [`IdError`] when it is empty, over 64 bytes or has anything but printable ASCII characters.
    pub fn new(text: &str) -> Result<Self, IdError> {
        let text = text.trim();
        // ASCII only: other letters have confusable forms that become equal in upper case.
        if text.is_empty() || text.len() > 64 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(IdError { kind: "NationalIdentifier", rule: "1 to 64 printable ASCII characters" });
        }
        Ok(Self(text.to_ascii_uppercase()))
    }

    /// Wraps an identifier that a register gave a person, trimmed, with its letters as they are: keys of registers may
    /// differ in nothing else.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn exact(text: &str) -> Result<Self, IdError> {
        Self::new(text).map(|_| Self(text.trim().to_owned()))
    }

    /// The same in upper case, as [`Self::new`] has it.
    pub(crate) fn folded(&self) -> Self {
        Self(self.0.to_ascii_uppercase())
    }

    /// The identifier itself, only for the register query, the sealed column and the keyed hash.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl Drop for NationalIdentifier {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for NationalIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
