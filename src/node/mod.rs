//! The use cases, one file a verb. Each takes the [`Node`] and values, and makes its change in one transaction;
//! messages to other nodes go through the outbox.

pub mod federation;
pub mod holder;
pub mod keys;
pub mod maintenance;
pub mod messaging;
pub mod oauth_error;
pub(crate) mod problem;
pub(crate) mod quota;
pub mod recipient;
pub mod resident;
pub(crate) mod services;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

pub use crate::node::keys::key_ring::{KeyPolicy, KeyPurpose, KeyRing, LoginKeyPolicy};
pub use oauth_error::{OAuthCode, OAuthError};
pub(crate) use problem::{Problem, ProblemKind};

use crate::domain::catalogue::{Contact, Dataset, DeclaredUse, DeclaredUses, Levels, Processing, Text};
use crate::domain::clock::Timestamp;
use crate::domain::federation::{Expiry, TrustMarkEntry};
use crate::domain::ids::{DatasetId, EntityId, Jti, ServiceId, UseId};
use crate::domain::jose::b64url;
use crate::domain::token::TokenPolicy;
use crate::domain::uses::hiding::HidingRules;
use crate::domain::uses::tracker::Tracker;
use crate::ports::{
    Clock, DataTrackers, Entropy, IdentityProvider, MemberDirectory, MemberDocuments, Outbound, Passkeys,
    Registers, Superiors, TrustResolver, random,
};
use crate::store::Store;

/// A city's service that may call its own node.
#[derive(Clone)]
pub struct Service {
    /// Its identifier, which is its OAuth client identifier too.
    pub id: ServiceId,
    /// SHA-256 of its secrets, any of which is accepted: two during a rotation. The secrets themselves are not kept in
    /// memory.
    pub(crate) secret_hashes: Vec<[u8; 32]>,
    /// Prefixes of the addresses that a resident's browser may be sent back to.
    pub(crate) return_url_prefixes: Vec<url::Url>,
}

/// The operator's limits.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest permission that this holder accepts, in days.
    pub(crate) consent_max_days: u16,
    /// Life of a pushed request's URI, in seconds.
    pub(crate) request_uri_secs: i64,
    /// Time for a decision, in seconds.
    pub(crate) decision_secs: i64,
    /// Life of an authorization code, in seconds.
    pub(crate) code_secs: i64,
    /// Life of a pre-authorised code, in seconds.
    pub(crate) pre_authorized_secs: i64,
    /// Life of a service's token, in seconds.
    pub(crate) service_token_secs: i64,
    /// Life of a signed status list, in seconds.
    pub(crate) status_list_secs: i64,
    /// Interval between two requests for this node's trust marks, in seconds.
    pub(crate) trust_mark_refresh_secs: u64,
    /// Life of the entity configuration, in seconds.
    pub(crate) entity_configuration_secs: i64,
    /// Age at which a DPoP proof is refused, in seconds.
    pub(crate) proof_secs: i64,
    /// Whether DPoP proofs must carry a nonce of this node.
    pub(crate) demand_dpop_nonce: bool,
    /// Time without a request after which a session ends, in seconds.
    pub(crate) session_idle_secs: i64,
    /// Maximum duration of a session, in seconds.
    pub(crate) session_max_secs: i64,
    /// What peers, services and residents may write within a time.
    pub(crate) quotas: Quotas,
}

/// Limits of what others may write into the store; beyond them they are asked to retry later.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quotas {
    /// `consent-given` events of one holder within an hour.
    pub(crate) given_per_hour: u32,
    /// Undecided pushed requests of one recipient.
    pub(crate) pushed_open: u32,
    /// Undecided pushed requests of one recipient for one expected person.
    pub(crate) pushed_open_per_person: u32,
    /// Undecided requests that one service has made.
    pub(crate) service_open: u32,
    /// Undecided requests that one resident has begun in the portal.
    pub(crate) resident_open: u32,
}

/// The operator's retention times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retention {
    /// Retention of personal data and evidence after the end of a consent, in seconds.
    pub(crate) consents_secs: i64,
    /// Retention of requests that ended without a consent, in seconds.
    pub(crate) requests_secs: i64,
}

/// The node's identity and content, from its configuration.
#[derive(Clone)]
pub struct Settings {
    /// Its entity identifier and base URL.
    pub id: EntityId,
    /// Display name of the city.
    pub name: Text,
    /// Its superiors in the federation, as its entity configuration names them.
    pub authority_hints: Vec<EntityId>,
    /// The contact for residents.
    pub contact: Contact,
    /// The trust anchors of the federations that it belongs to.
    pub trust_anchors: Vec<EntityId>,
    /// Trust marks that its operator was given by other means than a superior's endpoint.
    pub trust_marks: Vec<TrustMarkEntry>,
    /// The configured anchor keys that expire.
    pub anchor_keys: Vec<Expiry>,
    /// The city's data protection officer, for the portal.
    pub data_protection_officer: Contact,
    /// Its client identifier at the login provider.
    pub(crate) login_client_id: String,
    /// The assurance levels of its login provider.
    pub(crate) levels: Levels,
    /// The datasets that it holds.
    pub datasets: Vec<Dataset>,
    /// The declared uses of its services.
    pub uses: Vec<DeclaredUse>,
    /// The city's own uses of its data by contract and law.
    pub processing: Vec<Processing>,
    /// The rules for withholding a reported use; `None` when none may be withheld.
    pub(crate) hiding: Option<HidingRules>,
    /// The data trackers that it asks for uses.
    pub(crate) trackers: Vec<Tracker>,
    /// Its services.
    pub services: Vec<Service>,
    /// Content and requirements of consent tokens.
    pub(crate) token_policy: TokenPolicy,
    /// The bounds that the operator set.
    pub limits: Limits,
    /// How long it keeps what it need not keep for ever.
    pub(crate) retention: Retention,
}

impl Settings {
    /// A dataset by its identifier.
    #[must_use]
    pub fn dataset(&self, id: &DatasetId) -> Option<&Dataset> {
        self.datasets.iter().find(|dataset| &dataset.id == id)
    }

    /// This node's own declared uses, as it publishes them.
    #[must_use]
    pub(crate) fn declared_uses(&self) -> DeclaredUses {
        DeclaredUses { recipient: self.id.clone(), name: self.name.clone(), uses: self.uses.clone() }
    }

    /// This node's own declared use.
    #[must_use]
    pub(crate) fn own_use(&self, id: &UseId) -> Option<&DeclaredUse> {
        self.uses.iter().find(|declared| &declared.id == id)
    }

    /// A service by its identifier.
    #[must_use]
    pub fn service(&self, id: &ServiceId) -> Option<&Service> {
        self.services.iter().find(|service| &service.id == id)
    }

    /// The absolute URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.id)
    }
}

/// The context of all use cases.
pub struct Node {
    /// Identity and content of the node.
    pub settings: Settings,
    /// Persistent state.
    pub store: Store,
    /// Its signing keys.
    pub keys: KeyRing,
    /// Issues and verifies the nonces of DPoP proofs.
    pub nonces: holder::oauth::dpop_nonce::NonceMint,
    /// The latest DPoP nonce of each holder.
    pub(crate) peer_nonces: Mutex<HashMap<EntityId, String>>,
    /// Cached schemas of other holders' datasets.
    pub(crate) record_schemas: recipient::holder_catalogue::SchemaCache,
    /// Recent wrong service secrets.
    pub(crate) service_guesses: services::guess_limit::GuessLimit,
    /// Limits of what residents' own pages ask of the registers.
    pub(crate) own_reads: resident::holdings::ReadLimit,
    /// Limits of what they ask of the data trackers.
    pub(crate) tracker_reads: resident::holdings::ReadLimit,
    /// Exchanges that are to be committed.
    pub(crate) exchange_commits: Arc<holder::exchange::commit_queue::CommitQueue>,
    /// Status lists built a moment ago, by number.
    pub(crate) status_lists:
        tokio::sync::Mutex<HashMap<u32, (Timestamp, holder::oauth::published_list::PublishedList)>>,
    /// Status lists as this process built them last, by number: how many changes they show, and their packed entries.
    pub(crate) status_bits: Mutex<HashMap<u32, holder::oauth::publish_status::PackedList>>,
    /// Resolves other members.
    pub peers: Arc<dyn TrustResolver>,
    /// Fetches documents of trusted members.
    pub member_documents: Arc<dyn MemberDocuments>,
    /// The list of members.
    pub members: Arc<dyn MemberDirectory>,
    /// Requests to this node's superiors.
    pub superiors: Arc<dyn Superiors>,
    /// Requests to other members.
    pub outbound: Arc<dyn Outbound>,
    /// The city's registers.
    pub registers: Arc<dyn Registers>,
    /// The data trackers.
    pub(crate) trackers: Arc<dyn DataTrackers>,
    /// The city's login provider.
    pub(crate) identity: Arc<dyn IdentityProvider>,
    /// Residents' passkeys.
    pub passkeys: Arc<dyn Passkeys>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    /// Notified when something was put into the outbox, so that delivery does not wait for the next round.
    pub(crate) outbox_bell: Arc<tokio::sync::Notify>,
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
