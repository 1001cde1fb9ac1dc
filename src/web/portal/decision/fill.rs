//! Fills the decision page from an offer.

use super::form::{DecisionInput, FieldError, once_until};
use super::persons::PersonsChoice;
use super::view::{
    ConsentLimits, ConsentRecord, ConsentView, Instead, OptionalField, OptionalGroup, PasskeyNeed,
    RequiredField,
};
use crate::domain::catalogue::{Dataset, Field, FieldTree, Leaf, Record};
use crate::domain::clock::{RetentionPeriod, duration_days, last_day};
use crate::domain::consent::terms::Terms;
use crate::domain::consent::{GrantAction, Origin};
use crate::domain::ids::FieldPath;
use crate::node::holder::decision::view_consent_request::{Offer, Replaced};
use crate::node::resident::own_records::OwnRecords;
use crate::web::App;
use crate::web::portal::party::{asker, field_label, record_title};
use crate::web::portal::reach::reach;

/// The content of the decision page.
pub(super) struct Shown<'a> {
    pub(super) offer: &'a Offer,
    /// The resident's own values.
    pub(super) own: OwnRecords,
    /// The persons and records to choose from.
    pub(super) persons: PersonsChoice,
    /// Their hash.
    pub(super) shown_persons: Option<String>,
    /// The permission that the new one would replace or extend.
    pub(super) replaced: Option<&'a Replaced>,
    pub(super) passkey: PasskeyNeed,
    pub(super) input: DecisionInput,
    pub(super) errors: Vec<FieldError>,
}

pub(super) fn view_of(app: &App, shown: Shown<'_>) -> ConsentView {
    let Shown { offer, own, persons, shown_persons, replaced, passkey, input, errors } = shown;
    let (records, withheld, available_from) = match own {
        OwnRecords::Records { records, withheld } => (records, withheld, None),
        OwnRecords::Later(from) => (Vec::new(), Vec::new(), Some(from)),
    };
    let (request, dataset) = (&offer.request, &offer.dataset);
    let (declared, terms) = (&request.declared_use, &request.terms);
    let (required, optional): (Vec<&FieldPath>, Vec<&FieldPath>) =
        terms.fields.iter().partition(|path| declared.required_fields.contains(path));
    let title = |record: &Record| record_title(record.names.person_name.as_deref(), &record.values);
    let mut on_behalf_of: Vec<String> = records.iter().filter_map(title).collect();
    on_behalf_of.sort();
    on_behalf_of.dedup();
    ConsentView {
        request: request.id,
        asker: asker(request),
        asker_address: terms.recipient.to_string(),
        instead: replaced.map(|old| instead(old, offer)),
        holder: app.node.settings.name.clone(),
        dataset: dataset.title.clone(),
        register: dataset.register.clone(),
        purpose: declared.purpose_text.clone(),
        required: required_fields(dataset, &FieldTree::of(required)),
        optional: optional_groups(dataset, &optional),
        not_asked: dataset
            .leaves()
            .iter()
            .filter(|leaf| !terms.fields.contains(&leaf.path))
            .map(Leaf::label)
            .collect(),
        records: records
            .into_iter()
            .map(|record| ConsentRecord { title: title(&record), values: record.values })
            .collect(),
        withheld: withheld.iter().map(|name| field_label(Some(dataset), name)).collect(),
        available_from,
        narrows: dataset.narrowing.is_possible(),
        persons,
        shown_persons,
        limits: ConsentLimits {
            once_until: once_until(offer),
            earliest_until: last_day(app.node.now(), 0),
            latest_until: terms.until,
            max_times: terms.max_exchanges,
        },
        per: terms.per.clone().map(String::from),
        reach: reach(terms),
        reach_choice: dataset.period.is_some(),
        retention: terms.retention.to_string(),
        shorter_retentions: shorter_retentions(&terms.retention),
        onward: Vec::new(),
        legal_basis: declared.legal_basis.clone(),
        controller: declared.controller.clone(),
        data_protection_officer: declared.data_protection_officer.clone(),
        otherwise: declared.otherwise.clone(),
        can_refuse_for_good: request.origin == Origin::Pushed,
        on_behalf_of,
        expires_at: request.expires_at,
        offer_hash: offer.hash.clone(),
        passkey,
        input,
        errors,
    }
}

fn required_fields(dataset: &Dataset, required: &FieldTree) -> Vec<RequiredField> {
    let field = |field: &Field| {
        let within = required.get(field.name.as_str())?.clone();
        Some(RequiredField { field: field.clone(), within })
    };
    dataset.fields.iter().filter_map(field).collect()
}

fn optional_groups(dataset: &Dataset, optional: &[&FieldPath]) -> Vec<OptionalGroup> {
    let mut groups = Vec::new();
    for field in &dataset.fields {
        let path = FieldPath::from(&field.name);
        let leaves = dataset.leaves().into_iter();
        let fields: Vec<OptionalField> = leaves
            .filter(|leaf| leaf.path.is_within(&path) && optional.contains(&&leaf.path))
            .map(|leaf| OptionalField {
                label: leaf.label_within_group(),
                sensitive: leaf.is_sensitive(),
                field: leaf.field.clone(),
                path: leaf.path,
            })
            .collect();
        if !fields.is_empty() {
            groups.push(OptionalGroup { label: field.is_structured().then(|| field.label.clone()), fields });
        }
    }
    groups
}

/// The difference from the present permission.
fn instead(replaced: &Replaced, offer: &Offer) -> Instead {
    let old = &replaced.consent;
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
        persons: replaced.persons.clone(),
        until: before.until,
        new_until: after.until,
        times: (before.max_exchanges, before.per.clone().map(String::from)),
        new_times: (after.max_exchanges, after.per.clone().map(String::from)),
    }
}

/// Shorter retention times that the resident can choose.
fn shorter_retentions(offered: &RetentionPeriod) -> Vec<String> {
    const CHOICES: [&str; 6] = ["P1Y", "P6M", "P3M", "P1M", "P7D", "P1D"];
    let shorter = |choice: &&str| duration_days(choice).is_some_and(|choice| choice < offered.days());
    CHOICES.into_iter().filter(shorter).map(str::to_owned).collect()
}
