//! Why an entity is not trusted, as enums: some values change behaviour, operators read all of them.

use std::fmt;

use super::role::Role;
use crate::domain::jose::JoseError;

/// An enum of unit variants, each with its text for operators.
macro_rules! fault_texts {
    ($(#[$doc:meta])* $name:ident { $($variant:ident => $text:literal,)* } with { $($rest:tt)* } $($arms:tt)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $(#[doc = $text] $variant,)*
            $($rest)*
        }

        impl $name {
            /// The text for operators and logs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                    $($arms)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

fault_texts! {
/// The failed check of an entity, a statement or a trust mark. A retry gives the same result.
TrustFault {
    EmptyChain => "the chain is empty",
    NoAnchorConfiguration => "the chain lacks its anchor's configuration",
    ChainOfAnotherMember => "the chain is another member's",
    ChainOfAnotherSubject => "the chain is another's",
    ChainTooLong => "the chain is too long",
    NoSuperior => "the chain has no superior",
    AnchorConfigurationNotOwn => "the anchor's configuration is not its own",
    UnknownAnchor => "the chain does not end at a configured anchor",
    StatementIssuer => "a statement is not by the superior above it",
    StatementOrder => "a statement of the chain is not about the one below it",
    StatementSubject => "a statement is about another",
    ChainLoop => "the chain has a loop",
    MalformedChain => "the chain is no list of statements",
    ConfigurationNotOwn => "the entity configuration is not the subject's own",
    SuperiorNotNamed => "the entity does not name its superior",
    MalformedSuperiorMetadata => "a superior's metadata is malformed",
    PathTooLong => "the chain is longer than a superior allows",
    NameNotAllowed => "the chain has a name that a superior does not allow",
    MalformedKeyHistory => "a history of keys is malformed",
    KeyHistoryOfAnother => "a history of keys is another's",
    MalformedHistoricalKey => "a historical key is malformed",
    MarkStatusOfAnother => "a trust mark's status is another's",
    MemberIdentifier => "the member presents itself under another name",
    ConfigurationOlder => "the configuration is older than the last",
    MalformedMetadata => "metadata of a type is not an object",
    NoOrganizationName => "federation_entity has no proper organization_name",
    NoOrigin => "the entity has no origin",
    EndpointOrigin => "an endpoint is not at the entity's own origin",
    NoEndpoint => "metadata lacks an endpoint",
    MalformedKeySet => "metadata has a malformed key set",
    NoKeys => "metadata lacks keys",
    IssuerNotEntity => "the authorization server's issuer is not the entity",
    ResourceNotEntity => "the resource is not the entity",
    ClientAuthentication => "the client does not authenticate with private_key_jwt",
    NoRedirectUris => "the client has no proper redirect_uris",
    NoClient => "the member is no OAuth client",
    NoResource => "the member is no resource server",
    NoAuthorizationServer => "the member is no authorization server",
    MalformedPolicy => "a metadata policy is malformed",
    PolicyOperatorValue => "a policy operator has an unfit value",
    PolicyOperators => "policy operators exclude each other",
    PolicyConflict => "two metadata policies exclude each other",
    PolicyEssential => "metadata lacks what a policy demands",
    PolicyValue => "metadata has a value that a policy does not allow",
    PolicySuperset => "metadata lacks values that a policy demands",
    PolicyInapplicable => "metadata has a value that a policy cannot be applied to",
    PolicyValueCount => "metadata has too many values for a policy",
    ResolverIssuer => "a resolve response is not by the resolver that was asked",
    NoUsableKey => "the statement has no usable key",
    CriticalClaim => "a statement has a critical claim that is not understood",
    NullMetadata => "a statement has metadata without a value",
    ConfigurationConstraints => "an entity configuration has constraints",
    ConfigurationPolicy => "an entity configuration has a metadata policy",
    ConfigurationSourceEndpoint => "an entity configuration has a source endpoint",
    EmptyAuthorityHints => "an entity configuration has empty authority hints",
    EmptyTrustAnchorHints => "an entity configuration has empty trust anchor hints",
    AnchorTrustAnchorHints => "an entity without superiors has trust anchor hints",
    SubordinateTrustAnchorHints => "a subordinate statement has trust anchor hints",
    RegistrationClaims => "a statement has aud or trust_anchor, which belong to explicit registration",
    MalformedMarkOwner => "the anchor's entry for a trust mark's owner is malformed",
    SubordinateAuthorityHints => "a subordinate statement has authority hints",
    SubordinateTrustMarks => "a subordinate statement has trust marks",
    CriticalPolicyOperator => "a statement has a critical policy operator that is not understood",
    ConfigurationSubject => "an entity configuration is not about its issuer",
    MarkWithoutRole => "a trust mark gives no role",
    MarkOfAnother => "a trust mark is another's",
    MarkIssuer => "a trust mark is not by an issuer that the anchor allows",
    NoMarkDelegation => "a trust mark lacks its owner's delegation",
    UnknownMarkOwner => "a trust mark is delegated by nobody that the anchor knows",
    MarkDelegation => "a trust mark's delegation is for another",
    NoLongerMember => "it is no member any more",
    NoConfiguredKeys => "no keys are configured for it",
    UnrequestedMark => "a superior gives another trust mark than was asked for",
    IdentifierNotUrl => "the identifier is not an address",
    StatementNotText => "a statement is not text",
    NotFound => "not found",
    Refused => "refused",
    AnswerTooLarge => "the answer is too large",
    MalformedUrl => "the address is malformed",
    MarkStatusEndpoint => "a trust mark's issuer tells its status nowhere at its own origin",
    SuperiorEndpoint => "a superior lacks an endpoint at its own origin",
    EntityIdentifier => "it presents itself under another name",
    MarkRevoked => "a trust mark was revoked",
    AnchorNotConfigured => "the anchor is not configured",
    MarkIssuerAnchor => "a trust mark's issuer is below another anchor",
    NoFormerKeysEndpoint => "the member does not tell its former keys",
    UsesNotFound => "the recipient publishes no declared uses",
    MalformedUses => "the declared uses are malformed",
    UsesOfAnother => "a recipient declares another's uses",
    NotListed => "no anchor lists it",
    UseRecipient => "the use names no proper recipient",
    UnknownUse => "the recipient declares no such use",
    SuperiorNotIntermediate => "its superior is no intermediate any more",
    ListingAnchorNotNamed => "the entity names no anchor that lists it",
    ConfigurationOfAnother => "the entity configuration is another's",
    TooManySuperiors => "the entity names too many superiors",
    SuperiorIdentifier => "the superior presents itself under another name",
    MarkNotText => "a trust mark is not text",
    MarkType => "a trust mark is shown under another type",
    MarkInactive => "a trust mark does not hold, says its issuer",
    MarkStatusNotText => "a trust mark's status is not text",
} with {
    /// The member lacks the trust mark of a role.
    NoMark(Role),
    /// A signed message or a key is refused; the text is the reason of [`JoseError`].
    Jose(JoseError),
    /// The address policy of the HTTP client forbids the request.
    Forbidden(&'static str),
    /// The answer is of another content type or form.
    UnexpectedAnswer(&'static str),
}
    Self::NoMark(Role::ConsentIssuer) => "the member lacks the trust mark consent-issuer",
    Self::NoMark(Role::DataHolder) => "the member lacks the trust mark data-holder",
    Self::NoMark(Role::DataRecipient) => "the member lacks the trust mark data-recipient",
    Self::Jose(error) => error.reason(),
    Self::Forbidden(rule) => rule,
    Self::UnexpectedAnswer(kind) => kind,
}

fault_texts! {
/// Why trust cannot be decided now; a retry may give another result.
Outage {
    Store => "the store",
    MemberKeysUnknown => "the member cannot be met",
    Busy => "too many resolutions at a time",
    Unreachable => "cannot be reached",
    ServerError => "the other side failed",
    Timeout => "no answer in time",
    Deadline => "the resolution takes too long",
    AskedJustNow => "it was asked just now",
    OlderStatement => "an older statement than the last was served",
    TooManySuperiors => "there are too many superiors",
    NotAsked => "a superior could not be asked",
    Budget => "the resolution asks for too much",
    MalformedList => "a superior's list is malformed",
} with {}
}

impl From<JoseError> for TrustFault {
    fn from(error: JoseError) -> Self {
        Self::Jose(error)
    }
}

impl TrustFault {
    /// Whether a trusted recipient does not declare a use, or not correctly: the recipient itself is still trusted.
    #[must_use]
    pub(crate) const fn is_of_declared_use(self) -> bool {
        matches!(
            self,
            Self::UnknownUse
                | Self::MalformedUses
                | Self::UsesOfAnother
                | Self::UseRecipient
                | Self::UsesNotFound
        )
    }

    /// Whether the metadata, or a policy for it, is refused and not the chain: `invalid_metadata` of a resolver (OpenID
    /// Federation 1.0 §8.9).
    #[must_use]
    pub(crate) const fn is_of_metadata(self) -> bool {
        matches!(
            self,
            Self::MalformedMetadata
                | Self::NullMetadata
                | Self::MalformedSuperiorMetadata
                | Self::MalformedPolicy
                | Self::PolicyOperatorValue
                | Self::PolicyOperators
                | Self::PolicyConflict
                | Self::PolicyEssential
                | Self::PolicyValue
                | Self::PolicySuperset
                | Self::PolicyInapplicable
                | Self::PolicyValueCount
                | Self::CriticalPolicyOperator
        )
    }
}
