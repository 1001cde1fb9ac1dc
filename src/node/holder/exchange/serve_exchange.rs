//! The exchange at the holder, all ten steps, every time, in the order of cost. Nothing is released that was not
//! checked, counted and logged in one transaction; a refusal releases nothing and is recorded.

use crate::domain::catalogue::{AssuranceRequirement, Dataset};
use crate::domain::clock::Timestamp;
use crate::domain::consent::Consent;
use crate::domain::exchange::receipt::{EXCHANGE_RECEIPT, Receipt, digest};
use crate::domain::exchange::{Release, ReleaseScope};
use crate::domain::federation::{TrustError, TrustedPeer};
use crate::domain::ids::{ConsentId, DatasetId, EntityId, ExchangeId, Jti, NationalIdentifier};
use crate::domain::log::{Entry, Leaf};
use crate::domain::token::{
    ProofExpectation, Refusal, RefusalCode, RefusalReason, VerifiedConsent, VerifiedProof,
};
use crate::node::holder::oauth::verify_own_token::open_token;
use crate::node::holder::permissions::record_change::record_change;
use crate::node::{KeyPurpose, Node};
use crate::ports::random;
use crate::store::holder::exchanges::Exchange;
use crate::store::holder::refusals::NewRefusal;
use crate::store::holder::{consents, exchanges, refusals};
use crate::store::resident::persons;
use crate::store::used_once::Kind;
use crate::store::{Reader, StoreError, log, used_once};

/// One request at the exchange endpoint, taken apart and not yet believed.
pub struct ExchangeRequest {
    /// The method.
    pub method: String,
    /// The dataset's name in the path.
    pub dataset: String,
    /// The query, decoded.
    pub query: Vec<(String, String)>,
    /// The token and its proof, or what is wrong with the headers that should carry them.
    pub credentials: Result<(String, String), Refusal>,
    /// Whether the request has a body.
    pub has_body: bool,
}

/// A released answer.
pub struct Released {
    /// The body, JSON.
    pub body: Vec<u8>,
    /// The receipt, compact JWS.
    pub receipt: String,
    /// The exchange.
    pub exchange: ExchangeId,
}

/// What was known when a request was refused, for the record. Never a value, never an identifier.
#[derive(Default)]
pub(crate) struct RefusalContext {
    pub(crate) client: Option<EntityId>,
    pub(crate) consent: Option<ConsentId>,
    pub(crate) dataset: Option<DatasetId>,
}

/// Serves one exchange.
///
/// # Errors
/// [`Refusal`]; one record of it is kept.
pub async fn serve_exchange(node: &Node, request: ExchangeRequest) -> Result<Released, Refusal> {
    let mut known = RefusalContext::default();
    match exchange(node, request, &mut known).await {
        Ok(released) => Ok(released),
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
) -> Result<Released, Refusal> {
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
    let grant = token.claims().grant_id.clone();
    let (jkt, jti) = (proof.jkt().clone(), proof.jti().clone());
    let (consent, subject, footing, replayed, recent) = node
        .store
        .read("load_exchange", move |store| {
            let consent = consents::find_by_grant(store, &grant)?;
            let subject = persons::find(store, consent.person)?.identifier;
            let footing = consents::footing(store, consent.id)?;
            // Looked at before the register is bothered; what counts is the insert of step 9.
            let replayed = used_once::is_used(store, Kind::DpopProof, jkt.as_str(), &jti)?;
            let recent = recent(store, &consent, now)?;
            Ok::<_, StoreError>((consent, subject, footing, replayed, recent))
        })
        .await
        .map_err(|error| match error {
            StoreError::NotFound => Refusal::token(RefusalReason::ConsentUnknown),
            _ => Refusal::unavailable(RefusalReason::Store),
        })?;
    known.consent = Some(consent.id);
    if replayed {
        return Err(Refusal::proof(RefusalReason::ProofReplayed));
    }
    let verified = VerifiedConsent::new(&token, proof, in_role, consent, now)?;

    // 7: scope.
    let dataset = dataset_id
        .and_then(|id| node.settings.dataset(&id))
        .ok_or(Refusal::new(RefusalCode::UnknownDataset, RefusalReason::DatasetUnknown))?;
    if request.has_body {
        return Err(Refusal::scope(RefusalReason::BodyNotExpected));
    }
    check_frequency(verified.consent(), &recent, now)?;
    let scope = ReleaseScope::decide(&verified, dataset, &request.method, &request.query)?;
    check_assurance(node, &verified, dataset, footing)?;
    check_declared_use(node, &verified, &scope).await?;

    // 8: register.
    let release = read(node, &verified, &scope, dataset, &subject).await?;

    // 9 and 10: one transaction, then the answer. Peers and registers took their time: judged by the clock as it is now.
    let now = node.now();
    if token.claims().exp <= now.secs() || recipient.expires_at <= now {
        return Err(Refusal::token(RefusalReason::Expired));
    }
    commit(node, verified, &recipient, release, now).await
}

/// The resident must have been known, when deciding, as well as the dataset demands now (RFC 9470): the city may have
/// come to demand more since. And it must still be the same person in the registers: a login provider that states
/// another national identifier for the same login has made the consent one about somebody else's records.
fn check_assurance(
    node: &Node,
    verified: &VerifiedConsent,
    dataset: &Dataset,
    footing: consents::DecisionBasis,
) -> Result<(), Refusal> {
    let consent = verified.consent();
    if footing.identifier_changed {
        tracing::warn!(consent = %consent.id, "the login provider has changed this resident's identifier");
        return Err(Refusal::authentication(RefusalReason::IdentifierChanged));
    }
    let (levels, demand) = (&node.settings.levels, AssuranceRequirement::of(dataset));
    if !demand.is_met(levels, consent.acr.as_deref(), consent.auth_time, consent.decided_at) {
        return Err(Refusal::authentication(RefusalReason::AssuranceTooLow));
    }
    if dataset.required_passkey && !footing.passkey {
        return Err(Refusal::authentication(RefusalReason::PasskeyMissing));
    }
    Ok(())
}

/// The declared use must still cover what it covered: a recipient that withdrew or narrowed it no longer may ask.
async fn check_declared_use(
    node: &Node,
    verified: &VerifiedConsent,
    scope: &ReleaseScope,
) -> Result<(), Refusal> {
    let terms = &verified.consent().terms;
    let declared = node.peers.declared_use(&terms.declared_use).await.map_err(|error| match error {
        TrustError::NotTrusted(_) => Refusal::scope(RefusalReason::DeclaredUseWithdrawn),
        TrustError::Unavailable(_) => Refusal::unavailable(RefusalReason::DeclaredUseUndecided),
    })?;
    let covered = terms.is_covered_by(&declared, scope.fields());
    if covered { Ok(()) } else { Err(Refusal::scope(RefusalReason::DeclaredUseNarrowed)) }
}

/// The latest exchanges under a consent, as many as its stretch of time allows; none where it has no such limit. The stretch
/// goes on where the consent came in the place of another: the limit is how often the resident's data may be fetched.
fn recent(store: &mut Reader<'_>, consent: &Consent, now: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
    let Some(per) = &consent.terms.per else { return Ok(Vec::new()) };
    let line = consents::succession(store, consent, now.plus_secs(-per.secs()))?;
    exchanges::latest(store, &line, consent.terms.max_exchanges)
}

fn check_frequency(consent: &Consent, recent: &[Timestamp], now: Timestamp) -> Result<(), Refusal> {
    match consent.terms.next_at(recent, now) {
        Some(next) => Err(Refusal::too_often(next.secs().saturating_sub(now.secs()).max(1))),
        None => Ok(()),
    }
}

async fn read(
    node: &Node,
    verified: &VerifiedConsent,
    scope: &ReleaseScope,
    dataset: &Dataset,
    subject: &NationalIdentifier,
) -> Result<Release, Refusal> {
    let records = node.registers.read(&dataset.id, subject).await.map_err(|error| {
        tracing::warn!(%error, dataset = %dataset.id, "register");
        Refusal::unavailable(RefusalReason::Register)
    })?;
    Release::minimise(verified, scope, dataset, subject, records)
}

async fn commit(
    node: &Node,
    verified: VerifiedConsent,
    recipient: &TrustedPeer,
    release: Release,
    now: Timestamp,
) -> Result<Released, Refusal> {
    let exchange = ExchangeId::from_bytes(random(&*node.entropy));
    let internal = |_| Refusal::unavailable(RefusalReason::Internal);
    let terms = &verified.consent().terms;
    let body_digest = digest(release.body());
    let entry = Entry::Exchange {
        consent: verified.consent().id,
        recipient: recipient.id.clone(),
        dataset: terms.dataset.clone(),
        fields: release.fields().to_vec(),
        proof_digest: verified.proof().digest().to_owned(),
        body_digest: body_digest.clone(),
        at: now.secs(),
    };
    let leaf: Leaf = entry.leaf().map_err(internal)?;
    let receipt = Receipt {
        iss: node.settings.id.clone(),
        aud: recipient.id.clone(),
        iat: now.secs(),
        jti: Jti::new(exchange.to_string()).map_err(|_| Refusal::unavailable(RefusalReason::Internal))?,
        grant_id: verified.consent().grant_id.clone(),
        dataset: terms.dataset.clone(),
        fields: release.fields().to_vec(),
        records: release.records(),
        proof_digest: verified.proof().digest().to_owned(),
        body_digest: body_digest.clone(),
        log_entry: leaf.hash.clone(),
    };
    let signing = |_| Refusal::unavailable(RefusalReason::Signing);
    let receipt = node
        .keys
        .active(KeyPurpose::Receipt)
        .and_then(|key| key.sign(EXCHANGE_RECEIPT.typ, &receipt))
        .map_err(signing)?;
    let mut record = Exchange {
        id: exchange,
        consent: verified.consent().id,
        recipient: recipient.id.clone(),
        dataset: terms.dataset.clone(),
        fields: release.fields().to_vec(),
        at: now,
        proof_digest: verified.proof().digest().to_owned(),
        body_digest,
        receipt: receipt.clone(),
        log_index: 0,
        delivered_at: None,
        acknowledged_at: None,
    };
    node.store
        .write_log("commit_exchange", move |tx| {
            let mut consent = consents::lock(tx, record.consent).map_err(CommitError::Store)?;
            let made = recent(tx, &consent, now).map_err(CommitError::Store)?;
            check_frequency(&consent, &made, now).map_err(CommitError::Refused)?;
            // Revoked since it was read: what was read from the register stays here.
            let ended = consent
                .count_exchange(now)
                .map_err(|why| CommitError::Refused(Refusal::token(why.into())))?;
            let proof = verified.proof();
            used_once::use_up(tx, Kind::DpopProof, proof.jkt().as_str(), proof.jti(), proof.expires_at())
                .map_err(|error| match error {
                    StoreError::Conflict => {
                        CommitError::Refused(Refusal::proof(RefusalReason::ProofReplayed))
                    }
                    other => CommitError::Store(other),
                })?;
            record.log_index = log::append(tx, &leaf, now)?;
            exchanges::insert(tx, &record)?;
            match &ended {
                Some(last) => record_change(tx, &consent, last)?,
                None => consents::save(tx, &consent, None)?,
            }
            Ok(())
        })
        .await
        .map_err(|error: CommitError| match error {
            CommitError::Refused(refusal) => refusal,
            CommitError::Store(error) => {
                tracing::warn!(%error, "store");
                Refusal::unavailable(RefusalReason::Store)
            }
        })?;
    Ok(Released { body: release.into_body(), receipt, exchange })
}

/// Why the deciding transaction was not committed.
enum CommitError {
    Refused(Refusal),
    Store(StoreError),
}

impl From<StoreError> for CommitError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Keeps one record of a refusal.
pub(crate) async fn record(node: &Node, refusal: Refusal, known: RefusalContext) {
    let now = node.now();
    tracing::info!(code = refusal.code.as_str(), reason = %refusal.reason, event = "exchange_refused", "a request is refused");
    let written = node
        .store
        .write("record_refusal", move |tx| {
            refusals::insert(
                tx,
                &NewRefusal {
                    at: now,
                    refusal,
                    client: known.client.clone(),
                    consent: known.consent,
                    dataset: known.dataset.clone(),
                },
            )
        })
        .await;
    if let Err(error) = written {
        // The refusal stands whether or not it could be written down.
        tracing::warn!(%error, "refusal not recorded");
    }
}
