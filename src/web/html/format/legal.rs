//! Legal bases: the GDPR's articles, from their DPV terms.

/// Legal basis (GDPR article 6(1), article 9(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LegalBasis {
    /// Article 6(1)(a): consent.
    Permission,
    /// Article 6(1)(b).
    Contract,
    /// Article 6(1)(c).
    LegalObligation,
    /// Article 6(1)(d).
    VitalInterests,
    /// Article 6(1)(e).
    PublicTask,
    /// Article 6(1)(f).
    LegitimateInterest,
    /// Article 9(2)(a): explicit consent to the use of sensitive data.
    ExplicitPermission,
    /// Another basis of article 9(2).
    SpecialCategory,
    Other,
}

impl LegalBasis {
    /// From a DPV term, written in full (`https://w3id.org/dpv/legal/eu/gdpr#A6-1-e`), with a prefix
    /// (`eu-gdpr:A6-1-e`) or bare (`A6-1-e`).
    #[must_use]
    pub(crate) fn from_term(term: &str) -> Self {
        let name = term.rsplit(['#', ':', '/']).next().unwrap_or(term);
        match name {
            "A6-1-a" | "A6-1-a-explicit-consent" | "A6-1-a-non-explicit-consent" => Self::Permission,
            "A6-1-b" | "A6-1-b-contract-performance" | "A6-1-b-enter-into-contract" => Self::Contract,
            "A6-1-c" => Self::LegalObligation,
            "A6-1-d" | "A6-1-d-data-subject" | "A6-1-d-natural-person" => Self::VitalInterests,
            "A6-1-e" | "A6-1-e-public-interest" | "A6-1-e-official-authority" => Self::PublicTask,
            "A6-1-f" | "A6-1-f-controller" | "A6-1-f-third-party" => Self::LegitimateInterest,
            "A9-2-a" => Self::ExplicitPermission,
            name if name.starts_with("A9-2-") => Self::SpecialCategory,
            _ => Self::Other,
        }
    }

    /// Whether the basis is the person's consent.
    #[must_use]
    pub(crate) const fn is_choice(self) -> bool {
        matches!(self, Self::Permission | Self::ExplicitPermission)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_known_in_all_spellings() {
        for term in ["https://w3id.org/dpv/legal/eu/gdpr#A6-1-e", "eu-gdpr:A6-1-e", "A6-1-e"] {
            assert_eq!(LegalBasis::from_term(term), LegalBasis::PublicTask);
        }
        assert_eq!(LegalBasis::from_term("A9-2-h"), LegalBasis::SpecialCategory);
        assert_eq!(LegalBasis::from_term("something"), LegalBasis::Other);
        assert!(LegalBasis::from_term("A6-1-a").is_choice());
        assert!(!LegalBasis::from_term("A6-1-c").is_choice());
    }
}
