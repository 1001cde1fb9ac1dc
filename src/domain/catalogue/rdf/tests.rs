//! The three serialisations have the same content, always in the same bytes.

use std::collections::BTreeSet;

use oxrdfio::{JsonLdProfileSet, RdfFormat, RdfParser};

use super::*;
use crate::domain::catalogue::field::Sensitivity;
use crate::domain::catalogue::processing::tests::fees;
use crate::domain::catalogue::{Field, FieldType, Narrowing, PeriodFields};
use crate::domain::ids::{DatasetId, DatasetType, FieldName};

fn text(word: &str) -> Text {
    Text { fi: format!("{word} <fi> & \"ä\""), sv: format!("{word} sv"), en: format!("{word} en") }
}

fn publisher() -> Publisher {
    Publisher {
        node: EntityId::new("https://mydata.city.example").unwrap(),
        name: text("City"),
        contact: Contact { name: text("Office"), email: "mydata@city.example".to_owned() },
    }
}

fn placements() -> Dataset {
    let field = |name: &str, kind, sensitivity| Field {
        sensitivity,
        ..Field::new(FieldName::new(name).unwrap(), kind, text(name))
    };
    Dataset {
        id: DatasetId::new("placements").unwrap(),
        kind: DatasetType::new("early-education-placements").unwrap(),
        title: text("Placements"),
        description: text("Where"),
        theme: "EDUC".to_owned(),
        fields: vec![
            field("startDate", FieldType::Date, Sensitivity::Normal),
            field("level", FieldType::String, Sensitivity::Normal),
        ],
        legal_bases: vec!["A6-1-e".to_owned()],
        legislation: vec!["http://data.finlex.fi/eli/sd/2018/540/alkup".to_owned()],
        retention: "P10Y".parse().unwrap(),
        register: text("Register"),
        period: Some(PeriodFields { start: FieldName::new("startDate").unwrap(), end: None }),
        protected_fields: Vec::new(),
        corrections: None,
        narrowing: Narrowing { persons: true, records: false },
        required_acr: Some("high".to_owned()),
        required_max_age_seconds: Some(600),
        required_passkey: true,
    }
}

fn rdf_format(format: Format) -> RdfFormat {
    match format {
        Format::JsonLd => RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() },
        Format::Turtle => RdfFormat::Turtle,
        Format::RdfXml => RdfFormat::RdfXml,
    }
}

fn triples(bytes: &[u8], format: Format) -> BTreeSet<String> {
    RdfParser::from_format(rdf_format(format))
        .for_slice(bytes)
        .map(|quad| quad.unwrap().to_string())
        .collect()
}

#[test]
fn a_large_catalogue_says_nothing_twice_and_leaves_nothing_out() {
    let many: Vec<Dataset> = (0..300)
        .map(|number| Dataset { id: DatasetId::new(format!("placements-{number}")).unwrap(), ..placements() })
        .collect();
    for format in Format::ALL {
        let form = |datasets: &[&Dataset]| {
            let bytes = catalogue(&publisher(), datasets, &[], format).unwrap();
            let parser = RdfParser::from_format(rdf_format(format));
            let all: Vec<String> = parser.for_slice(&bytes).map(|quad| quad.unwrap().to_string()).collect();
            let different: BTreeSet<&String> = all.iter().collect();
            assert_eq!(all.len(), different.len(), "{format:?}");
            all.len()
        };
        let few = [1, 2].map(|count| form(&many.iter().take(count).collect::<Vec<_>>()));
        let each = few[1] - few[0];
        assert_eq!(form(&many.iter().collect::<Vec<_>>()), few[0] + 299 * each, "{format:?}");
    }
}

#[test]
fn all_forms_hold_the_same_triples() {
    let (publisher, dataset) = (publisher(), placements());
    let catalogue = |format| catalogue(&publisher, &[&dataset], &[fees()], format).unwrap();
    let turtle = triples(&catalogue(Format::Turtle), Format::Turtle);
    assert!(turtle.len() > 60, "{}", turtle.len());
    assert_eq!(triples(&catalogue(Format::JsonLd), Format::JsonLd), turtle);
    assert_eq!(triples(&catalogue(Format::RdfXml), Format::RdfXml), turtle);
    for format in Format::ALL {
        assert_eq!(catalogue(format), catalogue(format), "{format:?}");
    }
    let alone = super::dataset(&publisher, &dataset, &[fees()], Format::Turtle).unwrap();
    assert!(triples(&alone, Format::Turtle).is_subset(&turtle));
}

#[test]
fn the_graph_says_where_on_which_basis_and_under_which_condition() {
    let turtle = triples(&dataset(&publisher(), &placements(), &[], Format::Turtle).unwrap(), Format::Turtle);
    let node = "<https://mydata.city.example/catalogue/datasets/placements";
    for wanted in [
        format!("{node}> <https://w3id.org/dpv#hasLegalBasis> <https://w3id.org/dpv/legal/eu/gdpr#A6-1-e>"),
        format!(
            "{node}#service> <http://www.w3.org/ns/dcat#endpointURL> <https://mydata.city.example/exchange/datasets/placements>"
        ),
        format!(
            "{node}#duty> <http://www.w3.org/ns/odrl/2/action> <http://www.w3.org/ns/odrl/2/obtainConsent>"
        ),
        format!(
            "{node}> <http://purl.org/dc/terms/accessRights> <http://publications.europa.eu/resource/authority/access-right/RESTRICTED>"
        ),
        format!("{node}> <http://www.w3.org/ns/dcat#keyword> \"utbildning\"@sv"),
        format!("{node}> <urn:omadata:ns:periodStart> {node}#field-startDate>"),
        format!("{node}> <urn:omadata:ns:narrowsTo> \"persons\""),
        format!("{node}> <urn:omadata:ns:requiredAssurance> \"high\""),
        format!(
            "{node}> <urn:omadata:ns:requiredMaxAge> \"PT600S\"^^<http://www.w3.org/2001/XMLSchema#duration>"
        ),
        format!(
            "{node}> <urn:omadata:ns:requiresPasskey> \"true\"^^<http://www.w3.org/2001/XMLSchema#boolean>"
        ),
    ] {
        assert!(turtle.contains(&wanted), "{wanted}");
    }
}

#[test]
fn confidential_fields_make_a_dataset_not_public() {
    let mut dataset = placements();
    dataset.fields[1].sensitivity = Sensitivity::Sensitive;
    let turtle =
        String::from_utf8(super::dataset(&publisher(), &dataset, &[], Format::Turtle).unwrap()).unwrap();
    assert!(turtle.contains("NON_PUBLIC") && turtle.contains("dpv:SensitivePersonalData"), "{turtle}");
}

#[test]
fn fields_of_an_object_are_its_parts_and_as_sensitive_as_it() {
    let mut dataset = placements();
    let part = Field::new(FieldName::new("name").unwrap(), FieldType::String, text("Name"));
    dataset.fields[1].fields = vec![part];
    dataset.fields[1].kind = FieldType::Object;
    dataset.fields[1].sensitivity = Sensitivity::Sensitive;
    let turtle =
        String::from_utf8(super::dataset(&publisher(), &dataset, &[], Format::Turtle).unwrap()).unwrap();
    let node = "https://mydata.city.example/catalogue/datasets/placements#field-level";
    assert!(turtle.contains(&format!("<{node}.name>")) && turtle.contains("\"level.name\""), "{turtle}");
    assert_eq!(turtle.matches("dpv:SensitivePersonalData").count(), 2, "{turtle}");
    assert!(turtle.contains("NON_PUBLIC") && turtle.contains("hasPart"), "{turtle}");
}

#[test]
fn an_address_that_is_none_is_refused() {
    let mut dataset = placements();
    dataset.legislation = vec!["the act on early education".to_owned()];
    assert_eq!(super::dataset(&publisher(), &dataset, &[], Format::JsonLd), Err(RdfError::Iri));
}

#[test]
fn the_schema_of_a_record_allows_its_fields_only() {
    let schema = record_schema(&placements());
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["properties"]["startDate"]["format"], "date");
    assert_eq!(schema["properties"]["startDate"]["type"], serde_json::json!(["string", "null"]));
    assert_eq!(schema["properties"]["level"]["x-labels"]["sv"], "level sv");
    assert_eq!(schema["properties"].as_object().unwrap().len(), 2);
}

#[test]
fn the_citys_own_uses_stand_in_the_catalogue_with_law_right_and_retention() {
    let objectionable = Processing { legal_basis: "A6-1-e".to_owned(), may_object: true, ..fees() };
    let elsewhere = Processing {
        id: "elsewhere".parse().unwrap(),
        datasets: vec![DatasetId::new("others").unwrap()],
        ..fees()
    };
    let bytes =
        super::dataset(&publisher(), &placements(), &[objectionable, elsewhere], Format::Turtle).unwrap();
    let written = triples(&bytes, Format::Turtle).into_iter().collect::<Vec<_>>().join("\n");
    let process = "<https://mydata.city.example/catalogue/uses#early-education-fees>";
    for wanted in [
        format!("<https://w3id.org/dpv#hasProcess> {process}"),
        format!("{process} <https://w3id.org/dpv#hasLegalBasis> <https://w3id.org/dpv/legal/eu/gdpr#A6-1-e>"),
        format!("{process} <https://w3id.org/dpv#hasRight> <https://w3id.org/dpv/legal/eu/gdpr#A21>"),
        format!(
            "{process} <https://w3id.org/dpv#hasApplicableLaw> <http://data.finlex.fi/eli/sd/2016/1503/alkup>"
        ),
        "\"P6Y\"^^<http://www.w3.org/2001/XMLSchema#duration>".to_owned(),
    ] {
        assert!(written.contains(&wanted), "{wanted}\n{written}");
    }
    assert!(!written.contains("elsewhere"), "{written}");
}
