//! The exchange at the holder: all ten steps, every time, cheapest first. Nothing is released that was not checked,
//! counted and logged in one transaction; a refusal releases nothing and is recorded.

use std::sync::Arc;

use super::checks::{check_assurance, check_declared_use, check_frequency, recent};
use super::commit_deferral::{Deferred, commit_deferral};
use super::commit_exchange::{Released, commit_exchange};
use super::record_refusal::{RefusalContext, record};
use crate::domain::catalogue::{Dataset, Record};
use crate::domain::clock::Timestamp;
use crate::domain::exchange::{Release, ReleaseScope, deferral};
use crate::domain::federation::TrustError;
use crate::domain::ids::{DatasetId, EntityId, NationalIdentifier};
use crate::domain::token::{
    AuthenticToken, ProofExpectation, Refusal, RefusalCode, RefusalReason, VerifiedConsent, VerifiedProof,
};
use crate::node::Node;
use crate::node::holder::oauth::verify_own_token::open_token;
use crate::node::holder::pairwise;
use crate::ports::{Question, RegisterError};
use crate::store::holder::consents::{self, ForExchange};
use crate::store::{StoreError, agrees};

/// One request at the exchange endpoint, parsed and not verified.
pub(crate) struct ExchangeRequest {
    pub(crate) method: String,
    /// The dataset's name in the path.
    pub(crate) dataset: String,
    pub(crate) query: Vec<(String, String)>,
    /// The token and its proof, or the fault of the headers.
    pub(crate) credentials: Result<(String, String), Refusal>,
    /// Whether the request has a body.
    pub(crate) has_body: bool,
}

/// The answer to an exchange.
pub(crate) enum Answer {
    Released(Released),
    /// The register needs time.
    Deferred(Deferred),
}

/// Serves one exchange.
///
/// # Errors
/// [`Refusal`]; one record of it is kept.
pub(crate) async fn serve_exchange(node: &Node, request: ExchangeRequest) -> Result<Answer, Refusal> {
    let mut known = RefusalContext::default();
    match exchange(node, request, &mut known).await {
        Ok(answer) => Ok(answer),
        Err(refusal) => {
            record(node, refusal, known).await;
            Err(refusal)
        }
    }
}

async fn exchange(
    node: &Node,
    request: ExchangeRequest,
    known: &mut RefusalContext,
) -> Result<Answer, Refusal> {
    let now = node.now();
    let dataset_id: Option<DatasetId> = request.dataset.parse().ok();
    known.dataset = dataset_id.clone().filter(|id| node.settings.dataset(id).is_some());
    let (token_text, proof_text) = request.credentials?;

    // 1 to 3: form, issuer, signature, claims.
    let token = open_token(node, &token_text, now).await?;
    known.client = Some(token.claims().client_id.clone());

    // 4: proof.
    let url = node.settings.url(&format!("/exchange/datasets/{}", request.dataset));
    let nonces = node.nonces.accepted(now);
    let proof = VerifiedProof::check(
        &proof_text,
        &ProofExpectation {
            method: &request.method,
            url: &url,
            token: Some(&token_text),
            jkt: Some(&token.claims().cnf.jkt),
            nonces: node.settings.limits.demand_dpop_nonce.then_some(nonces.as_slice()),
            max_age_secs: node.settings.limits.proof_secs,
            now,
        },
    )?;

    // 5: recipient.
    let recipient = node.peers.resolve(&token.claims().client_id).await.map_err(|error| match error {
        TrustError::NotTrusted(_) => Refusal::token(RefusalReason::RecipientNotTrusted),
        TrustError::Unavailable(_) => Refusal::unavailable(RefusalReason::TrustUndecided),
    })?;
    let in_role = recipient.recipient().map_err(|_| Refusal::token(RefusalReason::RecipientRoleMissing))?;

    // 6: status, and whose data.
    let Found { known: found, recent } = load(node, &token, &proof, now).await?;
    known.consent = Some(found.consent.id);
    if found.replayed {
        return Err(Refusal::proof(RefusalReason::ProofReplayed));
    }
    let verified = VerifiedConsent::new(&token, proof, in_role, found.consent, now)?;

    // 7: scope.
    let dataset = dataset_id
        .and_then(|id| node.settings.dataset(&id))
        .ok_or(Refusal::new(RefusalCode::UnknownDataset, RefusalReason::DatasetUnknown))?;
    if request.has_body {
        return Err(Refusal::scope(RefusalReason::BodyNotExpected));
    }
    check_frequency(verified.consent(), &recent, now)?;
    let scope = ReleaseScope::decide(&verified, dataset, &request.method, &request.query)?;
    check_assurance(node, &verified, dataset, found.basis)?;
    check_declared_use(node, &verified, &found.shown, &scope).await?;

    // 8: register.
    let records = read(node, &scope, dataset, &found.subject).await?;

    // 9 and 10: one transaction, then the response. Members and registers took time: the clock is read again.
    let now = node.now();
    if token.claims().exp <= now.secs() || recipient.expires_at <= now {
        return Err(Refusal::token(RefusalReason::Expired));
    }
    match records {
        Read::Records(records) => {
            let about =
                |record: &Record| pairwise::about(node, dataset, &verified.consent().terms.recipient, record);
            let release = Release::minimise(&verified, &scope, dataset, &found.subject, records, about)?;
            match release.available_from().filter(|from| *from > now) {
                Some(from) => defer(node, verified, &recipient.id, from, now).await,
                None => {
                    commit_exchange(node, verified, &recipient.id, release, now).await.map(Answer::Released)
                }
            }
        }
        Read::Later(from) => defer(node, verified, &recipient.id, from, now).await,
    }
}

async fn defer(
    node: &Node,
    verified: VerifiedConsent,
    recipient: &EntityId,
    from: Timestamp,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let terms = &verified.consent().terms;
    if !deferral::is_acceptable(from, terms.until, now) {
        tracing::warn!(
            event = "register_deferral_unusable", dataset = %terms.dataset, available_from = %from.rfc3339(),
            "a register puts its answer into the past, more than 30 days ahead, or after the permission"
        );
        return Err(Refusal::unavailable(RefusalReason::Register));
    }
    commit_deferral(node, verified, recipient, from, now).await.map(Answer::Deferred)
}

/// The stored consent of a token.
struct Found {
    known: ForExchange,
    recent: Vec<Timestamp>,
}

async fn load(
    node: &Node,
    token: &AuthenticToken,
    proof: &VerifiedProof,
    now: Timestamp,
) -> Result<Found, Refusal> {
    let (grant, proof, clock) = (token.claims().grant_id.clone(), proof.clone(), Arc::clone(&node.clock));
    let found = node.store.look_up("load_exchange", move |store| {
        let known = consents::for_exchange(store, &grant, &proof).map_err(|error| match error {
            StoreError::NotFound => Refusal::token(RefusalReason::ConsentUnknown),
            other => other.into(),
        })?;
        if known.shared_time.is_some_and(|shared| !agrees(clock.now(), shared)) {
            tracing::error!(
                event = "clock_differs",
                remedy = "keep the clock of this machine by NTP",
                "this process serves no exchange: its clock differs from the database's"
            );
            return Err(Refusal::unavailable(RefusalReason::ClockDiffers));
        }
        if known.held_back {
            return Err(Refusal::unavailable(RefusalReason::RestoredBackup));
        }
        // Checked before the register is queried; the transaction of step 9 decides.
        let recent = recent(store, &known.consent, now)?;
        Ok(Found { known, recent })
    });
    found.await
}

/// What a register says.
enum Read {
    Records(Vec<Record>),
    /// It has the answer from then on.
    Later(Timestamp),
}

async fn read(
    node: &Node,
    scope: &ReleaseScope,
    dataset: &Dataset,
    subject: &NationalIdentifier,
) -> Result<Read, Refusal> {
    let question = Question::new(dataset.id.clone(), subject.clone(), dataset.to_read(scope.fields()));
    match node.registers.read(question).await {
        Ok(records) => Ok(Read::Records(records)),
        Err(RegisterError::AvailableFrom(from)) => Ok(Read::Later(from)),
        Err(error) => {
            tracing::warn!(event = "register_unavailable", %error, dataset = %dataset.id, "a register gave no answer");
            Err(Refusal::unavailable(RefusalReason::Register))
        }
    }
}
