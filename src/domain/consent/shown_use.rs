//! Whether the declared use of a consent still covers what the resident was shown.

use super::request::ConsentRequest;
use super::state::Consent;
use super::terms::{Frequency, Terms, fits_until};
use crate::domain::catalogue::DeclaredUse;
use crate::domain::clock::Timestamp;
use crate::domain::ids::FieldPath;
use crate::domain::jose::{b64url, sha256};
use crate::domain::word_enum::word_enum;

word_enum! {
    /// The member of a declared use that no longer covers what the resident was shown.
    pub(crate) enum UseChange {
        Identifier = "id",
        /// Another service of the recipient.
        Service = "service",
        /// Another kind of data.
        DatasetType = "dataset_type",
        /// It asks other cities now, or its own city alone.
        InsideCity = "inside_city",
        /// A consented field may no longer be asked for.
        Fields = "fields",
        /// Another purpose (DPV term).
        Purpose = "purpose",
        /// Another purpose (the sentence that the resident read).
        PurposeText = "purpose_text",
        LegalBasis = "legal_basis",
        /// Another controller at the recipient (GDPR Article 4(7)).
        Controller = "controller",
        Frequency = "frequency",
        Retention = "retention",
        Duration = "max_days",
    }
}

/// Raise it with every change of [`ShownUse::change_in`]: then every consent is compared again.
const RULES: u8 = 1;

/// What is published of a declared use, as a word: consents compared with the same are in line still. `None` while its
/// recipient does not publish it or is not trusted.
#[must_use]
pub(crate) fn published_as(declared: Option<&DeclaredUse>) -> String {
    let digest =
        declared.and_then(|declared| serde_json::to_vec(declared).ok()).map(|json| b64url(&sha256(&json)));
    format!("{RULES}.{}", digest.as_deref().unwrap_or("-"))
}

/// The declared use as shown to a resident, with the moment of the decision.
#[derive(Debug, Clone)]
pub(crate) struct ShownUse {
    declared: DeclaredUse,
    decided_at: Timestamp,
}

impl ShownUse {
    /// From a consent's request.
    #[must_use]
    pub(crate) fn new(request: ConsentRequest, consent: &Consent) -> Self {
        Self::of_declared(request.declared_use, consent)
    }

    /// From the declared use in a consent's request.
    #[must_use]
    pub(crate) fn of_declared(declared: DeclaredUse, consent: &Consent) -> Self {
        Self { declared, decided_at: consent.decided_at }
    }

    /// The first difference by which the use as published now does not cover these fields of the terms as shown; `None`
    /// if it covers them. Contacts and names may change: titles, e-mail addresses, the data protection officer, what
    /// "no" means.
    #[must_use]
    pub(crate) fn change_in(
        &self,
        published: &DeclaredUse,
        terms: &Terms,
        fields: &[FieldPath],
    ) -> Option<UseChange> {
        let shown = &self.declared;
        let same = [
            (published.id == terms.declared_use, UseChange::Identifier),
            (published.service == shown.service, UseChange::Service),
            (published.dataset_type == shown.dataset_type, UseChange::DatasetType),
            (published.may_be_asked_of(&terms.holder), UseChange::InsideCity),
            (fields.iter().all(|field| published.allows_field(field)), UseChange::Fields),
            (published.purpose == terms.purpose, UseChange::Purpose),
            (published.purpose_text == shown.purpose_text, UseChange::PurposeText),
            (published.legal_basis == shown.legal_basis, UseChange::LegalBasis),
            (published.controller.name == shown.controller.name, UseChange::Controller),
            (terms.frequency().is_within(&Frequency::declared(published)), UseChange::Frequency),
            (terms.retention.is_within(&published.retention), UseChange::Retention),
            (fits_until(terms.until, self.decided_at, i64::from(published.max_days)), UseChange::Duration),
        ];
        same.into_iter().find(|(holds, _)| !holds).map(|(_, change)| change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalogue::Text;

    fn declared() -> DeclaredUse {
        let text = |text: &str| serde_json::json!({"fi": text, "sv": text, "en": text});
        let contact = |name: &str| serde_json::json!({"name": text(name), "email": "office@city.example"});
        serde_json::from_value(serde_json::json!({
            "id": "https://helsinki.example/catalogue/uses/daycare", "service": "daycare",
            "serviceName": text("Daycare"), "title": text("Daycare place"),
            "purposeText": text("To give a daycare place"), "purpose": "https://w3id.org/dpv#ServiceProvision",
            "legalBasis": "https://w3id.org/dpv/legal/eu/gdpr#A6-1-a", "datasetType": "early-education-placement",
            "requiredFields": ["unit"], "optionalFields": ["startDate"], "maxExchanges": 3, "maxDays": 90,
            "retention": "P1Y", "otherwise": text("Send it yourself"), "controller": contact("Education"),
            "dataProtectionOfficer": contact("Officer")
        }))
        .unwrap()
    }

    fn terms() -> Terms {
        serde_json::from_value(serde_json::json!({
            "holder": "https://espoo.example", "recipient": "https://helsinki.example",
            "declaredUse": "https://helsinki.example/catalogue/uses/daycare", "dataset": "placements",
            "fields": ["unit", "startDate"], "purpose": "https://w3id.org/dpv#ServiceProvision", "period": null,
            "maxExchanges": 3, "retention": "P1Y", "until": "2026-03-31"
        }))
        .unwrap()
    }

    fn change(edit: impl Fn(&mut DeclaredUse)) -> Option<UseChange> {
        let decided_at = "2026-01-05T08:00:00Z".parse().unwrap();
        let shown = ShownUse { declared: declared(), decided_at };
        let mut published = declared();
        edit(&mut published);
        shown.change_in(&published, &terms(), &terms().fields)
    }

    #[test]
    fn a_use_that_says_something_else_than_was_shown_covers_nothing() {
        let other = || Text { fi: "x".into(), sv: "x".into(), en: "x".into() };
        type Edit<'a> = &'a dyn Fn(&mut DeclaredUse);
        let edits: [(UseChange, Edit<'_>); 12] = [
            (UseChange::Identifier, &|it| {
                it.id = "https://helsinki.example/catalogue/uses/school".parse().unwrap();
            }),
            (UseChange::Service, &|it| it.service = "school".parse().unwrap()),
            (UseChange::DatasetType, &|it| it.dataset_type = "parking-permit".parse().unwrap()),
            (UseChange::InsideCity, &|it| it.inside_city = true),
            (UseChange::Fields, &|it| it.optional_fields.clear()),
            (UseChange::Purpose, &|it| it.purpose = "https://w3id.org/dpv#Marketing".to_owned()),
            (UseChange::PurposeText, &|it| it.purpose_text.sv = "Reklam".to_owned()),
            (UseChange::LegalBasis, &|it| it.legal_basis = "A6-1-e".to_owned()),
            (UseChange::Controller, &|it| it.controller.name = other()),
            (UseChange::Frequency, &|it| it.max_exchanges = 2),
            (UseChange::Retention, &|it| it.retention = "P11M".parse().unwrap()),
            (UseChange::Duration, &|it| it.max_days = 30),
        ];
        assert_eq!(edits.iter().map(|(expected, _)| *expected).collect::<Vec<_>>(), UseChange::ALL);
        for (expected, edit) in edits {
            assert_eq!(change(edit), Some(expected));
        }
    }

    #[test]
    fn a_use_that_offers_more_or_names_other_contacts_still_covers() {
        let other = || Text { fi: "x".into(), sv: "x".into(), en: "x".into() };
        assert_eq!(change(|_| {}), None);
        assert_eq!(change(|it| it.optional_fields.push("endDate".parse().unwrap())), None);
        assert_eq!(change(|it| (it.max_exchanges, it.max_days) = (5, 365)), None);
        assert_eq!(change(|it| it.retention = "P2Y".parse().unwrap()), None);
        assert_eq!(change(|it| it.service_name = other()), None);
        assert_eq!(change(|it| it.controller.email = "new@city.example".to_owned()), None);
        assert_eq!(change(|it| it.data_protection_officer.name = other()), None);
        assert_eq!(change(|it| it.otherwise = other()), None);
    }
}
