//! Made-up pages of this section.

use super::catalogue::{CatalogueEntry, CatalogueView, DatasetView, FormatLink};
use super::home::{CityLink, HomeView};
use super::problem::ProblemView;
use super::uses::DatasetUse;
use crate::domain::catalogue::{Dataset, Field, Narrowing};
use crate::domain::ids::FieldName;
use crate::web::portal::samples::{
    Sample, asker, names, placement, processing, purpose, register, sample, text,
};
use crate::web::problem::ProblemTopic;

fn home() -> HomeView {
    let city = |fi: &str, sv: &str, here| CityLink {
        name: text(fi, sv, fi),
        url: format!("http://{}.localhost:8401/", fi.to_lowercase()),
        here,
    };
    HomeView {
        cities: vec![
            city("Espoo", "Esbo", true),
            city("Helsinki", "Helsingfors", false),
            city("Oulu", "Uleåborg", false),
            city("Turku", "Åbo", false),
        ],
    }
}

pub(crate) fn dataset() -> Dataset {
    let fields = names()
        .into_iter()
        .map(|(name, label, kind, sensitivity, _)| Field {
            sensitivity,
            ..Field::new(FieldName::new(name).unwrap(), kind, label)
        })
        .collect();
    Dataset {
        id: "placements".parse().unwrap(),
        kind: "early-education-placements".parse().unwrap(),
        title: placement(),
        description: text(
            "Missä päiväkodissa tai perhepäivähoidossa lapsi on, ja mistä mihin.",
            "I vilket daghem eller i vilken familjedagvård barnet är, och för vilken tid.",
            "In which daycare or family daycare the child is, and for what time.",
        ),
        theme: "EDUC".into(),
        fields,
        legal_bases: vec!["A6-1-c".into(), "A6-1-e".into()],
        legislation: vec!["https://finlex.example/eli/2018/540".into(), "540/2018".into()],
        retention: "P10Y".parse().unwrap(),
        register: register(),
        period: None,
        protected_fields: Vec::new(),
        corrections: None,
        narrowing: Narrowing::default(),
        required_acr: None,
        required_max_age_seconds: None,
        required_passkey: false,
    }
}

fn dataset_uses() -> Vec<DatasetUse> {
    vec![DatasetUse {
        id: "http://helsinki.localhost:8401/catalogue/uses/placement".parse().unwrap(),
        city: asker().city_and_host,
        service: asker().service,
        purpose: purpose(),
        legal_basis: "A6-1-a".into(),
    }]
}

pub(crate) fn catalogue() -> CatalogueView {
    CatalogueView {
        query: String::new(),
        entries: vec![
            CatalogueEntry::new(&dataset(), processing(), dataset_uses()),
            CatalogueEntry::new(&dataset(), Vec::new(), Vec::new()),
        ],
        unreachable: vec![text("Oulu", "Uleåborg", "Oulu")],
    }
}

/// Every page of this section.
pub(crate) fn all() -> Vec<Sample> {
    let searched = CatalogueView { query: "\"><b>".into(), entries: Vec::new(), unreachable: Vec::new() };
    let formats =
        vec![FormatLink { name: "JSON-LD", href: "/catalogue/datasets/placements?format=jsonld".into() }];
    let dataset = DatasetView { dataset: dataset(), own: processing(), uses: dataset_uses(), formats };
    let mut samples = vec![
        sample("home", "/", false, home()),
        sample("home-in", "/", true, home()),
        sample("catalogue", "/catalogue?q=a", false, catalogue()),
        sample("catalogue-searched", "/catalogue?q=%22", false, searched),
        sample("dataset", "/catalogue/datasets/placements", false, dataset),
    ];
    for topic in ProblemTopic::ALL {
        let view = ProblemView { topic };
        samples.push(sample(format!("problem-{}", topic.slug()), "/problems/x", false, view));
    }
    samples
}
