//! The use cases, one file a verb. Each takes the [`Node`] and values, and does its change in one transaction; what must
//! reach another node goes through the outbox.

pub mod federation;
pub mod holder;
pub mod keys;
pub mod maintenance;
pub mod messaging;
pub mod oauth_error;
pub mod problem;
pub(crate) mod quota;
pub mod recipient;
pub mod resident;
pub mod services;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

pub use crate::node::keys::key_ring::{KeyPolicy, KeyPurpose, KeyRing, LoginKeyPolicy};
pub use oauth_error::{OAuthCode, OAuthError};
pub use problem::{Problem, ProblemKind};

use crate::domain::catalogue::{Contact, Dataset, DeclaredUse, Levels, Text};
use crate::domain::clock::Timestamp;
use crate::domain::federation::{Expiry, TrustMarkEntry};
use crate::domain::ids::{DatasetId, EntityId, Jti, ServiceId, UseId};
use crate::domain::jose::b64url;
use crate::domain::token::TokenPolicy;
use crate::ports::{
    Clock, Entropy, IdentityProvider, MemberDirectory, MemberDocuments, Outbound, Passkeys, Registers,
    Superiors, TrustResolver, random,
};
use crate::store::Store;

/// A city's service that may call its own node.
#[derive(Clone)]
pub struct Service {
    /// Its identifier, which is its OAuth client identifier too.
    pub id: ServiceId,
    /// What people call it.
    pub name: Text,
    /// SHA-256 of its secrets, any of which it may show: two while one takes the other's place. The secrets themselves are
    /// not kept in memory.
    pub secret_hashes: Vec<[u8; 32]>,
    /// Where a resident's browser may be sent back to: addresses below one of these.
    pub return_url_prefixes: Vec<url::Url>,
}

/// The bounds that an operator may move.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest permission that this holder accepts, in days.
    pub consent_max_days: u16,
    /// Life of a pushed request's URI, in seconds.
    pub request_uri_secs: i64,
    /// Time for a decision, in seconds.
    pub decision_secs: i64,
    /// Life of an authorization code, in seconds.
    pub code_secs: i64,
    /// Life of a pre-authorised code, in seconds.
    pub pre_authorized_secs: i64,
    /// Life of a service's token, in seconds.
    pub service_token_secs: i64,
    /// Life of a signed status list, in seconds.
    pub status_list_secs: i64,
    /// Time between two looks at the superiors for this node's trust marks, in seconds.
    pub trust_mark_refresh_secs: u64,
    /// Life of the entity configuration, in seconds.
    pub entity_configuration_secs: i64,
    /// Age at which a DPoP proof is refused, in seconds.
    pub proof_secs: i64,
    /// Whether DPoP proofs must carry a nonce of this node.
    pub demand_dpop_nonce: bool,
    /// Time without a click after which a session ends, in seconds.
    pub session_idle_secs: i64,
    /// Time after which a session ends in any case, in seconds.
    pub session_max_secs: i64,
    /// What peers, services and residents may write within a time.
    pub quotas: Quotas,
}

/// How much others may have written into the store; beyond it they are told to come again later.
#[derive(Debug, Clone, Copy)]
pub struct Quotas {
    /// `consent-given` events of one holder within an hour.
    pub given_per_hour: u32,
    /// Undecided pushed requests of one recipient.
    pub pushed_open: u32,
    /// Undecided pushed requests of one recipient for one expected person.
    pub pushed_open_per_person: u32,
    /// Undecided requests that one service has made.
    pub service_open: u32,
    /// Undecided requests that one resident has begun in the portal.
    pub resident_open: u32,
}

/// How long the node keeps what it need not keep for ever, as the operator set it.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Personal data and evidence of a consent after its end, in seconds.
    pub consents_secs: i64,
    /// Requests that came to nothing, in seconds.
    pub requests_secs: i64,
}

/// What a node is and offers, from its configuration.
#[derive(Clone)]
pub struct Settings {
    /// Its entity identifier and base URL.
    pub id: EntityId,
    /// What people call the city.
    pub name: Text,
    /// Its superiors in the federation, as its entity configuration names them.
    pub authority_hints: Vec<EntityId>,
    /// The office that answers residents.
    pub contact: Contact,
    /// The trust anchors of the federations that it belongs to.
    pub trust_anchors: Vec<EntityId>,
    /// Its trust marks that its operator was given in another way than over a superior's endpoint.
    pub trust_marks: Vec<TrustMarkEntry>,
    /// Keys configured for anchors that have an end.
    pub anchor_keys: Vec<Expiry>,
    /// The city's data protection officer, for the portal.
    pub data_protection_officer: Contact,
    /// Its client identifier at the login provider.
    pub login_client_id: String,
    /// The levels of assurance that its login provider knows.
    pub levels: Levels,
    /// What it holds.
    pub datasets: Vec<Dataset>,
    /// What its services may ask.
    pub uses: Vec<DeclaredUse>,
    /// Its services.
    pub services: Vec<Service>,
    /// What it puts into and demands of consent tokens.
    pub token_policy: TokenPolicy,
    /// The bounds that the operator set.
    pub limits: Limits,
    /// How long it keeps what it need not keep for ever.
    pub retention: Retention,
}

impl Settings {
    /// The dataset of that name, while it is offered.
    #[must_use]
    pub fn dataset(&self, id: &DatasetId) -> Option<&Dataset> {
        self.datasets.iter().find(|dataset| &dataset.id == id)
    }

    /// This node's own declared use.
    #[must_use]
    pub fn own_use(&self, id: &UseId) -> Option<&DeclaredUse> {
        self.uses.iter().find(|declared| &declared.id == id)
    }

    /// The service of that name.
    #[must_use]
    pub fn service(&self, id: &ServiceId) -> Option<&Service> {
        self.services.iter().find(|service| &service.id == id)
    }

    /// An address of this node.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.id)
    }
}

/// Everything that a use case works with.
pub struct Node {
    /// What the node is and offers.
    pub settings: Settings,
    /// What it must not forget.
    pub store: Store,
    /// Its signing keys.
    pub keys: KeyRing,
    /// The nonces that it demands in DPoP proofs.
    pub nonces: holder::oauth::dpop_nonce::NonceMint,
    /// Nonces that other holders demanded last, by holder.
    pub peer_nonces: Mutex<HashMap<EntityId, String>>,
    /// Schemas of other holders' datasets, as asked for lately.
    pub record_schemas: recipient::holder_catalogue::SchemaCache,
    /// Wrong service secrets of late.
    pub service_guesses: services::guess_limit::GuessLimit,
    /// Status lists as made a moment ago, by number.
    pub status_lists:
        tokio::sync::Mutex<HashMap<u32, (Timestamp, holder::oauth::published_list::PublishedList)>>,
    /// The other members.
    pub peers: Arc<dyn TrustResolver>,
    /// What trusted members publish.
    pub member_documents: Arc<dyn MemberDocuments>,
    /// Who is a member.
    pub members: Arc<dyn MemberDirectory>,
    /// Those who vouch for this node.
    pub superiors: Arc<dyn Superiors>,
    /// Requests to other members.
    pub outbound: Arc<dyn Outbound>,
    /// The city's registers.
    pub registers: Arc<dyn Registers>,
    /// The city's login provider.
    pub identity: Arc<dyn IdentityProvider>,
    /// Residents' passkeys.
    pub passkeys: Arc<dyn Passkeys>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Rings when something was put into the outbox, so that delivery does not wait for the next round.
    pub outbox_bell: Arc<tokio::sync::Notify>,
}

impl Node {
    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A secret of 256 random bits as text.
    #[must_use]
    pub fn secret(&self) -> String {
        b64url(&random::<32>(&*self.entropy))
    }

    /// A fresh JWT identifier.
    ///
    /// # Errors
    /// Never: base64url of random bytes is a well-formed identifier.
    pub fn jti(&self) -> Result<Jti, Problem> {
        Jti::new(b64url(&random::<16>(&*self.entropy)))
            .map_err(|error| Problem::because(ProblemKind::Internal, error))
    }
}
