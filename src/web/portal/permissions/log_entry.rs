//! One exchange of the log, released or refused.

use std::collections::BTreeSet;

use crate::domain::catalogue::{LegalReference, Text};
use crate::domain::clock::Timestamp;
use crate::domain::ids::ConsentId;
use crate::domain::ids::ServiceId;
use crate::domain::token::RefusalReason as Check;
use crate::domain::uses::{Delay, ShownUse};
use crate::node::resident::list_log::Line;
use crate::node::resident::list_mine::{LogLine, Outcome};
use crate::web::App;
use crate::web::html::frame::Frame;
use crate::web::portal::party::{Party, dataset_title, field_label};

/// The result of one request for data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LogOutcome {
    /// The data was given.
    Released {
        /// Whether the recipient has confirmed the receipt.
        confirmed: bool,
    },
    /// The register needed time; nothing was given.
    Deferred {
        /// From when on it has the data.
        available_from: Timestamp,
    },
    Refused(RefusalReason),
    /// A system of the city used the data, by contract or law.
    Used {
        /// When the use began, if it lasted.
        from: Option<Timestamp>,
        law: Option<LegalReference>,
        /// The law by which it was shown later than others; `None` inside when the reason is no longer configured.
        delay: Option<Option<LegalReference>>,
    },
}

impl LogOutcome {
    /// The style of its label; the text beside it says the same.
    pub(crate) const fn tone(&self) -> &'static str {
        match self {
            Self::Used { .. } => "plain",
            Self::Released { .. } => "good",
            Self::Deferred { .. } => "warn",
            Self::Refused(_) => "off",
        }
    }
}

/// Why nothing was released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusalReason {
    /// The resident had stopped the permission.
    Stopped,
    /// The permission was suspended.
    Suspended,
    /// The permission's last day had passed.
    Expired,
    /// The data had been fetched as many times as was allowed.
    UsedUp,
    /// The frequency was used up for the time being.
    TooOften,
    /// A standing denial of the resident.
    StandingDenial,
    /// The request goes beyond the permission.
    NotCovered,
    /// The city now requires a stronger confirmation of the permission.
    Unconfirmed,
    /// The request could not be verified.
    NotVerified,
    /// The recipient is no member of the cities' network.
    NotMember,
    /// The register did not answer, or not correctly.
    RegisterUnavailable,
    /// This city could not decide whether the data may be released.
    Unavailable,
}

/// One request for the resident's data, released or refused.
#[derive(Debug, Clone)]
pub(crate) struct LogEntry {
    /// When it was decided.
    pub at: Timestamp,
    pub(crate) asker: Party,
    /// Display name of the data.
    pub dataset: Option<Text>,
    /// The role of whoever used the data.
    pub(crate) role: Option<Text>,
    /// The released fields, or the requested ones of a refused request; may be empty.
    pub fields: Vec<Text>,
    /// The names of the persons whose records were released; empty where the permission names none.
    pub persons: Vec<String>,
    /// The purpose in one sentence.
    pub purpose: Text,
    /// Legal basis, a DPV term (`A6-1-a` for the resident's consent).
    pub(crate) legal_basis: String,
    /// What came of it.
    pub outcome: LogOutcome,
    /// Its permission, if there is one.
    pub permission: Option<ConsentId>,
}

/// The number of the city's registers that report here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reporting {
    /// Registers whose exchanges the resident sees.
    pub(crate) reporting: u32,
    /// Registers that are known not to report yet; 0 when the number is unknown.
    pub(crate) silent: u32,
}

/// A system of the city that uses residents' data.
#[derive(Debug, Clone)]
pub(crate) struct SystemReport {
    pub(crate) name: Text,
    /// Whether it reports its uses here.
    pub(crate) reports: bool,
    /// When it last did, whoever's data was used.
    pub(crate) last: Option<Timestamp>,
}

/// Fills a line of the log.
pub(crate) fn log_entry(app: &App, line: &LogLine) -> LogEntry {
    let dataset = app.node.settings.dataset(&line.dataset);
    let persons = match &line.outcome {
        Outcome::Released { persons, .. } => persons.clone(),
        _ => Vec::new(),
    };
    let (fields, outcome) = match &line.outcome {
        Outcome::Released { fields, acknowledged_at, .. } => (
            fields.iter().map(|name| field_label(dataset, name)).collect(),
            LogOutcome::Released { confirmed: acknowledged_at.is_some() },
        ),
        Outcome::Deferred { available_from } => {
            (Vec::new(), LogOutcome::Deferred { available_from: *available_from })
        }
        Outcome::Refused(check) => (Vec::new(), LogOutcome::Refused(refusal(*check))),
        Outcome::Denied => (Vec::new(), LogOutcome::Refused(RefusalReason::StandingDenial)),
    };
    LogEntry {
        at: line.at,
        asker: Party::new(&line.recipient_name, &line.declared_use.service_name, &line.declared_use.id),
        dataset: Some(dataset_title(app, &line.dataset)),
        role: None,
        fields,
        persons,
        purpose: line.declared_use.purpose_text.clone(),
        legal_basis: line.declared_use.legal_basis.clone(),
        outcome,
        permission: line.consent,
    }
}

/// Fills an entry of the log.
pub(crate) fn log_line(app: &App, line: &Line) -> LogEntry {
    match line {
        Line::Request(line) => log_entry(app, line),
        Line::Use(used) => use_entry(app, used),
    }
}

fn use_entry(app: &App, used: &ShownUse) -> LogEntry {
    let settings = &app.node.settings;
    let (period, description) = (&used.period, &used.description);
    let law_of = |delay: &Delay| {
        let rules = settings.hiding.as_ref()?;
        rules.reasons.iter().find(|(name, _)| name.as_str() == delay.reason).map(|(_, law)| law.clone())
    };
    LogEntry {
        at: period.to,
        asker: Party::own(&settings.name, settings.id.host(), &description.service),
        dataset: description.dataset.clone(),
        role: description.role.clone(),
        fields: description.fields.clone(),
        persons: Vec::new(),
        purpose: description.purpose.clone(),
        legal_basis: description.legal_basis.clone(),
        outcome: LogOutcome::Used {
            from: Some(period.from).filter(|from| *from != period.to),
            law: description.law.clone(),
            delay: used.delay.as_ref().map(law_of),
        },
        permission: None,
    }
}

/// The text for a check that refused. Exhaustive: a new check does not compile until its text is chosen.
const fn refusal(check: Check) -> RefusalReason {
    match check {
        Check::ConsentEnded => RefusalReason::Stopped,
        Check::ConsentSuspended => RefusalReason::Suspended,
        Check::ConsentExhausted => RefusalReason::UsedUp,
        Check::FrequencyFull => RefusalReason::TooOften,
        Check::Expired => RefusalReason::Expired,
        Check::AssuranceTooLow | Check::PasskeyMissing | Check::IdentifierChanged => {
            RefusalReason::Unconfirmed
        }
        Check::RecipientNotTrusted | Check::RecipientRoleMissing => RefusalReason::NotMember,
        Check::Register
        | Check::RegisterAnsweredForAnother
        | Check::RegisterShapeOther
        | Check::RegisterDateMalformed
        | Check::RegisterDateMissing
        | Check::RegisterMarkMissing
        | Check::RegisterPersonMissing => RefusalReason::RegisterUnavailable,
        Check::Store
        | Check::TrustUndecided
        | Check::ClockDiffers
        | Check::RestoredBackup
        | Check::DeclaredUseUndecided
        | Check::DatasetLostItsPeriod
        | Check::DatasetLostItsPersons
        | Check::AnswerNotJson
        | Check::Keys
        | Check::Signing
        | Check::Internal => RefusalReason::Unavailable,
        Check::DatasetUnknown
        | Check::DatasetOther
        | Check::MethodNotRead
        | Check::BodyNotExpected
        | Check::ParameterUnknown
        | Check::FieldMalformed
        | Check::FieldTwice
        | Check::FieldNotConsented
        | Check::PersonMalformed
        | Check::PersonNotConsented
        | Check::RecordNotConsented
        | Check::FieldWithdrawn
        | Check::DeclaredUseWithdrawn
        | Check::DeclaredUseNarrowed
        | Check::ManagementScope
        | Check::ScopeUnknown => RefusalReason::NotCovered,
        Check::TokenTooLarge
        | Check::IssuerUnknown
        | Check::AudienceOther
        | Check::LifetimeOverPolicy
        | Check::AuthorizationDetailsNotOne
        | Check::SubjectNotClient
        | Check::KeyRevoked
        | Check::KeyCompromised
        | Check::AuthorizationMissing
        | Check::AuthorizationTwice
        | Check::SchemeNotDpop
        | Check::TokenInQuery
        | Check::ProofMissing
        | Check::ProofTwice
        | Check::ProofReplayed
        | Check::JwkMissing
        | Check::HtmOther
        | Check::HtuOther
        | Check::IatOld
        | Check::IatAhead
        | Check::AthOther
        | Check::KeyOther
        | Check::NonceMissingOrStale
        | Check::ConsentUnknown
        | Check::NotThisConsent
        | Check::GrantUnknown
        | Check::TooLarge
        | Check::NotCompact
        | Check::Base64
        | Check::Utf8
        | Check::Json
        | Check::NotObject
        | Check::DuplicateMember
        | Check::TooDeep
        | Check::CriticalHeader
        | Check::ForbiddenHeader
        | Check::WrongType
        | Check::AlgorithmNotAllowed
        | Check::AlgorithmMismatch
        | Check::MissingKeyId
        | Check::MalformedKeyId
        | Check::MissingEmbeddedKey
        | Check::SignatureForm
        | Check::UnknownKey
        | Check::Signature
        | Check::MissingClaim
        | Check::UnknownClaim
        | Check::MalformedTime
        | Check::MalformedClaims
        | Check::NotYetValid
        | Check::MalformedKey
        | Check::PrivateKey
        | Check::MalformedKeySet
        | Check::DuplicateKeyId
        | Check::MalformedSigningKey
        | Check::Crypto
        | Check::UnsignableClaims => RefusalReason::NotVerified,
    }
}

/// The systems of the record of processing, each once, with their last reports.
pub(crate) fn systems(app: &App, last: &[(ServiceId, Timestamp)]) -> Vec<SystemReport> {
    let mut systems: Vec<(&ServiceId, SystemReport)> = Vec::new();
    for one in &app.node.settings.processing {
        match systems.iter_mut().find(|(id, _)| **id == one.service) {
            Some((_, known)) => known.reports |= one.reports,
            None => {
                let last = last.iter().find(|(id, _)| *id == one.service).map(|(_, at)| *at);
                let name = one.service_name.clone();
                systems.push((&one.service, SystemReport { name, reports: one.reports, last }));
            }
        }
    }
    systems.into_iter().map(|(_, system)| system).collect()
}

/// The number of systems that report, and of those that do not yet: the services of the record of processing, as
/// [`systems`] lists them. Without a record, the registers of this node's datasets, because each exchange passes here.
pub(crate) fn reporting(app: &App) -> Reporting {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let systems = systems(app, &[]);
    if systems.is_empty() {
        let datasets = &app.node.settings.datasets;
        let registers: BTreeSet<&str> = datasets.iter().map(|dataset| dataset.register.en.as_str()).collect();
        return Reporting { reporting: number(registers.len()), silent: 0 };
    }
    let (reporting, silent): (Vec<_>, Vec<_>) = systems.iter().partition(|system| system.reports);
    Reporting { reporting: number(reporting.len()), silent: number(silent.len()) }
}

impl Frame<'_> {
    pub(crate) fn outcome(&self, outcome: &LogOutcome) -> String {
        match outcome {
            LogOutcome::Released { .. } => self.t.outcome_released(),
            LogOutcome::Deferred { .. } => self.t.outcome_deferred(),
            LogOutcome::Refused(_) => self.t.outcome_refused(),
            LogOutcome::Used { .. } => self.t.outcome_used(),
        }
        .to_string()
    }

    pub(crate) fn refusal(&self, reason: &RefusalReason) -> String {
        let t = &self.t;
        match reason {
            RefusalReason::Stopped => t.refusal_stopped(),
            RefusalReason::Suspended => t.refusal_suspended(),
            RefusalReason::Expired => t.refusal_expired(),
            RefusalReason::UsedUp => t.refusal_used_up(),
            RefusalReason::TooOften => t.refusal_too_often(),
            RefusalReason::StandingDenial => t.refusal_standing_denial(),
            RefusalReason::NotCovered => t.refusal_not_covered(),
            RefusalReason::Unconfirmed => t.refusal_unconfirmed(),
            RefusalReason::NotVerified => t.refusal_not_verified(),
            RefusalReason::NotMember => t.refusal_not_member(),
            RefusalReason::RegisterUnavailable => t.refusal_register_unavailable(),
            RefusalReason::Unavailable => t.refusal_unavailable(),
        }
        .to_string()
    }
}
