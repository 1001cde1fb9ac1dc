//! Calls of a node's service API, each recorded as sent, secrets shortened.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::City;
use crate::domain::clock::Timestamp;
use crate::domain::sync::lock;
use crate::ports::Clock;

/// Maximum size of a response in bytes.
const MAX_ANSWER: usize = 1024 * 1024;

/// A call of a service to its own node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operation {
    /// Request a resident's consent.
    Ask(Value),
    State(String),
    /// List this service's consents.
    List,
    /// Fetch the data of one consent.
    Fetch(String),
    /// Report uses of residents' data.
    Report(Value),
}

impl Operation {
    fn method(&self) -> Method {
        match self {
            Self::Ask(_) | Self::Fetch(_) | Self::Report(_) => Method::POST,
            Self::State(_) | Self::List => Method::GET,
        }
    }

    fn path(&self) -> Vec<&str> {
        match self {
            Self::Ask(_) => vec!["api", "v1", "consent-requests"],
            Self::State(id) => vec!["api", "v1", "consents", id],
            Self::List => vec!["api", "v1", "consents"],
            Self::Fetch(id) => vec!["api", "v1", "consents", id, "fetch"],
            Self::Report(_) => vec!["api", "v1", "uses"],
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::Ask(_) => "Ask for the permission",
            Self::State(_) => "See how the permission stands",
            Self::List => "List the permissions of this service",
            Self::Fetch(_) => "Fetch the data",
            Self::Report(_) => "Report uses of residents' data",
        }
    }

    /// Position among a case's calls: the most instructive comes last.
    fn rank(&self) -> u8 {
        match self {
            Self::State(_) => 1,
            Self::Ask(_) | Self::List => 2,
            Self::Fetch(_) => 3,
            Self::Report(_) => 4,
        }
    }

    fn about(&self) -> &'static str {
        match self {
            Self::Ask(_) => {
                "The node checks the request, pushes it to the holding city and answers with an address to which the \
                 service sends the resident's browser."
            }
            Self::State(_) => "Asked whenever this page is opened. A service may ask as often as it likes.",
            Self::List => "Also the ones that residents started on their own in the holding city's portal.",
            Self::Fetch(_) => {
                "The node proves itself to the holding city, checks the signed receipt that comes with the data, and \
                 hands on only what the permission covers."
            }
            Self::Report(_) => {
                "Residents read these uses in their portal, beside what happened with their permission."
            }
        }
    }
}

/// One request and its response, for display.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// The purpose of the call; later calls for the same purpose replace it.
    pub(super) title: &'static str,
    pub(super) about: &'static str,
    pub(super) rank: u8,
    pub(super) method: String,
    pub(super) url: String,
    pub(super) request: String,
    /// Status code; `None` without a response.
    pub(super) status: Option<u16>,
    pub(super) response: String,
}

impl Call {
    /// Whether the response was successful.
    pub(super) fn is_good(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// Why a call failed.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) status: Option<u16>,
    pub(super) title: String,
    pub(super) detail: String,
    /// `type`, when it is an address that a browser can open.
    pub(super) link: Option<String>,
    /// The problem's other members, as received.
    pub(super) members: Vec<(String, String)>,
}

impl Problem {
    fn no_answer(detail: &str) -> Self {
        Self {
            status: None,
            title: "The node does not answer".to_owned(),
            detail: detail.to_owned(),
            link: None,
            members: Vec::new(),
        }
    }

    /// From an error response: RFC 9457 problem details, or the RFC 6749 error of the token endpoint.
    fn from_answer(status: u16, from: &str, body: &Value) -> Self {
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        // `type` may be relative to the request URL (RFC 9457 §3.1.1).
        let link = text("type").and_then(|kind| url::Url::parse(from).ok()?.join(&kind).ok());
        let shown = ["title", "detail", "type", "status", "error", "error_description"];
        let members = body.as_object().map(|members| {
            members
                .iter()
                .filter(|(name, _)| !shown.contains(&name.as_str()))
                .map(|(name, value)| (name.clone(), plain(value)))
                .collect()
        });
        Self {
            status: Some(status),
            title: text("title").or_else(|| text("error")).unwrap_or_else(|| "The node refuses".to_owned()),
            detail: text("detail").or_else(|| text("error_description")).unwrap_or_default(),
            link: link.filter(|link| matches!(link.scheme(), "http" | "https")).map(String::from),
            members: members.unwrap_or_default(),
        }
    }
}

/// A value for display: text without quotation marks, the rest as JSON.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "–".to_owned(),
        other => other.to_string(),
    }
}

/// Makes the calls, and caches each service's access token.
pub(super) struct Caller {
    http: reqwest::Client,
    clock: Arc<dyn Clock>,
    tokens: Mutex<HashMap<String, (String, Timestamp)>>,
}

impl Caller {
    pub(super) fn new(http: reqwest::Client, clock: Arc<dyn Clock>) -> Self {
        Self { http, clock, tokens: Mutex::new(HashMap::new()) }
    }

    fn tokens(&self) -> MutexGuard<'_, HashMap<String, (String, Timestamp)>> {
        lock(&self.tokens)
    }

    /// Makes one call with the service's access token, fetching a new token if necessary. Every request and response is
    /// added to `record`.
    pub(super) async fn call(
        &self,
        city: &City,
        operation: &Operation,
        record: &mut Vec<Call>,
    ) -> Result<Value, Problem> {
        let token = self.token(city, record).await?;
        match self.call_with(city, operation, &token, record).await {
            // The node may have restarted since: retry with a new token.
            Err(Problem { status: Some(401), .. }) => {
                self.tokens().remove(&city.id);
                let token = self.token(city, record).await?;
                self.call_with(city, operation, &token, record).await
            }
            other => other,
        }
    }

    async fn token(&self, city: &City, record: &mut Vec<Call>) -> Result<String, Problem> {
        let now = self.clock.now();
        if let Some((token, until)) = self.tokens().get(&city.id)
            && *until > now
        {
            return Ok(token.clone());
        }
        let url = endpoint(city, &["api", "v1", "token"])?;
        let credentials =
            format!("{}:{}", form_encode(&city.client_id), form_encode(city.client_secret.expose_secret()));
        let request = self
            .http
            .post(url.clone())
            .header(AUTHORIZATION, format!("Basic {}", STANDARD.encode(credentials)))
            .form(&[("grant_type", "client_credentials")]);
        let shown = format!(
            "Authorization: Basic base64({}:••••••)\nContent-Type: application/x-www-form-urlencoded\n\n\
             grant_type=client_credentials",
            city.client_id
        );
        let about = "The service proves itself to its own city's node with the secret it was given (OAuth 2.0 client \
                     credentials). The token is kept until it ends.";
        let call = Call {
            title: "Get an access token",
            about,
            rank: 0,
            method: "POST".to_owned(),
            url: url.to_string(),
            request: shown,
            status: None,
            response: String::new(),
        };
        let answer = send(request, call, record).await?;
        let token = answer.get("access_token").and_then(Value::as_str).ok_or_else(|| {
            Problem::no_answer("What answered is not a token endpoint: access_token is missing.")
        })?;
        let lasts = answer.get("expires_in").and_then(Value::as_i64).unwrap_or(60);
        // Half a minute early, so that it does not expire in transit.
        self.tokens().insert(city.id.clone(), (token.to_owned(), now.plus_secs(lasts.saturating_sub(30))));
        Ok(token.to_owned())
    }

    async fn call_with(
        &self,
        city: &City,
        operation: &Operation,
        token: &str,
        record: &mut Vec<Call>,
    ) -> Result<Value, Problem> {
        let url = endpoint(city, &operation.path())?;
        let mut request = self
            .http
            .request(operation.method(), url.clone())
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header(ACCEPT, "application/json");
        let mut shown = format!("Authorization: Bearer {}\nAccept: application/json", shortened(token));
        if let Operation::Ask(body) | Operation::Report(body) = operation {
            request = request.json(body);
            shown.push_str("\nContent-Type: application/json\n\n");
            shown.push_str(&pretty(body));
        }
        let call = Call {
            title: operation.title(),
            about: operation.about(),
            rank: operation.rank(),
            method: operation.method().to_string(),
            url: url.to_string(),
            request: shown,
            status: None,
            response: String::new(),
        };
        send(request, call, record).await
    }
}

/// Sends a request, records it with its response, and returns the response's JSON.
async fn send(
    request: reqwest::RequestBuilder,
    mut call: Call,
    record: &mut Vec<Call>,
) -> Result<Value, Problem> {
    let answer = receive(request, &mut call).await;
    if let Err(Problem { status: None, detail, .. }) = &answer {
        call.response.clone_from(detail);
    }
    record.push(call);
    answer
}

async fn receive(request: reqwest::RequestBuilder, call: &mut Call) -> Result<Value, Problem> {
    let mut response = request.send().await.map_err(|error| {
        Problem::no_answer(if error.is_timeout() {
            "It did not answer in time. Is the node running?"
        } else {
            "It could not be reached. Is the node running?"
        })
    })?;
    let status = response.status();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (kind, retry_after) = (header(CONTENT_TYPE), header(RETRY_AFTER));
    let mut bytes = Vec::new();
    while let Some(chunk) =
        response.chunk().await.map_err(|_| Problem::no_answer("The answer broke off on its way."))?
    {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_ANSWER {
            return Err(Problem::no_answer("The answer is longer than this page reads."));
        }
    }
    let body: Option<Value> = serde_json::from_slice(&bytes).ok();
    call.status = Some(status.as_u16());
    call.response = shown_answer(kind.as_deref(), retry_after.as_deref(), body.as_ref());
    match body {
        Some(body) if status.is_success() => Ok(body),
        Some(body) => Err(Problem::from_answer(status.as_u16(), &call.url, &body)),
        None if status == StatusCode::NO_CONTENT => Ok(Value::Null),
        None => Err(Problem::from_answer(
            status.as_u16(),
            &call.url,
            &json!({"detail": "The answer is not JSON."}),
        )),
    }
}

fn shown_answer(kind: Option<&str>, retry_after: Option<&str>, body: Option<&Value>) -> String {
    let mut lines = Vec::new();
    if let Some(kind) = kind {
        lines.push(format!("Content-Type: {kind}"));
    }
    if let Some(seconds) = retry_after {
        lines.push(format!("Retry-After: {seconds}"));
    }
    lines.push(String::new());
    lines.push(body.map_or_else(|| "(not JSON)".to_owned(), |body| pretty(&without_secrets(body))));
    lines.join("\n")
}

/// The same response with its access token shortened.
fn without_secrets(body: &Value) -> Value {
    let Value::Object(members) = body else { return body.clone() };
    let members: Map<String, Value> = members
        .iter()
        .map(|(name, value)| match value {
            Value::String(secret) if name == "access_token" => (name.clone(), json!(shortened(secret))),
            other => (name.clone(), other.clone()),
        })
        .collect();
    Value::Object(members)
}

fn shortened(secret: &str) -> String {
    let start: String = secret.chars().take(8).collect();
    format!("{start}… (shortened)")
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn form_encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// An address of the city's node; each part is one segment of the path, whatever it contains.
fn endpoint(city: &City, path: &[&str]) -> Result<url::Url, Problem> {
    let mut url = city.node.clone();
    url.path_segments_mut()
        .map_err(|()| Problem::no_answer("The node's address is not an http address."))?
        .pop_if_empty()
        .extend(path);
    Ok(url)
}
