//! Standing denials: what a resident has refused, for good or for a while. A request that matches one is not put before
//! them.

use super::terms::Terms;
use crate::domain::catalogue::Text;
use crate::domain::clock::Timestamp;
use crate::domain::ids::DenialId;
use crate::domain::word_enum::word_enum;

/// How long a plain no stands, in seconds: the same service does not ask for the same use again within 30 days.
pub const PLAIN_NO_SECS: i64 = 30 * 86_400;

word_enum! {
    /// What is refused.
    pub enum DenialKind {
        /// Everything that one other city asks.
        Partner = "partner",
        /// One declared use.
        Use = "use",
        /// One dataset, whoever asks.
        Dataset = "dataset",
    }
}

impl DenialKind {
    /// The identifier that a denial of this kind would name for a request.
    #[must_use]
    pub fn target(self, terms: &Terms) -> &str {
        match self {
            Self::Partner => terms.recipient.as_str(),
            Self::Use => terms.declared_use.as_str(),
            Self::Dataset => terms.dataset.as_str(),
        }
    }
}

/// One standing denial of a resident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingDenial {
    /// Which.
    pub id: DenialId,
    /// What is refused.
    pub kind: DenialKind,
    /// Its identifier: an entity, a use or a dataset.
    pub target: String,
    /// What it was called when the resident refused it.
    pub name: Text,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when; for good when absent.
    pub until: Option<Timestamp>,
}

impl StandingDenial {
    /// Whether it refuses a request.
    #[must_use]
    pub fn refuses(&self, terms: &Terms) -> bool {
        self.kind.target(terms) == self.target
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_refuses_what_it_names_and_nothing_that_looks_like_it() {
        let terms: Terms = serde_json::from_value(serde_json::json!({
            "holder": "https://espoo.example", "recipient": "https://helsinki.example",
            "declaredUse": "https://helsinki.example/catalogue/uses/daycare", "dataset": "placements",
            "fields": ["unit"], "purpose": "https://w3id.org/dpv#ServiceProvision", "period": null,
            "maxExchanges": 1, "retention": "P1Y", "until": "2026-12-31"
        }))
        .unwrap();
        let refuses = |kind, target: &str| {
            let name = Text { fi: "a".into(), sv: "b".into(), en: "c".into() };
            let (id, created_at) = (DenialId::from_bytes([1; 16]), Timestamp::from_secs(0));
            StandingDenial { id, kind, target: target.to_owned(), name, created_at, until: None }
                .refuses(&terms)
        };
        assert!(refuses(DenialKind::Partner, "https://helsinki.example"));
        assert!(refuses(DenialKind::Use, "https://helsinki.example/catalogue/uses/daycare"));
        assert!(refuses(DenialKind::Dataset, "placements"));
        assert!(!refuses(DenialKind::Partner, "https://helsinki.example.evil"));
        assert!(!refuses(DenialKind::Use, "https://helsinki.example"));
        assert!(!refuses(DenialKind::Dataset, "placement"));
        assert!(!refuses(DenialKind::Partner, "placements"));
    }
}
