//! The purposes allowed in a declared use: those of the Data Privacy Vocabulary (DPV) 2.3 and its extensions.

/// The namespaces, each followed by its terms; generated from the published vocabulary.
const PURPOSES: &str = include_str!("purposes.txt");

/// Whether an IRI is a purpose of DPV 2.3, written in full (`https://w3id.org/dpv/sector/publicservices#…`).
#[must_use]
pub(crate) fn is_purpose(iri: &str) -> bool {
    let Some((namespace, term)) = iri.split_once('#') else { return false };
    terms_of(namespace).any(|known| known == term)
}

/// The terms of a namespace, given without its `#`.
fn terms_of(namespace: &str) -> impl Iterator<Item = &'static str> {
    let is_namespace = move |line: &&str| {
        line.strip_prefix('<')
            .and_then(|line| line.strip_suffix("#>"))
            .is_some_and(|found| found == namespace)
    };
    let mut lines = PURPOSES.lines();
    let found = lines.by_ref().any(|line| is_namespace(&line));
    lines.take_while(move |line| found && !line.starts_with('<'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_of_the_vocabulary_and_its_extensions_exist_and_others_do_not() {
        for term in [
            "https://w3id.org/dpv#ServiceProvision",
            "https://w3id.org/dpv#EnforceSecurity",
            "https://w3id.org/dpv/sector/publicservices#HousingWelfareManagement",
            "https://w3id.org/dpv/sector/education#EducationManagement",
            "https://w3id.org/dpv/legal/eu/ehds#EnsureQualitySafetyHealthcare",
        ] {
            assert!(is_purpose(term), "{term}");
        }
        for term in [
            "https://w3id.org/dpv#ServiceProvison",
            "https://w3id.org/dpv#Purpose",
            "https://w3id.org/dpv#Consent",
            "https://w3id.org/dpv#HousingWelfareManagement",
            "https://w3id.org/dpv/sector/publicservices#ServiceProvision",
            "https://w3id.org/dpv/sector#ServiceProvision",
            "https://w3id.org/dpv#",
            "https://w3id.org/dpv#<https://w3id.org/dpv/ai#>",
            "ServiceProvision",
            "",
        ] {
            assert!(!is_purpose(term), "{term}");
        }
    }

    #[test]
    fn the_list_is_one_of_namespaces_and_terms() {
        let (mut namespace, mut seen) = (None, std::collections::BTreeSet::new());
        for line in PURPOSES.lines().filter(|line| !line.starts_with('#')) {
            if line.starts_with('<') {
                assert!(line.starts_with("<https://w3id.org/dpv") && line.ends_with("#>"), "{line}");
                namespace = Some(line);
            } else {
                assert!(line.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{line}");
                assert!(seen.insert((namespace.unwrap(), line)), "{line} is there twice");
            }
        }
        assert!(seen.len() > 400);
    }
}
