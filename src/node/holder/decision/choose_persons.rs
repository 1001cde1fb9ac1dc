//! The persons and records that the resident may choose from, and the choice.

use std::collections::BTreeSet;

use super::offer::Offer;
use crate::domain::catalogue::Record;
use crate::domain::ids::{PairwisePerson, PairwiseRecord};
use crate::node::holder::pairwise;
use crate::node::{Node, Problem, ProblemKind};

/// A person whose records are offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OfferedPerson {
    /// As the recipient would know the person.
    pub(crate) id: PairwisePerson,
    /// The person's name in the register.
    pub(crate) name: Option<String>,
    /// Whether all of the person's records, later ones too, are offered; else only those of `records`.
    pub(crate) whole: bool,
    /// The person's records that have a key, each with its place among the resident's records.
    pub(crate) records: Vec<(PairwiseRecord, usize)>,
}

/// What the resident may choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OfferedPersons {
    /// The permission is not narrowed: the dataset's records do not name persons, or there are none yet.
    Everybody,
    /// The service asks for persons or records that the city does not have about the resident. Whether it has them about
    /// somebody else is not known here.
    NotHeld,
    /// One person with one record at most: there is nothing to choose.
    One(OfferedPerson),
    /// Several.
    Several(Vec<OfferedPerson>),
}

impl OfferedPersons {
    /// The persons in it.
    pub(crate) fn persons(&self) -> &[OfferedPerson] {
        match self {
            Self::Everybody | Self::NotHeld => &[],
            Self::One(person) => std::slice::from_ref(person),
            Self::Several(persons) => persons,
        }
    }
}

/// The persons of an offer, from the resident's own records.
///
/// # Errors
/// [`Problem`] when a record does not say whom it is about although its dataset's records do.
pub(crate) fn offered_persons(
    node: &Node,
    offer: &Offer,
    records: &[Record],
) -> Result<OfferedPersons, Problem> {
    let terms = &offer.request.terms;
    if !offer.dataset.narrowing.is_possible() {
        return Ok(OfferedPersons::Everybody);
    }
    let mut persons: Vec<OfferedPerson> = Vec::new();
    for (place, record) in records.iter().enumerate() {
        let about = pairwise::about(node, &offer.dataset, &terms.recipient, record)
            .ok_or_else(|| Problem::because(ProblemKind::RegisterUnavailable, "a record names nobody"))?;
        if terms.persons.as_ref().is_some_and(|asked| !asked.covers(&about)) {
            continue;
        }
        let asked = terms.persons.as_ref().and_then(|asked| asked.of(about.person));
        let entry = about.record.map(|record| (record, place));
        match persons.iter_mut().find(|known| known.id == about.person) {
            Some(known) => {
                let new = entry.filter(|(id, _)| known.records.iter().all(|(other, _)| other != id));
                known.records.extend(new);
            }
            None => persons.push(OfferedPerson {
                id: about.person,
                name: record.names.person_name.clone(),
                whole: asked.is_none_or(|asked| asked.records.is_none()),
                records: entry.into_iter().collect(),
            }),
        }
    }
    let single = persons.len() == 1 && persons.iter().all(|person| person.records.len() <= 1);
    Ok(match (persons.pop(), single) {
        (None, _) if terms.persons.is_some() => OfferedPersons::NotHeld,
        (None, _) => OfferedPersons::Everybody,
        (Some(person), true) => OfferedPersons::One(person),
        (Some(last), false) => {
            persons.push(last);
            OfferedPersons::Several(persons)
        }
    })
}

/// A person as chosen: all of their records, or these.
pub(crate) struct ChosenPerson<'a> {
    pub(crate) person: &'a OfferedPerson,
    pub(crate) records: Option<Vec<(PairwiseRecord, usize)>>,
}

/// The choice among several persons and records: a person who is named is chosen with all records.
///
/// # Errors
/// [`Problem`] `changed` when a person or a record is not offered: the register has changed since the page was shown.
pub(crate) fn choose<'a>(
    offered: &'a [OfferedPerson],
    persons: &BTreeSet<PairwisePerson>,
    records: &BTreeSet<PairwiseRecord>,
) -> Result<Vec<ChosenPerson<'a>>, Problem> {
    let known_person = |id: &PairwisePerson| offered.iter().any(|person| person.whole && person.id == *id);
    let known_record = |id: &PairwiseRecord| {
        offered.iter().any(|person| person.records.iter().any(|(record, _)| record == id))
    };
    if !persons.iter().all(known_person) || !records.iter().all(known_record) {
        return Err(Problem::new(ProblemKind::Changed));
    }
    let chosen = offered.iter().filter_map(|person| {
        if persons.contains(&person.id) {
            return Some(ChosenPerson { person, records: None });
        }
        let some = person.records.iter().filter(|(record, _)| records.contains(record)).copied();
        let some: Vec<_> = some.collect();
        (!some.is_empty()).then_some(ChosenPerson { person, records: Some(some) })
    });
    Ok(chosen.collect())
}

/// The one person in an offer without a choice.
pub(crate) fn only(person: &OfferedPerson) -> ChosenPerson<'_> {
    ChosenPerson { person, records: (!person.whole).then(|| person.records.clone()) }
}
