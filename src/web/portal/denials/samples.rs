//! Made-up pages of this section.

use super::{DeniableDataset, DenialEntry, DenialsView, DeniedWhat};
use crate::domain::ids::DenialId;
use crate::web::portal::samples::{Sample, asker, at, placement, sample};

fn denials() -> DenialsView {
    let whats = [DeniedWhat::City, DeniedWhat::Use, DeniedWhat::Data];
    DenialsView {
        denials: (1..)
            .zip(whats)
            .map(|(number, what)| DenialEntry {
                id: DenialId::from_bytes([number; 16]),
                what,
                name: if what == DeniedWhat::Data { placement() } else { asker().city_and_host },
                since: at("2026-05-04T09:12:00Z"),
                until: matches!(what, DeniedWhat::Use).then(|| at("2026-06-03T09:12:00Z")),
            })
            .collect(),
        datasets: vec![DeniableDataset { id: "placements".into(), title: placement() }],
    }
}

/// Every page of this section.
pub(crate) fn all() -> Vec<Sample> {
    let none = DenialsView { denials: Vec::new(), datasets: Vec::new() };
    vec![sample("denials", "/me/denials", true, denials()), sample("denials-none", "/me/denials", true, none)]
}
