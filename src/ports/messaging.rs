//! Requests to other members.

use async_trait::async_trait;

/// The body of a request to another member.
#[derive(Debug, Clone)]
pub enum OutboundBody {
    /// GET.
    None,
    /// DELETE without a body.
    Delete,
    /// POST of a form.
    Form(Vec<(String, String)>),
    /// POST of bytes.
    Bytes {
        /// `Content-Type`.
        content_type: &'static str,
        /// The bytes.
        bytes: Vec<u8>,
    },
}

impl OutboundBody {
    /// The HTTP method, `Content-Type` if there is a body, and the body.
    pub(crate) fn into_parts(self) -> (&'static str, Option<&'static str>, Vec<u8>) {
        match self {
            Self::None => ("GET", None, Vec::new()),
            Self::Delete => ("DELETE", None, Vec::new()),
            Self::Form(pairs) => {
                let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
                ("POST", Some("application/x-www-form-urlencoded"), form.into_bytes())
            }
            Self::Bytes { content_type, bytes } => ("POST", Some(content_type), bytes),
        }
    }
}

/// A request to another member of the federation.
#[derive(Clone)]
pub struct OutboundRequest {
    /// The URL, from the member's own verified metadata.
    pub url: url::Url,
    /// Method and body.
    pub body: OutboundBody,
    /// Headers besides those that the body implies, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Maximum size of the response body in bytes.
    pub max_bytes: usize,
}

impl std::fmt::Debug for OutboundRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutboundRequest").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

/// The response; nothing in it is trusted.
#[derive(Clone)]
pub struct OutboundAnswer {
    /// HTTP status.
    pub status: u16,
    /// Headers by lower-case name; repeated ones are left out.
    pub headers: std::collections::HashMap<String, String>,
    /// The body, whole.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for OutboundAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OutboundAnswer({}, {} bytes)", self.status, self.body.len())
    }
}

/// Why a request to another member has no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// The address policy refused the address; the text names the rule.
    #[error("the address is refused: {0}")]
    Refused(&'static str),
    /// No connection, or no answer in time.
    #[error("no answer: {0}")]
    Unreachable(&'static str),
    /// The response exceeded a limit of the client (size, encoding).
    #[error("the answer is refused: {0}")]
    Unfit(&'static str),
}

/// Requests to other members, through the one guarded client.
#[async_trait]
pub trait Outbound: Send + Sync {
    /// Sends a request to a member's address and reads its response, within the limits of the client.
    ///
    /// # Errors
    /// [`OutboundError`].
    async fn send(&self, request: OutboundRequest) -> Result<OutboundAnswer, OutboundError>;
}
