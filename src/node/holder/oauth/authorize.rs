//! The browser arrives at the holder with a `request_uri`. Looking at it changes nothing: a request is opened, once, by
//! whoever comes with its `request_uri` and has logged in.

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

/// Names the request behind a request URI, and uses nothing up: a page may be loaded again until somebody has logged in.
///
/// # Errors
/// [`Problem`]: unknown, used before, expired and another client's look alike. The browser is sent nowhere.
pub async fn find(
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

/// What comes of opening a request.
pub enum Opened {
    /// It is this resident's from now on, and waits for the decision.
    Here,
    /// The service expects somebody else; nothing was changed.
    WrongPerson(Box<ConsentRequest>),
    /// The resident has refused it before it came.
    Refused(Destination),
}

/// Gives a request to the resident whose browser came with its request URI; that uses the URI up (RFC 9126 §7.3).
///
/// # Errors
/// [`Problem`]: unknown, and opened by somebody else meanwhile, look alike.
pub async fn open(
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
            // The same resident's other window was faster; to anybody else an opened request looks unknown.
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
