//! Made-up pages of this section.

use super::card::{PermissionCard, PermissionStatus};
use super::change::{Change, ChangeEntry, HeldBack};
use super::detail::{Origin, PermissionView, StopConfirmation};
use super::list::SharingView;
use super::log::LogView;
use super::log_entry::{LogEntry, LogOutcome, RefusalReason, Reporting, SystemReport};
use super::overview::{MeView, WaitingRequest};
use super::stop::StopView;
use super::tracked::{TrackerPart, TrackerState, TrackerView};
use crate::domain::consent::DeletionState;
use crate::domain::ids::{ConsentId, RequestId};
use crate::domain::uses::tracker::{KeptPeriod, Tracker};
use crate::web::html::chrome::Notice;
use crate::web::portal::decision;
use crate::web::portal::party::Party;
use crate::web::portal::samples::{
    Sample, asker, at, controller, helsinki, names, officer, placement, processing, purpose, register,
    sample, text,
};

pub(crate) fn card(number: u8, status: PermissionStatus) -> PermissionCard {
    let over = !status.can_be_stopped();
    PermissionCard {
        id: ConsentId::from_bytes([number; 16]),
        asker: asker(),
        dataset: placement(),
        purpose: purpose(),
        status,
        given_at: at("2026-05-04T09:12:00Z"),
        until: "2027-06-30".parse().unwrap(),
        ends_soon: !over && number == 1,
        ended_at: over.then(|| at("2026-11-20T12:30:00Z")),
        times_allowed: 10,
        times_used: u32::from(number % 3),
        per: number.is_multiple_of(2).then(|| "P7D".to_owned()),
    }
}

fn entry(outcome: LogOutcome) -> LogEntry {
    LogEntry {
        at: at("2026-11-23T08:05:00Z"),
        asker: asker(),
        dataset: Some(placement()),
        role: None,
        fields: names().into_iter().take(4).map(|(_, label, ..)| label).collect(),
        persons: vec!["Elmeri".into()],
        purpose: purpose(),
        legal_basis: "A6-1-a".into(),
        outcome,
        permission: Some(ConsentId::from_bytes([1; 16])),
    }
}

fn entries() -> Vec<LogEntry> {
    let refused = [
        RefusalReason::Stopped,
        RefusalReason::Suspended,
        RefusalReason::Expired,
        RefusalReason::UsedUp,
        RefusalReason::TooOften,
        RefusalReason::StandingDenial,
        RefusalReason::NotCovered,
        RefusalReason::Unconfirmed,
        RefusalReason::NotVerified,
        RefusalReason::NotMember,
        RefusalReason::RegisterUnavailable,
        RefusalReason::Unavailable,
    ];
    let mut all = vec![
        entry(LogOutcome::Released { confirmed: true }),
        entry(LogOutcome::Released { confirmed: false }),
        entry(LogOutcome::Deferred { available_from: at("2027-05-03T11:00:00Z") }),
    ];
    all.extend(refused.into_iter().map(|reason| entry(LogOutcome::Refused(reason))));
    if let Some(last) = all.last_mut() {
        last.permission = None;
        last.fields.clear();
    }
    all.extend(used());
    all
}

/// Uses by law: plain, lasting and shown later than others, from another system's log.
fn used() -> [LogEntry; 3] {
    let [fees, _] = <[_; 2]>::try_from(processing()).unwrap();
    let used = |from, delay| LogEntry {
        asker: Party::own(&helsinki(), "omat.helsinki.example", &fees.service_name),
        role: Some(text("palvelusihteeri", "servicesekreterare", "placement secretary")),
        persons: Vec::new(),
        purpose: fees.purpose_text.clone(),
        legal_basis: fees.legal_basis.clone(),
        permission: None,
        ..entry(LogOutcome::Used { from, law: Some(fees.law.clone()), delay })
    };
    let mut foreign = used(None, Some(None));
    foreign.dataset = None;
    foreign.fields.clear();
    [used(None, None), used(Some(at("2026-11-22T08:05:00Z")), Some(Some(fees.law.clone()))), foreign]
}

fn systems() -> Vec<SystemReport> {
    let name = || text("Maksujärjestelmä", "Avgiftssystemet", "Fee system");
    vec![
        SystemReport { name: name(), reports: true, last: Some(at("2026-11-23T08:05:00Z")) },
        SystemReport { name: name(), reports: true, last: None },
        SystemReport { name: name(), reports: false, last: None },
    ]
}

fn tracker() -> Tracker {
    Tracker {
        id: "state-register".parse().unwrap(),
        title: text("Valtion rekisteri", "Statens register", "State register"),
    }
}

/// The page is a frame and parts; a sample shows one tracker's answer in the frame.
fn answered(name: &str, state: TrackerState) -> Sample {
    let Tracker { id, title } = tracker();
    sample(name, "/me/log/state-register", true, Whole(TrackerPart { id, title, state }))
}

struct Whole(TrackerPart);

impl crate::web::html::frame::View for Whole {
    fn section(&self) -> Option<crate::web::html::chrome::Section> {
        Some(crate::web::html::chrome::Section::Log)
    }

    fn write(&self, frame: &crate::web::html::frame::Frame<'_>) -> Result<String, askama::Error> {
        let page = TrackerView { title: self.0.title.clone() }.write(frame)?;
        Ok(page.replace(super::tracked::PARTS, &self.0.write(frame)?))
    }
}

/// One tracker's answers.
fn tracked() -> Vec<Sample> {
    let (from, to) = (at("2021-01-31T10:20:30Z"), at("2026-11-23T08:05:00Z"));
    let uses = |entries: Vec<LogEntry>, kept, behind, older: Option<&str>| TrackerState::Uses {
        entries,
        kept,
        behind,
        older: older.map(str::to_owned),
    };
    let mut used = entry(LogOutcome::Used { from: None, law: None, delay: None });
    used.dataset = None;
    used.fields.clear();
    used.persons.clear();
    used.legal_basis.clear();
    used.permission = None;
    let older = Some("/me/log/state-register?offset=50");
    vec![
        answered("tracker", uses(vec![used.clone()], Some(KeptPeriod { from, to: None }), false, older)),
        answered("tracker-older", uses(vec![used], Some(KeptPeriod { from, to: Some(to) }), true, None)),
        answered("tracker-none", uses(Vec::new(), None, false, None)),
        answered("tracker-no-older", uses(Vec::new(), None, true, None)),
        answered("tracker-unavailable", TrackerState::Unavailable),
        answered("tracker-busy", TrackerState::Busy),
    ]
}

pub(crate) fn me() -> MeView {
    MeView {
        waiting: vec![WaitingRequest {
            id: RequestId::from_bytes([7; 16]),
            asker: asker(),
            dataset: placement(),
            purpose: purpose(),
            expires_at: at("2026-12-07T10:00:00Z"),
        }],
        permissions: vec![card(1, PermissionStatus::Active), card(2, PermissionStatus::Suspended)],
        latest: entries().into_iter().take(3).collect(),
        registers: Reporting { reporting: 7, silent: 12 },
    }
}

pub(crate) fn permission(status: PermissionStatus) -> PermissionView {
    let changes = [
        Change::Given,
        Change::Declined,
        Change::Stopped,
        Change::GivenBack,
        Change::NotTaken,
        Change::Withdrawn,
        Change::Suspended,
        Change::HeldBack,
        Change::HeldBackUntrusted,
        Change::Resumed,
        Change::Expired,
        Change::UsedUp,
        Change::Replaced,
        Change::StopConfirmed,
    ];
    let stopped = status == PermissionStatus::Stopped;
    let due = at("2027-11-20T21:00:00Z");
    PermissionView {
        card: card(1, status),
        origin: if stopped { Origin::ResidentStarted } else { Origin::ServiceAsked },
        reach: decision::samples::consent().reach,
        register: register(),
        fields: names().into_iter().take(4).map(|(_, label, ..)| label).collect(),
        withheld: if stopped {
            Vec::new()
        } else {
            names().into_iter().take(1).map(|(_, label, ..)| label).collect()
        },
        persons: decision::samples::chosen_persons(),
        left_out: names().into_iter().skip(4).map(|(_, label, ..)| label).collect(),
        retention: "P1Y".into(),
        legal_basis: "A6-1-a".into(),
        controller: controller(),
        data_protection_officer: officer(),
        signed: !stopped,
        signed_with_passkey: !stopped,
        held_back: None,
        deletion: Some(if stopped {
            DeletionState::Overdue { since: due }
        } else {
            DeletionState::Due { by: due }
        }),
        stop_confirmation: stopped.then_some(StopConfirmation::Waiting),
        history: changes
            .into_iter()
            .take(if stopped { 13 } else { 2 })
            .map(|change| ChangeEntry { at: at("2026-05-04T09:12:00Z"), change })
            .collect(),
        exchanges: if stopped { Vec::new() } else { entries() },
    }
}

/// Every page of this section.
pub(crate) fn all() -> Vec<Sample> {
    let empty_me = MeView {
        waiting: Vec::new(),
        permissions: Vec::new(),
        latest: Vec::new(),
        registers: Reporting { reporting: 1, silent: 0 },
    };
    let ended = [
        PermissionStatus::Stopped,
        PermissionStatus::Expired,
        PermissionStatus::UsedUp,
        PermissionStatus::Replaced,
    ];
    let sharing = SharingView {
        in_force: vec![card(1, PermissionStatus::Active), card(2, PermissionStatus::Suspended)],
        ended: (10..).zip(ended).map(|(number, status)| card(number, status)).collect(),
    };
    let log = LogView {
        entries: entries(),
        registers: Reporting { reporting: 7, silent: 12 },
        systems: systems(),
        behind: true,
        older: Some("/me/log?behind=12.0.1".into()),
        trackers: vec![tracker()],
    };
    let nothing = LogView {
        entries: Vec::new(),
        registers: Reporting { reporting: 7, silent: 1 },
        systems: Vec::new(),
        behind: false,
        older: None,
        trackers: Vec::new(),
    };
    let mut held_back = permission(PermissionStatus::Suspended);
    held_back.held_back = Some(HeldBack::Use);
    let mut untrusted = permission(PermissionStatus::Suspended);
    untrusted.held_back = Some(HeldBack::RecipientNotTrusted);
    let mut confirmed = permission(PermissionStatus::Stopped);
    confirmed.stop_confirmation = Some(StopConfirmation::Confirmed { at: at("2026-11-20T12:30:09Z") });
    confirmed.deletion = Some(DeletionState::Confirmed { deleted_at: at("2026-11-21T10:00:00Z") });
    let mut given_up = permission(PermissionStatus::Stopped);
    given_up.stop_confirmation = Some(StopConfirmation::GivenUp);
    given_up.deletion = None;
    let mut noticed = sample("me", "/me", true, me());
    noticed.chrome.notices = vec![
        Notice::PermissionStopped,
        Notice::PermissionHadEnded,
        Notice::PermissionPaused,
        Notice::PermissionResumed,
        Notice::PermissionNotResumed,
        Notice::DenialAdded,
        Notice::DenialRemoved,
        Notice::PasskeyAdded,
        Notice::PasskeyRemoved,
    ];
    let stop = StopView { card: card(1, PermissionStatus::Active), retention: "P1Y".into() };
    let mut all = vec![
        sample("me-empty", "/me", true, empty_me),
        noticed,
        sample("log", "/me/log", true, log),
        sample("log-empty", "/me/log", true, nothing),
        sample("sharing", "/me/sharing", true, sharing),
        sample("sharing-empty", "/me/sharing", true, SharingView { in_force: Vec::new(), ended: Vec::new() }),
        sample("permission", "/me/sharing/1", true, permission(PermissionStatus::Active)),
        sample("permission-stopped", "/me/sharing/1", true, permission(PermissionStatus::Stopped)),
        sample("permission-paused", "/me/sharing/1", true, permission(PermissionStatus::Suspended)),
        sample("permission-held-back", "/me/sharing/1", true, held_back),
        sample("permission-held-back-untrusted", "/me/sharing/1", true, untrusted),
        sample("permission-confirmed", "/me/sharing/1", true, confirmed),
        sample("permission-not-told", "/me/sharing/1", true, given_up),
        sample("stop", "/me/sharing/1/stop", true, stop),
    ];
    all.extend(tracked());
    all
}
