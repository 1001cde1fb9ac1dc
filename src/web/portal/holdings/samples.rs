//! Made-up pages of this section.

use std::collections::BTreeMap;

use super::download::{ExportView, ExportedHolding};
use super::view::{HoldingHead, HoldingPart, HoldingRecord, HoldingState, HoldingValues, HoldingsView};
use crate::domain::catalogue::{Corrections, Dataset, FieldTree};
use crate::domain::export::content::{
    ExportedPermission, ExportedRequest, ExportedTrackedUse, ExportedTracker, ExportedUse, Recipients,
};
use crate::domain::export::{Coverage, Purpose, TrackerCoverage};
use crate::web::portal::public;
use crate::web::portal::samples::{Sample, asker, at, helsinki, names, placement, purpose, sample, text};

fn dataset() -> Dataset {
    public::samples::dataset()
}

fn corrections() -> Corrections {
    Corrections {
        name: text(
            "Varhaiskasvatuksen asiakaspalvelu",
            "Småbarnspedagogikens kundtjänst",
            "Early education service",
        ),
        address: "https://espoo.example/oikaisu".into(),
    }
}

fn records() -> Vec<HoldingRecord> {
    let values: BTreeMap<_, _> =
        names().into_iter().map(|(name, _, _, _, value)| (name.parse().unwrap(), value)).collect();
    vec![HoldingRecord::of_values(values.clone()), HoldingRecord::of_values(values)]
}

/// The page is a frame and parts; a sample shows one dataset's part alone, between its beginning and its end.
fn part(name: &str, state: HoldingState) -> Sample {
    let withheld = names().into_iter().take(1).map(|(_, label, ..)| label).collect();
    let values = HoldingValues { state, withheld, ..HoldingValues::login_too_weak(dataset()) };
    sample(name, "/me/data", true, Whole(values))
}

/// A dataset's beginning and end in the page's frame.
struct Whole(HoldingValues);

impl crate::web::html::frame::View for Whole {
    fn section(&self) -> Option<crate::web::html::chrome::Section> {
        Some(crate::web::html::chrome::Section::Data)
    }

    fn write(&self, frame: &crate::web::html::frame::Frame<'_>) -> Result<String, askama::Error> {
        let dataset = self.0.dataset.clone();
        let page = HoldingsView { datasets: vec![(dataset.id.clone(), dataset.title.clone())], all: true };
        let next = HoldingHead { dataset, corrections: corrections() };
        let begin = HoldingPart { values: None, next: Some(next) }.write(frame)?;
        let end = HoldingPart { values: Some(self.0.clone()), next: None }.write(frame)?;
        Ok(page.write(frame)?.replace(super::view::PARTS, &format!("{begin}{end}")))
    }
}

fn exported(coverage: Coverage, records: Vec<HoldingRecord>) -> ExportedHolding {
    ExportedHolding {
        tree: FieldTree::of(&dataset().paths()),
        dataset: dataset(),
        coverage,
        available_from: (coverage == Coverage::Later).then(|| at("2026-12-03T12:00:00Z")),
        table: (!records.is_empty()).then(|| "placements.csv".into()),
        withheld: Vec::new(),
        records,
        corrections: corrections(),
    }
}

fn export(purpose: Purpose, recipients: Option<Recipients>) -> ExportView {
    let mut datasets: Vec<_> =
        Coverage::ALL.into_iter().map(|coverage| exported(coverage, Vec::new())).collect();
    datasets.insert(0, exported(Coverage::Complete, records()));
    ExportView { at: at("2026-11-23T08:05:00Z"), purpose, datasets, recipients }
}

fn recipients() -> Recipients {
    let request = |outcome| ExportedRequest {
        at: "2026-11-23T08:05:00Z".into(),
        recipient: helsinki(),
        service: asker().service,
        purpose: purpose(),
        dataset: "placements".into(),
        dataset_title: placement(),
        outcome,
        fields: Vec::new(),
    };
    Recipients {
        permissions: vec![ExportedPermission {
            id: "AQEBAQEBAQEBAQEBAQEBAQ".into(),
            recipient: helsinki(),
            recipient_id: "https://omat.helsinki.example".parse().unwrap(),
            service: asker().service,
            purpose: purpose(),
            legal_basis: "A6-1-a".into(),
            dataset: "placements".into(),
            dataset_title: placement(),
            fields: Vec::new(),
            given_at: "2026-05-04T09:12:00Z".into(),
            until: "2027-06-30".into(),
            retention: "P1Y".into(),
            state: "active".into(),
        }],
        requests: ["released", "deferred", "refused", "declined"].into_iter().map(request).collect(),
        uses: vec![ExportedUse {
            from: "2026-11-20T08:05:00Z".into(),
            to: "2026-11-20T08:05:00Z".into(),
            service: asker().service,
            role: Some(placement()),
            purpose: purpose(),
            legal_basis: "A6-1-e".into(),
            law: None,
            dataset_title: Some(placement()),
            fields: Vec::new(),
        }],
        objections: Vec::new(),
        data_trackers: TrackerCoverage::ALL.into_iter().map(tracker).collect(),
    }
}

fn tracker(coverage: TrackerCoverage) -> ExportedTracker {
    let used = |name: Option<&str>| ExportedTrackedUse {
        at: "2026-11-20T08:05:00Z".into(),
        action: "Osoitteen tarkistus".into(),
        receiver_code: "1234567-8".into(),
        receiver_name: name.map(str::to_owned),
        receiver_system: "Asiakastietojärjestelmä".into(),
    };
    let answered = coverage != TrackerCoverage::Unavailable;
    ExportedTracker {
        id: "state-register".parse().unwrap(),
        title: text("Valtion rekisteri", "Statens register", "State register"),
        coverage,
        kept_from: answered.then(|| "2021-01-31T10:20:30Z".into()),
        kept_until: None,
        uses: if answered { vec![used(Some("Mallivirasto")), used(None)] } else { Vec::new() },
    }
}

/// Every page of this section.
pub(crate) fn all() -> Vec<Sample> {
    vec![
        part("holdings", HoldingState::Records(records())),
        part("holdings-none", HoldingState::Records(Vec::new())),
        part("holdings-later", HoldingState::Later(at("2026-12-03T12:00:00Z"))),
        part("holdings-login", HoldingState::LoginTooWeak),
        part("holdings-unavailable", HoldingState::Unavailable),
        sample(
            "holdings-one",
            "/me/data/placements",
            true,
            HoldingsView { datasets: Vec::new(), all: false },
        ),
        sample("holdings-empty", "/me/data", true, HoldingsView { datasets: Vec::new(), all: true }),
    ]
}

/// The pages of the archives, which stand alone.
pub(crate) fn copies() -> Vec<Sample> {
    let nothing = Recipients::default();
    vec![
        sample("export", "/me/data", false, export(Purpose::OwnCopy, None)),
        sample("export-article-15", "/me/data", false, export(Purpose::Article15, Some(recipients()))),
        sample("export-article-15-nothing", "/me/data", false, export(Purpose::Article15, Some(nothing))),
    ]
}
