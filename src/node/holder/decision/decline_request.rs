//! "Decline" is final at once; and a request ends undecided when the login provider cannot reach the required
//! assurance.

use super::deny_requests;
use super::destination::{Destination, back};
use super::offer::offer;
use super::request::{DecisionError, OwnedRequest};
use crate::domain::catalogue::Language;
use crate::domain::consent::{ConsentStatus, DenialKind, RequestState};
use crate::domain::ids::{ConsentId, RequestId};
use crate::domain::log::Entry;
use crate::domain::login::Resident;
use crate::node::holder::permissions::write_receipt;
use crate::node::holder::permissions::write_receipt::DeclinedOffer;
use crate::node::messaging::outbox_message;
use crate::node::resident::acting::Acting;
use crate::node::{Node, OAuthCode, Problem};
use crate::store::holder::{consent_requests, standing_denials};

/// Declines a request, and creates the standing denial that the resident chose (`never`), or else a temporary one of
/// the same use.
///
/// # Errors
/// [`Problem`]: unknown, not this resident's, or decided already.
pub(crate) async fn decline(
    node: &Node,
    resident: &Resident,
    id: RequestId,
    language: Language,
    never: Option<DenialKind>,
) -> Result<Destination, Problem> {
    let now = node.now();
    let acting = Acting::for_self(resident);
    let own = OwnedRequest::read(node, acting, id).await?;
    let denial = deny_requests::denial_for_decline(node, own.request(), never)?;
    let subject = own.subject().clone();
    // Without the dataset there is nothing to describe in a receipt; declining goes on without one.
    let offered = offer(node, own.into_request(), &subject, language).ok().map(|offer| offer.document);
    let issuer = write_receipt::issuer(node);
    let request = node
        .store
        .write("decline_request", move |tx| {
            let own = OwnedRequest::find(tx, acting, id)?.demand_open(now)?;
            let person = own.person();
            consent_requests::bind_person(tx, id, person)?;
            consent_requests::conclude(tx, id, RequestState::Declined, now)?;
            if let Some(denial) = &denial {
                standing_denials::insert(tx, person, denial)?;
            }
            let entry = Entry::consent(ConsentId::from(id), ConsentStatus::Declined, now);
            let logged = outbox_message::log(tx, &entry, now)?;
            if let Some(offered) = &offered {
                let declined = DeclinedOffer { person, offered, at: now };
                write_receipt::of_refusal(tx, &issuer, &declined, &logged)?;
            }
            Ok::<_, DecisionError>(own.into_request())
        })
        .await?;
    Ok(back(node, &request, &[("error", "access_denied")])?.unwrap_or(Destination::Declined))
}

/// Ends a request undecided and returns the error to the requesting service: the login provider cannot reach the required
/// assurance (RFC 9470 §5), or the city does not have what the service asks for. `None` when the resident began the
/// request.
///
/// # Errors
/// [`Problem`]: unknown, not this resident's, or decided already.
pub(crate) async fn abandon_request(
    node: &Node,
    resident: &Resident,
    id: RequestId,
    why: OAuthCode,
) -> Result<Option<Destination>, Problem> {
    let now = node.now();
    let acting = Acting::for_self(resident);
    let request = node
        .store
        .write("abandon_request", move |tx| {
            let request = OwnedRequest::find(tx, acting, id)?.into_request();
            if request.return_path.is_some() {
                consent_requests::conclude(tx, id, RequestState::Lapsed, now)?;
            }
            Ok::<_, DecisionError>(request)
        })
        .await?;
    back(node, &request, &[("error", why.as_str())])
}
