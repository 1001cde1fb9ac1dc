//! Display names of members: allowed characters, and confusable names (Unicode Technical Standard 39 §4).

use unicode_security::skeleton;

use crate::domain::catalogue::{Language, Text};

/// Maximum length of a name in characters.
const MAX_CHARS: usize = 100;

/// Whether a name may be displayed and logged: not empty, of limited length, without control characters, characters
/// that reorder text, and invisible ones.
#[must_use]
pub(crate) fn is_proper_name(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() <= MAX_CHARS && !name.contains(is_unprintable)
}

fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A verified name with the host that it belongs to: a name alone does not tell who that is.
#[must_use]
pub(crate) fn with_host(name: &Text, host: &str) -> Text {
    let both = |name: &str| if name == host { host.to_owned() } else { format!("{name} ({host})") };
    Text { fi: both(&name.fi), sv: both(&name.sv), en: both(&name.en) }
}

/// Whether a reader could take one name for the other, in any of their languages: the same letters when case, spaces, marks
/// and signs are left aside, and letters that look alike are taken as one.
#[must_use]
pub(crate) fn are_confusable(one: &Text, other: &Text) -> bool {
    let forms = |text: &Text| Language::ALL.map(|language| comparable(text.get(language)));
    let others = forms(other);
    let alike =
        |one: &[String; 3], other: &[String; 3]| one.iter().zip(other).any(|(one, other)| one == other);
    forms(one).iter().any(|form| others.iter().any(|other| alike(form, other)))
}

/// The skeletons of a name's letters and digits, unchanged and in either case: letters that are confusable in one case
/// need not be in the other.
fn comparable(name: &str) -> [String; 3] {
    [name.to_owned(), name.to_lowercase(), name.to_uppercase()].map(|spelling| {
        let letters: String =
            skeleton(&spelling).flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).collect();
        // A name of signs only is compared as it is.
        if letters.is_empty() { spelling } else { letters }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str) -> Text {
        Text { fi: name.to_owned(), sv: name.to_owned(), en: name.to_owned() }
    }

    #[test]
    fn names_that_look_alike_are_confusable() {
        for other in [
            "helsinki",
            "HELSINKI",
            " Hel sinki ",
            "Helsinki ✓",
            "Неlsinki",
            "НELSINKI",
            "Hеlsіnkі",
            "Ｈｅｌｓｉｎｋｉ",
            "Hel-sinki.",
        ] {
            assert!(are_confusable(&text("Helsinki"), &text(other)), "{other}");
        }
        for other in ["Helsingborg", "Espoo", "Helsinki Energia", "Helsinge"] {
            assert!(!are_confusable(&text("Helsinki"), &text(other)), "{other}");
        }
        let esbo = Text { sv: "Esbo".to_owned(), ..text("Espoo") };
        assert!(are_confusable(&esbo, &text("ESBO")), "in any language");
        assert!(!are_confusable(&text("✓"), &text("✗")));
    }

    #[test]
    fn a_name_can_be_shown() {
        for unfit in ["", " ", "a\u{202e}b", "a\u{0}b", "a\u{200b}b", "a\u{ad}b"] {
            assert!(!is_proper_name(unfit), "{unfit:?}");
        }
        assert!(!is_proper_name(&"a".repeat(101)));
        assert!(is_proper_name("Åbo – Turku"));
    }
}
