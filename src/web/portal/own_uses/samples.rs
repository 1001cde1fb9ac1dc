//! Made-up pages of this section.

use super::object::ObjectView;
use super::{UseEntry, UsesView};
use crate::domain::ids::ObjectionId;
use crate::domain::uses::objection::{Objection, ObjectionAnswer};
use crate::web::html::chrome::Notice;
use crate::web::portal::permissions::card::PermissionStatus;
use crate::web::portal::permissions::samples::card;
use crate::web::portal::samples::{Sample, at, placement, processing, sample};

fn objection(answer: Option<ObjectionAnswer>) -> Option<Objection> {
    Some(Objection {
        id: ObjectionId::from_bytes([3; 16]),
        activity: "place-planning".parse().unwrap(),
        statement: Some("<b>because</b>".into()),
        made_at: at("2026-11-20T12:30:00Z"),
        answer: answer.map(|answer| (answer, at("2026-11-25T12:30:00Z"))),
    })
}

fn entries() -> Vec<UseEntry> {
    let mut entries = Vec::new();
    let answers = [
        None,
        objection(None),
        objection(Some(ObjectionAnswer::Upheld)),
        objection(Some(ObjectionAnswer::Rejected)),
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        for mut processing in processing() {
            processing.id = format!("{}-{number}", processing.id).parse().unwrap();
            entries.push(UseEntry {
                datasets: vec![placement()],
                reported: processing.reports.then(|| (3, at("2026-11-23T08:05:00Z"))),
                objection: answer.clone().filter(|_| processing.may_object),
                processing,
            });
        }
    }
    entries
}

/// Every page of this section.
pub(crate) fn all() -> Vec<Sample> {
    let full = UsesView {
        permissions: vec![card(1, PermissionStatus::Active)],
        contract: entries()
            .into_iter()
            .take(1)
            .map(|mut entry| {
                entry.processing.id = "contract".parse().unwrap();
                entry.processing.legal_basis = "A6-1-b".into();
                entry
            })
            .collect(),
        law: entries(),
    };
    let empty = UsesView { permissions: Vec::new(), contract: Vec::new(), law: Vec::new() };
    let mut noticed = sample("uses", "/me/uses", true, full);
    noticed.chrome.notices = vec![Notice::ObjectionMade, Notice::ObjectionStands];
    let [_, planning] = <[_; 2]>::try_from(processing()).unwrap();
    vec![
        noticed,
        sample("uses-empty", "/me/uses", true, empty),
        sample("object", "/me/uses/place-planning/object", true, ObjectView { processing: planning }),
    ]
}
