//! Made-up pages for the tests: one of each view, with every kind of state that a page can show.

mod receipts;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::views::*;
use super::{Chrome, Notice, SignedIn, View, passkey_href};
use crate::domain::catalogue::{Contact, Dataset, DeclaredUse, Field, FieldType, Sensitivity, Text};
use crate::domain::clock::Timestamp;
use crate::domain::consent::DeletionState;
use crate::domain::federation::{FaultKind, ResponsibleParty, Role};
use crate::domain::ids::{ConsentId, DenialId, FieldName, PasskeyId, RequestId};

pub(super) fn text(fi: &str, sv: &str, en: &str) -> Text {
    Text { fi: fi.into(), sv: sv.into(), en: en.into() }
}

fn at(text: &str) -> Timestamp {
    let form = time::format_description::well_known::Rfc3339;
    Timestamp::from_secs(time::OffsetDateTime::parse(text, &form).unwrap().unix_timestamp())
}

fn helsinki() -> Text {
    text("Helsinki", "Helsingfors", "Helsinki")
}

fn asker() -> Party {
    let service = text(
        "Varhaiskasvatuksen hakemukset",
        "Ansökningar till småbarnspedagogik",
        "Early education applications",
    );
    Party { city: helsinki(), service }
}

fn placement() -> Text {
    text("Varhaiskasvatuspaikka", "Plats inom småbarnspedagogiken", "Early education placement")
}

fn purpose() -> Text {
    text(
        "Helsinki haluaa hakea lapsesi varhaiskasvatuspaikan tiedot, jotta paikka voi jatkua muuton jälkeen.",
        "Helsingfors vill hämta uppgifterna om ditt barns plats, så att platsen kan fortsätta efter flytten.",
        "Helsinki wants to fetch your child's placement details so that the place can go on after your move.",
    )
}

fn otherwise() -> Text {
    text(
        "Voit toimittaa päätöksen hakemuksen liitteenä. Hakemus käsitellään samalla tavalla.",
        "Du kan bifoga beslutet till ansökan. Ansökan behandlas på samma sätt.",
        "You can attach the decision to the application. It is handled in the same way.",
    )
}

fn contact(fi: &str, sv: &str, en: &str, email: &str) -> Contact {
    Contact { name: text(fi, sv, en), email: email.into() }
}

fn controller() -> Contact {
    contact("Kasvatuksen toimiala", "Sektorn för fostran", "Education division", "kasvatus@helsinki.example")
}

fn officer() -> Contact {
    contact(
        "Tietosuojavastaava",
        "Dataskyddsombudet",
        "Data protection officer",
        "tietosuoja@helsinki.example",
    )
}

fn names() -> Vec<(&'static str, Text, FieldType, Sensitivity, Value)> {
    use FieldType as T;
    use Sensitivity::{Normal, Sensitive};
    vec![
        (
            "unit",
            text("Päiväkoti", "Daghem", "Daycare centre"),
            T::String,
            Normal,
            json!("Kuusimetsän päiväkoti <A>"),
        ),
        ("startDate", text("Alkaa", "Börjar", "Starts"), T::Date, Normal, json!("2026-08-01")),
        ("endDate", text("Päättyy", "Slutar", "Ends"), T::Date, Normal, json!(null)),
        ("type", text("Muoto", "Form", "Form"), T::String, Normal, json!("DAYCARE_PART_TIME")),
        (
            "serviceNeed",
            text("Palveluntarve", "Servicebehov", "Service need"),
            T::Object,
            Normal,
            json!({"hoursPerWeek": 27.5, "partWeek": true}),
        ),
        ("support", text("Tuen tarve", "Behov av stöd", "Support"), T::Array, Sensitive, json!(["A1", "B2"])),
    ]
}

fn field(name: &str, label: &Text, sensitivity: Sensitivity) -> ConsentField {
    let codes = BTreeMap::from([(
        "DAYCARE_PART_TIME".to_owned(),
        text("Osapäiväinen päiväkotipaikka", "Daghemsplats på deltid", "Part-time daycare"),
    )]);
    ConsentField { name: FieldName::new(name).unwrap(), label: label.clone(), sensitivity, codes }
}

fn card(number: u8, status: PermissionStatus) -> PermissionCard {
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
        dataset: placement(),
        fields: names().into_iter().take(4).map(|(_, label, ..)| label).collect(),
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
    ];
    all.extend(refused.into_iter().map(|reason| entry(LogOutcome::Refused(reason))));
    if let Some(last) = all.last_mut() {
        last.permission = None;
        last.fields.clear();
    }
    all
}

pub(super) fn chrome(path: &str, signed_in: bool) -> Chrome {
    Chrome {
        city: text("Espoo", "Esbo", "Espoo"),
        brand: text("Espoon tietosivut", "Esbos datasidor", "Espoo data pages"),
        logo: true,
        path: path.into(),
        signed_in: signed_in.then(|| SignedIn { name: Some("Aino Esimerkki".into()) }),
        csrf: "csrf-of-the-session".into(),
        notices: Vec::new(),
        contact: Some(contact(
            "Asiakaspalvelu",
            "Kundtjänsten",
            "Customer service",
            "omatiedot@espoo.example",
        )),
        data_protection_officer: Some(contact(
            "Tietosuojavastaava",
            "Dataskyddsombudet",
            "Data protection officer",
            "tietosuoja@espoo.example",
        )),
        demo: true,
    }
}

fn with_passkey(passkey: PasskeyNeed) -> ConsentView {
    ConsentView { passkey, ..consent() }
}

fn passkeys() -> PasskeysView {
    let item = |number: u8, label: &str, last_used_at| PasskeyItem {
        id: PasskeyId::from_bytes([number; 16]),
        label: label.into(),
        created_at: at("2026-05-04T09:12:00Z"),
        last_used_at,
    };
    PasskeysView {
        passkeys: vec![item(1, "Puhelin <1>", Some(at("2026-11-20T12:30:00Z"))), item(2, "Työpöytä", None)],
    }
}

pub(super) fn new_passkey() -> NewPasskeyView {
    let options = json!({"publicKey": {"challenge": "Y2hhbGxlbmdl", "user": {"name": "\"><b>"}}});
    NewPasskeyView { options: options.to_string(), return_to: "/consent/1".into() }
}

pub(super) fn confirm_passkey() -> ConfirmPasskeyView {
    ConfirmPasskeyView {
        request: RequestId::from_bytes([7; 16]),
        asker: asker(),
        dataset: placement(),
        options: json!({"publicKey": {"challenge": "Y2hhbGxlbmdl"}}).to_string(),
    }
}

pub(super) fn home() -> HomeView {
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

pub(super) fn me() -> MeView {
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

pub(super) fn consent() -> ConsentView {
    let all = names();
    let record = |title: &str| ConsentRecord {
        title: Some(title.into()),
        values: all
            .iter()
            .map(|(name, _, _, _, value)| (FieldName::new(*name).unwrap(), value.clone()))
            .collect(),
    };
    let fields = |range: std::ops::Range<usize>| {
        all[range].iter().map(|(name, label, _, care, _)| field(name, label, *care)).collect::<Vec<_>>()
    };
    ConsentView {
        request: RequestId::from_bytes([7; 16]),
        asker: asker(),
        verified: true,
        holder: text("Espoo", "Esbo", "Espoo"),
        dataset: placement(),
        register: text(
            "Varhaiskasvatuksen rekisteri",
            "Småbarnspedagogikens register",
            "Early education register",
        ),
        purpose: purpose(),
        required: fields(0..3),
        optional: fields(3..6),
        not_asked: vec![text("Maksupäätös", "Avgiftsbeslut", "Fee decision")],
        records: vec![record("Elmeri"), record("Venla")],
        limits: ConsentLimits {
            once_until: "2026-12-23".parse().unwrap(),
            earliest_until: "2026-11-23".parse().unwrap(),
            latest_until: "2027-11-23".parse().unwrap(),
            proposed_until: "2027-06-30".parse().unwrap(),
            max_times: 10,
            proposed_times: 10,
        },
        instead: None,
        per: None,
        reach_choice: true,
        shorter_retentions: vec!["P1Y".into(), "P1M".into()],
        can_refuse_for_good: true,
        reach: HistoryReach::Period {
            from: "2025-08-01".parse().unwrap(),
            to: "2026-12-31".parse().unwrap(),
        },
        retention: "P1Y6M".into(),
        onward: Vec::new(),
        legal_basis: "https://w3id.org/dpv/legal/eu/gdpr#A6-1-a".into(),
        controller: controller(),
        data_protection_officer: officer(),
        otherwise: otherwise(),
        on_behalf_of: vec!["Elmeri".into(), "Venla".into()],
        expires_at: at("2026-12-07T10:00:00Z"),
        offer_hash: "hash-of-the-offer".into(),
        passkey: PasskeyNeed::None,
    }
}

/// The smallest decision: one fetch, no optional field, no record.
fn small_consent() -> ConsentView {
    let mut view = consent();
    view.verified = false;
    view.optional.clear();
    view.not_asked.clear();
    view.records.clear();
    view.on_behalf_of.clear();
    view.limits.max_times = 1;
    view.reach = HistoryReach::Current;
    view.per = Some("P7D".into());
    view.shorter_retentions.clear();
    view.can_refuse_for_good = false;
    view.legal_basis = "A6-1-e".into();
    view.onward = vec![text("Kela", "FPA", "Kela")];
    view
}

pub(super) fn permission(status: PermissionStatus) -> PermissionView {
    let changes = [
        Change::Asked,
        Change::Given,
        Change::Declined,
        Change::Stopped,
        Change::GivenBack,
        Change::NotTaken,
        Change::Withdrawn,
        Change::Suspended,
        Change::HeldBack,
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
        reach: consent().reach,
        register: consent().register,
        fields: names().into_iter().take(4).map(|(_, label, ..)| label).collect(),
        left_out: names().into_iter().skip(4).map(|(_, label, ..)| label).collect(),
        retention: "P1Y".into(),
        legal_basis: "A6-1-a".into(),
        controller: controller(),
        data_protection_officer: officer(),
        signed: !stopped,
        signed_with_passkey: !stopped,
        held_back_by_use: false,
        deletion: Some(if stopped {
            DeletionState::Overdue { since: due }
        } else {
            DeletionState::Due { by: due }
        }),
        stop_confirmation: stopped.then_some(StopConfirmation::Waiting),
        history: changes
            .into_iter()
            .take(if stopped { 14 } else { 2 })
            .map(|change| ChangeEntry { at: at("2026-05-04T09:12:00Z"), change })
            .collect(),
        exchanges: if stopped { Vec::new() } else { entries() },
    }
}

fn dataset() -> Dataset {
    let fields = names()
        .into_iter()
        .map(|(name, label, kind, sensitivity, _)| Field {
            name: FieldName::new(name).unwrap(),
            kind,
            label,
            sensitivity,
            codes: BTreeMap::new(),
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
        register: consent().register,
        period: None,
        required_acr: None,
        required_max_age_seconds: None,
        required_passkey: false,
    }
}

fn dataset_uses() -> Vec<DatasetUse> {
    vec![DatasetUse {
        id: "http://helsinki.localhost:8401/catalogue/uses/placement".parse().unwrap(),
        city: helsinki(),
        service: asker().service,
        purpose: purpose(),
        legal_basis: "A6-1-a".into(),
    }]
}

pub(super) fn catalogue() -> CatalogueView {
    CatalogueView {
        query: String::new(),
        entries: vec![
            CatalogueEntry::new(&dataset(), dataset_uses()),
            CatalogueEntry::new(&dataset(), Vec::new()),
        ],
        unreachable: vec![text("Oulu", "Uleåborg", "Oulu")],
    }
}

fn declared() -> DeclaredUse {
    DeclaredUse {
        id: "http://helsinki.localhost:8401/catalogue/uses/placement".parse().unwrap(),
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

pub(super) fn use_page(held_here: bool) -> UseView {
    UseView {
        declared: declared(),
        city: helsinki(),
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
        city(helsinki(), false, verified(&Role::ALL[2..]), true, vec![used(Some(placement())), used(None)]),
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

fn denials() -> DenialsView {
    let whats = [DeniedWhat::City, DeniedWhat::Use, DeniedWhat::Data];
    DenialsView {
        denials: (1..)
            .zip(whats)
            .map(|(number, what)| DenialEntry {
                id: DenialId::from_bytes([number; 16]),
                what,
                name: placement(),
                since: at("2026-05-04T09:12:00Z"),
                until: matches!(what, DeniedWhat::Use).then(|| at("2026-06-03T09:12:00Z")),
            })
            .collect(),
        datasets: vec![DeniableDataset { id: "placements".into(), title: placement() }],
    }
}

fn decided(allowed: bool) -> DecidedView {
    let given = Decision::Allowed {
        permission: ConsentId::from_bytes([1; 16]),
        until: "2027-06-30".parse().unwrap(),
        times: 10,
        per: Some("P7D".into()),
    };
    DecidedView {
        decision: if allowed { given } else { Decision::Declined },
        asker: asker(),
        dataset: placement(),
        otherwise: otherwise(),
    }
}

/// One page of the collection: its name, its view, what is around it.
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) view: Box<dyn View>,
    pub(super) chrome: Chrome,
}

fn sample(name: impl Into<String>, path: &str, signed_in: bool, view: impl View + 'static) -> Sample {
    Sample { name: name.into(), view: Box::new(view), chrome: chrome(path, signed_in) }
}

/// Every page, in every state that changes what it shows.
pub(super) fn all() -> Vec<Sample> {
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
        PermissionStatus::Declined,
    ];
    let sharing = SharingView {
        in_force: vec![card(1, PermissionStatus::Active), card(2, PermissionStatus::Suspended)],
        ended: (10..).zip(ended).map(|(number, status)| card(number, status)).collect(),
    };
    let log = LogView {
        entries: entries(),
        registers: Reporting { reporting: 7, silent: 12 },
        newer: Some("/me/log?after=1".into()),
        older: Some("/me/log?before=12".into()),
    };
    let nothing = LogView {
        entries: Vec::new(),
        registers: Reporting { reporting: 7, silent: 1 },
        newer: None,
        older: None,
    };
    let mut instead = consent();
    instead.instead = Some(Instead {
        permission: ConsentId::from_bytes([1; 16]),
        extends: true,
        new_fields: vec![names().remove(0).1],
        dropped_fields: vec![names().remove(1).1],
        until: "2027-01-31".parse().unwrap(),
        new_until: "2027-06-30".parse().unwrap(),
        times: (1, None),
        new_times: (2, Some("P7D".into())),
    });
    let mut held_back = permission(PermissionStatus::Suspended);
    held_back.held_back_by_use = true;
    let mut confirmed = permission(PermissionStatus::Stopped);
    confirmed.stop_confirmation = Some(StopConfirmation::Confirmed { at: at("2026-11-20T12:30:09Z") });
    confirmed.deletion = Some(DeletionState::Confirmed { deleted_at: at("2026-11-21T10:00:00Z") });
    let mut given_up = permission(PermissionStatus::Stopped);
    given_up.stop_confirmation = Some(StopConfirmation::GivenUp);
    given_up.deletion = None;
    let searched = CatalogueView { query: "\"><b>".into(), entries: Vec::new(), unreachable: Vec::new() };
    let formats =
        vec![FormatLink { name: "JSON-LD", href: "/catalogue/datasets/placements?format=jsonld".into() }];
    let dataset = DatasetView { dataset: dataset(), uses: dataset_uses(), formats };
    let mut noticed = sample("me", "/me", true, me());
    noticed.chrome.notices = vec![
        Notice::PermissionStopped,
        Notice::PermissionHadEnded,
        Notice::PermissionPaused,
        Notice::PermissionResumed,
        Notice::PermissionNotResumed,
        Notice::DenialAdded,
        Notice::DenialRemoved,
        Notice::PermissionGiven,
        Notice::RequestDeclined,
        Notice::PasskeyAdded,
        Notice::PasskeyRemoved,
    ];
    let stop = StopView { card: card(1, PermissionStatus::Active), retention: "P1Y".into() };
    let login = |reason| LoginNeededView { reason, return_to: "/me".into() };
    let wrong = WrongPersonView { asker: asker(), back: Some("http://service.localhost:8410/".into()) };
    let mut samples = vec![
        sample("home", "/", false, home()),
        sample("home-in", "/", true, home()),
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
        sample("permission-confirmed", "/me/sharing/1", true, confirmed),
        sample("permission-not-told", "/me/sharing/1", true, given_up),
        sample("denials", "/me/denials", true, denials()),
        sample(
            "denials-none",
            "/me/denials",
            true,
            DenialsView { denials: Vec::new(), datasets: Vec::new() },
        ),
        sample("consent-instead", "/consent/1", true, instead),
        sample("stop", "/me/sharing/1/stop", true, stop),
        sample("consent", "/consent/1", true, consent()),
        sample("consent-small", "/consent/1", true, small_consent()),
        sample("consent-passkey", "/consent/1", true, with_passkey(PasskeyNeed::Ready)),
        sample("consent-passkey-missing", "/consent/1", true, with_passkey(PasskeyNeed::Missing)),
        sample("passkeys", "/me/passkeys", true, passkeys()),
        sample("passkeys-none", "/me/passkeys", true, PasskeysView { passkeys: Vec::new() }),
        sample("passkey-new", "/me/passkeys/new", true, new_passkey()),
        sample("passkey-confirm", "/consent/1/passkey", true, confirm_passkey()),
        sample("decided-allowed", "/me", true, decided(true)),
        sample("decided-declined", "/me", true, decided(false)),
        sample("wrong-person", "/me", true, wrong),
        sample("catalogue", "/catalogue?q=a", false, catalogue()),
        sample("catalogue-searched", "/catalogue?q=%22", false, searched),
        sample("dataset", "/catalogue/datasets/placements", false, dataset),
        sample("partners", "/partners", true, partners()),
        sample("use", "/partners/use?id=x", true, use_page(true)),
        sample("use-out", "/partners/use?id=x", false, use_page(true)),
        sample("use-no-data", "/partners/use?id=x", true, use_page(false)),
        sample("login", "/me", false, login(LoginReason::PersonalPage)),
        sample("login-decision", "/me", false, login(LoginReason::Decision)),
        sample("login-ended", "/me", false, login(LoginReason::SessionEnded)),
        sample("logged-out", "/", false, LoggedOutView { onward: None }),
        sample(
            "logged-out-onward",
            "/",
            false,
            LoggedOutView { onward: Some("https://login.example/end?client_id=espoo".parse().unwrap()) },
        ),
    ];
    for trouble in PageError::ALL {
        let trace_id = Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned());
        let add_passkey = (trouble == PageError::PasskeyNeeded).then(|| passkey_href("/consent/1"));
        let view = ErrorView { trouble, retry: Some("/me".into()), add_passkey, trace_id };
        samples.push(sample(
            format!("error-{}", trouble.status()) + &format!("-{trouble:?}"),
            "/",
            false,
            view,
        ));
    }
    for topic in ProblemTopic::ALL {
        let view = ProblemView { topic };
        samples.push(sample(format!("problem-{}", topic.slug()), "/problems/x", false, view));
    }
    samples.extend(receipts::all());
    samples
}
