//! Where the resident's browser goes after a decision.

use crate::domain::consent::ConsentRequest;
use crate::domain::ids::ConsentId;
use crate::node::{Node, Problem, ProblemKind};

/// Where the browser goes after a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Back to the recipient (RFC 6749 §4.1.2 with RFC 9207).
    Recipient(url::Url),
    /// To the permission's page in this portal.
    Permission(ConsentId),
    /// To the portal's page that confirms that nothing was allowed.
    Declined,
}

/// The address at the recipient, if the request came from one.
pub(crate) fn back(
    node: &Node,
    request: &ConsentRequest,
    answer: &[(&str, &str)],
) -> Result<Option<Destination>, Problem> {
    let Some(path) = &request.return_path else { return Ok(None) };
    let mut url = url::Url::parse(&path.redirect_uri)
        .map_err(|error| Problem::because(ProblemKind::Internal, error))?;
    {
        let mut query = url.query_pairs_mut();
        query.extend_pairs(answer);
        if let Some(state) = &path.state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", node.settings.id.as_str());
    }
    Ok(Some(Destination::Recipient(url)))
}
