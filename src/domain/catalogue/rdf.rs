//! The catalogue as RDF: DCAT-AP 3, with DPV for the legal part and ODRL for the policy.
//!
//! Every resource has an IRI, blank nodes are not used, and equal catalogues serialise to equal bytes, so that
//! harvesters can use conditional requests. Properties that no public vocabulary has are in `urn:omadata:ns:` (fields
//! and their types, the record's JSON Schema, the minimum assurance level).

mod graph;
mod process;
#[cfg(test)]
mod tests;
mod vocabulary;

use oxrdf::{Literal, NamedNode};

use self::graph::{Graph, iri, term};
use super::schema::record_schema;
use super::{Contact, Dataset, Field, Language, Processing, Text};
use crate::domain::ids::{EntityId, FieldPath};

/// The serialisations of a catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON-LD 1.1.
    JsonLd,
    /// Turtle.
    Turtle,
    /// RDF/XML.
    RdfXml,
}

impl Format {
    /// All serialisations, preferred first.
    pub const ALL: [Self; 3] = [Self::JsonLd, Self::Turtle, Self::RdfXml];

    #[must_use]
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::JsonLd => "application/ld+json",
            Self::Turtle => "text/turtle",
            Self::RdfXml => "application/rdf+xml",
        }
    }
}

/// The publisher of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher {
    /// The node.
    pub node: EntityId,
    /// The city's name.
    pub name: Text,
    /// The contact for residents.
    pub contact: Contact,
}

/// Why a catalogue cannot be serialised as RDF.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RdfError {
    /// An address in it (legislation, e-mail) is not an IRI.
    #[error("an address in the catalogue is not an IRI")]
    Iri,
    /// The serialiser refused a triple.
    #[error("the catalogue cannot be serialised")]
    Serialise,
}

/// The whole catalogue: `dcat:Catalog` with every dataset, service and distribution, and the city's own uses of them.
///
/// # Errors
/// [`RdfError`] when an address in it is not one.
pub fn catalogue(
    publisher: &Publisher,
    datasets: &[&Dataset],
    processing: &[Processing],
    format: Format,
) -> Result<Vec<u8>, RdfError> {
    let mut graph = Graph::new(format)?;
    let catalogue = iri(format!("{}/catalogue", publisher.node))?;
    graph.is_a(&catalogue, "dcat:Catalog")?;
    let names = &publisher.name;
    graph.text(
        &catalogue,
        "dct:title",
        &Text {
            fi: format!("{}: luettelo asukkaan tiedoista", names.fi),
            sv: format!("{}: katalog över invånarens uppgifter", names.sv),
            en: format!("{}: catalogue of residents’ data", names.en),
        },
    )?;
    graph.text(
        &catalogue,
        "dct:description",
        &Text {
            fi: "Tiedot, jotka asukas voi luvallaan antaa toisen kaupungin palveluun.".to_owned(),
            sv: "Uppgifter som invånaren med sitt tillstånd kan ge till en annan stads tjänst.".to_owned(),
            en: "Data that a resident can allow a service of another city to fetch.".to_owned(),
        },
    )?;
    graph.say(&catalogue, "dct:publisher", iri(publisher.node.as_str())?)?;
    graph.say(&catalogue, "dcat:contactPoint", contact_point(publisher)?)?;
    for code in ["FIN", "SWE", "ENG"] {
        graph.say(&catalogue, "dct:language", iri(format!("{}{code}", vocabulary::LANGUAGE))?)?;
    }
    for dataset in datasets {
        graph.say(&catalogue, "dcat:dataset", address(publisher, dataset)?)?;
    }
    for dataset in datasets {
        graph.say(&catalogue, "dcat:service", part(publisher, dataset, "service")?)?;
    }
    describe_publisher(&mut graph, publisher)?;
    for dataset in datasets {
        describe_dataset(&mut graph, publisher, dataset)?;
        process::describe_all(&mut graph, publisher, dataset, processing)?;
    }
    graph.finish()
}

/// One dataset with its service, distribution, fields and policy, and the city's own uses of it.
///
/// # Errors
/// [`RdfError`] when an address in it is not one.
pub fn dataset(
    publisher: &Publisher,
    dataset: &Dataset,
    processing: &[Processing],
    format: Format,
) -> Result<Vec<u8>, RdfError> {
    let mut graph = Graph::new(format)?;
    describe_dataset(&mut graph, publisher, dataset)?;
    process::describe_all(&mut graph, publisher, dataset, processing)?;
    describe_publisher(&mut graph, publisher)?;
    graph.finish()
}

fn address(publisher: &Publisher, dataset: &Dataset) -> Result<NamedNode, RdfError> {
    iri(format!("{}/catalogue/datasets/{}", publisher.node, dataset.id))
}

fn part(publisher: &Publisher, dataset: &Dataset, name: &str) -> Result<NamedNode, RdfError> {
    iri(format!("{}/catalogue/datasets/{}#{name}", publisher.node, dataset.id))
}

fn contact_point(publisher: &Publisher) -> Result<NamedNode, RdfError> {
    iri(format!("{}/catalogue#contact", publisher.node))
}

fn describe_publisher(graph: &mut Graph, publisher: &Publisher) -> Result<(), RdfError> {
    let agent = iri(publisher.node.as_str())?;
    graph.is_a(&agent, "foaf:Agent")?;
    graph.text(&agent, "foaf:name", &publisher.name)?;
    let contact = contact_point(publisher)?;
    graph.is_a(&contact, "vcard:Organization")?;
    graph.text(&contact, "vcard:fn", &publisher.contact.name)?;
    graph.say(&contact, "vcard:hasEmail", iri(format!("mailto:{}", publisher.contact.email))?)
}

fn describe_dataset(graph: &mut Graph, publisher: &Publisher, dataset: &Dataset) -> Result<(), RdfError> {
    let node = address(publisher, dataset)?;
    graph.is_a(&node, "dcat:Dataset")?;
    graph.say(&node, "dct:identifier", Literal::new_simple_literal(node.as_str()))?;
    graph.say(&node, "dct:type", iri(format!("urn:omadata:dataset-type:{}", dataset.kind))?)?;
    graph.text(&node, "dct:title", &dataset.title)?;
    graph.text(&node, "dct:description", &dataset.description)?;
    graph.say(&node, "dct:publisher", iri(publisher.node.as_str())?)?;
    graph.say(&node, "dcat:contactPoint", contact_point(publisher)?)?;
    graph.say(&node, "dcat:theme", iri(format!("{}{}", vocabulary::DATA_THEME, dataset.theme))?)?;
    for (language, word) in
        Language::ALL.into_iter().zip(vocabulary::theme_label(&dataset.theme).into_iter().flatten())
    {
        graph.in_language(&node, "dcat:keyword", word, language)?;
    }
    graph.text(&node, "dcat:keyword", &dataset.register)?;
    graph.say(&node, "dct:accessRights", access_rights(dataset)?)?;
    for act in &dataset.legislation {
        graph.say(&node, "dcatap:applicableLegislation", iri(act.as_str())?)?;
    }
    for basis in &dataset.legal_bases {
        graph.say(&node, "dpv:hasLegalBasis", term(&format!("gdpr:{basis}"))?)?;
    }
    let (storage, register) = (part(publisher, dataset, "retention")?, part(publisher, dataset, "register")?);
    graph.say(&node, "dpv:hasStorageCondition", storage.clone())?;
    graph.say(&node, "dct:provenance", register.clone())?;
    graph.say(&node, "odrl:hasPolicy", part(publisher, dataset, "policy")?)?;
    graph.say(&node, "dcat:distribution", part(publisher, dataset, "distribution")?)?;
    if let Some(acr) = &dataset.required_acr {
        graph.say(&node, "omadata:requiredAssurance", Literal::new_simple_literal(acr.as_str()))?;
    }
    if let Some(max_age) = dataset.required_max_age_seconds {
        graph.typed(&node, "omadata:requiredMaxAge", format!("PT{max_age}S"), "xsd:duration")?;
    }
    if dataset.required_passkey {
        graph.typed(&node, "omadata:requiresPasskey", "true", "xsd:boolean")?;
    }
    if let Some(period) = &dataset.period {
        let field = |name| part(publisher, dataset, &format!("field-{name}"));
        graph.say(&node, "omadata:periodStart", field(&period.start)?)?;
        if let Some(end) = &period.end {
            graph.say(&node, "omadata:periodEnd", field(end)?)?;
        }
    }
    if dataset.narrowing.is_possible() {
        graph.say(&node, "omadata:narrowsTo", Literal::new_simple_literal("persons"))?;
    }
    if dataset.narrowing.records {
        graph.say(&node, "omadata:narrowsTo", Literal::new_simple_literal("records"))?;
    }
    for field in &dataset.fields {
        let field = part(publisher, dataset, &format!("field-{}", field.name))?;
        graph.say(&node, "dpv:hasPersonalData", field)?;
    }
    let schema = record_schema(dataset).to_string();
    graph.typed(&node, "omadata:recordSchema", schema, "rdf:JSON")?;

    graph.is_a(&storage, "dpv:StorageDuration")?;
    graph.typed(&storage, "rdf:value", dataset.retention.as_str(), "xsd:duration")?;
    graph.is_a(&register, "dct:ProvenanceStatement")?;
    graph.text(&register, "rdfs:label", &dataset.register)?;
    describe_fields(graph, publisher, dataset)?;
    describe_access(graph, publisher, dataset, &node)
}

/// Access rights: restricted by consent; confidential data is not public.
fn access_rights(dataset: &Dataset) -> Result<NamedNode, RdfError> {
    let sensitive = dataset.leaves().iter().any(super::Leaf::is_sensitive);
    let right = if sensitive { "NON_PUBLIC" } else { "RESTRICTED" };
    iri(format!("{}{right}", vocabulary::ACCESS_RIGHT))
}

/// The fields, and the fields of objects and lists as their parts (`dct:hasPart`), each under its path.
fn describe_fields(graph: &mut Graph, publisher: &Publisher, dataset: &Dataset) -> Result<(), RdfError> {
    for (position, field) in dataset.fields.iter().enumerate() {
        let path = FieldPath::from(&field.name);
        describe_field(graph, &Described { publisher, dataset, position, sensitive: false }, &path, field)?;
    }
    Ok(())
}

/// What a field is a part of.
struct Described<'a> {
    publisher: &'a Publisher,
    dataset: &'a Dataset,
    position: usize,
    /// Whether something around the field is sensitive.
    sensitive: bool,
}

fn describe_field(
    graph: &mut Graph,
    around: &Described<'_>,
    path: &FieldPath,
    field: &Field,
) -> Result<(), RdfError> {
    let node = part(around.publisher, around.dataset, &format!("field-{path}"))?;
    let sensitive = around.sensitive || field.is_sensitive();
    graph.is_a(&node, if sensitive { "dpv:SensitivePersonalData" } else { "dpv:PersonalData" })?;
    graph.say(&node, "dct:identifier", Literal::new_simple_literal(path.as_str()))?;
    graph.text(&node, "rdfs:label", &field.label)?;
    graph.say(&node, "omadata:fieldType", Literal::new_simple_literal(field.kind.as_str()))?;
    if let Some(items) = field.items {
        graph.say(&node, "omadata:itemType", Literal::new_simple_literal(items.as_str()))?;
    }
    graph.typed(&node, "omadata:position", around.position.saturating_add(1).to_string(), "xsd:integer")?;
    for (position, inner) in field.fields.iter().enumerate() {
        let Some(path) = path.child(&inner.name) else { continue };
        let within = part(around.publisher, around.dataset, &format!("field-{path}"))?;
        graph.say(&node, "dct:hasPart", within)?;
        describe_field(graph, &Described { position, sensitive, ..*around }, &path, inner)?;
    }
    Ok(())
}

/// Access to the data: service, distribution and the policy, which is the data subject's consent.
fn describe_access(
    graph: &mut Graph,
    publisher: &Publisher,
    dataset: &Dataset,
    node: &NamedNode,
) -> Result<(), RdfError> {
    let service = part(publisher, dataset, "service")?;
    let distribution = part(publisher, dataset, "distribution")?;
    let policy = part(publisher, dataset, "policy")?;
    let endpoint = iri(format!("{}/exchange/datasets/{}", publisher.node, dataset.id))?;

    graph.is_a(&distribution, "dcat:Distribution")?;
    graph.text(&distribution, "dct:title", &dataset.title)?;
    graph.say(&distribution, "dcat:accessURL", endpoint.clone())?;
    graph.say(&distribution, "dcat:accessService", service.clone())?;
    graph.say(&distribution, "dct:format", iri(format!("{}JSON", vocabulary::FILE_TYPE))?)?;
    let media_type = iri(format!("{}application/json", vocabulary::MEDIA_TYPE))?;
    graph.say(&distribution, "dcat:mediaType", media_type)?;
    graph.say(&distribution, "odrl:hasPolicy", policy.clone())?;
    for act in &dataset.legislation {
        graph.say(&distribution, "dcatap:applicableLegislation", iri(act.as_str())?)?;
    }

    graph.is_a(&service, "dcat:DataService")?;
    graph.text(&service, "dct:title", &dataset.title)?;
    graph.say(&service, "dcat:endpointURL", endpoint)?;
    let metadata = iri(format!("{}/.well-known/oauth-protected-resource", publisher.node))?;
    graph.say(&service, "dcat:endpointDescription", metadata)?;
    graph.say(&service, "dcat:servesDataset", node.clone())?;
    graph.say(&service, "dct:publisher", iri(publisher.node.as_str())?)?;
    graph.say(&service, "dcat:contactPoint", contact_point(publisher)?)?;
    graph.say(&service, "dct:accessRights", access_rights(dataset)?)?;

    let permission = part(publisher, dataset, "permission")?;
    let duty = part(publisher, dataset, "duty")?;
    graph.is_a(&policy, "odrl:Offer")?;
    graph.say(&policy, "odrl:uid", policy.clone())?;
    graph.say(&policy, "odrl:permission", permission.clone())?;
    graph.is_a(&permission, "odrl:Permission")?;
    graph.say(&permission, "odrl:target", node.clone())?;
    graph.say(&permission, "odrl:assigner", iri(publisher.node.as_str())?)?;
    graph.say(&permission, "odrl:action", term("odrl:use")?)?;
    graph.say(&permission, "odrl:duty", duty.clone())?;
    graph.is_a(&duty, "odrl:Duty")?;
    graph.say(&duty, "odrl:action", term("odrl:obtainConsent")?)
}
