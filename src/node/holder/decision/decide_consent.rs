//! The decision. "No" is final at once. "Yes" is final when the login provider has signed the hash of exactly the
//! document that the resident saw.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::view_consent_request::offer;
use crate::domain::catalogue::{AssuranceRequirement, Language};
use crate::domain::clock::{Day, Timestamp};
use crate::domain::consent::document::DocumentParts;
use crate::domain::consent::terms::{Choice, DetailError, Frequency, Period};
use crate::domain::consent::{
    Commitment, Committed, Consent, ConsentDocument, ConsentRequest, ConsentState, ConsentStatus, DenialKind,
    Evidence, Issuer, Origin, PendingDecision, Reason, RequestState, Salt,
};
use crate::domain::exchange::Event;
use crate::domain::exchange::event::ConsentGiven;
use crate::domain::ids::{ConsentId, FieldName, GrantId, PairwiseSubject, PersonId, RequestId, Thumbprint};
use crate::domain::jose::b64url;
use crate::domain::log::Entry;
use crate::domain::login::Resident;
use crate::domain::login::{AuthenticatedPerson, Callback, PendingLogin};
use crate::node::holder::decision::deny_requests;
use crate::node::holder::permissions::record_change::record_change;
use crate::node::holder::permissions::{export_consent, write_receipt};
use crate::node::messaging::outbox_message;
use crate::node::resident::log_in;
use crate::node::resident::log_in::LoginRequirement;
use crate::node::{Limits, Node, OAuthCode, Problem, ProblemKind};
use crate::ports::random;
use crate::store::holder::authorization_codes::{Code, CodeKind};
use crate::store::holder::{authorization_codes, consent_requests, consents, standing_denials};
use crate::store::resident::{passkeys, persons};
use crate::store::{Reader, StoreError, Tx};

/// What the resident chose on the consent page, as the form sends it.
#[derive(Debug, Clone)]
pub struct DecisionForm {
    /// Hash of the offer that was shown.
    pub offer_hash: String,
    /// Optional fields that were ticked.
    pub optional_fields: BTreeSet<FieldName>,
    /// How often.
    pub frequency: Frequency,
    /// The part of the history; as offered when absent.
    pub period: Option<Period>,
    /// How long the recipient keeps it; as offered when absent.
    pub retention: Option<String>,
    /// Last day.
    pub until: Day,
}

/// Where the browser goes after a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Back to the recipient (RFC 6749 §4.1.2 with RFC 9207).
    Recipient(url::Url),
    /// To the permission's page in this portal.
    Permission(ConsentId),
    /// To the portal's page that says that nothing was allowed.
    Declined,
}

/// Declines a request, and refuses with it for good what the resident chose to (`never`), or else the same use for a
/// while.
///
/// # Errors
/// [`Problem`]: unknown, not this resident's, or decided already.
pub async fn decline(
    node: &Node,
    resident: &Resident,
    id: RequestId,
    language: Language,
    never: Option<DenialKind>,
) -> Result<Destination, Problem> {
    let now = node.now();
    let person = resident.person;
    let (request, subject) = own_request_and_subject(node, person, id).await?;
    let denial = deny_requests::denial_for_decline(node, &request, never)?;
    // Where the dataset is offered no more, there is nothing left to describe; declining goes on without a receipt.
    let offered = offer(node, request, &subject, language).ok().map(|offer| offer.document);
    let issuer = write_receipt::issuer(node);
    let request = node
        .store
        .write("decline_request", move |tx| {
            let request = own_request(tx, id, person)?;
            if !request.is_open(now) {
                return Err(StoreError::Conflict);
            }
            consent_requests::bind_person(tx, id, person)?;
            consent_requests::conclude(tx, id, RequestState::Declined, now)?;
            if let Some(denial) = &denial {
                standing_denials::insert(tx, person, denial)?;
            }
            let entry = Entry::consent(ConsentId::from_bytes(*id.as_bytes()), ConsentStatus::Declined, now);
            let logged = outbox_message::log(tx, &entry, now)?;
            if let Some(offered) = &offered {
                write_receipt::of_refusal(tx, &issuer, person, offered, now, &logged)?;
            }
            Ok(request)
        })
        .await
        .map_err(decided_before)?;
    Ok(back(node, &request, &[("error", "access_denied")])?.unwrap_or(Destination::Declined))
}

/// What comes between Allow and the consent.
pub enum Next {
    /// The login that signs the decision.
    Login(url::Url, PendingLogin),
    /// A passkey signs it first.
    Passkey,
}

/// Takes down what the resident allows and begins the login that signs it, or lets a passkey sign it first where the
/// dataset demands one.
///
/// # Errors
/// [`Problem`] `changed` when what was shown is not what would be allowed now; nothing is decided then.
pub async fn begin_allow(
    node: &Node,
    resident: &Resident,
    id: RequestId,
    language: Language,
    form: DecisionForm,
) -> Result<Next, Problem> {
    let now = node.now();
    let person = resident.person;
    let (request, subject) = own_request_and_subject(node, person, id).await?;
    let kept = node.store.read("list_passkeys", move |store| passkeys::of_person(store, person)).await?;
    if !request.is_open(now) {
        return Err(Problem::new(ProblemKind::Changed));
    }
    let offer = offer(node, request, &subject, language)?;
    if offer.hash != form.offer_hash {
        return Err(Problem::new(ProblemKind::Changed));
    }
    let by_passkey = offer.dataset.required_passkey;
    let may_sign: Vec<Thumbprint> =
        kept.into_iter().filter(|_| by_passkey).map(|kept| kept.passkey.thumbprint).collect();
    if by_passkey && may_sign.is_empty() {
        return Err(Problem::new(ProblemKind::PasskeyNeeded));
    }
    let required = &offer.request.declared_use.required_fields;
    let mut fields = form.optional_fields;
    fields.extend(required.iter().cloned());
    let offered = &offer.request.terms;
    if form.period.is_some() && offer.dataset.period.is_none() {
        return Err(Problem::with_detail(ProblemKind::BadRequest, DetailError::Period.message()));
    }
    let choice = Choice {
        fields,
        frequency: form.frequency,
        period: form.period.or(offered.period),
        retention: form.retention.unwrap_or_else(|| offered.retention.clone()),
        until: form.until,
    };
    let terms = offer
        .request
        .terms
        .decided(&choice, required, now)
        .map_err(|error| Problem::with_detail(ProblemKind::BadRequest, error.message()))?;
    let salt = Salt(random(&*node.entropy));
    let document = ConsentDocument::new(&DocumentParts {
        consent: ConsentId::from_bytes(*id.as_bytes()),
        subject: &subject,
        language,
        holder_name: node.settings.name.get(language),
        recipient_name: offer.request.recipient_name.get(language),
        declared_use: &offer.request.declared_use,
        dataset: &offer.dataset,
        terms: &terms,
        decided_at: now,
        signer: Some(salt.signer(&resident.issuer, &resident.subject)),
        passkeys: may_sign,
    })
    .canonical()?;
    let commitment = Commitment::to(&document, &salt);
    let pending = PendingDecision {
        consent: ConsentId::from_bytes(*id.as_bytes()),
        terms,
        document,
        salt: b64url(&salt.0),
        passkey: None,
    };
    node.store
        .write("begin_approval", move |tx| {
            consent_requests::bind_person(tx, id, person)?;
            consent_requests::keep_pending(tx, id, &pending)
        })
        .await
        .map_err(decided_before)?;
    if by_passkey {
        return Ok(Next::Passkey);
    }
    let (location, pending) = signing_login(node, &offer.request, &commitment, language).await?;
    Ok(Next::Login(location, pending))
}

/// Begins the login that signs a commitment, as strong and fresh as the dataset and the one who asks demand.
pub(crate) async fn signing_login(
    node: &Node,
    request: &ConsentRequest,
    commitment: &Commitment,
    language: Language,
) -> Result<(url::Url, PendingLogin), Problem> {
    let dataset = node.settings.dataset(&request.terms.dataset).ok_or(Problem::new(ProblemKind::NotFound))?;
    let known = AssuranceRequirement::of(dataset).and(&request.asked, &node.settings.levels);
    let nonce = Some(commitment.as_str().to_owned());
    log_in::begin(node, LoginRequirement { nonce, known, step_up: false }, language).await
}

/// The commitment to a decision that waits for its signatures.
pub(crate) fn commitment(decision: &PendingDecision) -> Result<Commitment, Problem> {
    let salt = URL_SAFE_NO_PAD
        .decode(&decision.salt)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .map(Salt)
        .ok_or(Problem::because(ProblemKind::Internal, "stored salt"))?;
    Ok(Commitment::to(&decision.document, &salt))
}

/// Completes the signing login: the consent comes into force, and the recipient is told.
///
/// # Errors
/// [`Problem`]: the login does not fit, another person signed, or the request was decided meanwhile.
pub async fn complete_allow(
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
    node.store.write("decide_consent", move |tx| approval.commit(tx, now)).await.map_err(decided_before)?;
    node.outbox_bell.notify_one();
    Ok(back(node, &request, &[("code", &code)])?
        .unwrap_or(Destination::Permission(ConsentId::from_bytes(*id.as_bytes()))))
}

/// All that a decision writes, put together before the transaction.
struct Approval {
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
    let person = resident.person;
    let identifier = signed.identifier.clone();
    let (request, decision, subject) = node
        .store
        .read("prepare_decision", move |store| {
            // The provider must know the signer by the same identifier as at the login.
            if persons::find(store, person)?.identifier != identifier {
                return Err(StoreError::NotFound);
            }
            let request = own_request(store, id, person)?;
            let decision = consent_requests::pending(store, id)?;
            let subject = store.lookup().pairwise(&person, &request.terms.recipient)?;
            Ok::<_, StoreError>((request, decision, subject))
        })
        .await?;
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
    // Evidence that would not hold later must not become a consent now.
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

/// Judged by what the dataset demands now: it may have come to demand more since the page was shown.
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

    /// One transaction: request closed, consent and evidence kept, code issued, log appended, receipt signed, recipient told.
    fn commit(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
        let request = own_request(tx, self.request.id, self.consent.person)?;
        if !request.is_open(now) {
            return Err(StoreError::Conflict);
        }
        consent_requests::conclude(tx, request.id, RequestState::Allowed(self.consent.id), now)?;
        let mut consent = Consent { status_index: consents::draw_status_index(tx)?, ..self.consent.clone() };
        if let Some((_, replaced)) = request.replaces {
            supersede(tx, &mut consent, replaced, now)?;
        }
        consents::insert(tx, &consent, request.id, &self.evidence)?;
        // Whoever allows a use has thought better of a plain no to it.
        standing_denials::lift_plain_no(tx, consent.person, &consent.terms.declared_use)?;
        let commitment = self.consent.commitment.as_str();
        let entry = Entry::decision(self.consent.id, commitment, &self.committed.provider_key, now);
        let logged = outbox_message::log(tx, &entry, now)?;
        write_receipt::of_decision(tx, &self.issuer, &consent, self.decided(), &logged)?;
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
        authorization_codes::insert(tx, &self.code, &code, now)?;
        if request.origin == Origin::Portal {
            let terms = &self.consent.terms;
            let event = Event::ConsentGiven(ConsentGiven {
                grant_id: self.consent.grant_id.clone(),
                declared_use: terms.declared_use.clone(),
                dataset: terms.dataset.clone(),
                fields: terms.fields.clone(),
                until: terms.until,
                pre_authorized_code: self.code.clone(),
            });
            outbox_message::event(tx, &terms.recipient, self.consent.id, &event, logged.index, now)?;
        }
        Ok(())
    }
}

/// The login provider cannot know the resident as well as is demanded: the request ends undecided, and a service that
/// asked is told so (RFC 9470 §5). None where the resident began it and nobody waits for an answer.
///
/// # Errors
/// [`Problem`]: unknown, not this resident's, or decided already.
pub async fn abandon_request(
    node: &Node,
    resident: &Resident,
    id: RequestId,
) -> Result<Option<Destination>, Problem> {
    let now = node.now();
    let person = resident.person;
    let request = node
        .store
        .write("abandon_request", move |tx| {
            let request = own_request(tx, id, person)?;
            if request.return_path.is_some() {
                consent_requests::conclude(tx, id, RequestState::Lapsed, now)?;
            }
            Ok::<_, StoreError>(request)
        })
        .await?;
    back(node, &request, &[("error", OAuthCode::UnmetAuthenticationRequirements.as_str())])
}

/// A consent takes the place of another, and its grant.
fn supersede(
    tx: &mut Tx<'_>,
    consent: &mut Consent,
    replaced: ConsentId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut old = consents::lock(tx, replaced)?;
    // Taken back meanwhile, perhaps: then what was shown no longer holds.
    let change = old.replace(consent.id, now).map_err(|_| StoreError::Conflict)?;
    if old.person != consent.person {
        return Err(StoreError::NotFound);
    }
    record_change(tx, &old, &change)?;
    consents::release_grant_id(tx, &old)?;
    consent.replaces = Some(old.id);
    consent.grant_id = old.grant_id;
    Ok(())
}

/// A request of this person's, and who they are towards the one who asks.
async fn own_request_and_subject(
    node: &Node,
    person: PersonId,
    id: RequestId,
) -> Result<(ConsentRequest, PairwiseSubject), Problem> {
    let found = node.store.read("find_own_request", move |store| {
        let request = own_request(store, id, person)?;
        let subject = store.lookup().pairwise(&person, &request.terms.recipient)?;
        Ok::<_, StoreError>((request, subject))
    });
    Ok(found.await?)
}

/// A request that this person has opened, or that expects them; anybody else's looks unknown.
pub(crate) fn own_request(
    store: &mut Reader<'_>,
    id: RequestId,
    person: PersonId,
) -> Result<ConsentRequest, StoreError> {
    let request = consent_requests::find(store, id)?;
    let hash = persons::find(store, person)?.identifier_hash;
    if request.is_of(person, hash.as_bytes()) { Ok(request) } else { Err(StoreError::NotFound) }
}

/// The way back to the recipient, where the request came from one.
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

fn decided_before(error: StoreError) -> Problem {
    match error {
        StoreError::Conflict => Problem::new(ProblemKind::Changed),
        other => other.into(),
    }
}
