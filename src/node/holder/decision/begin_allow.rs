//! Begins "Allow": the document that the resident saw, and a login (or a passkey and a login) that signs its hash.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::offer::{Offer, offer};
use super::request::{DecisionError, OwnedRequest};
use super::view_consent_request;
use crate::domain::catalogue::{AssuranceRequirement, Language};
use crate::domain::clock::{Day, RetentionPeriod, Timestamp};
use crate::domain::consent::document::{DocumentParts, ShownPerson};
use crate::domain::consent::terms::{Choice, DetailError, Frequency, Period};
use crate::domain::consent::{
    Commitment, ConsentDocument, ConsentRequest, PendingDecision, Persons, Salt, Terms,
};
use crate::domain::ids::{ConsentId, FieldPath, RequestId, Thumbprint};
use crate::domain::jose::b64url;
use crate::domain::login::{PendingLogin, Resident};
use crate::node::resident::acting::Acting;
use crate::node::resident::log_in;
use crate::node::resident::log_in::LoginRequirement;
use crate::node::{Node, Problem, ProblemKind};
use crate::ports::random;
use crate::store::holder::consent_requests;
use crate::store::resident::passkeys;

/// The resident's choices on the consent page, as the form sends them.
#[derive(Debug, Clone)]
pub(crate) struct DecisionForm {
    /// Hash of the offer as shown.
    pub(crate) offer_hash: String,
    /// Optional fields that were ticked.
    pub(crate) optional_fields: BTreeSet<FieldPath>,
    /// The persons and records chosen; everybody's when none can be.
    pub(crate) persons: Option<Vec<ShownPerson>>,
    /// The number of fetches.
    pub(crate) frequency: Frequency,
    /// The period of the data; as offered when absent.
    pub(crate) period: Option<Period>,
    /// How long the recipient keeps it; as offered when absent.
    pub(crate) retention: Option<RetentionPeriod>,
    pub(crate) until: Day,
}

/// The next step between Allow and the consent.
pub(crate) enum Next {
    /// The login that signs the decision.
    Login(url::Url, PendingLogin),
    /// A passkey signs it first.
    Passkey,
}

/// Stores what the resident allows and begins the login that signs it, or the passkey step if the dataset requires one.
///
/// # Errors
/// [`Problem`] `changed` when the offer has changed since it was shown; nothing is decided then.
pub(crate) async fn begin_allow(
    node: &Node,
    resident: &Resident,
    id: RequestId,
    language: Language,
    form: DecisionForm,
) -> Result<Next, Problem> {
    let now = node.now();
    let acting = Acting::for_self(resident);
    let own = OwnedRequest::read(node, acting, id).await?.demand_open(now)?;
    let person = own.person();
    let kept = node.store.read("list_passkeys", move |store| passkeys::of_person(store, person)).await?;
    let subject = own.subject().clone();
    let offer = offer(node, own.into_request(), &subject, language)?;
    if offer.hash != form.offer_hash {
        return Err(Problem::new(ProblemKind::Changed));
    }
    let by_passkey = offer.dataset.required_passkey;
    let may_sign: Vec<Thumbprint> =
        kept.into_iter().filter(|_| by_passkey).map(|kept| kept.passkey.thumbprint).collect();
    if by_passkey && may_sign.is_empty() {
        return Err(Problem::new(ProblemKind::PasskeyNeeded));
    }
    let persons = form.persons.clone().unwrap_or_default();
    let terms = decided_terms(&offer, form, now)?;
    if terms.persons.is_none()
        && let Some(old) = view_consent_request::replaced(node, resident, &offer.request).await?
    {
        old.demand_choice()?;
    }
    let salt = Salt(random(&*node.entropy));
    let document = ConsentDocument::new(&DocumentParts {
        consent: ConsentId::from(id),
        subject: &subject,
        language,
        holder_name: node.settings.name.get(language),
        recipient_name: offer.request.recipient_name.get(language),
        declared_use: &offer.request.declared_use,
        dataset: &offer.dataset,
        terms: &terms,
        persons,
        decided_at: now,
        signer: Some(salt.signer(&resident.issuer, &resident.subject)),
        passkeys: may_sign,
    })
    .canonical()?;
    let commitment = Commitment::to(&document, &salt);
    let pending = PendingDecision {
        consent: ConsentId::from(id),
        terms,
        document,
        salt: b64url(&salt.0),
        passkey: None,
    };
    node.store
        .write("keep_pending_decision", move |tx| {
            consent_requests::bind_person(tx, id, person)?;
            Ok::<_, DecisionError>(consent_requests::keep_pending(tx, id, &pending)?)
        })
        .await?;
    if by_passkey {
        return Ok(Next::Passkey);
    }
    let (location, pending) = signing_login(node, &offer.request, &commitment, language).await?;
    Ok(Next::Login(location, pending))
}

/// The terms that the resident chose, within the offer.
fn decided_terms(offer: &Offer, form: DecisionForm, now: Timestamp) -> Result<Terms, Problem> {
    let (offered, required) = (&offer.request.terms, &offer.request.declared_use.required_fields);
    if form.period.is_some() && offer.dataset.period.is_none() {
        return Err(Problem::with_detail(ProblemKind::BadRequest, DetailError::Period.message()));
    }
    let mut fields = form.optional_fields;
    fields.extend(required.iter().cloned());
    let choice = Choice {
        fields,
        persons: form.persons.map(|persons| Persons(persons.iter().map(ShownPerson::covered).collect())),
        frequency: form.frequency,
        period: form.period.or(offered.period),
        retention: form.retention.unwrap_or_else(|| offered.retention.clone()),
        until: form.until,
    };
    offered
        .decided(&choice, required, now)
        .map_err(|error| Problem::with_detail(ProblemKind::BadRequest, error.message()))
}

/// Begins the login that signs a commitment, with the assurance that the dataset and the recipient require.
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

/// The commitment to a pending decision.
pub(crate) fn commitment(decision: &PendingDecision) -> Result<Commitment, Problem> {
    let salt = URL_SAFE_NO_PAD
        .decode(&decision.salt)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .map(Salt)
        .ok_or(Problem::because(ProblemKind::Internal, "stored salt"))?;
    Ok(Commitment::to(&decision.document, &salt))
}
