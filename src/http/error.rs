//! Why a request of this node has no response.

/// Why a request has no usable response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// The address policy refused the address; the text names the rule. See [`super::GuardedClient::refused_address`].
    #[error("the address may not be used: {0}")]
    Forbidden(&'static str),
    /// No connection, or it broke.
    #[error("the other side cannot be reached")]
    Unreachable,
    /// Connecting or answering took too long.
    #[error("the other side did not answer in time")]
    Timeout,
    /// The answer is larger than expected.
    #[error("the answer is too large")]
    TooLarge,
    /// The answer has another content type than expected, or is compressed, or redirects elsewhere.
    #[error("the answer is not of the expected kind: {0}")]
    Unexpected(&'static str),
    /// The request could not be built, or the client not be set up.
    #[error("the request cannot be made")]
    Malformed,
}
