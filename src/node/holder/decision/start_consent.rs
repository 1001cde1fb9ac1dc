//! A consent that the resident starts in the holder's portal, from the declared use of a service of another city or
//! of this one.

use crate::domain::catalogue::AssuranceRequirement;
use crate::domain::clock::last_day;
use crate::domain::consent::terms::{Bounds, DETAIL_TYPE};
use crate::domain::consent::{AuthorizationDetail, ConsentRequest, Frequency, Origin, RequestState, Terms};
use crate::domain::ids::{RequestId, UseId};
use crate::domain::login::Resident;
use crate::node::quota::{QuotaError, demand_room};
use crate::node::{Node, Problem, ProblemKind};
use crate::ports::random;
use crate::store::holder::consent_requests;

/// Opens a consent request for the resident's own data under a partner's declared use, with all that the use allows;
/// the resident reduces it on the consent page.
///
/// # Errors
/// [`Problem`]: the use is unknown, its city is not trusted, or this city holds no such data.
pub(crate) async fn start_consent(
    node: &Node,
    resident: &Resident,
    use_id: &UseId,
) -> Result<RequestId, Problem> {
    let now = node.now();
    let declared_use = node.member_documents.declared_use(use_id).await?;
    let recipient_id = use_id.recipient().parse().map_err(|_| Problem::new(ProblemKind::NotFound))?;
    let recipient = node.peers.resolve(&recipient_id).await?;
    recipient.recipient()?;
    if !declared_use.may_be_asked_of(&node.settings.id) {
        return Err(Problem::new(ProblemKind::NotFound));
    }
    let dataset = node
        .settings
        .datasets
        .iter()
        .find(|dataset| dataset.kind == declared_use.dataset_type)
        .ok_or(Problem::new(ProblemKind::NotFound))?;
    let asked = declared_use.required_fields.iter().chain(&declared_use.optional_fields);
    let detail = AuthorizationDetail {
        kind: DETAIL_TYPE.to_owned(),
        locations: vec![node.settings.id.to_string()],
        identifier: dataset.id.clone(),
        actions: vec!["read".to_owned()],
        datatypes: asked.filter(|field| dataset.leaf(field).is_some()).cloned().collect(),
        persons: None,
        declared_use: declared_use.id.clone(),
        purpose: declared_use.purpose.clone(),
        period: None,
        frequency: Frequency::declared(&declared_use),
        retention: declared_use.retention.clone(),
        until: last_day(now, declared_use.max_days.min(node.settings.limits.consent_max_days)),
    };
    let bounds = Bounds {
        holder: &node.settings.id,
        recipient: &recipient.id,
        dataset,
        declared_use: &declared_use,
        now,
    };
    let terms = Terms::narrowed(&detail, &bounds)
        .map_err(|error| Problem::with_detail(ProblemKind::BeyondDeclaredUse, error.message()))?;
    let request = ConsentRequest {
        id: RequestId::from_bytes(random(&*node.entropy)),
        origin: Origin::Portal,
        terms,
        declared_use: (*declared_use).clone(),
        recipient_name: recipient.name.clone(),
        return_path: None,
        expected_person: None,
        asked: AssuranceRequirement::default(),
        replaces: None,
        person: Some(resident.person),
        state: RequestState::Requested,
        created_at: now,
        expires_at: now.plus_secs(node.settings.limits.decision_secs),
    };
    if request.is_too_long() {
        return Err(Problem::with_detail(
            ProblemKind::BeyondDeclaredUse,
            "the declared use is longer than 32 KiB",
        ));
    }
    let (id, person, most) = (request.id, resident.person, node.settings.limits.quotas.resident_open);
    node.store
        .write("start_consent", move |tx| {
            let open = consent_requests::count_open_begun(tx, person, now)?;
            demand_room(open, most, "requests that a resident has begun", &"a resident")?;
            Ok::<_, QuotaError>(consent_requests::insert(tx, &request, None)?)
        })
        .await?;
    Ok(id)
}
