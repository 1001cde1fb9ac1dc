//! A city's service reports uses of residents' data.

use serde::Deserialize;

use super::hide_uses;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{HidingId, ReportedUseId, ServiceId};
use crate::domain::uses::hiding::until_confirmed;
use crate::domain::uses::report::{CheckedUse, MAX_USES, ReportedUse, Surroundings};
use crate::node::{Node, Problem, ProblemKind, Service};
use crate::ports::random;
use crate::store::resident::reported_uses::{self, NewUse, Recorded};
use crate::store::resident::use_hidings::{self, Hiding};
use crate::store::{StoreError, Tx};

/// The body of `POST /api/v1/uses`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UsesReport {
    uses: Vec<ReportedUse>,
}

/// What came of a report.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// Uses that are new.
    pub(crate) recorded: usize,
    /// Uses that were reported before.
    pub(crate) known: usize,
    /// Proposals to withhold a use, with its place in the report.
    pub(crate) hidings: Vec<(usize, HidingId)>,
}

/// Records every use of a report, or none.
///
/// # Errors
/// [`Problem`] with each faulty use by its place, or when the store is unavailable.
pub(crate) async fn report(node: &Node, service: &Service, report: UsesReport) -> Result<Report, Problem> {
    if report.uses.len() > MAX_USES {
        let detail = format!("a report has {MAX_USES} uses at most");
        return Err(Problem::with_detail(ProblemKind::TooLarge, detail));
    }
    let now = node.now();
    let settings = &node.settings;
    let around = Surroundings {
        service: &service.id,
        processing: &settings.processing,
        datasets: &settings.datasets,
        hiding: settings.hiding.as_ref(),
        now,
    };
    let (mut checked, mut faults) = (Vec::new(), Vec::new());
    for (index, one) in report.uses.into_iter().enumerate() {
        match one.check(&around) {
            Ok(one) => checked.push(one),
            Err(fault) => faults.push((index, fault)),
        }
    }
    if !faults.is_empty() {
        return Err(faulty(faults));
    }
    let uses: Vec<Prepared> = checked.into_iter().map(|one| Prepared::new(node, one)).collect();
    let hides = uses.iter().any(|one| one.checked.hidden.is_some());
    let service = service.id.clone();
    let record = move |tx: &mut Tx<'_>| record(tx, &service, &uses, now);
    if hides {
        node.store.write_log("report_hidden_uses", record).await
    } else {
        node.store.write("report_uses", record).await
    }
}

fn faulty(faults: Vec<(usize, &'static str)>) -> Problem {
    let mut problem = Problem::with_detail(ProblemKind::BadRequest, "nothing was recorded: see errors");
    problem.items = faults;
    problem
}

/// A use with the identifiers that it gets if it is new.
struct Prepared {
    checked: CheckedUse,
    id: ReportedUseId,
    hiding: HidingId,
}

impl Prepared {
    fn new(node: &Node, checked: CheckedUse) -> Self {
        Self {
            checked,
            id: ReportedUseId::from_bytes(random(&*node.entropy)),
            hiding: HidingId::from_bytes(random(&*node.entropy)),
        }
    }
}

fn record(
    tx: &mut Tx<'_>,
    service: &ServiceId,
    uses: &[Prepared],
    now: Timestamp,
) -> Result<Report, Problem> {
    let mut report = Report { recorded: 0, known: 0, hidings: Vec::new() };
    let mut faults = Vec::new();
    for (index, one) in uses.iter().enumerate() {
        let checked = &one.checked;
        let hidden = checked.hidden.as_ref();
        let new = NewUse {
            id: one.id,
            person: tx.lookup().identifier(&checked.person),
            source: service.to_string(),
            event: checked.event.to_string(),
            reported: checked.reported.clone(),
            activity: checked.activity.to_string(),
            description: checked.description.clone(),
            period: checked.period,
            hidden: hidden.map(|(until, reason)| (until_confirmed(*until, now), reason.clone())),
            expires_at: checked.expires_at,
        };
        match reported_uses::record(tx, &new, now)? {
            Recorded::New => {
                report.recorded = report.recorded.saturating_add(1);
                if let Some((until, reason)) = hidden {
                    let proposal = Hiding {
                        id: one.hiding,
                        reported_use: one.id,
                        reason: reason.clone(),
                        until: *until,
                        proposed_by: service.clone(),
                        proposed_at: now,
                        confirmed: None,
                    };
                    use_hidings::propose(tx, &proposal)?;
                    hide_uses::log_proposal(tx, &proposal, now)?;
                    report.hidings.push((index, one.hiding));
                }
            }
            Recorded::Known => {
                report.known = report.known.saturating_add(1);
                if hidden.is_some() {
                    match use_hidings::of_event(tx, service, &new.event)? {
                        Some(proposal) => report.hidings.push((index, proposal)),
                        None => faults.push((index, "it was reported before without being withheld")),
                    }
                }
            }
            Recorded::OtherBefore => faults.push((index, "another use was reported with this id")),
        }
    }
    if !faults.is_empty() {
        return Err(faulty(faults));
    }
    reported_uses::reported(tx, service.as_str(), now).map_err(|error: StoreError| Problem::from(error))?;
    Ok(report)
}
