//! The identifiers by which a recipient knows the persons and records of this holder's datasets.

use crate::domain::catalogue::{Dataset, Record};
use crate::domain::consent::About;
use crate::domain::ids::EntityId;
use crate::node::Node;

/// Whom a record is about and which one it is, for a recipient; `None` when the record does not say what its dataset's
/// records say. Without a person of its own, a record is about its subject.
pub(crate) fn about(node: &Node, dataset: &Dataset, recipient: &EntityId, record: &Record) -> Option<About> {
    let (lookup, narrowing) = (node.store.lookup(), dataset.narrowing);
    if !narrowing.is_possible() {
        return None;
    }
    let person = if narrowing.persons { record.names.person.as_ref()? } else { &record.subject };
    let key = if narrowing.records { Some(record.names.record.as_ref()?) } else { None };
    Some(About {
        person: lookup.person_for(recipient, person),
        record: key.map(|key| lookup.record_for(recipient, &dataset.id, key)),
    })
}
