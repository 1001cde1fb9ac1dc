//! Whose records a permission covers, by the identifiers of its recipient: those of some persons, all of a person's or
//! some of them.

use serde::{Deserialize, Serialize};

use crate::domain::ids::{PairwisePerson, PairwiseRecord};

/// Whom a record is about, and which one it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The person.
    pub person: PairwisePerson,
    /// Absent where the dataset's records have no key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<PairwiseRecord>,
}

/// A person whose records are covered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoveredPerson {
    /// The person.
    pub id: PairwisePerson,
    /// The records covered; all of the person's, later ones too, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<Vec<PairwiseRecord>>,
}

impl CoveredPerson {
    fn is_within(&self, wider: &Self) -> bool {
        self.id == wider.id
            && match (&self.records, &wider.records) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(records), Some(wider)) => records.iter().all(|record| wider.contains(record)),
            }
    }
}

/// A person whose records an exchange released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleasedPerson {
    /// The person.
    pub id: PairwisePerson,
    /// The number of their records in it.
    pub records: usize,
    /// These records, where the permission names the person's records one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub record_ids: Vec<PairwiseRecord>,
}

/// The persons that a request or a permission names; it covers nobody else's records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Persons(pub Vec<CoveredPerson>);

impl Persons {
    /// Maximum number of persons in a request or a permission.
    pub(crate) const MOST_PERSONS: usize = 20;

    /// Maximum number of records in a request or a permission, of all persons together: a token names them all.
    pub(crate) const MOST_RECORDS: usize = 50;

    /// Whether it covers a record.
    #[must_use]
    pub(crate) fn covers(&self, about: &About) -> bool {
        self.of(about.person).is_some_and(|person| match (&person.records, &about.record) {
            (None, _) => true,
            (Some(covered), Some(record)) => covered.contains(record),
            (Some(_), None) => false,
        })
    }

    /// Whose records are released, in the order of the records.
    #[must_use]
    pub(crate) fn released(&self, records: &[About]) -> Vec<ReleasedPerson> {
        let mut released: Vec<ReleasedPerson> = Vec::new();
        for about in records {
            let known = released.iter().position(|known| known.id == about.person);
            let at = known.unwrap_or(released.len());
            if known.is_none() {
                let id = about.person;
                released.push(ReleasedPerson { id, records: 0, record_ids: Vec::new() });
            }
            let Some(person) = released.get_mut(at) else { continue };
            person.records = person.records.saturating_add(1);
            let is_named = self.of(about.person).is_some_and(|covered| covered.records.is_some());
            person.record_ids.extend(about.record.filter(|_| is_named));
        }
        released
    }

    /// Whether it covers what was released to the last record, of which there are so many; nothing is named twice.
    #[must_use]
    pub(crate) fn covers_all(&self, released: &[ReleasedPerson], records: usize) -> bool {
        let covers = |person: &ReleasedPerson| {
            self.of(person.id).is_some_and(|covered| match &covered.records {
                None => person.record_ids.is_empty(),
                Some(covered) => {
                    person.record_ids.len() == person.records
                        && person.record_ids.iter().all(|record| covered.contains(record))
                }
            })
        };
        let once = |(at, person): (usize, &ReleasedPerson)| {
            let ids = &person.record_ids;
            released.iter().take(at).all(|other| other.id != person.id)
                && !ids.iter().enumerate().any(|(at, id)| ids.iter().take(at).any(|other| other == id))
        };
        released.iter().all(covers)
            && released.iter().enumerate().all(once)
            && released.iter().map(|person| person.records).fold(0, usize::saturating_add) == records
    }

    /// What it says of one person.
    #[must_use]
    pub(crate) fn of(&self, id: PairwisePerson) -> Option<&CoveredPerson> {
        self.0.iter().find(|person| person.id == id)
    }

    /// Whether everything that it covers is covered by another.
    #[must_use]
    pub(crate) fn is_within(&self, wider: &Self) -> bool {
        self.0.iter().all(|person| wider.0.iter().any(|other| person.is_within(other)))
    }

    /// Whether one choice is within another; without persons, everybody's records are covered.
    #[must_use]
    pub(crate) fn narrows(narrower: Option<&Self>, wider: Option<&Self>) -> bool {
        match (narrower, wider) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(narrower), Some(wider)) => narrower.is_within(wider),
        }
    }

    /// What either of the two covers.
    #[must_use]
    pub(crate) fn merged_with(&self, other: &Self) -> Self {
        let mut merged = self.clone();
        for person in &other.0 {
            let Some(known) = merged.0.iter_mut().find(|known| known.id == person.id) else {
                merged.0.push(person.clone());
                continue;
            };
            known.records = known.records.take().zip(person.records.clone()).map(|(mut known, more)| {
                known.extend(more.into_iter().filter(|record| !known.contains(record)).collect::<Vec<_>>());
                known
            });
        }
        merged
    }

    /// Whether it names somebody, each person and each record once, no person without any record, and no more than a token
    /// holds.
    #[must_use]
    pub(crate) fn is_well_formed(&self) -> bool {
        let once = |(at, person): (usize, &CoveredPerson)| {
            self.0.iter().take(at).all(|other| other.id != person.id)
                && person.records.as_ref().is_none_or(|records| {
                    let repeated = |(at, record)| records.iter().take(at).any(|other| other == record);
                    !records.is_empty() && !records.iter().enumerate().any(repeated)
                })
        };
        let records = self.0.iter().filter_map(|person| person.records.as_ref()).map(Vec::len);
        (1..=Self::MOST_PERSONS).contains(&self.0.len())
            && records.fold(0, usize::saturating_add) <= Self::MOST_RECORDS
            && self.0.iter().enumerate().all(once)
    }

    /// Whether it names single records.
    #[must_use]
    pub(crate) fn names_records(&self) -> bool {
        self.0.iter().any(|person| person.records.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(number: u8) -> PairwisePerson {
        PairwisePerson::from_bytes([number; 16])
    }

    fn record(number: u8) -> PairwiseRecord {
        PairwiseRecord::from_bytes([number; 16])
    }

    fn covered(number: u8, records: Option<&[u8]>) -> CoveredPerson {
        let records = records.map(|records| records.iter().copied().map(record).collect());
        CoveredPerson { id: person(number), records }
    }

    fn persons(list: &[(u8, Option<&[u8]>)]) -> Persons {
        Persons(list.iter().map(|(number, records)| covered(*number, *records)).collect())
    }

    #[test]
    fn a_permission_for_a_person_covers_their_later_records_and_one_for_records_does_not() {
        let narrowed = persons(&[(1, None), (2, Some(&[21]))]);
        let about = |number, key: Option<u8>| About { person: person(number), record: key.map(record) };
        for (of, key, is_covered) in [
            (1, Some(11), true),
            (1, Some(99), true),
            (1, None, true),
            (2, Some(21), true),
            (2, Some(22), false),
            (2, None, false),
            (3, Some(31), false),
            (3, Some(21), false),
        ] {
            assert_eq!(narrowed.covers(&about(of, key)), is_covered, "{of} {key:?}");
        }
        assert!(!Persons::default().covers(&about(1, None)), "of nobody, nothing is covered");
    }

    #[test]
    fn what_was_released_is_covered_to_the_last_record() {
        let about = |number, key: u8| About { person: person(number), record: Some(record(key)) };
        let narrowed = persons(&[(1, None), (2, Some(&[21]))]);
        let released = narrowed.released(&[about(1, 11), about(2, 21), about(1, 12)]);
        let told: Vec<_> =
            released.iter().map(|known| (known.id, known.records, known.record_ids.clone())).collect();
        assert_eq!(told, [(person(1), 2, vec![]), (person(2), 1, vec![record(21)])]);
        assert!(narrowed.covers_all(&released, 3));
        assert!(!narrowed.covers_all(&released, 4), "a record of nobody");
        for beyond in [&[about(2, 22)][..], &[about(3, 31)], &[about(2, 21), about(2, 21)]] {
            let released = narrowed.released(beyond);
            assert!(!narrowed.covers_all(&released, beyond.len()), "{beyond:?}");
        }
    }

    #[test]
    fn a_choice_can_only_narrow() {
        let wide = persons(&[(1, None), (2, Some(&[21, 22]))]);
        for within in [
            persons(&[]),
            persons(&[(1, None)]),
            persons(&[(1, Some(&[11])), (2, Some(&[22]))]),
            wide.clone(),
        ] {
            assert!(Persons::narrows(Some(&within), Some(&wide)), "{within:?}");
        }
        for beyond in [persons(&[(3, None)]), persons(&[(2, None)]), persons(&[(2, Some(&[21, 23]))])] {
            assert!(!Persons::narrows(Some(&beyond), Some(&wide)), "{beyond:?}");
        }
        assert!(Persons::narrows(Some(&wide), None) && Persons::narrows(None, None));
        assert!(!Persons::narrows(None, Some(&wide)), "everybody is more than some");
    }

    #[test]
    fn what_is_added_covers_both() {
        let merged = persons(&[(1, Some(&[11])), (2, None)]).merged_with(&persons(&[
            (1, Some(&[11, 12])),
            (2, Some(&[21])),
            (3, None),
        ]));
        assert_eq!(merged, persons(&[(1, Some(&[11, 12])), (2, None), (3, None)]));
    }

    #[test]
    fn a_list_that_repeats_or_is_too_long_is_refused() {
        assert!(!persons(&[]).is_well_formed(), "whoever names nobody asks for nothing");
        assert!(persons(&[(1, None), (2, Some(&[1]))]).is_well_formed());
        let many: Vec<u8> = (0..51).collect();
        for bad in [
            persons(&[(1, None), (1, None)]),
            persons(&[(1, Some(&[]))]),
            persons(&[(1, Some(&[1, 1]))]),
            persons(&[(1, Some(&many))]),
            Persons((0..21).map(|number| covered(number, None)).collect()),
        ] {
            assert!(!bad.is_well_formed(), "{bad:?}");
        }
    }
}
