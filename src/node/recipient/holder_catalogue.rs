//! A holder's public catalogue: read when a service requests a consent, and when its records are checked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::domain::catalogue::DeclaredUse;
use crate::domain::clock::Timestamp;
use crate::domain::consent::AuthorizationDetail;
use crate::domain::exchange::RecordSchema;
use crate::domain::exchange::record_schema::Offered;
use crate::domain::federation::TrustedPeer;
use crate::domain::ids::{DatasetId, EntityId};
use crate::domain::sync::lock;
use crate::node::recipient::service_request::beyond;
use crate::node::{Node, Problem};
use crate::ports::{OutboundBody, OutboundRequest};

/// Maximum size of a dataset's schema in bytes.
const MAX_SCHEMA_BYTES: usize = 512 * 1024;

/// How long a schema is cached, in seconds.
const SCHEMA_SECS: i64 = 300;

/// How long a failure to fetch a schema is cached, in seconds.
const SILENCE_SECS: i64 = 30;

/// Maximum number of cached schemas.
const MOST_SCHEMAS: usize = 1000;

/// The result of fetching a dataset's schema.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    Offered(Arc<RecordSchema>),
    /// The holder's catalogue has no such dataset.
    NotOffered,
    /// The catalogue is unavailable, or has an unknown form.
    Silent,
}

/// Cached schemas of holders' datasets.
#[derive(Default)]
pub(crate) struct SchemaCache(Mutex<HashMap<(EntityId, DatasetId), (Timestamp, Known)>>);

impl SchemaCache {
    fn find(&self, holder: &EntityId, dataset: &DatasetId, now: Timestamp) -> Option<Known> {
        let schemas = lock(&self.0);
        let (until, known) = schemas.get(&(holder.clone(), dataset.clone()))?;
        (now < *until).then(|| known.clone())
    }

    fn keep(&self, holder: &EntityId, dataset: &DatasetId, known: Known, now: Timestamp) {
        let secs = if matches!(known, Known::Offered(_)) { SCHEMA_SECS } else { SILENCE_SECS };
        let mut schemas = lock(&self.0);
        if schemas.len() >= MOST_SCHEMAS {
            schemas.retain(|_, (until, _)| now < *until);
        }
        if schemas.len() < MOST_SCHEMAS {
            schemas.insert((holder.clone(), dataset.clone()), (now.plus_secs(secs), known));
        }
    }
}

/// The schema of a holder's dataset; `None` when it is not available, which must not fail an exchange.
pub(super) async fn schema(
    node: &Node,
    holder: &TrustedPeer,
    dataset: &DatasetId,
) -> Option<Arc<RecordSchema>> {
    match look_up(node, holder, dataset).await {
        Known::Offered(schema) => Some(schema),
        Known::NotOffered | Known::Silent => None,
    }
}

/// Checks a request against the holder's catalogue, if that is available: a resident cannot allow what it does not
/// offer. Otherwise the holder refuses when the resident's browser starts the request.
///
/// # Errors
/// [`crate::node::ProblemKind::BeyondDeclaredUse`] with what the holder does not offer.
pub(super) async fn check_offer(
    node: &Node,
    holder: &TrustedPeer,
    detail: &AuthorizationDetail,
    declared: &DeclaredUse,
) -> Result<(), Problem> {
    let schema = match look_up(node, holder, &detail.identifier).await {
        Known::Offered(schema) => schema,
        Known::NotOffered => return Err(beyond("dataset is not in the holder's catalogue")),
        Known::Silent => return Ok(()),
    };
    if !schema.is_of_type(&declared.dataset_type) {
        return Err(beyond("dataset is of another type than the declared use names"));
    }
    for path in &detail.datatypes {
        match schema.offered(path) {
            Offered::Field => {}
            Offered::TooWide => {
                return Err(beyond(format!(
                    "{path} has fields of its own in the holder's dataset: name these"
                )));
            }
            Offered::Nothing => return Err(beyond(format!("the holder's dataset has no field {path}"))),
        }
    }
    if detail.persons.as_ref().is_some_and(|persons| !schema.can_narrow_to(persons)) {
        return Err(beyond("the holder's dataset cannot be narrowed to these persons or records"));
    }
    if detail.period.is_some() && !schema.can_limit_period() {
        return Err(beyond("the holder's dataset cannot be limited to a period"));
    }
    Ok(())
}

async fn look_up(node: &Node, holder: &TrustedPeer, dataset: &DatasetId) -> Known {
    let now = node.now();
    if let Some(known) = node.record_schemas.find(&holder.id, dataset, now) {
        return known;
    }
    let known = fetch(node, holder, dataset).await;
    node.record_schemas.keep(&holder.id, dataset, known.clone(), now);
    known
}

async fn fetch(node: &Node, holder: &TrustedPeer, dataset: &DatasetId) -> Known {
    let Ok(url) = url::Url::parse(&format!("{}/catalogue/datasets/{dataset}/schema", holder.id)) else {
        return Known::Silent;
    };
    let request = OutboundRequest {
        url,
        body: OutboundBody::None,
        headers: vec![("accept", "application/schema+json, application/json".to_owned())],
        max_bytes: MAX_SCHEMA_BYTES,
    };
    let answer = match node.outbound.send(request).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::info!(
                event = "holder_catalogue_unavailable", holder = %holder.id, %dataset, %error,
                "a holder's catalogue does not answer"
            );
            return Known::Silent;
        }
    };
    match answer.status {
        200 => serde_json::from_slice(&answer.body)
            .ok()
            .and_then(|schema| RecordSchema::parse(&schema))
            .map_or(Known::Silent, |schema| Known::Offered(Arc::new(schema))),
        404 => Known::NotOffered,
        _ => Known::Silent,
    }
}
