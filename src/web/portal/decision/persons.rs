//! The choice of persons and records on the decision page.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::domain::catalogue::{Dataset, Field, FieldType, Language, Record};
use crate::domain::consent::document::{ShownPerson, ShownRecord};
use crate::domain::ids::{FieldName, FieldPath, PairwisePerson, PairwiseRecord};
use crate::domain::jose::{b64url, sha256};
use crate::node::holder::decision::choose_persons::{
    ChosenPerson, OfferedPerson, OfferedPersons, choose, offered_persons, only,
};
use crate::node::holder::decision::view_consent_request::Offer;
use crate::node::resident::own_records::OwnRecords;
use crate::node::{Problem, ProblemKind};
use crate::web::html::format::day;
use crate::web::html::texts::texts;
use crate::web::portal::page::ResidentPage;

/// A record that can be chosen.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RecordOption {
    pub(crate) id: PairwiseRecord,
    pub(crate) label: String,
}

/// A person who can be chosen.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PersonOption {
    pub(crate) id: PairwisePerson,
    pub(crate) name: String,
    /// Whether all of the person's records can be chosen at once.
    pub(crate) whole: bool,
    pub(crate) records: Vec<RecordOption>,
}

/// The persons and records of an offer, as the page names them.
#[derive(Debug, Clone, Default)]
pub(crate) struct PersonsChoice {
    pub(crate) options: Vec<PersonOption>,
    offered: Option<OfferedPersons>,
}

impl PersonsChoice {
    /// The choice of an offer by the resident's own records; none where the register has them later.
    ///
    /// # Errors
    /// [`Problem`] when a record does not say whom it is about, or the service asks for some that cannot be looked up yet.
    pub(crate) fn of_own(page: &ResidentPage, offer: &Offer, own: &OwnRecords) -> Result<Self, Problem> {
        match own {
            _ if !offer.dataset.narrowing.is_possible() => Ok(Self::default()),
            OwnRecords::Records { records, .. } => {
                let offered = offered_persons(&page.app.node, offer, records)?;
                Ok(Self::new(page, offer, records, offered))
            }
            OwnRecords::Later(_) if offer.request.terms.persons.is_some() => {
                Err(Problem::because(ProblemKind::RegisterUnavailable, "the register answers later"))
            }
            OwnRecords::Later(_) => Ok(Self::default()),
        }
    }

    /// Names them in the page's language.
    fn new(page: &ResidentPage, offer: &Offer, records: &[Record], offered: OfferedPersons) -> Self {
        let (language, own_name) = (page.language, page.resident.display_name.as_deref());
        let t = texts(language);
        let name = |(at, person): (usize, &OfferedPerson)| match &person.name {
            Some(name) => name.clone(),
            None if !offer.dataset.narrowing.persons => {
                own_name.map_or_else(|| t.consent_person_you().to_string(), str::to_owned)
            }
            None => t.consent_person(at.saturating_add(1)).to_string(),
        };
        let label = |(at, (_, place)): (usize, &(PairwiseRecord, usize))| {
            let label = records.get(*place).and_then(|record| label(offer, record, language));
            label.unwrap_or_else(|| t.consent_record(at.saturating_add(1)).to_string())
        };
        let options = |person: &OfferedPerson| {
            let ids = person.records.iter().map(|(id, _)| *id);
            let labels = told_apart(person.records.iter().enumerate().map(label).collect());
            ids.zip(labels).map(|(id, label)| RecordOption { id, label }).collect()
        };
        let persons = offered.persons();
        let names = told_apart(persons.iter().enumerate().map(name).collect());
        let options = persons
            .iter()
            .zip(names)
            .map(|(person, name)| PersonOption {
                id: person.id,
                name,
                whole: person.whole,
                records: options(person),
            })
            .collect();
        Self { options, offered: Some(offered) }
    }

    /// A hash of the persons and records as shown: what was chosen is of these, under these names. `None` where the page
    /// shows none.
    pub(crate) fn digest(&self) -> Result<Option<String>, Problem> {
        if self.offered.is_none() {
            return Ok(None);
        }
        let shown = serde_json::to_vec(&(self.is_needed(), &self.options))?;
        Ok(Some(b64url(&sha256(&shown))))
    }

    /// Whether the permission would cover some persons, chosen or the only ones; else it covers everybody.
    pub(crate) const fn names_somebody(&self) -> bool {
        !matches!(self.offered, None | Some(OfferedPersons::Everybody))
    }

    /// Whether the resident has to choose.
    pub(crate) const fn is_needed(&self) -> bool {
        matches!(self.offered, Some(OfferedPersons::Several(_)))
    }

    /// Whether the service asks for what the city does not have about the resident.
    pub(crate) const fn is_not_held(&self) -> bool {
        matches!(self.offered, Some(OfferedPersons::NotHeld))
    }

    /// Whether this is the first choice of all, to which the error leads.
    pub(crate) fn is_first(&self, person: &PersonOption) -> bool {
        person.whole && self.options.first().is_some_and(|first| first.id == person.id)
    }

    /// The same of a record, where the person cannot be chosen as a whole.
    pub(crate) fn is_first_record(&self, person: &PersonOption, record: &RecordOption) -> bool {
        let is_first = |of: &PersonOption| {
            !of.whole && of.id == person.id && of.records.first().is_some_and(|first| first.id == record.id)
        };
        self.options.first().is_some_and(is_first)
    }

    /// The identifier of a choice in the page.
    pub(crate) fn person_id(&self, person: &PersonOption) -> String {
        if self.is_first(person) { "persons".to_owned() } else { format!("person-{}", person.id) }
    }

    /// The same of a record.
    pub(crate) fn record_id(&self, person: &PersonOption, record: &RecordOption) -> String {
        if self.is_first_record(person, record) {
            "persons".to_owned()
        } else {
            format!("record-{}", record.id)
        }
    }

    /// Whether somebody was chosen both whole and by single records: which of the two is meant cannot be told.
    pub(crate) fn is_contradictory(
        &self,
        persons: &BTreeSet<PairwisePerson>,
        records: &BTreeSet<PairwiseRecord>,
    ) -> bool {
        let both = |person: &PersonOption| {
            persons.contains(&person.id) && person.records.iter().any(|record| records.contains(&record.id))
        };
        self.options.iter().any(both)
    }

    /// What was chosen; `None` when the permission is not narrowed, empty when nothing was chosen and has to be.
    ///
    /// # Errors
    /// [`Problem`] `changed` when something that is not offered was chosen.
    pub(crate) fn chosen(
        &self,
        persons: &BTreeSet<PairwisePerson>,
        records: &BTreeSet<PairwiseRecord>,
    ) -> Result<Option<Vec<ShownPerson>>, Problem> {
        let chosen = match &self.offered {
            None | Some(OfferedPersons::Everybody) => return Ok(None),
            Some(OfferedPersons::NotHeld) => Vec::new(),
            Some(OfferedPersons::One(person)) => vec![only(person)],
            Some(OfferedPersons::Several(offered)) => choose(offered, persons, records)?,
        };
        Ok(Some(chosen.iter().filter_map(|chosen| self.shown(chosen)).collect()))
    }

    fn shown(&self, chosen: &ChosenPerson<'_>) -> Option<ShownPerson> {
        let option = self.options.iter().find(|option| option.id == chosen.person.id)?;
        let label = |id: &PairwiseRecord| {
            let known = option.records.iter().find(|record| record.id == *id);
            known.map(|record| record.label.clone()).unwrap_or_default()
        };
        let records = chosen
            .records
            .as_ref()
            .map(|records| records.iter().map(|(id, _)| ShownRecord { id: *id, label: label(id) }).collect());
        Some(ShownPerson { id: option.id, name: option.name.clone(), records })
    }
}

/// Texts of which several are the same, numbered: what is chosen is told apart by them.
fn told_apart(texts: Vec<String>) -> Vec<String> {
    let numbered = |(at, text): (usize, &String)| {
        let same = |texts: &[String]| texts.iter().filter(|other| *other == text).count();
        let before = texts.get(..at).map(same).unwrap_or_default();
        if same(&texts) > 1 { format!("{text} ({})", before.saturating_add(1)) } else { text.clone() }
    };
    texts.iter().enumerate().map(numbered).collect()
}

/// A record by its first plain text and its period.
fn label(offer: &Offer, record: &Record, language: Language) -> Option<String> {
    let period = period(&offer.dataset, record, language);
    let is_plain = |field: &&Field| {
        let path = FieldPath::from(&field.name);
        field.kind == FieldType::String
            && field.codes.is_empty()
            && offer.request.terms.fields.contains(&path)
    };
    let text = |field: &Field| record.values.get(&field.name)?.as_str().filter(|text| !text.is_empty());
    let is_name = |text: &&str| record.names.person_name.as_deref() == Some(*text);
    let mut fields = offer.dataset.fields.iter().filter(is_plain).filter_map(text);
    let text = fields.find(|text| !is_name(text)).map(str::to_owned);
    match (text, period) {
        (Some(text), Some(period)) => Some(format!("{text}, {period}")),
        (text, period) => text.or(period),
    }
}

fn period(dataset: &Dataset, record: &Record, language: Language) -> Option<String> {
    let fields = dataset.period.as_ref()?;
    let written = |name: &FieldName| {
        let text = record.values.get(name)?.as_str()?;
        text.parse().ok().map(|found| day(found, language))
    };
    let start = written(&fields.start)?;
    let end = fields.end.as_ref().and_then(written).unwrap_or_default();
    Some(format!("{start} – {end}").trim_end().to_owned())
}

#[cfg(test)]
impl PersonsChoice {
    /// Two children, of whom the second has two records, made up for a page.
    pub(crate) fn sample() -> Self {
        let record = |number: u8| PairwiseRecord::from_bytes([number; 16]);
        let offered = |number: u8, records: Vec<(PairwiseRecord, usize)>| OfferedPerson {
            id: PairwisePerson::from_bytes([number; 16]),
            name: None,
            whole: true,
            records,
        };
        let option = |number: u8, name: &str, records: &[u8]| PersonOption {
            id: PairwisePerson::from_bytes([number; 16]),
            name: name.to_owned(),
            whole: true,
            records: records
                .iter()
                .map(|number| RecordOption {
                    id: record(*number),
                    label: "Päiväkoti Satukallio, 1.8.2025 – 31.7.2027".to_owned(),
                })
                .collect(),
        };
        Self {
            options: vec![option(1, "Elmeri", &[11]), option(2, "Venla", &[21, 22])],
            offered: Some(OfferedPersons::Several(vec![
                offered(1, vec![(record(11), 0)]),
                offered(2, vec![(record(21), 1), (record(22), 2)]),
            ])),
        }
    }

    pub(crate) fn sample_of_one() -> Self {
        let Self { mut options, offered } = Self::sample();
        options.truncate(1);
        let first = offered.and_then(|offered| offered.persons().first().cloned());
        Self { options, offered: first.map(OfferedPersons::One) }
    }

    /// The one record that the service asks for.
    pub(crate) fn sample_of_records() -> Self {
        let mut sample = Self::sample_of_one();
        sample.options.iter_mut().for_each(|person| person.whole = false);
        sample
    }

    pub(crate) fn sample_not_held() -> Self {
        Self { options: Vec::new(), offered: Some(OfferedPersons::NotHeld) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(persons: &[u8], records: &[u8]) -> Result<Vec<ShownPerson>, Problem> {
        let persons = persons.iter().map(|number| PairwisePerson::from_bytes([*number; 16])).collect();
        let records = records.iter().map(|number| PairwiseRecord::from_bytes([*number; 16])).collect();
        PersonsChoice::sample().chosen(&persons, &records).map(Option::unwrap_or_default)
    }

    #[test]
    fn a_guardian_gives_one_child_whole_and_one_record_of_the_other() {
        let both = chosen(&[1], &[22]).unwrap();
        assert_eq!(both.iter().map(|person| person.name.as_str()).collect::<Vec<_>>(), ["Elmeri", "Venla"]);
        assert!(both[0].records.is_none());
        let venla = both[1].records.as_ref().unwrap();
        assert_eq!(venla.len(), 1);
        assert_eq!(venla[0].id, PairwiseRecord::from_bytes([22; 16]));
        assert!(chosen(&[], &[]).unwrap().is_empty(), "nothing is preselected");
    }

    #[test]
    fn children_of_one_name_are_told_apart() {
        let names = ["Onni", "Lumi", "Onni"].map(str::to_owned).to_vec();
        assert_eq!(told_apart(names), ["Onni (1)", "Lumi", "Onni (2)"]);
    }

    #[test]
    fn what_was_shown_under_another_name_or_with_other_records_is_something_else() {
        let shown = PersonsChoice::sample();
        let digest = shown.digest().unwrap();
        assert_eq!(PersonsChoice::sample().digest().unwrap(), digest);
        let (mut renamed, mut fewer) = (PersonsChoice::sample(), PersonsChoice::sample());
        renamed.options[1].name = "Onni".to_owned();
        fewer.options[1].records.pop();
        for other in [renamed, fewer, PersonsChoice::sample_of_one(), PersonsChoice::default()] {
            assert_ne!(other.digest().unwrap(), digest);
        }
    }

    #[test]
    fn everything_and_only_something_of_one_child_contradict_each_other() {
        let is_contradictory = |person: u8, record: u8| {
            let persons = [PairwisePerson::from_bytes([person; 16])].into();
            PersonsChoice::sample()
                .is_contradictory(&persons, &[PairwiseRecord::from_bytes([record; 16])].into())
        };
        assert!(is_contradictory(2, 21) && !is_contradictory(1, 21));
    }

    #[test]
    fn what_is_not_offered_cannot_be_chosen() {
        for (persons, records) in [(&[3][..], &[][..]), (&[1], &[31]), (&[], &[1])] {
            assert!(chosen(persons, records).is_err(), "{persons:?} {records:?}");
        }
    }
}
