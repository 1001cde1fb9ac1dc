//! Standing denials of a resident, permanent or temporary. A matching request is not shown to them.

use super::terms::Terms;
use crate::domain::catalogue::Text;
use crate::domain::clock::Timestamp;
use crate::domain::ids::DenialId;
use crate::domain::word_enum::word_enum;

/// Duration of a temporary denial, in seconds: after a "no" the same service cannot request for the same use within 30
/// days.
pub(crate) const PLAIN_NO_SECS: i64 = 30 * 86_400;

word_enum! {
    pub(crate) enum DenialKind {
        /// All requests of one other city.
        Partner = "partner",
        Use = "use",
        /// One dataset, for every recipient.
        Dataset = "dataset",
    }
}

impl DenialKind {
    /// The identifier that a denial of this kind has for a request.
    #[must_use]
    pub(crate) fn target(self, terms: &Terms) -> &str {
        match self {
            Self::Partner => terms.recipient.as_str(),
            Self::Use => terms.declared_use.as_str(),
            Self::Dataset => terms.dataset.as_str(),
        }
    }
}

/// One standing denial of a resident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StandingDenial {
    pub(crate) id: DenialId,
    pub(crate) kind: DenialKind,
    /// Identifier of the entity, use or dataset.
    pub(crate) target: String,
    /// Display name when the resident denied it.
    pub(crate) name: Text,
    pub(crate) created_at: Timestamp,
    /// Expiry; permanent when absent.
    pub(crate) until: Option<Timestamp>,
}

impl StandingDenial {
    /// Whether it matches a request.
    #[must_use]
    pub(crate) fn refuses(&self, terms: &Terms) -> bool {
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
