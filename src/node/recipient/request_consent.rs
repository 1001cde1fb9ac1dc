//! A city's service asks its own node for a resident's permission.

use serde::Deserialize;

use crate::domain::catalogue::{AssuranceRequirement, DeclaredUse};
use crate::domain::clock::last_day;
use crate::domain::clock::{Day, Timestamp, Window};
use crate::domain::consent::terms::{DETAIL_TYPE, duration_days, fits_until};
use crate::domain::consent::{
    AuthorizationDetail, Frequency, GrantAction, HeldConsent, HeldState, Origin, Period,
};
use crate::domain::ids::{DatasetId, EntityId, FieldName, HeldConsentId, NationalIdentifier};
use crate::node::{Node, Problem, ProblemKind, Service};
use crate::ports::random;
use crate::store::recipient::held_consents;

/// What a service asks, as the body of `POST /api/v1/consent-requests`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceRequest {
    /// The city that holds the data.
    pub holder: EntityId,
    /// The dataset there.
    pub dataset: DatasetId,
    /// Which of the city's own declared uses; the address or its last part.
    #[serde(rename = "use")]
    pub declared_use: String,
    /// The fields; all of the use when absent.
    #[serde(default)]
    pub fields: Option<Vec<FieldName>>,
    /// The part of the person's history; all of it when absent.
    #[serde(default)]
    pub period: Option<Period>,
    /// How many times; once when absent.
    #[serde(default)]
    pub times: Option<u32>,
    /// In which stretch of time (ISO 8601 duration); over the permission's whole life when absent.
    #[serde(default)]
    pub per: Option<Window>,
    /// How long the service keeps the data (ISO 8601 duration); as long as the use allows when absent.
    #[serde(default)]
    pub retention: Option<String>,
    /// The last day; as far ahead as the use allows when absent.
    #[serde(default)]
    pub until: Option<Day>,
    /// Levels of assurance of the holder's login, any of which is enough for the service (`acr_values`); what the holder
    /// demands when absent.
    #[serde(default)]
    pub acr_values: Option<String>,
    /// How old the login may be, in seconds; what the holder demands when absent.
    #[serde(default)]
    pub max_age_seconds: Option<u32>,
    /// The national identifier of the person whom the service expects.
    #[serde(default)]
    pub person: Option<String>,
    /// The service's own name for its case.
    #[serde(default)]
    pub case_reference: Option<String>,
    /// The service's own consent in whose place this one is to come.
    #[serde(default)]
    pub replaces: Option<HeldConsentId>,
    /// The service's own consent to which this one is to add.
    #[serde(default)]
    pub extends: Option<HeldConsentId>,
    /// Where the resident's browser goes when all is done.
    pub return_url: String,
}

/// Takes down a service's request. Nothing leaves this node before the resident's browser starts it.
///
/// # Errors
/// [`Problem`]: malformed, or beyond the service's own declared use.
pub async fn request_consent(
    node: &Node,
    service: &Service,
    asked: ServiceRequest,
) -> Result<HeldConsent, Problem> {
    let now = node.now();
    let bad = |detail: &str| Problem::with_detail(ProblemKind::BadRequest, detail);
    let beyond = |detail: &str| Problem::with_detail(ProblemKind::BeyondDeclaredUse, detail);
    let declared = node
        .settings
        .uses
        .iter()
        .filter(|declared| declared.service == service.id)
        .find(|declared| {
            declared.id.slug() == asked.declared_use || declared.id.as_str() == asked.declared_use
        })
        .ok_or_else(|| beyond("use is not a declared use of this service"))?;
    if asked.holder == node.settings.id {
        return Err(bad("holder must be another city"));
    }
    if !return_url_allowed(service, &asked.return_url) {
        return Err(bad("returnUrl does not begin with an address configured for this service"));
    }
    if asked.case_reference.as_ref().is_some_and(|reference| reference.len() > 200) {
        return Err(bad("caseReference is longer than 200 bytes"));
    }
    if asked.acr_values.as_ref().is_some_and(|values| !is_acr_values(values)) {
        return Err(bad("acrValues is no list of levels"));
    }
    let frequency = Frequency { max: asked.times.unwrap_or(1), per: asked.per };
    let retention = asked.retention.unwrap_or_else(|| declared.retention.clone());
    let until = asked.until.unwrap_or_else(|| last_day(now, declared.max_days));
    let fields = asked.fields.unwrap_or_else(|| {
        declared.required_fields.iter().chain(&declared.optional_fields).cloned().collect()
    });
    if !fields.iter().all(|field| declared.allows_field(field))
        || !declared.required_fields.iter().all(|field| fields.contains(field))
    {
        return Err(beyond("fields go beyond the declared use or lack a required one"));
    }
    if !frequency.is_within(&Frequency::declared(declared)) {
        return Err(beyond("times or per is outside the declared use"));
    }
    let (kept, allowed) = (duration_days(&retention), duration_days(&declared.retention));
    if kept.zip(allowed).is_none_or(|(kept, allowed)| kept > allowed) {
        return Err(beyond("retention is outside the declared use"));
    }
    if !fits_until(until, now, i64::from(declared.max_days)) {
        return Err(beyond("until is outside the declared use"));
    }
    let expected_person = asked
        .person
        .as_deref()
        .map(NationalIdentifier::new)
        .transpose()
        .map_err(|_| bad("person is not a national identifier"))?;
    let replaces = match (asked.replaces, asked.extends) {
        (None, None) => None,
        (Some(old), None) => Some((GrantAction::Replace, find(node, service, old).await?)),
        (None, Some(old)) => Some((GrantAction::Merge, find(node, service, old).await?)),
        (Some(_), Some(_)) => return Err(bad("replaces and extends exclude each other")),
    };
    let held = HeldConsent {
        id: HeldConsentId::from_bytes(random(&*node.entropy)),
        origin: Origin::Pushed,
        service: service.id.clone(),
        detail: AuthorizationDetail {
            kind: DETAIL_TYPE.to_owned(),
            locations: vec![asked.holder.to_string()],
            identifier: asked.dataset,
            actions: vec!["read".to_owned()],
            datatypes: fields,
            declared_use: declared.id.clone(),
            purpose: declared.purpose.clone(),
            period: asked.period,
            frequency,
            retention,
            until,
        },
        holder: asked.holder,
        case_reference: asked.case_reference,
        expected_person,
        asked: AssuranceRequirement { acr: asked.acr_values, max_age: asked.max_age_seconds },
        return_url: Some(asked.return_url),
        state: HeldState::Requested,
        reason: None,
        grant_id: None,
        tokens: None,
        sequence: 0,
        commitment: None,
        replaces: replaces.as_ref().map(|(how, old)| (*how, old.id)),
        created_at: now,
        updated_at: now,
    };
    let held = match &replaces {
        Some((how, old)) => about(*how, old, held, declared, now)?,
        None => held,
    };
    // Trusted before anything is promised to the service.
    node.peers.resolve(&held.holder).await?;
    let kept = held.clone();
    node.store.write("request_consent", move |tx| held_consents::insert(tx, &kept)).await?;
    Ok(held)
}

/// Whether a text is a list of `acr` values: printable ASCII with single spaces between.
fn is_acr_values(text: &str) -> bool {
    text.len() <= 512
        && text.split(' ').all(|value| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// A request about a consent that the service has: in force or paused, of the same holder and dataset; to add to it, under
/// the same use.
fn about(
    how: GrantAction,
    old: &HeldConsent,
    mut held: HeldConsent,
    declared: &DeclaredUse,
    now: Timestamp,
) -> Result<HeldConsent, Problem> {
    if !matches!(old.state, HeldState::Active | HeldState::Suspended) {
        return Err(Problem::new(ProblemKind::ConsentNotInForce));
    }
    if old.holder != held.holder || old.detail.identifier != held.detail.identifier {
        return Err(Problem::with_detail(
            ProblemKind::BadRequest,
            "the consent is another city's or dataset's",
        ));
    }
    if how == GrantAction::Merge {
        held.detail = held.detail.merged_with(&old.detail);
        if old.detail.declared_use != held.detail.declared_use || !held.detail.is_within(declared, now) {
            return Err(Problem::with_detail(
                ProblemKind::BeyondDeclaredUse,
                "what comes of it is outside the declared use",
            ));
        }
    }
    Ok(held)
}

/// Whether a browser may be sent there: same scheme, host and port as a configured prefix, and below its path.
fn return_url_allowed(service: &Service, text: &str) -> bool {
    let Ok(url) = url::Url::parse(text) else { return false };
    // Compared after parsing, so that `..`, user parts and look-alike hosts have become what they are.
    service.return_url_prefixes.iter().any(|prefix| {
        url.origin() == prefix.origin()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
            && (url.path() == prefix.path()
                || url.path().starts_with(&format!("{}/", prefix.path().trim_end_matches('/'))))
    })
}

/// A service's consent by its identifier.
///
/// # Errors
/// [`Problem`]: unknown and another service's look alike.
pub async fn find(node: &Node, service: &Service, id: HeldConsentId) -> Result<HeldConsent, Problem> {
    let held = node.store.read("find_held_consent", move |store| held_consents::find(store, id)).await?;
    if held.service == service.id { Ok(held) } else { Err(Problem::new(ProblemKind::NotFound)) }
}

/// A service's consents, newest first.
///
/// # Errors
/// [`Problem`] when the store is away.
pub async fn list(
    node: &Node,
    service: &Service,
    state: Option<HeldState>,
) -> Result<Vec<HeldConsent>, Problem> {
    let service = service.id.clone();
    Ok(node
        .store
        .read("list_held_consents", move |store| held_consents::of_service(store, &service, state, 200))
        .await?)
}
