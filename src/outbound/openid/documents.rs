//! The provider's documents: metadata (OpenID Connect Discovery 1.0 §4) and keys, fetched and cached.

use std::sync::Arc;

use http::header::ACCEPT;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use super::http::Http;
use super::metadata::Metadata;
use crate::domain::clock::Timestamp;
use crate::domain::jose::id_token::ProviderDocuments;
use crate::domain::login::LoginError;

/// How long the documents are cached, in seconds.
const LIFETIME_SECS: i64 = 3600;
/// How long a failure is not retried, so that waiting logins do not queue up behind an unavailable provider.
const FAILURE_SECS: i64 = 3;
/// How long the keys are not fetched again although a token names an unknown one, so that forged tokens cause few
/// requests.
const KEYS_COOL_DOWN_SECS: i64 = 60;

/// Metadata and keys as of one moment.
pub(crate) struct Documents {
    pub(crate) metadata: Metadata,
    /// The metadata as published.
    raw: Value,
    /// The members of the JWKS, as published.
    pub(crate) keys: Vec<Value>,
    fetched_at: Timestamp,
    keys_fetched_at: Timestamp,
}

impl Documents {
    /// The documents with what was derived from them.
    pub(crate) fn to_keep(&self) -> ProviderDocuments {
        ProviderDocuments {
            metadata: self.raw.clone(),
            jwks: serde_json::json!({ "keys": self.keys }),
            fetched_at: self.keys_fetched_at.rfc3339(),
        }
    }
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

#[derive(Default)]
struct Cached {
    current: Option<Arc<Documents>>,
    failed_at: Option<Timestamp>,
}

/// The documents of one provider. One fetch runs at a time; other callers wait for it.
pub(crate) struct DocumentCache {
    issuer: String,
    cached: Mutex<Cached>,
}

impl DocumentCache {
    pub(crate) fn new(issuer: String) -> Self {
        Self { issuer, cached: Mutex::new(Cached::default()) }
    }

    /// The documents, fetched when they are absent or older than an hour.
    pub(crate) async fn get(&self, http: &Http, now: Timestamp) -> Result<Arc<Documents>, LoginError> {
        let mut cached = self.cached.lock().await;
        if let Some(current) = &cached.current
            && within(now, current.fetched_at, LIFETIME_SECS)
        {
            return Ok(Arc::clone(current));
        }
        if cached.failed_at.is_some_and(|at| within(now, at, FAILURE_SECS)) {
            return Err(LoginError::ProviderUnavailable);
        }
        let fetched = self.fetch(http, now).await;
        cached.failed_at = fetched.is_err().then_some(now);
        let fetched = Arc::new(fetched?);
        cached.current = Some(Arc::clone(&fetched));
        Ok(fetched)
    }

    /// Documents with keys newer than the given ones, unless those are less than a minute old.
    pub(crate) async fn with_newer_keys(
        &self,
        http: &Http,
        seen: &Arc<Documents>,
        now: Timestamp,
    ) -> Result<Arc<Documents>, LoginError> {
        let mut cached = self.cached.lock().await;
        if let Some(current) = &cached.current
            && current.keys_fetched_at > seen.keys_fetched_at
        {
            return Ok(Arc::clone(current));
        }
        if within(now, seen.keys_fetched_at, KEYS_COOL_DOWN_SECS) {
            return Ok(Arc::clone(seen));
        }
        let keys: KeySet = get_json(http, &seen.metadata.jwks_uri, "key set").await?;
        let newer = Arc::new(Documents {
            metadata: seen.metadata.clone(),
            raw: seen.raw.clone(),
            keys: keys.keys,
            fetched_at: seen.fetched_at,
            keys_fetched_at: now,
        });
        cached.current = Some(Arc::clone(&newer));
        Ok(newer)
    }

    async fn fetch(&self, http: &Http, now: Timestamp) -> Result<Documents, LoginError> {
        let address = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let address = Url::parse(&address).map_err(|_| LoginError::ProviderUnavailable)?;
        let raw: Value = get_json(http, &address, "metadata").await?;
        let read = Metadata::read(&raw, &self.issuer, |url| http.allows(url)).map_err(|error| {
            tracing::warn!(
                event = "login_provider_metadata_unusable",
                member = error.member,
                fault = error.fault,
                "nobody can log in: a member of the login provider's metadata cannot be used"
            );
            LoginError::ProviderUnavailable
        })?;
        for member in read.ignored {
            tracing::warn!(
                event = "login_provider_metadata_member_ignored",
                member,
                "an optional member of the login provider's metadata is malformed and was ignored"
            );
        }
        let keys: KeySet = get_json(http, &read.metadata.jwks_uri, "key set").await?;
        Ok(Documents { metadata: read.metadata, raw, keys: keys.keys, fetched_at: now, keys_fetched_at: now })
    }
}

/// Whether `now` is less than `secs` after a moment. A clock that was set back counts as after.
fn within(now: Timestamp, since: Timestamp, secs: i64) -> bool {
    since <= now && now < since.plus_secs(secs)
}

async fn get_json<T: DeserializeOwned>(
    http: &Http,
    address: &Url,
    document: &'static str,
) -> Result<T, LoginError> {
    let request = http::Request::get(address.as_str()).header(ACCEPT, "application/json").body(Vec::new());
    let request = request.map_err(|_| LoginError::ProviderUnavailable)?;
    let response = http.send(request).await.map_err(|error| {
        tracing::warn!(
            event = "login_provider_document_unreachable",
            document,
            %error,
            "a document of the login provider could not be fetched"
        );
        LoginError::ProviderUnavailable
    })?;
    if response.status() != http::StatusCode::OK {
        tracing::warn!(
            event = "login_provider_document_refused",
            document,
            status = response.status().as_u16(),
            "the login provider did not answer with its document"
        );
        return Err(LoginError::ProviderUnavailable);
    }
    serde_json::from_slice(response.body()).map_err(|error| {
        tracing::warn!(
            event = "login_provider_document_malformed",
            document,
            %error,
            "a document of the login provider is not the JSON that it should be"
        );
        LoginError::ProviderUnavailable
    })
}
