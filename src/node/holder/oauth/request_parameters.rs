//! Parameters that several OAuth endpoints share: refused if they ask for something that this holder does not support,
//! never ignored.

use crate::domain::consent::AuthorizationDetail;
use crate::domain::jose::parse_strict_json;
use crate::node::{Node, OAuthCode, OAuthError};

/// The one entry of `authorization_details`, strictly parsed.
pub(super) fn parse_detail(text: Option<&str>) -> Result<AuthorizationDetail, OAuthError> {
    let refuse = |description| OAuthError::new(OAuthCode::InvalidAuthorizationDetails, description);
    let text = text.ok_or(refuse("authorization_details is missing"))?;
    let value = parse_strict_json(text.as_bytes())
        .map_err(|_| refuse("authorization_details is not well-formed JSON"))?;
    let entries: Vec<AuthorizationDetail> = serde_json::from_value(value)
        .map_err(|_| refuse("authorization_details is not of type omadata_dataset as documented"))?;
    <[AuthorizationDetail; 1]>::try_from(entries)
        .map(|[entry]| entry)
        .map_err(|_| refuse("authorization_details must have exactly one entry"))
}

/// `resource` (RFC 8707 §2): this holder's tokens are for this holder's resource server and no other.
pub(super) fn check_resource(node: &Node, resource: Option<&str>) -> Result<(), OAuthError> {
    match resource {
        Some(resource) if resource.trim_end_matches('/') != node.settings.id.as_str() => {
            Err(OAuthError::new(OAuthCode::InvalidTarget, "resource must be this holder's"))
        }
        _ => Ok(()),
    }
}
