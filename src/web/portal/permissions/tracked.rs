//! What data trackers answer: a section of `/me/log` for each, as soon as it answers, and `/me/log/{id}` with all of one.

use std::sync::Arc;

use futures_util::{Stream, StreamExt, stream};
use tokio::sync::OnceCell;
use tokio_util::task::AbortOnDropHandle;

use crate::domain::catalogue::Text;
use crate::domain::ids::RegisterId;
use crate::domain::uses::tracker::{KeptPeriod, TrackedUse, TrackedUses, Tracker};
use crate::node::resident::{own_records, tracked_uses};
use crate::node::{Problem, ProblemKind};
use crate::web::extract::{Id, query};
use crate::web::html::frame::Frame;
use crate::web::html::page;
use crate::web::portal::page::{PageResult, ResidentPage};
use crate::web::portal::party::Party;
use crate::web::portal::permissions::log_entry::{LogEntry, LogOutcome};

/// Where the answers go. No text of a page can contain it: a text is escaped.
pub(crate) const PARTS: &str = "<!--parts-->";

/// Trackers asked at a time for one page: each has a limit of its own.
const AT_ONCE: usize = 16;

/// Maximum of `offset` in the protocol (`int32`).
const MAX_OFFSET: u32 = 2_147_483_647;

/// What came of asking a tracker.
#[derive(Debug, Clone)]
pub(crate) enum TrackerState {
    Uses {
        /// Latest first.
        entries: Vec<LogEntry>,
        kept: Option<KeptPeriod>,
        /// Whether this is a later page.
        behind: bool,
        /// The link to older ones, if there are any.
        older: Option<String>,
    },
    /// It did not answer, or not correctly.
    Unavailable,
    /// It was not asked: another page of the resident is not complete.
    Busy,
}

/// One tracker's answer.
#[derive(Debug, Clone)]
pub(crate) struct TrackerPart {
    pub(crate) id: RegisterId,
    pub(crate) title: Text,
    pub(crate) state: TrackerState,
}

/// The frame of one tracker's page.
#[derive(Debug, Clone)]
pub(crate) struct TrackerView {
    pub(crate) title: Text,
}

/// `GET /me/log/{id}?offset=`.
pub(crate) async fn one(page: ResidentPage, Id(id): Id<RegisterId>) -> PageResult {
    let trackers = &page.app.node.settings.trackers;
    let tracker = trackers.iter().find(|tracker| tracker.id == id).cloned();
    let tracker = tracker.ok_or(Problem::new(ProblemKind::NotFound))?;
    let offset = query(&page.request)?.take("offset").and_then(|number| number.parse::<u32>().ok());
    let offset = offset.filter(|offset| *offset <= MAX_OFFSET).unwrap_or(0);
    let view = TrackerView { title: tracker.title.clone() };
    let answers = answers(&page, vec![tracker], offset).await?;
    page.show_in_parts(&view, PARTS, answers)
}

/// Asks trackers at the same time; each answer comes when it is there, so that a silent one holds up no other.
///
/// # Errors
/// [`Problem`] when the store is unavailable.
pub(crate) async fn answers(
    page: &ResidentPage,
    trackers: Vec<Tracker>,
    offset: u32,
) -> Result<impl Stream<Item = TrackerPart> + use<>, Problem> {
    let (app, resident) = (page.app.clone(), page.resident.clone());
    let subject = own_records::identifier(&app.node, &resident).await?;
    // Waited for behind the page's first bytes, once for all trackers, and held until the last has answered.
    let turn = Arc::new(OnceCell::new());
    let answers = stream::iter(trackers).map(move |tracker| {
        let (app, resident, subject, turn) =
            (app.clone(), resident.clone(), subject.clone(), Arc::clone(&turn));
        async move {
            let turn = turn.get_or_init(|| tracked_uses::turn(&app.node, &resident)).await;
            let state = match turn {
                None => TrackerState::Busy,
                Some(_) => {
                    let (app, asked) = (app.clone(), tracker.clone());
                    // In a task of its own: a browser that stops reading keeps no tracker from answering others.
                    let asking = AbortOnDropHandle::new(tokio::spawn(async move {
                        tracked_uses::page(&app.node, &subject, &asked, offset).await
                    }));
                    match asking.await {
                        Ok(Some(answer)) => shown(&tracker.id, answer, offset),
                        Ok(None) | Err(_) => TrackerState::Unavailable,
                    }
                }
            };
            TrackerPart { id: tracker.id, title: tracker.title, state }
        }
    });
    Ok(answers.buffer_unordered(AT_ONCE))
}

fn shown(id: &RegisterId, answer: TrackedUses, offset: u32) -> TrackerState {
    TrackerState::Uses {
        entries: answer.uses.iter().map(entry).collect(),
        kept: answer.kept,
        behind: offset > 0,
        older: answer.next.map(|next| format!("/me/log/{id}?offset={next}")),
    }
}

fn entry(used: &TrackedUse) -> LogEntry {
    let receiver = match &used.receiver_name {
        Some(name) => format!("{name} ({})", used.receiver_code),
        None => used.receiver_code.clone(),
    };
    LogEntry {
        at: used.at,
        asker: Party {
            city: Text::same(&receiver),
            city_and_host: Text::same(&receiver),
            service: Text::same(&used.receiver_system),
        },
        dataset: None,
        role: None,
        fields: Vec::new(),
        persons: Vec::new(),
        purpose: Text::same(&used.action),
        // The protocol has no legal basis.
        legal_basis: String::new(),
        outcome: LogOutcome::Used { from: None, law: None, delay: None },
        permission: None,
    }
}

impl Frame<'_> {
    /// How far back a tracker's record goes.
    pub(crate) fn kept_period(&self, kept: &Option<KeptPeriod>) -> String {
        match kept {
            None => self.t.tracker_kept_unknown().to_string(),
            Some(KeptPeriod { from, to: None }) => {
                self.t.tracker_kept_from(self.moment_day(from)).to_string()
            }
            Some(KeptPeriod { from, to: Some(to) }) => {
                self.t.tracker_kept_between(self.moment_day(from), self.moment_day(to)).to_string()
            }
        }
    }
}

page!(TrackerView, "tracker.html", Log);
page!(TrackerPart, "tracker_part.html", Log);
