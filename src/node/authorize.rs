//! The browser arrives at the holder with a `request_uri`: used once, it opens the consent page.

use super::push_authorization::REQUEST_URI_PREFIX;
use super::{Node, Problem, ProblemKind};
use crate::domain::ids::{EntityId, RequestId};
use crate::store::consent_requests;

/// Uses a request URI up and names the request behind it.
///
/// # Errors
/// [`Problem`]: unknown, used before, expired and another client's look alike. The browser is sent nowhere.
pub async fn authorize(
    node: &Node,
    client_id: Option<&str>,
    request_uri: Option<&str>,
) -> Result<RequestId, Problem> {
    let unknown = || Problem::new(ProblemKind::NotFound);
    let client: EntityId = client_id.and_then(|id| id.parse().ok()).ok_or_else(unknown)?;
    let uri = request_uri.filter(|uri| uri.starts_with(REQUEST_URI_PREFIX)).ok_or_else(unknown)?.to_owned();
    let now = node.now();
    let request =
        node.store.write(move |tx| consent_requests::use_request_uri(tx, &uri, &client, now)).await?;
    Ok(request.id)
}
