//! The authorization endpoint: a browser brings a `request_uri`. Reading it changes nothing: a request is opened, once,
//! by the resident who has logged in with it.

use super::push_authorization::REQUEST_URI_PREFIX;
use crate::domain::catalogue::Language;
use crate::domain::consent::ConsentRequest;
use crate::domain::ids::{EntityId, RequestId};
use crate::domain::login::Resident;
use crate::node::holder::decision::decide_consent::Destination;
use crate::node::holder::decision::deny_requests;
use crate::node::resident::acting::Acting;
use crate::node::{Node, Problem, ProblemKind};
use crate::store::StoreError;
use crate::store::holder::consent_requests;
use crate::store::resident::persons;

/// Finds the request behind a request URI without using it up: a page may be loaded again until somebody has logged in.
///
/// # Errors
/// [`Problem`] when it is unknown, used, expired or another client's. The browser is not redirected.
pub(crate) async fn find(
    node: &Node,
    client_id: Option<&str>,
    request_uri: Option<&str>,
) -> Result<RequestId, Problem> {
    let unknown = || Problem::new(ProblemKind::NotFound);
    let client: EntityId = client_id.and_then(|id| id.parse().ok()).ok_or_else(unknown)?;
    let uri = request_uri.filter(|uri| uri.starts_with(REQUEST_URI_PREFIX)).ok_or_else(unknown)?.to_owned();
    let now = node.now();
    let found = node.store.read("find_pushed_request", move |store| {
        consent_requests::by_request_uri(store, &uri, &client, now)
    });
    Ok(found.await?.id)
}

/// The result of opening a request.
pub(crate) enum Opened {
    /// It belongs to this resident now, and waits for the decision.
    Here,
    /// The service expects another person; nothing was changed.
    WrongPerson(Box<ConsentRequest>),
    /// A standing denial of the resident declined it.
    Refused(Destination),
}

/// Assigns a request to the resident whose browser brought its request URI; that uses the URI up (RFC 9126 §7.3).
///
/// # Errors
/// [`Problem`] when it is unknown, or somebody else has opened it.
pub(crate) async fn open(
    node: &Node,
    resident: &Resident,
    id: RequestId,
    language: Language,
) -> Result<Opened, Problem> {
    if let Some(destination) = deny_requests::refuse_denied(node, resident, id, language).await? {
        return Ok(Opened::Refused(destination));
    }
    let (acting, now) = (Acting::for_self(resident), node.now());
    let opened = node.store.write("open_request", move |tx| {
        let person = acting.person();
        let request = consent_requests::find(tx, id)?;
        if !request.may_be_of(persons::find(tx, person)?.identifier_hash.as_bytes()) {
            return Ok(Opened::WrongPerson(Box::new(request)));
        }
        match consent_requests::open(tx, id, person, now) {
            // Another window of the same resident was first; to anybody else an opened request is unknown.
            Err(StoreError::Conflict) => {
                acting.demand(request.person.unwrap_or(person))?;
                if request.person.is_some() {
                    Ok(Opened::Here)
                } else {
                    Err(Problem::new(ProblemKind::NotFound))
                }
            }
            other => Ok(other.map(|()| Opened::Here)?),
        }
    });
    opened.await
}
