//! Content negotiation (RFC 9110 §12): the preferences of an `Accept` or `Accept-Language` header, by weight.

/// One member of a header's list, in lower case, with its weight in thousandths (RFC 9110 §12.4.2).
#[derive(Debug, PartialEq, Eq)]
struct Preference {
    range: String,
    weight: u16,
}

/// Maximum number of list members that are read.
const MAX_MEMBERS: usize = 64;

fn preferences(header: &str) -> Vec<Preference> {
    header.split(',').take(MAX_MEMBERS).filter_map(preference).collect()
}

/// `None` for a malformed weight: such a member cannot be compared with the others.
fn preference(member: &str) -> Option<Preference> {
    let mut parts = member.split(';').map(str::trim);
    let range = parts.next().filter(|range| !range.is_empty())?.to_ascii_lowercase();
    let weight = parts
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
        .map_or(Some(1000), |(_, value)| thousandths(value.trim()))?;
    Some(Preference { range, weight })
}

/// `0.5` as 500: a digit 0 or 1 and at most three decimals, never above 1.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if !matches!(whole, "0" | "1") || decimals.len() > 3 || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let weight: u16 = format!("{whole}{decimals:0<3}").parse().ok()?;
    (weight <= 1000).then_some(weight)
}

/// The weight of a media type: that of the most specific range that covers it, 0 without one.
fn media_type_weight(preferences: &[Preference], media_type: &str) -> u16 {
    let kind = media_type.split('/').next().unwrap_or_default();
    let (any_of_kind, any) = (format!("{kind}/*"), "*/*");
    [media_type, &any_of_kind, any]
        .into_iter()
        .find_map(|range| preferences.iter().find(|preference| preference.range == range))
        .map_or(0, |preference| preference.weight)
}

/// Whether an `Accept` header accepts a media type (RFC 9110 §12.5.1). An absent header accepts everything.
pub(crate) fn accepts(header: &str, media_type: &str) -> bool {
    header.trim().is_empty() || media_type_weight(&preferences(header), media_type) > 0
}

/// Which of the offered media types an `Accept` header prefers; the first of equals, `None` when none matches.
pub(crate) fn preferred_media_type<'a>(header: &str, offered: &[&'a str]) -> Option<&'a str> {
    if header.trim().is_empty() {
        return offered.first().copied();
    }
    let preferences = preferences(header);
    let mut best: Option<(&'a str, u16)> = None;
    for media_type in offered {
        let weight = media_type_weight(&preferences, media_type);
        if weight > best.map_or(0, |(_, weight)| weight) {
            best = Some((media_type, weight));
        }
    }
    best.map(|(media_type, _)| media_type)
}

/// Which of the offered languages an `Accept-Language` header prefers (RFC 4647 §3.4: `sv-FI` falls back to `sv`); the
/// first of equals in the header's order, `None` when none matches.
pub(crate) fn preferred_language<'a>(header: &str, offered: &[&'a str]) -> Option<&'a str> {
    let preferences = preferences(header);
    let refused = |tag: &str| preferences.iter().any(|one| one.weight == 0 && one.range == tag);
    let mut best: Option<(&'a str, u16)> = None;
    for preference in &preferences {
        let primary = preference.range.split('-').next().unwrap_or_default();
        let fits = |tag: &&&str| (primary == **tag || preference.range == "*") && !refused(tag);
        if let Some(tag) = offered.iter().find(fits)
            && preference.weight > best.map_or(0, |(_, weight)| weight)
        {
            best = Some((tag, preference.weight));
        }
    }
    best.map(|(tag, _)| tag)
}

/// Whether an `Accept-Encoding` header prefers gzip to the body as it is (RFC 9110 §12.5.3).
///
/// Nobody is sent a coding that they did not name. The body as it is goes to everybody else, also to who refuses it and
/// everything else with it (`*;q=0`): the alternative, 406, would help nobody.
pub(crate) fn prefers_gzip(header: &str) -> bool {
    let preferences = preferences(header);
    let weight = |names: &[&str]| {
        let named = |names: &[&str]| {
            preferences.iter().find(|one| names.contains(&one.range.as_str())).map(|one| one.weight)
        };
        named(names).or_else(|| named(&["*"]))
    };
    // `x-gzip` is its old name (§8.4.1.3).
    let (gzip, identity) = (weight(&["gzip", "x-gzip"]).unwrap_or(0), weight(&["identity"]).unwrap_or(0));
    gzip > 0 && gzip >= identity
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_and_refusals_decide_whether_a_body_is_compressed() {
        for (header, compressed) in [
            ("", false),
            ("gzip", true),
            ("GZIP", true),
            ("x-gzip", true),
            ("gzip, deflate, br, zstd", true),
            ("br;q=1.0, gzip;q=0.8, *;q=0.1", true),
            ("br, deflate", false),
            ("identity", false),
            ("*", true),
            ("*;q=0", false),
            ("*;q=0, gzip", true),
            ("*;q=0, gzip;q=0.001", true),
            ("gzip;q=0", false),
            ("gzip;q=0, *", false),
            ("gzip; q=0.000", false),
            ("identity;q=0", false),
            ("identity;q=0, gzip;q=0.1", true),
            ("identity;q=0, *", true),
            ("identity;q=0, *;q=0", false),
            ("identity;q=0.5, gzip;q=0.4", false),
            ("identity, gzip;q=0.9", false),
            ("identity, gzip", true),
            ("gzip;q=0.5, *;q=0.8", false),
            ("gzip;q=2", false),
            ("gzip;q=", false),
            ("gzip;q=-1", false),
            ("gzip;q=0.1234", false),
            ("gzip;q", true),
            (";;;,,,=,q=1", false),
            ("gzipped", false),
            ("gzip deflate", false),
        ] {
            assert_eq!(prefers_gzip(header), compressed, "{header:?}");
        }
    }

    const LANGUAGES: [&str; 3] = ["fi", "sv", "en"];

    #[test]
    fn weights_refusals_and_letter_case_decide_the_language() {
        for (header, language) in [
            ("sv", Some("sv")),
            ("SV-fi", Some("sv")),
            ("en;q=0.5, sv;q=0.8", Some("sv")),
            ("de, en;q=0.1", Some("en")),
            ("fi;q=0, en;q=0.2", Some("en")),
            ("en; Q=0.3 , sv;q=0.30", Some("en")),
            ("*", Some("fi")),
            ("fi;q=0, *", Some("sv")),
            ("en;q=2, sv;q=0.1", Some("sv")),
            ("de", None),
            ("", None),
            ("en;q=0", None),
        ] {
            assert_eq!(preferred_language(header, &LANGUAGES), language, "{header:?}");
        }
    }

    #[test]
    fn the_most_specific_range_decides_whether_a_media_type_is_taken() {
        const WANTED: &str = "application/statuslist+jwt";
        for (header, taken) in [
            ("", true),
            ("*/*", true),
            ("application/statuslist+jwt", true),
            ("text/html, Application/*;q=0.5", true),
            ("text/html", false),
            ("application/statuslist+cwt", false),
            ("application/statuslist+jwt;q=0, text/plain", false),
            ("*/*, application/statuslist+jwt;q=0", false),
            ("application/statuslist+jwt; q=0.000, */*;q=1", false),
        ] {
            assert_eq!(accepts(header, WANTED), taken, "{header:?}");
        }
    }

    #[test]
    fn the_heavier_media_type_wins_and_ties_go_to_the_first_offered() {
        let offered = ["text/html", "text/turtle", "application/ld+json"];
        for (header, chosen) in [
            ("", Some("text/html")),
            ("*/*", Some("text/html")),
            ("text/turtle", Some("text/turtle")),
            ("TEXT/Turtle", Some("text/turtle")),
            ("text/html;q=0.4, text/turtle;q=0.9", Some("text/turtle")),
            ("text/*;q=0.5, application/ld+json", Some("application/ld+json")),
            ("text/html;q=0, */*", Some("text/turtle")),
            ("image/png", None),
        ] {
            assert_eq!(preferred_media_type(header, &offered), chosen, "{header:?}");
        }
    }
}
