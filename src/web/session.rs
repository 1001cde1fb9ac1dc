//! The browser's session: server-side, sealed in the store, ended by time or by logging out.

use std::collections::HashMap;
use std::sync::Arc;

use actix_session::storage::{
    LoadError, SaveError, SessionKey, SessionStore, UpdateError, generate_session_key,
};
use actix_session::{Session, SessionExt};
use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::domain::ids::RequestId;
use crate::domain::login::PendingLogin;
use crate::domain::login::Resident;
use crate::node::resident::register_passkey::Registering;
use crate::node::{Node, Problem, ProblemKind};
use crate::store::StoreError;
use crate::store::resident::sessions;

/// actix-session over the node's store.
#[derive(Clone)]
pub(crate) struct StoredSessions {
    node: Arc<Node>,
}

type State = HashMap<String, String>;

impl StoredSessions {
    /// Sessions in this node's store.
    #[must_use]
    pub(crate) const fn new(node: Arc<Node>) -> Self {
        Self { node }
    }

    async fn begin(&self, state: State) -> Result<SessionKey, anyhow::Error> {
        let key = generate_session_key();
        let text = serde_json::to_string(&state)?;
        let (name, now, limits) = (key.as_ref().to_owned(), self.node.now(), self.node.settings.limits);
        // A session without a login is kept for as long as a login may take.
        let known = state.contains_key(RESIDENT);
        let idle = if known { limits.session_idle_secs } else { limits.session_idle_secs.min(STRANGER_SECS) };
        let lifetime = sessions::Lifetime { idle_secs: idle, longest_secs: limits.session_max_secs };
        self.node
            .store
            .write("save_session", move |tx| sessions::save(tx, &name, &text, lifetime, now))
            .await?;
        Ok(key)
    }
}

impl SessionStore for StoredSessions {
    async fn load(&self, key: &SessionKey) -> Result<Option<State>, LoadError> {
        let (name, now) = (key.as_ref().to_owned(), self.node.now());
        let state = self
            .node
            .store
            .read("load_session", move |store| sessions::load(store, &name, now))
            .await
            .map_err(|error| LoadError::Other(error.into()))?;
        state
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| LoadError::Deserialization(error.into()))
    }

    async fn save(&self, state: State, _: &Duration) -> Result<SessionKey, SaveError> {
        self.begin(state).await.map_err(SaveError::Other)
    }

    async fn update(&self, key: SessionKey, state: State, _: &Duration) -> Result<SessionKey, UpdateError> {
        let text = serde_json::to_string(&state).map_err(|error| UpdateError::Serialization(error.into()))?;
        let (name, now) = (key.as_ref().to_owned(), self.node.now());
        let idle = self.node.settings.limits.session_idle_secs;
        let updated = self
            .node
            .store
            .write("update_session", move |tx| sessions::update(tx, &name, &text, now, idle))
            .await;
        match updated {
            Ok(()) => Ok(key),
            // It ended while the page was being made. Logins in progress may continue; nobody is logged in.
            Err(StoreError::NotFound) => {
                let outlives = |name: &str| matches!(name, UNDER_WAY | CHOICES);
                let kept = state.into_iter().filter(|(name, _)| outlives(name)).collect();
                self.begin(kept).await.map_err(UpdateError::Other)
            }
            Err(error) => Err(UpdateError::Other(error.into())),
        }
    }

    async fn update_ttl(&self, key: &SessionKey, _: &Duration) -> Result<(), anyhow::Error> {
        let (name, now) = (key.as_ref().to_owned(), self.node.now());
        let idle = self.node.settings.limits.session_idle_secs;
        match self
            .node
            .store
            .write("extend_session", move |tx| sessions::update_ttl(tx, &name, now, idle))
            .await
        {
            Ok(()) | Err(StoreError::NotFound) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        let name = key.as_ref().to_owned();
        Ok(self.node.store.write("delete_session", move |tx| sessions::delete(tx, &name)).await?)
    }
}

/// The next step when a login in progress returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PostLogin {
    /// The person is logged in and goes to a page of the portal.
    Open(String),
    /// The person has logged in for a request that their browser brought, and opens it.
    Arrive(RequestId),
    /// The person has logged in with the assurance that a request requires, and returns to it.
    Show(RequestId),
    /// The provider has signed the decision on a request.
    Allow(RequestId),
}

/// A login in progress.
#[derive(Serialize, Deserialize)]
struct UnderWay {
    pending: PendingLogin,
    after: PostLogin,
}

/// Maximum number of logins in progress in one browser.
const MOST_UNDER_WAY: usize = 8;

/// Maximum number of requests whose choices are kept in one session.
const MOST_CHOICES: usize = 4;

/// Lifetime of a session without a login, in seconds.
const STRANGER_SECS: i64 = 15 * 60;

const RESIDENT: &str = "resident";
const UNDER_WAY: &str = "logins";
const CHOICES: &str = "choices";
const CSRF: &str = "csrf";
const REGISTERING: &str = "passkey";

/// The session of the requesting browser, typed.
pub(crate) struct Visitor {
    session: Session,
    node: Arc<Node>,
}

impl Visitor {
    /// The session of a request.
    #[must_use]
    pub(crate) fn of(request: &HttpRequest, node: Arc<Node>) -> Self {
        Self { session: request.get_session(), node }
    }

    /// Who has logged in, if anyone.
    #[must_use]
    pub(crate) fn resident(&self) -> Option<Resident> {
        self.session.get(RESIDENT).ok().flatten()
    }

    /// Who has logged in.
    ///
    /// # Errors
    /// [`Problem`] `session-ended` when nobody has.
    pub(crate) fn require_resident(&self) -> Result<Resident, Problem> {
        self.resident().ok_or(Problem::new(ProblemKind::SessionEnded))
    }

    /// The CSRF token that every form of this session carries.
    ///
    /// # Errors
    /// [`Problem`] when the session cannot be written.
    pub(crate) fn csrf(&self) -> Result<String, Problem> {
        if let Some(token) = self.session.get::<String>(CSRF).ok().flatten() {
            return Ok(token);
        }
        let token = self.node.secret();
        self.put(CSRF, &token)?;
        Ok(token)
    }

    /// Checks a form's CSRF token.
    ///
    /// # Errors
    /// [`Problem`] `foreign-form`.
    pub(crate) fn check_csrf(&self, token: Option<&str>) -> Result<(), Problem> {
        let expected: Option<String> = self.session.get(CSRF).ok().flatten();
        let fits = expected
            .zip(token)
            .is_some_and(|(expected, token)| bool::from(expected.as_bytes().ct_eq(token.as_bytes())));
        if fits { Ok(()) } else { Err(Problem::new(ProblemKind::ForeignForm)) }
    }

    /// Stores a login that goes to the provider, beside those of other tabs. Above the limit the oldest is dropped.
    ///
    /// # Errors
    /// [`Problem`] when the session cannot be written.
    pub(crate) fn save_pending_login(&self, pending: PendingLogin, after: PostLogin) -> Result<(), Problem> {
        let mut under_way = self.logins_under_way();
        under_way.push(UnderWay { pending, after });
        let surplus = under_way.len().saturating_sub(MOST_UNDER_WAY);
        under_way.drain(..surplus);
        self.put(UNDER_WAY, &under_way)
    }

    /// Takes the login with this `state`, once.
    ///
    /// # Errors
    /// [`Problem`] `session-ended` when none is in progress in this browser, `login-failed` when only others are.
    pub(crate) fn take_pending_login(
        &self,
        state: Option<&str>,
    ) -> Result<(PendingLogin, PostLogin), Problem> {
        let mut under_way = self.logins_under_way();
        let foreign = if under_way.is_empty() { ProblemKind::SessionEnded } else { ProblemKind::LoginFailed };
        let place = under_way
            .iter()
            .position(|one| bool::from(one.pending.state.as_bytes().ct_eq(state.unwrap_or("").as_bytes())))
            .ok_or(Problem::new(foreign))?;
        let taken = under_way.remove(place);
        self.put(UNDER_WAY, &under_way)?;
        Ok((taken.pending, taken.after))
    }

    fn logins_under_way(&self) -> Vec<UnderWay> {
        self.session.get(UNDER_WAY).ok().flatten().unwrap_or_default()
    }

    /// Stores the choices made on the page of a request, in place of earlier ones.
    ///
    /// # Errors
    /// [`Problem`] when the session cannot be written.
    pub(crate) fn keep_choices(&self, request: RequestId, choices: &impl Serialize) -> Result<(), Problem> {
        let chosen = serde_json::to_value(choices)?;
        let mut all = self.choices();
        all.retain(|(other, _)| *other != request);
        all.push((request, chosen));
        let surplus = all.len().saturating_sub(MOST_CHOICES);
        all.drain(..surplus);
        self.put(CHOICES, &all)
    }

    /// The stored choices of a request that is not decided yet.
    #[must_use]
    pub(crate) fn kept_choices<T: DeserializeOwned>(&self, request: RequestId) -> Option<T> {
        let (_, chosen) = self.choices().into_iter().find(|(other, _)| *other == request)?;
        serde_json::from_value(chosen).ok()
    }

    /// Deletes the choices of a decided request.
    ///
    /// # Errors
    /// [`Problem`] when the session cannot be written.
    pub(crate) fn drop_choices(&self, request: RequestId) -> Result<(), Problem> {
        let mut all = self.choices();
        all.retain(|(other, _)| *other != request);
        self.put(CHOICES, &all)
    }

    fn choices(&self) -> Vec<(RequestId, serde_json::Value)> {
        self.session.get(CHOICES).ok().flatten().unwrap_or_default()
    }

    /// Logs a resident in, with a new session key and a new CSRF token (no session fixation).
    ///
    /// # Errors
    /// [`Problem`] when the session cannot be written.
    pub(crate) fn log_in(&self, resident: &Resident) -> Result<(), Problem> {
        self.session.renew();
        self.session.remove(CSRF);
        self.put(RESIDENT, resident)
    }

    /// Stores a passkey registration in progress, in place of an earlier one.
    ///
    /// # Errors
    /// [`Problem`] when the session cannot be written.
    pub(crate) fn register(&self, registering: &Registering) -> Result<(), Problem> {
        self.put(REGISTERING, registering)
    }

    /// Takes the passkey registration in progress, once.
    ///
    /// # Errors
    /// [`Problem`] `session-ended` when none is in progress in this browser.
    pub(crate) fn registered(&self) -> Result<Registering, Problem> {
        let found = self.session.get(REGISTERING).ok().flatten();
        self.session.remove(REGISTERING);
        found.ok_or(Problem::new(ProblemKind::SessionEnded))
    }

    pub(crate) fn log_out(&self) {
        self.session.purge();
    }

    fn put(&self, name: &str, value: &impl Serialize) -> Result<(), Problem> {
        self.session.insert(name, value).map_err(|_| Problem::because(ProblemKind::Internal, "session"))
    }
}
