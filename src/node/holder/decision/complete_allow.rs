//! Completes "Allow": the login provider has signed the hash of exactly the document that the resident saw.

use super::begin_allow::commitment;
use super::destination::{Destination, back};
use super::request::{DecisionError, OwnedRequest};
use crate::domain::catalogue::AssuranceRequirement;
use crate::domain::clock::Timestamp;
use crate::domain::consent::{
    Committed, Consent, ConsentDocument, ConsentRequest, ConsentState, Evidence, Issuer, Origin,
    PendingDecision, Reason, RequestState,
};
use crate::domain::exchange::Event;
use crate::domain::exchange::event::ConsentGiven;
use crate::domain::ids::{ConsentId, GrantId, RequestId};
use crate::domain::jose::b64url;
use crate::domain::log::Entry;
use crate::domain::login::{AuthenticatedPerson, Callback, PendingLogin, Resident};
use crate::node::holder::permissions::record_change::record_change;
use crate::node::holder::permissions::{export_consent, write_receipt};
use crate::node::messaging::outbox_message;
use crate::node::messaging::outbox_message::ConsentMessage;
use crate::node::resident::acting::Acting;
use crate::node::resident::log_in;
use crate::node::{Limits, Node, Problem, ProblemKind};
use crate::ports::random;
use crate::store::holder::authorization_codes::{Code, CodeKind};
use crate::store::holder::{authorization_codes, consent_requests, consents, standing_denials};
use crate::store::resident::persons;
use crate::store::{StoreError, Tx};

/// Completes the signing login: the consent comes into force, and the recipient is notified.
///
/// # Errors
/// [`Problem`]: the login does not match, another person signed, or the request was decided meanwhile.
pub(crate) async fn complete_allow(
    node: &Node,
    resident: &Resident,
    id: RequestId,
    pending: &PendingLogin,
    callback: &Callback,
) -> Result<Destination, Problem> {
    let signed = log_in::authenticate(node, pending, callback).await?;
    if signed.issuer != resident.issuer || signed.subject != resident.subject {
        return Err(Problem::new(ProblemKind::WrongPerson));
    }
    let now = node.now();
    let approval = prepare(node, resident, id, &signed, now).await?;
    let code = approval.code.clone();
    let request = approval.request.clone();
    node.store.write("decide_consent", move |tx| approval.commit(tx, now)).await?;
    node.outbox_bell.notify_one();
    Ok(back(node, &request, &[("code", &code)])?.unwrap_or(Destination::Permission(ConsentId::from(id))))
}

/// Everything that a decision writes, prepared before the transaction.
struct Approval {
    acting: Acting,
    request: ConsentRequest,
    consent: Consent,
    evidence: Evidence,
    document: ConsentDocument,
    committed: Committed,
    issuer: Issuer,
    code: String,
    limits: Limits,
}

async fn prepare(
    node: &Node,
    resident: &Resident,
    id: RequestId,
    signed: &AuthenticatedPerson,
    now: Timestamp,
) -> Result<Approval, Problem> {
    let acting = Acting::for_self(resident);
    let (person, identifier) = (resident.person, signed.identifier.clone());
    let (own, decision) = node
        .store
        .read("prepare_decision", move |store| {
            // The provider must state the same identifier as at the login.
            if persons::find(store, person)?.identifier != identifier {
                return Err(DecisionError::NotOwn);
            }
            let own = OwnedRequest::find(store, acting, id)?;
            Ok((own, consent_requests::pending(store, id)?))
        })
        .await?;
    let (subject, person) = (own.subject().clone(), own.person());
    let request = own.clone().into_request();
    still_demanded(node, &request, &decision, signed, now)?;
    let commitment = commitment(&decision)?;
    let chains = export_consent::chains(node, &request.terms.recipient).await;
    let evidence = Evidence {
        document: decision.document,
        salt: decision.salt,
        id_token: signed.id_token.clone(),
        provider_key: signed.provider_key.clone(),
        provider: signed.issuer.clone(),
        client_id: node.settings.login_client_id.clone(),
        passkey: decision.passkey,
        provider_documents: Some(signed.provider_documents.clone()),
        chains: Some(chains),
    };
    // Evidence that would not verify later must not become a consent now.
    let unfit = |error| Problem::because(ProblemKind::LoginFailed, error);
    let document = evidence.verify(&commitment, None).map_err(unfit)?.document;
    let committed = Committed::to(&evidence, &commitment).map_err(unfit)?;
    let grant_id = GrantId::new(b64url(&random::<16>(&*node.entropy)))
        .map_err(|error| Problem::because(ProblemKind::Internal, error))?;
    let consent = Consent {
        id: decision.consent,
        grant_id,
        person,
        subject,
        terms: decision.terms,
        origin: request.origin,
        commitment,
        // Drawn in the transaction.
        status_index: 0,
        state: ConsentState::Active,
        reason: Reason::Decided,
        replaces: None,
        replaced_by: None,
        exchanges: 0,
        last_exchange_at: None,
        decided_at: now,
        acr: signed.acr.clone(),
        auth_time: signed.auth_time,
    };
    Ok(Approval {
        acting,
        request,
        consent,
        evidence,
        document,
        committed,
        issuer: write_receipt::issuer(node),
        code: node.secret(),
        limits: node.settings.limits,
    })
}

/// Checked against the dataset's present requirement: it may have become stricter since the page was shown.
fn still_demanded(
    node: &Node,
    request: &ConsentRequest,
    decision: &PendingDecision,
    signed: &AuthenticatedPerson,
    now: Timestamp,
) -> Result<(), Problem> {
    let levels = &node.settings.levels;
    let dataset = node.settings.dataset(&request.terms.dataset).ok_or(Problem::new(ProblemKind::NotFound))?;
    if dataset.required_passkey && decision.passkey.is_none() {
        return Err(Problem::new(ProblemKind::Changed));
    }
    let demand = AssuranceRequirement::of(dataset).and(&request.asked, levels);
    if demand.is_met(levels, signed.acr.as_deref(), signed.auth_time, now) {
        Ok(())
    } else {
        Err(Problem::new(ProblemKind::LoginTooWeak))
    }
}

impl Approval {
    fn decided(&self) -> write_receipt::DecisionReceipt<'_> {
        write_receipt::DecisionReceipt { document: &self.document, committed: &self.committed }
    }

    /// One transaction: close the request, store consent and evidence, issue the code, append to the log, sign the
    /// receipt, notify the recipient.
    fn commit(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<(), DecisionError> {
        let request = OwnedRequest::find(tx, self.acting, self.request.id)?.demand_open(now)?.into_request();
        consent_requests::conclude(tx, request.id, RequestState::Allowed(self.consent.id), now)?;
        let mut consent = Consent { status_index: consents::draw_status_index(tx)?, ..self.consent.clone() };
        if let Some((_, replaced)) = request.replaces {
            supersede(tx, self.acting, &mut consent, replaced, now)?;
        }
        consents::insert(tx, &consent, request.id, &self.evidence)?;
        // Allowing a use revokes the temporary denial of it.
        standing_denials::lift_plain_no(tx, consent.person, &consent.terms.declared_use)?;
        let commitment = self.consent.commitment.as_str();
        let entry = Entry::decision(self.consent.id, commitment, &self.committed.provider_key, now);
        let logged = outbox_message::log(tx, &entry, now)?;
        write_receipt::of_decision(tx, &self.issuer, &consent, self.decided(), &logged)?;
        self.issue_code(tx, &request, now)?;
        if request.origin == Origin::Portal {
            self.tell_recipient(tx, logged.index, now)?;
        }
        Ok(())
    }

    /// The recipient's code: returned through the browser, or sent in the event about the consent.
    fn issue_code(
        &self,
        tx: &mut Tx<'_>,
        request: &ConsentRequest,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (kind, life) = match request.origin {
            Origin::Pushed => (CodeKind::Code, self.limits.code_secs),
            Origin::Portal => (CodeKind::PreAuthorized, self.limits.pre_authorized_secs),
        };
        let path = request.return_path.as_ref();
        let code = Code {
            kind,
            consent: self.consent.id,
            client: self.consent.terms.recipient.clone(),
            redirect_uri: path.map(|path| path.redirect_uri.clone()),
            code_challenge: path.map(|path| path.code_challenge.clone()),
            dpop_jkt: path.and_then(|path| path.dpop_jkt.clone()),
            expires_at: now.plus_secs(life),
        };
        authorization_codes::insert(tx, &self.code, &code, now)
    }

    fn tell_recipient(&self, tx: &mut Tx<'_>, sequence: u64, now: Timestamp) -> Result<(), StoreError> {
        let terms = &self.consent.terms;
        let event = Event::ConsentGiven(ConsentGiven {
            grant_id: self.consent.grant_id.clone(),
            declared_use: terms.declared_use.clone(),
            dataset: terms.dataset.clone(),
            fields: terms.fields.clone(),
            until: terms.until,
            pre_authorized_code: self.code.clone(),
        });
        let message =
            ConsentMessage { to: &terms.recipient, consent: self.consent.id, event: &event, sequence };
        outbox_message::event(tx, &message, now)
    }
}

/// Replaces another consent, and takes its grant over.
fn supersede(
    tx: &mut Tx<'_>,
    acting: Acting,
    consent: &mut Consent,
    replaced: ConsentId,
    now: Timestamp,
) -> Result<(), DecisionError> {
    let mut old = consents::lock(tx, replaced)?;
    acting.demand(old.person)?;
    // It may have ended meanwhile: then the offer no longer holds.
    let change = old.replace(consent.id, now).map_err(|_| DecisionError::NotOpen)?;
    record_change(tx, &old, &change)?;
    consents::supersede(tx, &old, now)?;
    consent.replaces = Some(old.id);
    consent.grant_id = old.grant_id;
    Ok(())
}
