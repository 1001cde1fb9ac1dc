//! Made-up pages of this section.

use super::members::{
    PartnerCity, PartnerMark, PartnerStatement, PartnerUse, PartnersView, Standing, Vouched,
};
use super::use_page::{UseDataset, UseView};
use crate::domain::catalogue::DeclaredUse;
use crate::domain::federation::{FaultKind, ResponsibleParty, Role};
use crate::web::portal::samples::{
    Sample, asker, at, controller, names, officer, otherwise, placement, purpose, sample, text,
};

fn declared() -> DeclaredUse {
    DeclaredUse {
        id: "https://omat.helsinki.example/catalogue/uses/placement".parse().unwrap(),
        service: "early-education-applications".parse().unwrap(),
        service_name: asker().service,
        title: text(
            "Paikan jatkuminen muutossa",
            "Platsen fortsätter efter flytt",
            "Keeping the place when moving",
        ),
        purpose_text: purpose(),
        purpose: "https://w3id.org/dpv#ServiceProvision".into(),
        legal_basis: "A6-1-a".into(),
        dataset_type: "early-education-placements".parse().unwrap(),
        inside_city: false,
        required_fields: Vec::new(),
        optional_fields: Vec::new(),
        max_exchanges: 10,
        per: None,
        max_days: 365,
        retention: "P2W".parse().unwrap(),
        otherwise: otherwise(),
        controller: controller(),
        data_protection_officer: officer(),
    }
}

fn use_page(held_here: bool) -> UseView {
    UseView {
        declared: declared(),
        city: asker().city_and_host,
        dataset: held_here.then(|| UseDataset {
            id: "placements".parse().unwrap(),
            title: placement(),
            required: names().into_iter().take(3).map(|(_, label, ..)| label).collect(),
            optional: names().into_iter().skip(3).map(|(_, label, ..)| label).collect(),
        }),
    }
}

fn partners() -> PartnersView {
    let used = |dataset| PartnerUse {
        id: declared().id,
        title: declared().title,
        service: asker().service,
        purpose: purpose(),
        dataset,
    };
    let broken = |side, fault| Standing::Broken { side, fault };
    let city = |name, here, standing, reachable, uses| PartnerCity {
        name,
        address: "https://omat.helsinki.example".to_owned(),
        here,
        standing,
        reachable,
        uses,
    };
    let espoo = text("Espoo", "Esbo", "Espoo");
    let verified = |roles: &[Role]| Standing::Verified(vouched(roles));
    let mut cities = vec![
        city(espoo, true, verified(&Role::ALL), true, Vec::new()),
        city(
            asker().city_and_host,
            false,
            verified(&Role::ALL[2..]),
            true,
            vec![used(Some(placement())), used(None)],
        ),
        city(text("Oulu", "Uleåborg", "Oulu"), false, verified(&[]), false, Vec::new()),
    ];
    for side in [
        ResponsibleParty::Ours,
        ResponsibleParty::Peer,
        ResponsibleParty::Intermediate,
        ResponsibleParty::Anchor,
        ResponsibleParty::Network,
    ] {
        for fault in [FaultKind::Silent, FaultKind::Unfit, FaultKind::NotMember, FaultKind::NoRole] {
            let name = text("turku.example", "turku.example", "turku.example");
            cities.push(city(name, side == ResponsibleParty::Ours, broken(side, fault), false, Vec::new()));
        }
    }
    PartnersView { cities, unknown: true }
}

fn vouched(roles: &[Role]) -> Vouched {
    let anchor = "https://anchor.example";
    Vouched {
        roles: roles.to_vec(),
        by: vec![
            text("Uudenmaan liitto", "Nylands förbund", "Regional Council of Uusimaa"),
            text("Kaupunkien verkosto", "Städernas nätverk", "Network of cities"),
        ],
        until: at("2026-11-23T09:05:00Z"),
        marks: roles
            .iter()
            .enumerate()
            .map(|(place, role)| PartnerMark {
                role: *role,
                issuer: anchor.to_owned(),
                until: (place > 0).then(|| at("2026-11-24T08:05:00Z")),
            })
            .collect(),
        statements: vec![PartnerStatement {
            issuer: anchor.to_owned(),
            subject: "https://omat.helsinki.example".to_owned(),
            from: at("2026-11-23T08:05:00Z"),
            until: at("2026-11-23T09:05:00Z"),
            keys: vec!["kid-1".to_owned(), "kid-2".to_owned()],
        }],
    }
}

/// Every page of this section.
pub(crate) fn all() -> Vec<Sample> {
    vec![
        sample("partners", "/partners", true, partners()),
        sample("use", "/partners/use?id=x", true, use_page(true)),
        sample("use-out", "/partners/use?id=x", false, use_page(true)),
        sample("use-no-data", "/partners/use?id=x", true, use_page(false)),
    ]
}
