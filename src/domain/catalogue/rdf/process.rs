//! The city's own uses of a dataset as `dpv:Process`.

use oxrdf::NamedNode;

use super::graph::{Graph, iri, term};
use super::{Publisher, RdfError, address, contact_point};
use crate::domain::catalogue::{Dataset, Processing};

/// Describes every activity that uses a dataset.
pub(super) fn describe_all(
    graph: &mut Graph,
    publisher: &Publisher,
    dataset: &Dataset,
    processing: &[Processing],
) -> Result<(), RdfError> {
    for one in processing.iter().filter(|one| one.datasets.contains(&dataset.id)) {
        let node = iri(format!("{}/catalogue/uses#{}", publisher.node, one.id))?;
        graph.say(&address(publisher, dataset)?, "dpv:hasProcess", node.clone())?;
        describe(graph, publisher, one, &node)?;
    }
    Ok(())
}

fn describe(
    graph: &mut Graph,
    publisher: &Publisher,
    one: &Processing,
    node: &NamedNode,
) -> Result<(), RdfError> {
    let part = |name: &str| iri(format!("{}/catalogue/uses#{}-{name}", publisher.node, one.id));
    graph.is_a(node, "dpv:Process")?;
    graph.text(node, "dct:title", &one.title)?;
    graph.text(node, "dct:description", &one.purpose_text)?;
    graph.say(node, "dpv:hasPurpose", iri(one.purpose.as_str())?)?;
    graph.say(node, "dpv:hasLegalBasis", term(&format!("gdpr:{}", one.legal_basis))?)?;
    graph.say(node, "dpv:hasDataController", iri(publisher.node.as_str())?)?;
    graph.say(node, "dcat:contactPoint", contact_point(publisher)?)?;
    if one.may_object {
        graph.say(node, "dpv:hasRight", term("gdpr:A21")?)?;
    }
    let law = iri(one.law.address.as_str())?;
    graph.say(node, "dpv:hasApplicableLaw", law.clone())?;
    graph.is_a(&law, "dpv:Law")?;
    graph.text(&law, "dct:title", &one.law.name)?;
    let retention = part("retention")?;
    graph.say(node, "dpv:hasStorageCondition", retention.clone())?;
    graph.is_a(&retention, "dpv:StorageDuration")?;
    graph.typed(&retention, "rdf:value", one.retention.as_str(), "xsd:duration")?;
    for (number, name) in one.recipients.iter().enumerate() {
        let recipient = part(&format!("recipient-{}", number.saturating_add(1)))?;
        graph.say(node, "dpv:hasRecipient", recipient.clone())?;
        graph.is_a(&recipient, "dpv:Recipient")?;
        graph.text(&recipient, "rdfs:label", name)?;
    }
    Ok(())
}
