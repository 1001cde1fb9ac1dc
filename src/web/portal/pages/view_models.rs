//! From what the use cases know to what the pages show.

use std::sync::Arc;

use super::page::Page;
use crate::domain::catalogue::{Dataset, DeclaredUse, DeclaredUses, Record, Text};
use crate::domain::clock::Day;
use crate::domain::clock::last_day;
use crate::domain::clock::{RetentionPeriod, duration_days};
use crate::domain::consent::terms::Terms;
use crate::domain::consent::{
    Actor, Consent, ConsentRequest, ConsentState, End, GrantAction, Origin as RequestOrigin, Reason,
};
use crate::domain::federation::TrustedPeer;
use crate::domain::ids::{DatasetId, FieldName};
use crate::domain::token::RefusalReason as Check;
use crate::node::holder::decision::view_consent_request::Offer;
use crate::node::resident::list_mine::{
    EndNotice, KeptChange, LogLine, Outcome, Permission, PermissionDetail,
};
use crate::web::portal::views::{
    Change, ChangeEntry, CityLink, ConsentField, ConsentLimits, ConsentRecord, ConsentView, DatasetUse,
    HistoryReach, Instead, LogEntry, LogOutcome, Origin, PartnerUse, Party, PasskeyNeed, PermissionCard,
    PermissionStatus, PermissionView, RefusalReason, Reporting, StopConfirmation, UseDataset, UseView,
    WaitingRequest,
};

/// The field in which registers of children say whom a record is about.
const CHILD_NAME: &str = "childName";

/// For how many days a permission for one fetch holds: long enough for a service to get round to it.
const ONCE_DAYS: u16 = 30;

/// Who asks.
pub(super) fn asker(request: &ConsentRequest) -> Party {
    Party { city: request.recipient_name.clone(), service: request.declared_use.service_name.clone() }
}

/// What people call a dataset; its name where the city has taken it out since.
pub(super) fn dataset_title(page: &Page, id: &DatasetId) -> Text {
    page.app
        .node
        .settings
        .dataset(id)
        .map_or_else(|| Text::same(id.as_str()), |dataset| dataset.title.clone())
}

fn field_label(dataset: Option<&Dataset>, name: &FieldName) -> Text {
    dataset
        .and_then(|dataset| dataset.field(name))
        .map_or_else(|| Text::same(name.as_str()), |field| field.label.clone())
}

/// The last day of a permission for one fetch.
pub(super) fn once_until(offer: &Offer) -> Day {
    last_day(offer.request.created_at, ONCE_DAYS).min(offer.request.terms.until)
}

/// The decision page.
pub(super) fn consent(
    page: &Page,
    offer: &Offer,
    records: Vec<Record>,
    replaced: Option<&Consent>,
    passkey: PasskeyNeed,
) -> ConsentView {
    let (request, dataset) = (&offer.request, &offer.dataset);
    let declared = &request.declared_use;
    let field = |name: &FieldName| {
        let known = dataset.field(name);
        ConsentField {
            name: name.clone(),
            label: field_label(Some(dataset), name),
            sensitivity: known.map(|field| field.sensitivity).unwrap_or_default(),
            codes: known.map(|field| field.codes.clone()).unwrap_or_default(),
        }
    };
    let (required, optional): (Vec<_>, Vec<_>) =
        request.terms.fields.iter().partition(|name| declared.required_fields.contains(name));
    let child = CHILD_NAME.parse::<FieldName>().ok();
    let title = |record: &Record| {
        let value = child.as_ref().and_then(|name| record.values.get(name))?;
        value.as_str().map(str::to_owned)
    };
    let mut on_behalf_of: Vec<String> = records.iter().filter_map(title).collect();
    on_behalf_of.sort();
    on_behalf_of.dedup();
    let records = records
        .iter()
        .map(|record| ConsentRecord { title: title(record), values: record.values.clone() })
        .collect();
    let latest = request.terms.until;
    let proposed_times = request.terms.max_exchanges;
    ConsentView {
        request: request.id,
        asker: asker(request),
        verified: true,
        instead: replaced.map(|old| instead(old, offer)),
        holder: page.app.node.settings.name.clone(),
        dataset: dataset.title.clone(),
        register: dataset.register.clone(),
        purpose: declared.purpose_text.clone(),
        required: required.into_iter().map(field).collect(),
        optional: optional.into_iter().map(field).collect(),
        not_asked: dataset
            .fields
            .iter()
            .filter(|field| !request.terms.fields.contains(&field.name))
            .map(|field| field.label.clone())
            .collect(),
        records,
        limits: ConsentLimits {
            once_until: once_until(offer),
            earliest_until: last_day(page.app.node.now(), 0),
            latest_until: latest,
            proposed_until: latest,
            max_times: request.terms.max_exchanges,
            proposed_times,
        },
        per: request.terms.per.clone().map(String::from),
        reach: reach(&request.terms),
        reach_choice: dataset.period.is_some(),
        retention: request.terms.retention.to_string(),
        shorter_retentions: shorter_retentions(&request.terms.retention),
        onward: Vec::new(),
        legal_basis: declared.legal_basis.clone(),
        controller: declared.controller.clone(),
        data_protection_officer: declared.data_protection_officer.clone(),
        otherwise: declared.otherwise.clone(),
        can_refuse_for_good: request.origin == RequestOrigin::Pushed,
        on_behalf_of,
        expires_at: request.expires_at,
        offer_hash: offer.hash.clone(),
        passkey,
    }
}

/// What would change against the permission that there is.
fn instead(old: &Consent, offer: &Offer) -> Instead {
    let (before, after) = (&old.terms, &offer.request.terms);
    let labels = |these: &Terms, others: &Terms| {
        let only = these.fields.iter().filter(|field| !others.fields.contains(field));
        only.map(|field| field_label(Some(&offer.dataset), field)).collect()
    };
    Instead {
        permission: old.id,
        extends: matches!(offer.request.replaces, Some((GrantAction::Merge, _))),
        new_fields: labels(after, before),
        dropped_fields: labels(before, after),
        until: before.until,
        new_until: after.until,
        times: (before.max_exchanges, before.per.clone().map(String::from)),
        new_times: (after.max_exchanges, after.per.clone().map(String::from)),
    }
}

fn reach(terms: &Terms) -> HistoryReach {
    match terms.period {
        None => HistoryReach::Current,
        Some(period) => HistoryReach::Period { from: period.from, to: period.to },
    }
}

/// What a resident can choose instead of the time for which the data would be kept.
fn shorter_retentions(offered: &RetentionPeriod) -> Vec<String> {
    const CHOICES: [&str; 6] = ["P1Y", "P6M", "P3M", "P1M", "P7D", "P1D"];
    let shorter = |choice: &&str| duration_days(choice).is_some_and(|choice| choice < offered.days());
    CHOICES.into_iter().filter(shorter).map(str::to_owned).collect()
}

/// A request that waits.
pub(super) fn waiting(page: &Page, request: &ConsentRequest) -> WaitingRequest {
    WaitingRequest {
        id: request.id,
        asker: asker(request),
        dataset: dataset_title(page, &request.terms.dataset),
        purpose: request.declared_use.purpose_text.clone(),
        expires_at: request.expires_at,
    }
}

fn status(consent: &Consent, page: &Page) -> PermissionStatus {
    match consent.state {
        ConsentState::Active if consent.terms.until.end() <= page.app.node.now() => PermissionStatus::Expired,
        ConsentState::Active => PermissionStatus::Active,
        ConsentState::Suspended => PermissionStatus::Suspended,
        ConsentState::Ended { how, .. } => match how {
            End::Revoked(_) => PermissionStatus::Stopped,
            End::Expired => PermissionStatus::Expired,
            End::Exhausted => PermissionStatus::UsedUp,
            End::Replaced => PermissionStatus::Replaced,
        },
    }
}

/// A permission in a list.
pub(super) fn card(page: &Page, permission: &Permission) -> PermissionCard {
    let consent = &permission.consent;
    PermissionCard {
        id: consent.id,
        asker: Party {
            city: permission.recipient_name.clone(),
            service: permission.declared_use.service_name.clone(),
        },
        dataset: dataset_title(page, &consent.terms.dataset),
        purpose: permission.declared_use.purpose_text.clone(),
        status: status(consent, page),
        given_at: consent.decided_at,
        until: consent.terms.until,
        ends_soon: permission.reminded_at.is_some() && consent.state.ended_at().is_none(),
        ended_at: consent.state.ended_at(),
        times_allowed: consent.terms.max_exchanges,
        times_used: consent.exchanges,
        per: consent.terms.per.clone().map(String::from),
    }
}

/// A line of the log.
pub(super) fn log_entry(page: &Page, line: &LogLine) -> LogEntry {
    let dataset = page.app.node.settings.dataset(&line.dataset);
    let (fields, outcome) = match &line.outcome {
        Outcome::Released { fields, acknowledged_at } => (
            fields.iter().map(|name| field_label(dataset, name)).collect(),
            LogOutcome::Released { confirmed: acknowledged_at.is_some() },
        ),
        Outcome::Refused(check) => (Vec::new(), LogOutcome::Refused(refusal(*check))),
        Outcome::Denied => (Vec::new(), LogOutcome::Refused(RefusalReason::StandingDenial)),
    };
    LogEntry {
        at: line.at,
        asker: Party { city: line.recipient_name.clone(), service: line.declared_use.service_name.clone() },
        dataset: dataset_title(page, &line.dataset),
        fields,
        purpose: line.declared_use.purpose_text.clone(),
        legal_basis: line.declared_use.legal_basis.clone(),
        outcome,
        permission: line.consent,
    }
}

/// What a resident reads about the check that refused. Every check is named here: a new one does not compile before
/// somebody has decided what it is called.
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
        | Check::RegisterDateMalformed
        | Check::RegisterDateMissing => RefusalReason::RegisterUnavailable,
        Check::Store
        | Check::TrustUndecided
        | Check::DeclaredUseUndecided
        | Check::DatasetLostItsPeriod
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
        | Check::UnknownHeader
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

/// How many registers report: those whose datasets this node serves, because each exchange passes here. How many other
/// systems the city has, a node cannot know.
pub(super) fn reporting(page: &Page) -> Reporting {
    let mut registers: Vec<&str> =
        page.app.node.settings.datasets.iter().map(|dataset| dataset.register.en.as_str()).collect();
    registers.sort_unstable();
    registers.dedup();
    Reporting { reporting: u32::try_from(registers.len()).unwrap_or(u32::MAX), silent: 0 }
}

/// Everything about one permission.
pub(super) fn permission(page: &Page, detail: &PermissionDetail) -> PermissionView {
    let Permission { consent, declared_use, .. } = &detail.permission;
    let dataset = page.app.node.settings.dataset(&consent.terms.dataset);
    let label = |name: &FieldName| field_label(dataset, name);
    let mut history: Vec<ChangeEntry> =
        detail.events.iter().map(|event| ChangeEntry { at: event.at, change: change(event) }).collect();
    if let Some(EndNotice::Confirmed(at)) = detail.end_notice {
        history.push(ChangeEntry { at, change: Change::StopConfirmed });
    }
    PermissionView {
        card: card(page, &detail.permission),
        origin: match consent.origin {
            RequestOrigin::Pushed => Origin::ServiceAsked,
            RequestOrigin::Portal => Origin::ResidentStarted,
        },
        register: dataset.map_or_else(|| Text::same("–"), |dataset| dataset.register.clone()),
        fields: consent.terms.fields.iter().map(label).collect(),
        left_out: detail
            .permission
            .asked
            .iter()
            .filter(|name| !consent.terms.fields.contains(name))
            .map(label)
            .collect(),
        reach: reach(&consent.terms),
        retention: consent.terms.retention.to_string(),
        legal_basis: declared_use.legal_basis.clone(),
        controller: declared_use.controller.clone(),
        data_protection_officer: declared_use.data_protection_officer.clone(),
        // No consent comes into force here without the login provider's signature; some day it is erased.
        signed: detail.evidence_kept,
        signed_with_passkey: detail.passkey,
        deletion: detail.deletion,
        stop_confirmation: detail.end_notice.map(|notice| match notice {
            EndNotice::Confirmed(at) => StopConfirmation::Confirmed { at },
            EndNotice::Sending => StopConfirmation::Waiting,
            EndNotice::GivenUp => StopConfirmation::GivenUp,
        }),
        held_back_by_use: consent.state == ConsentState::Suspended && consent.reason.is_of_use(),
        history,
        exchanges: detail.log.iter().map(|line| log_entry(page, line)).collect(),
    }
}

const fn change(kept: &KeptChange) -> Change {
    match kept.to {
        ConsentState::Active if kept.from.is_none() => Change::Given,
        ConsentState::Active => Change::Resumed,
        ConsentState::Suspended if kept.reason.is_of_use() => Change::HeldBack,
        ConsentState::Suspended => Change::Suspended,
        ConsentState::Ended { how, .. } => match how {
            End::Revoked(Actor::Recipient) => Change::GivenBack,
            End::Revoked(Actor::Resident) => Change::Stopped,
            End::Revoked(Actor::Node) if matches!(kept.reason, Reason::Unredeemed) => Change::NotTaken,
            End::Revoked(Actor::Node) => Change::Withdrawn,
            End::Expired => Change::Expired,
            End::Exhausted => Change::UsedUp,
            End::Replaced => Change::Replaced,
        },
    }
}

/// The cities of the first page.
pub(super) fn cities(page: &Page, members: &[Arc<TrustedPeer>]) -> Vec<CityLink> {
    let own = &page.app.node.settings;
    let here = CityLink { name: own.name.clone(), url: own.id.to_string(), here: true };
    // Cities have a portal; a member that only fetches has none.
    let others = members
        .iter()
        .filter(|peer| peer.id != own.id && peer.consent_issuer().is_ok())
        .map(|peer| CityLink { name: peer.name.clone(), url: peer.id.to_string(), here: false });
    std::iter::once(here).chain(others).collect()
}

/// What the services of all members declare.
pub(super) struct AllUses {
    members: Vec<(Text, bool, Option<Arc<DeclaredUses>>)>,
    /// Members whose uses cannot be had now.
    pub(super) unreachable: Vec<Text>,
}

/// Asks every member for its declared uses; what cannot be had is said, not waited for.
pub(super) async fn all_uses(page: &Page) -> AllUses {
    let node = &page.app.node;
    let mut all = AllUses { members: Vec::new(), unreachable: Vec::new() };
    let own = DeclaredUses {
        recipient: node.settings.id.clone(),
        name: node.settings.name.clone(),
        uses: node.settings.uses.clone(),
    };
    all.members.push((own.name.clone(), true, Some(Arc::new(own))));
    let members = node.peers.members().await.unwrap_or_default();
    for peer in members.iter().filter(|peer| peer.id != node.settings.id && peer.recipient().is_ok()) {
        let uses = node.peers.declared_uses(&peer.id).await.ok();
        if uses.is_none() {
            all.unreachable.push(peer.name.clone());
        }
        all.members.push((peer.name.clone(), false, uses));
    }
    all
}

impl AllUses {
    /// The uses of other cities that ask for one dataset; this city's own services ask others.
    pub(super) fn of(&self, dataset: &Dataset) -> Vec<DatasetUse> {
        self.members
            .iter()
            .filter(|(_, here, _)| !here)
            .filter_map(|(city, _, uses)| uses.as_ref().map(|uses| (city, uses)))
            .flat_map(|(city, uses)| uses.uses.iter().map(move |declared| (city, declared)))
            .filter(|(_, declared)| declared.dataset_type == dataset.kind)
            .map(|(city, declared)| DatasetUse {
                id: declared.id.clone(),
                city: city.clone(),
                service: declared.service_name.clone(),
                purpose: declared.purpose_text.clone(),
                legal_basis: declared.legal_basis.clone(),
            })
            .collect()
    }
}

/// A use of anyone's, as a partner.
pub(super) fn partner_use(page: &Page, declared: &DeclaredUse) -> PartnerUse {
    PartnerUse {
        id: declared.id.clone(),
        title: declared.title.clone(),
        service: declared.service_name.clone(),
        purpose: declared.purpose_text.clone(),
        dataset: held_for(page, declared).map(|dataset| dataset.title.clone()),
    }
}

/// The dataset here that a use asks for; none for this city's own uses, which ask others.
fn held_for<'a>(page: &'a Page, declared: &DeclaredUse) -> Option<&'a Dataset> {
    let settings = &page.app.node.settings;
    if declared.id.recipient() == settings.id.as_str() {
        return None;
    }
    settings.datasets.iter().find(|dataset| dataset.kind == declared.dataset_type)
}

/// One declared use.
pub(super) fn declared_use(page: &Page, declared: &DeclaredUse, peer: &TrustedPeer) -> UseView {
    let dataset = held_for(page, declared).map(|dataset| {
        let labels = |names: &[FieldName]| {
            names.iter().filter_map(|name| dataset.field(name)).map(|field| field.label.clone()).collect()
        };
        UseDataset {
            id: dataset.id.clone(),
            title: dataset.title.clone(),
            required: labels(&declared.required_fields),
            optional: labels(&declared.optional_fields),
        }
    });
    UseView { declared: declared.clone(), city: peer.name.clone(), dataset }
}
