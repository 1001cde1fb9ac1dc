//! A city's service fetches data through its own node: it receives only what the holder signed for and the resident
//! allowed.

use std::sync::Arc;

use serde_json::Value;

use super::{confirm_deletion, holder_catalogue, redeem_code, request_consent};
use crate::domain::clock::Timestamp;
use crate::domain::consent::{About, HeldCause, HeldConsent, HeldState, HeldTokens};
use crate::domain::exchange::deferral::{self, DeferralError, DeferralExpectation};
use crate::domain::exchange::event::{ExchangeAcknowledged, ExchangeRejected};
use crate::domain::exchange::receipt::{ReceiptError, content_digest, digest};
use crate::domain::exchange::record_schema::RecordFault;
use crate::domain::exchange::release::ExchangeBody;
use crate::domain::exchange::{Receipt, ReceiptExpectation, VerifiedReceipt};
use crate::domain::federation::TrustedPeer;
use crate::domain::ids::{EntityId, FieldPath, GrantId, HeldConsentId, KeyId};
use crate::node::KeyPurpose;
use crate::node::federation::resolve_signing_peer;
use crate::node::messaging::outbox_message;
use crate::node::recipient::holder_client;
use crate::node::{Node, Problem, ProblemKind, Service};
use crate::ports::OutboundAnswer;
use crate::store::recipient::fetches::NewFetch;
use crate::store::recipient::{fetches, held_consents};
use crate::store::{StoreError, Tx};

/// Data for the service.
pub(crate) struct FetchedData {
    /// The records, each with consented fields only.
    pub(crate) records: Vec<Value>,
    /// Whom each record is about and which one it is, where the holder's records name that.
    pub(crate) about: Vec<About>,
    pub(crate) receipt: Receipt,
    /// The receipt as received, compact JWS.
    pub(crate) receipt_jws: String,
}

/// What a service gets.
pub(crate) enum Fetched {
    Data(Box<FetchedData>),
    /// The holder's register needs time.
    Later(Later),
}

/// A holder's statement that it has the data later.
pub(crate) struct Later {
    pub(crate) available_from: Timestamp,
    /// The statement as received, compact JWS.
    pub(crate) receipt_jws: String,
}

/// Fetches the data of a consent. A holder that has put its answer off is not asked again before its time.
///
/// # Errors
/// [`Problem`]: not in force, holder unavailable, refused, or a response that does not verify. Nothing of such a
/// response is used.
pub(crate) async fn fetch_exchange(
    node: &Node,
    service: &Service,
    id: HeldConsentId,
) -> Result<Fetched, Problem> {
    let held = request_consent::find(node, service, id).await?;
    still_declared(node, &held)?;
    live(&held)?;
    if let Some(later) = deferred(node, id).await? {
        return Ok(Fetched::Later(later));
    }
    let holder = node.peers.resolve(&held.holder).await?;
    not_too_often(node, &held).await?;
    let (mut held, tokens) = with_live_token(node, held).await?;
    let mut result = attempt(node, &holder, &held, &tokens).await;
    if matches!(result, Err(Failed::TokenRefused)) && tokens.refresh_token.is_some() {
        // The token may have been shortened or bound to another key; a refused refresh ends the consent.
        held = redeem_code::refresh(node, held).await?;
        let tokens = live(&held)?.clone();
        result = attempt(node, &holder, &held, &tokens).await;
    }
    match result {
        Ok(fetched) => Ok(fetched),
        Err(failed) => Err(settle(node, &holder, held, failed).await?),
    }
}

/// The holder's statement that still holds.
async fn deferred(node: &Node, id: HeldConsentId) -> Result<Option<Later>, Problem> {
    let now = node.now();
    let known = node.store.read("find_deferral", move |store| fetches::deferred(store, id)).await?;
    Ok(known
        .filter(|(from, _)| *from > now)
        .map(|(available_from, receipt_jws)| Later { available_from, receipt_jws }))
}

/// Why an attempt returned no data.
enum Failed {
    /// The holder refuses the token.
    TokenRefused,
    /// The holder requires the resident to confirm again (RFC 9470).
    Unconfirmed,
    /// The holder signed for records that this node refuses: its operator is told.
    Rejected(Problem, Box<ExchangeRejected>),
    Problem(Problem),
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// This node's own declared use must still cover the request.
fn still_declared(node: &Node, held: &HeldConsent) -> Result<(), Problem> {
    let covered = node.settings.own_use(&held.life.detail().declared_use).is_some_and(|declared| {
        declared.service == held.service && held.life.detail().is_within(declared, node.now())
    });
    if covered { Ok(()) } else { Err(Problem::new(ProblemKind::BeyondDeclaredUse)) }
}

/// This node's own count of fetches must leave room for one more.
async fn not_too_often(node: &Node, held: &HeldConsent) -> Result<(), Problem> {
    let (held, frequency, now) = (held.clone(), held.life.detail().frequency.clone(), node.now());
    let Some(since) = frequency.per.as_ref().map(|per| now.plus_secs(-per.secs())) else { return Ok(()) };
    let most = frequency.max;
    let recent = node
        .store
        .read("count_recent_fetches", move |store| {
            let line = held_consents::succession(store, &held, since)?;
            fetches::latest_received(store, &line, most)
        })
        .await?;
    match frequency.next_at(&recent, now) {
        Some(next) => Err(Problem::try_later(ProblemKind::TooOften, next.secs().saturating_sub(now.secs()))),
        None => Ok(()),
    }
}

fn live(held: &HeldConsent) -> Result<&HeldTokens, Problem> {
    match held.life.state() {
        HeldState::Active { grant, .. } => Ok(&grant.tokens),
        HeldState::Requested { .. } | HeldState::Given { .. } => {
            Err(Problem::new(ProblemKind::ConsentPending))
        }
        HeldState::Suspended { .. } => Err(Problem::new(ProblemKind::ConsentSuspended)),
        HeldState::Declined => Err(Problem::new(ProblemKind::ConsentDeclined)),
        HeldState::Lapsed { .. } | HeldState::Failed { .. } | HeldState::Ended { .. } => {
            Err(Problem::new(ProblemKind::ConsentNotInForce))
        }
    }
}

async fn with_live_token(node: &Node, mut held: HeldConsent) -> Result<(HeldConsent, HeldTokens), Problem> {
    let now = node.now();
    let current: KeyId = node.keys.active(KeyPurpose::Dpop)?.kid().clone();
    let tokens = live(&held)?;
    if held.life.detail().until.end() <= now {
        redeem_code::end(node, held.id, HeldCause::LastDay).await?;
        return Err(Problem::new(ProblemKind::ConsentNotInForce));
    }
    let ends_soon = tokens.expires_at <= now.plus_secs(5);
    if tokens.refresh_token.is_some() && (ends_soon || tokens.dpop_kid != current) {
        let before = held.clone();
        held = match redeem_code::refresh(node, held).await {
            Ok(refreshed) => refreshed,
            // The change of the key can wait: the present token stays bound to the old one.
            Err(problem) if !ends_soon && problem.kind == ProblemKind::PeerUnavailable => before,
            Err(problem) => return Err(problem),
        };
    }
    let tokens = live(&held)?.clone();
    Ok((held, tokens))
}

/// One exchange, its response verified and acknowledged.
async fn attempt(
    node: &Node,
    holder: &TrustedPeer,
    held: &HeldConsent,
    tokens: &HeldTokens,
) -> Result<Fetched, Failed> {
    let resource = holder.holder().map_err(Problem::from)?.resource();
    let grant_id: &GrantId = held.life.grant_id().ok_or(Problem::new(ProblemKind::ConsentPending))?;
    let address = format!("{}/exchange/datasets/{}", resource.resource, held.life.detail().identifier);
    let url =
        url::Url::parse(&address).map_err(|error| Problem::because(ProblemKind::PeerNotTrusted, error))?;
    let fetched = holder_client::fetch(node, &holder.id, &url, tokens).await?;
    let token_refused = fetched.is_challenged_for("invalid_token");
    let confirm = fetched.is_challenged_for("insufficient_user_authentication");
    let answer = fetched.answer;
    match answer.status {
        200 => {}
        202 => {
            let sent = Sent { holder, held, grant_id, proof: &fetched.proof };
            return Ok(Fetched::Later(take_deferral(node, sent, &answer).await?));
        }
        401 if token_refused => return Err(Failed::TokenRefused),
        401 if confirm => return Err(Failed::Unconfirmed),
        // The holder refuses this node's proof (most likely a clock difference): that says nothing about the consent.
        401 => return Err(Problem::because(ProblemKind::PeerUnavailable, "proof refused").into()),
        403 | 404 => return Err(Problem::because(ProblemKind::HolderRefused, answer.status).into()),
        429 => {
            let after = answer.headers.get("retry-after").and_then(|secs| secs.parse().ok()).unwrap_or(60);
            return Err(Problem::try_later(ProblemKind::TooOften, after).into());
        }
        other => return Err(Problem::because(ProblemKind::PeerUnavailable, other).into()),
    }
    let text = receipt_of(&answer)?;
    let signer = signer(node, &holder.id, VerifiedReceipt::claimed_key(text)).await?;
    let now = node.now();
    let verified = VerifiedReceipt::check(
        text,
        &signer.holder().map_err(Problem::from)?.resource().receipt_keys,
        &ReceiptExpectation {
            holder: &holder.id,
            recipient: &node.settings.id,
            grant_id,
            dataset: &held.life.detail().identifier,
            fields: &held.life.detail().datatypes,
            proof: &fetched.proof,
            body: &answer.body,
            now,
        },
    )
    .map_err(|error| match error {
        ReceiptError::Surplus(receipt) => {
            let beyond = |field: &&FieldPath| !held.life.detail().datatypes.contains(field);
            let names = receipt.fields.iter().filter(beyond).map(FieldPath::to_string).collect();
            rejected(&holder.id, held, &receipt, RecordFault::Surplus(names))
        }
        error => Problem::because(ProblemKind::AnswerNotTrusted, error).into(),
    })?;
    let body = ExchangeBody::parse(&answer.body).ok_or_else(|| untrusted("body is not an exchange's"))?;
    let dataset = &held.life.detail().identifier;
    if body.records.len() != verified.receipt().records {
        return Err(untrusted("another number of records than the receipt's").into());
    }
    let schema = holder_catalogue::schema(node, holder, dataset).await;
    body.check_records(dataset, &verified.receipt().fields, schema.as_deref())
        .and_then(|()| body.check_persons(held.life.detail().persons.as_ref(), &verified.receipt().persons))
        .map_err(|fault| rejected(&holder.id, held, verified.receipt(), fault))?;
    acknowledge(node, held, verified.receipt(), text).await?;
    Ok(Fetched::Data(Box::new(FetchedData {
        records: body.records,
        about: body.about,
        receipt: verified.receipt().clone(),
        receipt_jws: text.clone(),
    })))
}

fn untrusted(why: &'static str) -> Problem {
    Problem::because(ProblemKind::AnswerNotTrusted, why)
}

/// The receipt of an answer whose body arrived as it was sent.
fn receipt_of(answer: &OutboundAnswer) -> Result<&String, Problem> {
    let text = answer.headers.get("omadata-receipt").ok_or_else(|| untrusted("no receipt"))?;
    if answer.headers.get("content-digest").map(String::as_str) != Some(&content_digest(&answer.body)) {
        return Err(untrusted("content digest"));
    }
    Ok(text)
}

/// The holder, with its key of a receipt if it has published that.
async fn signer(node: &Node, holder: &EntityId, kid: Option<KeyId>) -> Result<Arc<TrustedPeer>, Problem> {
    let has_key = |holder: &TrustedPeer, kid: &KeyId| {
        holder.holder().is_ok_and(|holder| holder.resource().receipt_keys.find(kid).is_some())
    };
    Ok(resolve_signing_peer::peer(node, holder, kid.as_ref(), has_key).await?)
}

/// A request as it was sent.
struct Sent<'a> {
    holder: &'a TrustedPeer,
    held: &'a HeldConsent,
    grant_id: &'a GrantId,
    proof: &'a str,
}

/// Verifies and stores a holder's statement that it has the data later.
async fn take_deferral(node: &Node, sent: Sent<'_>, answer: &OutboundAnswer) -> Result<Later, Problem> {
    let text = receipt_of(answer)?;
    let signer = signer(node, &sent.holder.id, deferral::claimed_key(text)).await?;
    let (now, detail) = (node.now(), sent.held.life.detail());
    let available_from = deferral::check(
        text,
        &signer.holder()?.resource().receipt_keys,
        &DeferralExpectation {
            holder: &sent.holder.id,
            recipient: &node.settings.id,
            grant_id: sent.grant_id,
            dataset: &detail.identifier,
            until: detail.until,
            proof: sent.proof,
            body: &answer.body,
            now,
        },
    )
    .map_err(|error| match error {
        DeferralError::OutOfBounds => Problem::because(ProblemKind::PeerUnavailable, error),
        DeferralError::Signature(_) | DeferralError::Other(_) => {
            Problem::because(ProblemKind::AnswerNotTrusted, error)
        }
    })?;
    let (held, receipt) = (sent.held.id, text.clone());
    node.store
        .write("store_deferral", move |tx| {
            let fetch = NewFetch {
                held,
                at: now,
                outcome: fetches::DEFERRED,
                receipt: Some(&receipt),
                body_digest: None,
                available_from: Some(available_from),
            };
            fetches::insert(tx, &fetch)?;
            mark_unconfirmed(tx, held, false, now)
        })
        .await?;
    Ok(Later { available_from, receipt_jws: text.clone() })
}

/// The failure of a response whose records are refused, told to this node's operator, the service and the holder.
fn rejected(holder: &EntityId, held: &HeldConsent, receipt: &Receipt, fault: RecordFault) -> Failed {
    let (exchange, consent) = (&receipt.jti, held.id);
    tracing::error!(
        event = "holder_records_unfit", %holder, %consent, %exchange, %fault,
        "a holder released records that are refused, and nothing of them is used: its operator is told and has to correct that"
    );
    let told = ExchangeRejected {
        exchange: receipt.jti.clone(),
        grant_id: receipt.grant_id.clone(),
        body_digest: receipt.body_digest.clone(),
        reason: fault.reason().to_string(),
        fields: fault.fields(),
    };
    let problem = Problem {
        detail: Some(format!("the holder's answer is refused and its operator told: {fault}")),
        ..Problem::because(ProblemKind::AnswerNotTrusted, fault)
    };
    Failed::Rejected(problem, Box::new(told))
}

/// Stores the holder's receipt and queues this node's acknowledgement for the holder, in one transaction.
async fn acknowledge(node: &Node, held: &HeldConsent, receipt: &Receipt, text: &str) -> Result<(), Problem> {
    let now = node.now();
    let acknowledged = ExchangeAcknowledged {
        exchange: receipt.jti.clone(),
        grant_id: receipt.grant_id.clone(),
        body_digest: receipt.body_digest.clone(),
        receipt_digest: digest(text.as_bytes()),
    };
    let (id, holder, times) = (held.id, held.holder.clone(), held.life.detail().frequency.max);
    let in_all = held.life.detail().frequency.per.is_none();
    let (text, body_digest, fetched) = (text.to_owned(), receipt.body_digest.clone(), held.clone());
    node.store
        .write("acknowledge_exchange", move |tx| {
            let fetch = NewFetch {
                held: id,
                at: now,
                outcome: fetches::RECEIVED,
                receipt: Some(&text),
                body_digest: Some(&body_digest),
                available_from: None,
            };
            fetches::insert(tx, &fetch)?;
            mark_unconfirmed(tx, id, false, now)?;
            confirm_deletion::fetched(tx, &fetched, now)?;
            // The last of the allowed fetches: the consent ends now, without a refusal at the next attempt.
            if in_all && fetches::received(tx, id)? >= times {
                let mut over = held_consents::find(tx, id)?;
                if over.life.end(HeldCause::UsedUp, now).is_ok() {
                    held_consents::save(tx, &over)?;
                }
            }
            outbox_message::acknowledgement(tx, &holder, acknowledged.clone(), now)
        })
        .await?;
    node.outbox_bell.notify_one();
    Ok(())
}

/// Sets or clears, for the service to read, that the resident must confirm again. The consent stays active, because the
/// holder's requirement may be lowered again.
fn mark_unconfirmed(
    tx: &mut Tx<'_>,
    id: HeldConsentId,
    unconfirmed: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut held = held_consents::find(tx, id)?;
    match held.life.mark_confirmation(unconfirmed, now) {
        Ok(true) => held_consents::save(tx, &held),
        Ok(false) | Err(_) => Ok(()),
    }
}

/// Records a failed attempt and returns the service's error. A consent whose token the holder refuses is suspended or
/// has ended; the holder's grant status says which.
async fn settle(
    node: &Node,
    holder: &TrustedPeer,
    held: HeldConsent,
    failed: Failed,
) -> Result<Problem, Problem> {
    let id = held.id;
    let (problem, told) = match failed {
        Failed::TokenRefused => {
            (redeem_code::refused(node, holder, held, redeem_code::Refused::Token).await?, None)
        }
        Failed::Unconfirmed => (Problem::new(ProblemKind::ConfirmationNeeded), None),
        Failed::Rejected(problem, told) => (problem, Some(told)),
        Failed::Problem(problem) => (problem, None),
    };
    let now = node.now();
    let outcome = problem.kind.slug();
    let unconfirmed = problem.kind == ProblemKind::ConfirmationNeeded;
    let to = holder.id.clone();
    node.store
        .write("settle_fetch", move |tx| {
            let fetch = NewFetch {
                held: id,
                at: now,
                outcome,
                receipt: None,
                body_digest: None,
                available_from: None,
            };
            fetches::insert(tx, &fetch)?;
            if let Some(told) = &told {
                outbox_message::rejection(tx, &to, (**told).clone(), now)?;
            }
            if unconfirmed { mark_unconfirmed(tx, id, true, now) } else { Ok(()) }
        })
        .await?;
    node.outbox_bell.notify_one();
    Ok(problem)
}
