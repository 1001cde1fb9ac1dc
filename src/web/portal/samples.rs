//! Made-up pages for the tests: each view in every state. This file has what several sections share.

use serde_json::{Value, json};

use super::page_error::{ErrorView, PageError};
use super::party::Party;
use super::{decision, denials, holdings, own_uses, partners, passkeys, permissions, public, receipts};
use crate::domain::catalogue::field::Sensitivity;
use crate::domain::catalogue::{Contact, FieldType, LegalReference, Processing, Text};
use crate::domain::clock::Timestamp;
use crate::web::html::chrome::{Chrome, SignedIn, passkey_href};
use crate::web::html::frame::View;
use crate::web::portal::login::LoggedOutView;

pub(crate) fn text(fi: &str, sv: &str, en: &str) -> Text {
    Text { fi: fi.into(), sv: sv.into(), en: en.into() }
}

pub(crate) fn at(text: &str) -> Timestamp {
    let form = time::format_description::well_known::Rfc3339;
    Timestamp::from_secs(time::OffsetDateTime::parse(text, &form).unwrap().unix_timestamp())
}

pub(crate) fn helsinki() -> Text {
    text("Helsinki", "Helsingfors", "Helsinki")
}

pub(crate) fn asker() -> Party {
    let service = text(
        "Varhaiskasvatuksen hakemukset",
        "Ansökningar till småbarnspedagogik",
        "Early education applications",
    );
    let declared_use = "https://omat.helsinki.example/catalogue/uses/placement".parse().unwrap();
    Party::new(&helsinki(), &service, &declared_use)
}

pub(crate) fn placement() -> Text {
    text("Varhaiskasvatuspaikka", "Plats inom småbarnspedagogiken", "Early education placement")
}

pub(crate) fn purpose() -> Text {
    text(
        "Helsinki haluaa hakea lapsesi varhaiskasvatuspaikan tiedot, jotta paikka voi jatkua muuton jälkeen.",
        "Helsingfors vill hämta uppgifterna om ditt barns plats, så att platsen kan fortsätta efter flytten.",
        "Helsinki wants to fetch your child's placement details so that the place can go on after your move.",
    )
}

pub(crate) fn otherwise() -> Text {
    text(
        "Voit toimittaa päätöksen hakemuksen liitteenä. Hakemus käsitellään samalla tavalla.",
        "Du kan bifoga beslutet till ansökan. Ansökan behandlas på samma sätt.",
        "You can attach the decision to the application. It is handled in the same way.",
    )
}

pub(crate) fn contact(fi: &str, sv: &str, en: &str, email: &str) -> Contact {
    Contact { name: text(fi, sv, en), email: email.into() }
}

pub(crate) fn controller() -> Contact {
    contact("Kasvatuksen toimiala", "Sektorn för fostran", "Education division", "kasvatus@helsinki.example")
}

pub(crate) fn officer() -> Contact {
    contact(
        "Tietosuojavastaava",
        "Dataskyddsombudet",
        "Data protection officer",
        "tietosuoja@helsinki.example",
    )
}

pub(crate) fn names() -> Vec<(&'static str, Text, FieldType, Sensitivity, Value)> {
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

pub(crate) fn chrome(path: &str, signed_in: bool) -> Chrome {
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

pub(crate) fn register() -> Text {
    text("Varhaiskasvatuksen rekisteri", "Småbarnspedagogikens register", "Early education register")
}

/// Uses by law, each with other rights.
pub(crate) fn processing() -> Vec<Processing> {
    let fees = Processing {
        id: "early-education-fees".parse().unwrap(),
        service: "fee-system".parse().unwrap(),
        service_name: text("Maksujärjestelmä", "Avgiftssystemet", "Fee system"),
        title: text("Maksun määrääminen", "Fastställande av avgiften", "Setting the fee"),
        purpose_text: text(
            "Kaupunki määrää varhaiskasvatuksen maksun paikan ja perheen koon mukaan.",
            "Staden fastställer avgiften enligt platsen och familjens storlek.",
            "The city sets the fee by the place and the size of the family.",
        ),
        purpose: "https://w3id.org/dpv#ServiceProvision".into(),
        legal_basis: "A6-1-c".into(),
        law: LegalReference {
            name: text("Laki 1503/2016, 5 §", "Lag 1503/2016, 5 §", "Act 1503/2016, section 5"),
            address: "http://data.finlex.fi/eli/sd/2016/1503/alkup".into(),
        },
        datasets: vec!["placements".parse().unwrap()],
        retention: "P6Y".parse().unwrap(),
        recipients: vec![text("Kela", "FPA", "Social Insurance Institution")],
        may_object: false,
        controller: controller(),
        correction: Some("https://espoo.example/maksut".into()),
        roles: std::collections::BTreeMap::new(),
        reports: true,
    };
    let planning = Processing {
        id: "place-planning".parse().unwrap(),
        legal_basis: "A6-1-e".into(),
        may_object: true,
        correction: None,
        recipients: Vec::new(),
        reports: false,
        title: text("Paikkojen suunnittelu", "Planering av platser", "Planning of places"),
        ..fees.clone()
    };
    vec![fees, planning]
}

/// One sample page: its name, view and frame.
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) view: Box<dyn View>,
    pub(crate) chrome: Chrome,
}

pub(crate) fn sample(
    name: impl Into<String>,
    path: &str,
    signed_in: bool,
    view: impl View + 'static,
) -> Sample {
    Sample { name: name.into(), view: Box::new(view), chrome: chrome(path, signed_in) }
}

/// Every page, in every state that changes its content.
pub(crate) fn all() -> Vec<Sample> {
    let onward = Some("https://login.example/end?client_id=espoo".parse().unwrap());
    let mut samples = vec![
        sample("logged-out", "/", false, LoggedOutView { onward: None }),
        sample("logged-out-onward", "/", false, LoggedOutView { onward }),
    ];
    for error in PageError::ALL {
        let ended = error == PageError::SessionEnded;
        for choices_kept in [false, true].into_iter().take(if ended { 2 } else { 1 }) {
            let view = ErrorView {
                error,
                retry: Some("/me".into()),
                log_in: ended.then(|| "/login?return_to=%2Fconsent%2F1".into()),
                choices_kept,
                permission: (error == PageError::StopUnknown).then(|| "/me/sharing/1".into()),
                add_passkey: (error == PageError::PasskeyNeeded).then(|| passkey_href("/consent/1")),
                trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736".into()),
            };
            let name = format!("error-{}-{error:?}-{choices_kept}", error.status());
            samples.push(sample(name, "/", false, view));
        }
    }
    samples.extend(permissions::samples::all());
    samples.extend(holdings::samples::all());
    samples.extend(denials::samples::all());
    samples.extend(own_uses::samples::all());
    samples.extend(decision::samples::all());
    samples.extend(passkeys::samples::all());
    samples.extend(public::samples::all());
    samples.extend(partners::samples::all());
    samples.extend(receipts::samples::all());
    samples
}
