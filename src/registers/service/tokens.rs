//! Secrets from files, and access tokens of an OAuth 2.0 client credentials grant (RFC 6749 §4.4).

use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::super::failure::Failure;
use crate::domain::catalogue::service::OAuthClient;
use crate::domain::jose::parse_strict_json;
use crate::http::{Expected, GuardError, GuardedClient};
use crate::ports::RegisterError;

const TOKEN: Expected = Expected { content_types: &["application/json"], max_bytes: 64 * 1024 };

/// How long before its end a token is no longer used.
const MARGIN: Duration = Duration::from_secs(10);

/// The secret in a file, without the white space around it.
pub(super) fn secret(file: &Path, key: &'static str) -> Result<SecretString, Failure> {
    let unread = |cause: String| {
        Failure::new(RegisterError::Unavailable, format!("this side: {key} {}: {cause}", file.display()))
    };
    let text = std::fs::read_to_string(file)
        .map(zeroize::Zeroizing::new)
        .map_err(|error| unread(error.to_string()))?;
    match text.trim() {
        "" => Err(unread("holds no secret".to_owned())),
        secret => Ok(SecretString::from(secret)),
    }
}

struct Kept {
    token: SecretString,
    /// Unlimited where the server does not say.
    until: Option<Instant>,
}

/// The access token of one client, kept until it ends.
pub(super) struct Tokens {
    client: OAuthClient,
    kept: Mutex<Option<Kept>>,
}

impl Tokens {
    pub(super) fn new(client: OAuthClient) -> Self {
        Self { client, kept: Mutex::new(None) }
    }

    /// The token in use; fetches one if there is none. Requests that come meanwhile wait for it.
    pub(super) async fn current(
        &self,
        http: &GuardedClient,
        explain: impl Fn(&Url, GuardError) -> Failure,
    ) -> Result<SecretString, Failure> {
        let mut kept = self.kept.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.until.is_none_or(|until| Instant::now() < until))
        {
            return Ok(kept.token.clone());
        }
        let fetched = self.fetch(http, explain).await?;
        let token = fetched.token.clone();
        *kept = Some(fetched);
        Ok(token)
    }

    /// Forgets a token that the service did not accept.
    pub(super) async fn forget(&self) {
        *self.kept.lock().await = None;
    }

    async fn fetch(
        &self,
        http: &GuardedClient,
        explain: impl Fn(&Url, GuardError) -> Failure,
    ) -> Result<Kept, Failure> {
        let secret = secret(&self.client.secret_file, "client_secret_file")?;
        // Both parts are form-encoded before they are joined (RFC 6749 §2.3.1).
        let part = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", part(&self.client.client_id), part(secret.expose_secret()));
        let basic =
            zeroize::Zeroizing::new(format!("Basic {}", STANDARD.encode(zeroize::Zeroizing::new(pair))));
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(self.client.scope.as_deref().map(|scope| ("scope", scope)));
        let url = &self.client.token_url;
        let reply = http
            .post_form(url, &form, &[(AUTHORIZATION, basic.as_str())], TOKEN)
            .await
            .map_err(|error| explain(url, error))?;
        let status = reply.status.as_u16();
        if status != 200 {
            let cause = format!(
                "token_url answered {status}; this side: check client_id, client_secret_file and scope"
            );
            return Err(Failure::new(RegisterError::Unavailable, cause));
        }
        let unfit = || {
            let cause = "the authorization server's side: its answer has no bearer token (RFC 6749 §5.1)";
            Failure::new(RegisterError::Unavailable, cause)
        };
        let answer = parse_strict_json(&reply.body).map_err(|_| unfit())?;
        let text = |name| answer.get(name).and_then(serde_json::Value::as_str);
        let bearer = text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
        let token = text("access_token").filter(|token| bearer && !token.is_empty()).ok_or_else(unfit)?;
        let seconds = answer.get("expires_in").and_then(serde_json::Value::as_u64);
        let until = seconds.map(|seconds| {
            // A day is enough of a promise.
            let life = Duration::from_secs(seconds.min(86_400));
            Instant::now() + life.saturating_sub(MARGIN)
        });
        Ok(Kept { token: SecretString::from(token), until })
    }
}
