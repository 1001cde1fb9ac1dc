//! What must hold of any history of fetches and revocations, judged by what was seen from outside and what the store kept.
//! Knows nothing of how the node works.

use std::collections::{BTreeMap, BTreeSet};

/// One fetch as its sender saw it. Times are of one clock.
#[derive(Debug, Clone)]
pub struct Fetch {
    pub consent: String,
    /// Which proof it carried; the same one may have been sent several times.
    pub proof: String,
    pub sent: u64,
    pub released: bool,
}

/// One revocation as its sender saw it.
#[derive(Debug, Clone)]
pub struct Revocation {
    pub consent: String,
    /// When the acknowledgement had arrived; none when there was none.
    pub acknowledged: Option<u64>,
}

/// What the store holds of one consent in the end.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// Exchanges that it counted.
    pub counted: u32,
    /// Exchanges that its terms allow.
    pub allowed: u32,
    /// The proof of each exchange that it recorded.
    pub exchanges: Vec<String>,
    /// The numbers of its exchanges in the log.
    pub logged_exchanges: Vec<u64>,
    /// The numbers of its ends in the log.
    pub logged_ends: Vec<u64>,
}

/// A whole run.
#[derive(Debug, Clone, Default)]
pub struct History {
    pub fetches: Vec<Fetch>,
    pub revocations: Vec<Revocation>,
    pub kept: BTreeMap<String, Kept>,
}

impl History {
    /// Everything that should not be, in words; nothing when all invariants hold.
    pub fn violations(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut released: BTreeMap<&str, Vec<&Fetch>> = BTreeMap::new();
        for fetch in self.fetches.iter().filter(|fetch| fetch.released) {
            released.entry(&fetch.consent).or_default().push(fetch);
        }
        for revocation in &self.revocations {
            let Some(acknowledged) = revocation.acknowledged else { continue };
            for fetch in released.get(revocation.consent.as_str()).into_iter().flatten() {
                if fetch.sent >= acknowledged {
                    found.push(format!("I1 {}: released after the acknowledgement", fetch.consent));
                }
            }
        }
        for (consent, kept) in &self.kept {
            let out = released.remove(consent.as_str()).unwrap_or_default();
            kept.judge(consent, &out, &mut found);
        }
        for consent in released.keys() {
            found.push(format!("I2 {consent}: released, and the store knows nothing of it"));
        }
        found
    }
}

impl Kept {
    fn judge(&self, consent: &str, released: &[&Fetch], found: &mut Vec<String>) {
        let mut seen = BTreeSet::new();
        for fetch in released {
            if !seen.insert(&fetch.proof) {
                found.push(format!("I4 {consent}: one proof released twice"));
            }
            if !self.exchanges.contains(&fetch.proof) {
                found.push(format!("I2 {consent}: released and not recorded"));
            }
        }
        let distinct: BTreeSet<&String> = self.exchanges.iter().collect();
        if distinct.len() != self.exchanges.len() {
            found.push(format!("I4 {consent}: one proof recorded twice"));
        }
        if self.logged_exchanges.len() != self.exchanges.len() {
            found.push(format!(
                "I2 {consent}: {} exchanges, {} log entries",
                self.exchanges.len(),
                self.logged_exchanges.len()
            ));
        }
        if usize::try_from(self.counted).unwrap_or(usize::MAX) != self.exchanges.len() {
            found.push(format!("count {consent}: {} counted, {} made", self.counted, self.exchanges.len()));
        }
        if self.counted > self.allowed {
            found.push(format!("count {consent}: {} made, {} allowed", self.counted, self.allowed));
        }
        match self.logged_ends.as_slice() {
            [] | [_] => {}
            more => found.push(format!("end {consent}: ended {} times", more.len())),
        }
        // The last exchange that the terms allow ends a consent by itself; any other end stands behind all exchanges.
        if let (Some(end), Some(last)) = (self.logged_ends.first(), self.logged_exchanges.iter().max())
            && last > end
            && self.counted != self.allowed
        {
            found.push(format!("I1 {consent}: the log has an exchange behind the end"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> History {
        let fetch = |proof: &str, sent, released| Fetch {
            consent: "c".to_owned(),
            proof: proof.to_owned(),
            sent,
            released,
        };
        History {
            fetches: vec![
                fetch("a", 1, true),
                fetch("a", 2, false),
                fetch("b", 5, true),
                fetch("d", 30, false),
            ],
            revocations: vec![Revocation { consent: "c".to_owned(), acknowledged: Some(20) }],
            kept: BTreeMap::from([(
                "c".to_owned(),
                Kept {
                    counted: 2,
                    allowed: 3,
                    exchanges: vec!["a".to_owned(), "b".to_owned()],
                    logged_exchanges: vec![7, 8],
                    logged_ends: vec![9],
                },
            )]),
        }
    }

    fn changed(change: impl FnOnce(&mut History)) -> Vec<String> {
        let mut history = sound();
        change(&mut history);
        history.violations()
    }

    fn kept(history: &mut History) -> &mut Kept {
        history.kept.get_mut("c").unwrap()
    }

    #[test]
    fn a_sound_history_passes_and_every_planted_bug_is_found_by_name() {
        assert_eq!(sound().violations(), Vec::<String>::new());
        let bugs: [(&str, Vec<String>); 9] = [
            ("I1 c: released after", changed(|history| history.fetches[3].released = true)),
            ("I1 c: the log", changed(|history| kept(history).logged_ends = vec![6])),
            ("I4 c: one proof released", changed(|history| history.fetches[1].released = true)),
            ("I4 c: one proof recorded", changed(|history| kept(history).exchanges[1] = "a".to_owned())),
            ("I2 c: released and not", changed(|history| kept(history).exchanges[1] = "x".to_owned())),
            ("I2 c: 2 exchanges", changed(|history| kept(history).logged_exchanges = vec![7])),
            ("count c: 3 counted", changed(|history| kept(history).counted = 3)),
            ("count c: 2 made, 1 allowed", changed(|history| kept(history).allowed = 1)),
            ("end c: ended 2", changed(|history| kept(history).logged_ends = vec![9, 10])),
        ];
        for (name, found) in bugs {
            assert!(found.iter().any(|violation| violation.starts_with(name)), "{name}: {found:?}");
        }
        let unknown = changed(|history| history.kept.clear());
        assert!(unknown.iter().any(|violation| violation.contains("knows nothing")), "{unknown:?}");
    }
}
