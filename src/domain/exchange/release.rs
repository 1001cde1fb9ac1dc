//! The release decision: the fields and records of an exchange are never more than the consent covers.

use serde_json::{Map, Value};

use crate::domain::catalogue::{Dataset, FieldTree, PeriodFields, Record};
use crate::domain::clock::{Day, Timestamp};
use crate::domain::consent::{About, CoveredPerson, Period, Persons, ReleasedPerson};
use crate::domain::ids::{
    DatasetId, FieldName, FieldPath, NationalIdentifier, PairwisePerson, PairwiseRecord,
};
use crate::domain::token::{Refusal, RefusalReason, VerifiedConsent};

/// What one exchange may release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReleaseScope {
    fields: Vec<FieldPath>,
    /// The persons and records that the request is narrowed to, if it is.
    persons: Option<Vec<PairwisePerson>>,
    records: Option<Vec<PairwiseRecord>>,
}

impl ReleaseScope {
    /// Checks a request against the verified consent (step 7 of an exchange).
    ///
    /// `query` is the request's raw query, decoded into pairs. Only `fields`, `persons` and `records`, comma-separated
    /// lists, are supported; anything else could be meant to reach another person's data and is refused.
    ///
    /// # Errors
    /// [`Refusal`] `insufficient_scope`.
    pub(crate) fn decide(
        consent: &VerifiedConsent,
        dataset: &Dataset,
        method: &str,
        query: &[(String, String)],
    ) -> Result<Self, Refusal> {
        let terms = &consent.consent().terms;
        if method != "GET" {
            return Err(Refusal::scope(RefusalReason::MethodNotRead));
        }
        if terms.dataset != dataset.id {
            return Err(Refusal::scope(RefusalReason::DatasetOther));
        }
        // A field that the city has since removed from the dataset is not released, whatever the consent covers.
        if terms.fields.iter().any(|field| dataset.leaf(field).is_none()) {
            return Err(Refusal::scope(RefusalReason::FieldWithdrawn));
        }
        let narrowing = dataset.narrowing;
        let lost =
            |persons: &Persons| !narrowing.is_possible() || (!narrowing.records && persons.names_records());
        if terms.persons.as_ref().is_some_and(lost) {
            return Err(Refusal::unavailable(RefusalReason::DatasetLostItsPersons));
        }
        let (mut fields, mut persons, mut records) = (None, None, None);
        for (name, list) in query {
            match name.as_str() {
                "fields" if fields.is_none() => fields = Some(narrow(&terms.fields, list)?),
                "persons" if persons.is_none() && narrowing.is_possible() => persons = Some(ids(list)?),
                "records" if records.is_none() && narrowing.records => records = Some(ids(list)?),
                _ => return Err(Refusal::scope(RefusalReason::ParameterUnknown)),
            }
        }
        let scope = Self { fields: fields.unwrap_or_else(|| terms.fields.clone()), persons, records };
        scope.check_persons(terms.persons.as_ref())?;
        Ok(scope)
    }

    /// Whether the persons and records asked for are within the consent, as far as it names them.
    fn check_persons(&self, consented: Option<&Persons>) -> Result<(), Refusal> {
        let Some(consented) = consented else { return Ok(()) };
        if self.persons.iter().flatten().any(|person| consented.of(*person).is_none()) {
            return Err(Refusal::scope(RefusalReason::PersonNotConsented));
        }
        let may_be_covered = |record| {
            let covers = |person: &CoveredPerson| {
                person.records.as_ref().is_none_or(|records| records.contains(record))
            };
            consented.0.iter().any(covers)
        };
        if self.records.iter().flatten().all(may_be_covered) {
            Ok(())
        } else {
            Err(Refusal::scope(RefusalReason::RecordNotConsented))
        }
    }

    fn admits(&self, about: &About) -> bool {
        let person = self.persons.as_ref().is_none_or(|persons| persons.contains(&about.person));
        let record = |records: &Vec<_>| about.record.is_some_and(|record| records.contains(&record));
        person && self.records.as_ref().is_none_or(record)
    }

    /// Refuses what is neither named in the consent nor among the records that it covers. An identifier that means
    /// nothing here and one that means somebody else's record are the same.
    fn check_known(&self, consented: Option<&Persons>, covered: &[About]) -> Result<(), Refusal> {
        let known_person = |person: &PairwisePerson| {
            consented.is_some_and(|consented| consented.of(*person).is_some())
                || covered.iter().any(|about| about.person == *person)
        };
        let known_record = |record: &PairwiseRecord| {
            let named = consented.into_iter().flat_map(|consented| &consented.0);
            named.filter_map(|person| person.records.as_ref()).any(|records| records.contains(record))
                || covered.iter().any(|about| about.record == Some(*record))
        };
        if !self.persons.iter().flatten().all(known_person) {
            return Err(Refusal::scope(RefusalReason::PersonNotConsented));
        }
        if !self.records.iter().flatten().all(known_record) {
            return Err(Refusal::scope(RefusalReason::RecordNotConsented));
        }
        Ok(())
    }

    /// The fields, in the dataset's order.
    #[must_use]
    pub(crate) fn fields(&self) -> &[FieldPath] {
        &self.fields
    }
}

fn narrow(consented: &[FieldPath], list: &str) -> Result<Vec<FieldPath>, Refusal> {
    let mut wanted = Vec::new();
    for part in list.split(',') {
        let field: FieldPath = part.parse().map_err(|_| Refusal::scope(RefusalReason::FieldMalformed))?;
        if !consented.contains(&field) {
            return Err(Refusal::scope(RefusalReason::FieldNotConsented));
        }
        if wanted.contains(&field) {
            return Err(Refusal::scope(RefusalReason::FieldTwice));
        }
        wanted.push(field);
    }
    Ok(consented.iter().filter(|field| wanted.contains(field)).cloned().collect())
}

/// A comma-separated list of identifiers, each once.
fn ids<T: std::str::FromStr + PartialEq>(list: &str) -> Result<Vec<T>, Refusal> {
    let mut ids = Vec::new();
    for part in list.split(',') {
        let id = part.parse().map_err(|_| Refusal::scope(RefusalReason::PersonMalformed))?;
        if ids.contains(&id) {
            return Err(Refusal::scope(RefusalReason::PersonMalformed));
        }
        ids.push(id);
    }
    Ok(ids)
}

/// The records to release: only the subject's, of the consented persons, only consented fields, only the consented
/// period.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Release {
    body: Vec<u8>,
    fields: Vec<FieldPath>,
    records: usize,
    persons: Vec<ReleasedPerson>,
    available_from: Option<Timestamp>,
}

impl std::fmt::Debug for Release {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Release({} records, {} bytes)", self.records, self.body.len())
    }
}

impl Release {
    /// Minimises the register's records (step 8 of an exchange). `about` names whom a record is about for the recipient.
    ///
    /// # Errors
    /// [`Refusal`] 503 when a record is not the subject's or does not match the dataset: a register that returns
    /// somebody else's data is not trusted for the rest of its answer either.
    pub(crate) fn minimise(
        consent: &VerifiedConsent,
        scope: &ReleaseScope,
        dataset: &Dataset,
        subject: &NationalIdentifier,
        records: Vec<Record>,
        about: impl Fn(&Record) -> Option<About>,
    ) -> Result<Self, Refusal> {
        let permitted = FieldTree::of(&scope.fields);
        let terms = &consent.consent().terms;
        let (mut covered, mut released_about) = (Vec::new(), Vec::new());
        let mut released = Vec::with_capacity(records.len());
        let mut available_from = None;
        for mut record in records {
            if &record.subject != subject {
                return Err(Refusal::unavailable(RefusalReason::RegisterAnsweredForAnother));
            }
            let about = match about(&record) {
                Some(about) if dataset.narrowing.is_possible() => Some(about),
                None if !dataset.narrowing.is_possible() => None,
                // What is not known to be covered may be what the resident has left out.
                _ => return Err(Refusal::unavailable(RefusalReason::RegisterPersonMissing)),
            };
            if let Some(about) = about {
                if terms.persons.as_ref().is_some_and(|persons| !persons.covers(&about)) {
                    continue;
                }
                covered.push(about);
                if !scope.admits(&about) {
                    continue;
                }
            }
            if !in_period(&record, terms.period, dataset.period.as_ref())? {
                continue;
            }
            released_about.extend(about);
            available_from = available_from.max(record.marks.available_from);
            let withheld =
                withheld(&record, dataset).ok_or(Refusal::unavailable(RefusalReason::RegisterMarkMissing))?;
            let open = FieldTree::of(scope.fields.iter().filter(|path| !is_withheld(path, withheld)));
            let values = reduced(&mut record, &permitted, &open)
                .ok_or(Refusal::unavailable(RefusalReason::RegisterShapeOther))?;
            released.push(Value::Object(values));
        }
        scope.check_known(terms.persons.as_ref(), &covered)?;
        let records = released.len();
        let persons = terms.persons.as_ref().map(|persons| persons.released(&released_about));
        let body = ExchangeBody { dataset: dataset.id.clone(), records: released, about: released_about };
        let body =
            serde_json::to_vec(&body).map_err(|_| Refusal::unavailable(RefusalReason::AnswerNotJson))?;
        Ok(Self {
            body,
            fields: scope.fields.clone(),
            records,
            persons: persons.unwrap_or_default(),
            available_from,
        })
    }

    /// From when on the register has all of it, if it names a moment.
    #[must_use]
    pub(crate) const fn available_from(&self) -> Option<Timestamp> {
        self.available_from
    }

    /// The response body, JSON.
    #[must_use]
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// The fields in it.
    #[must_use]
    pub(crate) fn fields(&self) -> &[FieldPath] {
        &self.fields
    }

    /// Whose records are in it, where the consent names persons.
    #[must_use]
    pub(crate) fn persons(&self) -> &[ReleasedPerson] {
        &self.persons
    }

    /// The number of records in it.
    #[must_use]
    pub(crate) const fn records(&self) -> usize {
        self.records
    }

    #[must_use]
    pub(crate) fn into_body(self) -> Vec<u8> {
        self.body
    }
}

/// The fields that a non-disclosure order keeps back, whatever the consent says, each with all that is within; `None`
/// where the register does not say whether there is one.
#[must_use]
pub(crate) fn withheld<'a>(record: &Record, dataset: &'a Dataset) -> Option<&'a [FieldPath]> {
    if dataset.protected_fields.is_empty() {
        return Some(&[]);
    }
    record.marks.non_disclosure.map(|order| if order { dataset.protected_fields.as_slice() } else { &[] })
}

/// Whether a field is one of these, or within one.
#[must_use]
pub(crate) fn is_withheld(path: &FieldPath, withheld: &[FieldPath]) -> bool {
    withheld.iter().any(|wider| path.is_within(wider))
}

/// Empties what is withheld in a record, and returns which of the fields that were read it is.
pub(crate) fn keep_back(record: &mut Record, read: &[FieldPath], withheld: &[FieldPath]) -> Vec<FieldPath> {
    let (kept, open): (Vec<&FieldPath>, Vec<&FieldPath>) =
        read.iter().partition(|path| is_withheld(path, withheld));
    if !kept.is_empty() {
        let open = FieldTree::of(open);
        for (name, value) in &mut record.values {
            let whole = std::mem::take(value);
            *value = open.get(name.as_str()).and_then(|open| open.reduce(whole)).unwrap_or_default();
        }
    }
    kept.into_iter().cloned().collect()
}

/// The permitted values of a record, at every level; `None` if a value has another shape than the dataset. What is
/// permitted and not `open` is as an empty value: the recipient cannot tell that there is an order.
fn reduced(record: &mut Record, permitted: &FieldTree, open: &FieldTree) -> Option<Map<String, Value>> {
    let member = |(name, within): (&str, &FieldTree)| {
        let field: FieldName = name.parse().ok()?;
        let value = record.values.remove(&field).unwrap_or(Value::Null);
        let value = open.get(name).map_or(Some(Value::Null), |open| open.reduce(value))?;
        Some((name.to_owned(), within.reduce(value)?))
    };
    permitted.iter().map(member).collect()
}

/// Whether a record is in the period that the consent is limited to.
fn in_period(
    record: &Record,
    period: Option<Period>,
    dated_by: Option<&PeriodFields>,
) -> Result<bool, Refusal> {
    let Some(period) = period else { return Ok(true) };
    let Some(PeriodFields { start, end }) = dated_by else {
        return Err(Refusal::unavailable(RefusalReason::DatasetLostItsPeriod));
    };
    // A record without dates could be on either side of the limit.
    let Some(start) = day(record, start)? else {
        return Err(Refusal::unavailable(RefusalReason::RegisterDateMissing));
    };
    let end = end.as_ref().map_or(Ok(None), |field| day(record, field))?;
    Ok(period.touches(Some(start), end))
}

fn day(record: &Record, field: &FieldName) -> Result<Option<Day>, Refusal> {
    match record.values.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            text.parse().map(Some).map_err(|_| Refusal::unavailable(RefusalReason::RegisterDateMalformed))
        }
        Some(_) => Err(Refusal::unavailable(RefusalReason::RegisterDateMalformed)),
    }
}

/// The body of an exchange's response.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExchangeBody {
    pub(crate) dataset: DatasetId,
    /// The records, each an object of the released fields: of these alone at every level.
    pub(crate) records: Vec<Value>,
    /// Whom each record is about and which one it is, where the dataset's records name that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) about: Vec<About>,
}

/// Maximum number of values in a response that a recipient reads. In memory a value takes up to fifty times its bytes
/// (`{}`), so a limit on bytes alone is not enough.
const MOST_VALUES: usize = 500_000;

impl ExchangeBody {
    /// Parses a response within memory limits; `None` if it is malformed or has too many values.
    #[must_use]
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        // Every value but the outermost follows one of these; those inside texts are counted too.
        let values = bytes.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count();
        if values > MOST_VALUES { None } else { serde_json::from_slice(bytes).ok() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::domain::catalogue::{Marks, RecordNames};

    #[test]
    fn an_answer_of_nothing_but_brackets_is_not_read() {
        let body = |records: &str| format!("{{\"dataset\":\"placements\",\"records\":[{records}]}}");
        let good = ExchangeBody::parse(body("{\"unit\":\"Satakieli\"},{\"unit\":null}").as_bytes());
        assert_eq!(good.map(|body| body.records.len()), Some(2));
        for filler in ["{},", "[],", "null,"] {
            let many = filler.repeat(MOST_VALUES + 1);
            assert_eq!(ExchangeBody::parse(body(many.trim_end_matches(',')).as_bytes()), None, "{filler}");
        }
        let deep = format!("{}{}", "[".repeat(MOST_VALUES + 1), "]".repeat(MOST_VALUES + 1));
        assert_eq!(ExchangeBody::parse(body(&deep).as_bytes()), None);
        assert_eq!(ExchangeBody::parse(b"[]"), None);
    }

    fn record(start: Value) -> Record {
        let values = BTreeMap::from([("startDate".parse().unwrap(), start)]);
        Record {
            subject: NationalIdentifier::new("010190-900P").unwrap(),
            values,
            marks: Marks::default(),
            names: RecordNames::default(),
        }
    }

    #[test]
    fn what_an_order_protects_is_empty_at_every_level_and_nothing_else_is() {
        let paths =
            |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<FieldPath>>();
        let values = || {
            BTreeMap::from([
                ("unit".parse().unwrap(), json!({"name": "Satakieli", "address": "Tie 1"})),
                ("rows".parse().unwrap(), json!([{"street": "Tie 1", "number": 7}])),
                ("place".parse().unwrap(), json!({"city": "Espoo"})),
            ])
        };
        let record = |values| Record {
            subject: NationalIdentifier::new("010190-900P").unwrap(),
            values,
            marks: Marks { non_disclosure: Some(true), available_from: None },
            names: RecordNames::default(),
        };
        let asked = paths(&["unit.name", "unit.address", "rows.street", "rows.number", "place.city"]);
        // A part alone, and an object as a whole.
        let withheld = paths(&["unit.address", "rows.street", "place"]);
        let mut kept = record(values());
        assert_eq!(
            keep_back(&mut kept, &asked, &withheld),
            paths(&["unit.address", "rows.street", "place.city"])
        );
        assert!(!format!("{:?}", kept.values).contains("Tie 1"));
        let (permitted, is_open) = (FieldTree::of(&asked), |path: &&FieldPath| !is_withheld(path, &withheld));
        let open = FieldTree::of(asked.iter().filter(is_open));
        for mut record in [kept, record(values())] {
            let released = reduced(&mut record, &permitted, &open).unwrap();
            assert_eq!(
                Value::Object(released),
                json!({
                    "unit": {"name": "Satakieli", "address": null},
                    "rows": [{"street": null, "number": 7}],
                    "place": null,
                })
            );
        }
    }

    #[test]
    fn a_record_without_a_date_is_not_released_under_a_limited_permission() {
        let period = Period { from: "2026-01-01".parse().unwrap(), to: "2026-12-31".parse().unwrap() };
        let fields = PeriodFields { start: "startDate".parse().unwrap(), end: None };
        let decide = |start, period| {
            in_period(&record(start), period, Some(&fields)).map_err(|refusal| refusal.reason)
        };
        assert_eq!(decide(json!("2026-08-01"), Some(period)), Ok(true));
        assert_eq!(decide(json!(null), Some(period)), Err(RefusalReason::RegisterDateMissing));
        assert_eq!(decide(json!("soon"), Some(period)), Err(RefusalReason::RegisterDateMalformed));
        assert_eq!(decide(json!(null), None), Ok(true), "what is not limited needs no date");
        let undated = in_period(&record(json!(null)), Some(period), None).map_err(|refusal| refusal.reason);
        assert_eq!(undated, Err(RefusalReason::DatasetLostItsPeriod));
    }
}
