//! Every page in every language: well-formed, accessible structure, without forbidden words or dead links.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::page_error::{ErrorView, PageError};
use super::{decision, passkeys, permissions, samples};
use crate::domain::catalogue::{Language, Text};
use crate::node::ProblemKind;
use crate::web::html::chrome::SignedIn;
use crate::web::html::frame::{View, render};
use crate::web::html::texts::texts;
use crate::web::problem::ProblemTopic;

/// A tag of a page.
struct Tag {
    name: String,
    closing: bool,
    attributes: BTreeMap<String, String>,
}

/// The page's tags and texts in order. Strict: an unclosed quote, a bare `<` or an attribute without quotes fails.
fn parse(html: &str) -> (Vec<Tag>, String) {
    let mut tags = Vec::new();
    let mut visible = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        assert!(!rest[..start].contains('>'), "bare > in {}", &rest[..start]);
        visible.push_str(&rest[..start]);
        visible.push(' ');
        let end = start + rest[start..].find('>').expect("an open tag");
        let inside = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if inside.starts_with('!') {
            continue;
        }
        tags.push(parse_tag(inside));
    }
    visible.push_str(rest);
    (tags, visible)
}

fn parse_tag(inside: &str) -> Tag {
    let closing = inside.starts_with('/');
    let inside = inside.trim_start_matches('/');
    let (name, mut rest) = inside.split_once(' ').unwrap_or((inside, ""));
    assert!(name.bytes().all(|b| b.is_ascii_alphanumeric()), "tag name {name}");
    let mut attributes = BTreeMap::new();
    while !rest.trim().is_empty() {
        rest = rest.trim_start();
        let key_end = rest.find([' ', '=']).unwrap_or(rest.len());
        let (key, after) = rest.split_at(key_end);
        let (value, after) = match after.strip_prefix('=') {
            None => ("", after),
            Some(after) => {
                after.strip_prefix('"').expect("a quoted value").split_once('"').expect("a closed quote")
            }
        };
        assert!(attributes.insert(key.to_owned(), value.to_owned()).is_none(), "{key} twice");
        rest = after;
    }
    Tag { name: name.to_owned(), closing, attributes }
}

const VOID: [&str; 5] = ["meta", "link", "input", "br", "img"];

fn check_balance(tags: &[Tag], page: &str) {
    let mut open = Vec::new();
    for tag in tags {
        if VOID.contains(&tag.name.as_str()) {
            continue;
        }
        if tag.closing {
            assert_eq!(open.pop(), Some(tag.name.as_str()), "{page}: closing {}", tag.name);
        } else {
            assert!(tag.name != "p" || !open.contains(&"p"), "{page}: p in p");
            if ["ul", "ol", "dl", "div", "table", "section", "h2", "h3"].contains(&tag.name.as_str()) {
                assert!(!open.contains(&"p"), "{page}: {} in p", tag.name);
            }
            open.push(tag.name.as_str());
        }
    }
    assert_eq!(open, Vec::<&str>::new(), "{page}");
}

fn check_headings(tags: &[Tag], page: &str) {
    let levels: Vec<u32> = tags
        .iter()
        .filter(|tag| !tag.closing)
        .filter_map(|tag| tag.name.strip_prefix('h').and_then(|level| level.parse().ok()))
        .collect();
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1, "{page}: one h1");
    assert_eq!(levels.first(), Some(&1), "{page}: h1 first");
    for pair in levels.windows(2) {
        assert!(pair[1] <= pair[0] + 1, "{page}: heading {} after {}", pair[1], pair[0]);
    }
}

fn check_references(tags: &[Tag], page: &str) {
    let ids: Vec<&String> = tags.iter().filter_map(|tag| tag.attributes.get("id")).collect();
    let unique: BTreeSet<&&String> = ids.iter().collect();
    assert_eq!(ids.len(), unique.len(), "{page}: an id stands twice");
    let labels: BTreeSet<&String> = tags.iter().filter_map(|tag| tag.attributes.get("for")).collect();
    for tag in tags {
        for key in ["aria-labelledby", "aria-describedby", "for"] {
            for id in tag.attributes.get(key).into_iter().flat_map(|ids| ids.split(' ')) {
                assert!(ids.iter().any(|known| *known == id), "{page}: {key} names {id}");
            }
        }
        let hidden = tag.attributes.get("type").is_some_and(|kind| kind == "hidden");
        if tag.name == "input" && !hidden {
            let id = tag.attributes.get("id").unwrap_or_else(|| panic!("{page}: an input without id"));
            assert!(labels.contains(id), "{page}: no label for {id}");
        }
    }
}

fn check_safety(tags: &[Tag], page: &str) {
    let mut in_form: Option<bool> = None;
    for tag in tags {
        // Browsers offer passkeys only to scripts: one script of our own, on those pages.
        let own_script = tag.name == "script"
            && page.starts_with("passkey-")
            && (tag.closing || tag.attributes.get("src").is_some_and(|src| src == "/assets/passkey.js"));
        assert!(
            own_script || !["script", "style", "iframe", "object"].contains(&tag.name.as_str()),
            "{page}: {}",
            tag.name
        );
        if tag.name == "img" {
            // The city's logo, beside the city's name.
            let own = tag.attributes.get("src").is_some_and(|source| source.starts_with('/'));
            assert!(own && tag.attributes.contains_key("alt"), "{page}: a foreign or unnamed img");
        }
        for (key, value) in &tag.attributes {
            assert!(key != "style" && !key.starts_with("on"), "{page}: inline {key}");
            if ["href", "action", "src"].contains(&key.as_str()) {
                let good = ["/", "#", "http://", "https://", "mailto:"];
                assert!(good.iter().any(|start| value.starts_with(start)), "{page}: {key}={value}");
                assert!(!value.starts_with("//"), "{page}: {key}={value}");
            }
        }
        // Every form that changes something carries the CSRF token.
        if tag.name == "form" {
            if tag.closing {
                assert_ne!(in_form, Some(false), "{page}: a POST form without csrf");
                in_form = None;
            } else if tag.attributes.get("method").is_some_and(|method| method == "post")
                // Verifying a receipt changes nothing and works without a session.
                && tag.attributes.get("action").is_none_or(|action| action != "/receipt/verify")
            {
                in_form = Some(false);
            }
        }
        if tag.name == "input"
            && tag.attributes.get("name").is_some_and(|name| name == "csrf")
            && in_form.is_some()
        {
            in_form = Some(true);
        }
    }
}

fn check_landmarks(tags: &[Tag], language: Language, page: &str) {
    for name in ["html", "header", "main", "footer", "title"] {
        assert_eq!(
            tags.iter().filter(|tag| tag.name == name && !tag.closing).count(),
            1,
            "{page}: one {name}"
        );
    }
    let html = tags.iter().find(|tag| tag.name == "html").unwrap();
    assert_eq!(html.attributes.get("lang").map(String::as_str), Some(language.tag()), "{page}");
    let nameless =
        |tag: &&Tag| tag.name == "nav" && !tag.closing && !tag.attributes.contains_key("aria-label");
    assert!(!tags.iter().any(|tag| nameless(&tag)), "{page}: a nav without a name");
}

/// Words that residents must not read.
const FORBIDDEN: [&str; 18] = [
    "token",
    "grant",
    "scope",
    "holder",
    "recipient",
    "consent token",
    "omadata",
    "tokeni",
    "valtuutus",
    "skooppi",
    "#error#",
    "\u{2068}",
    "\u{2069}",
    "\u{fffd}",
    "{ $",
    "submit",
    "lähetä lomake",
    "skicka in",
];

#[test]
fn every_page_is_sound_in_every_language() {
    for sample in samples::all() {
        for language in Language::ALL {
            let page = format!("{} in {}", sample.name, language.tag());
            let html = render(sample.view.as_ref(), language, &sample.chrome).unwrap();
            let (tags, visible) = parse(&html);
            check_balance(&tags, &page);
            check_headings(&tags, &page);
            check_references(&tags, &page);
            check_safety(&tags, &page);
            check_landmarks(&tags, language, &page);
            // The address of a problem type is for developers, not for residents.
            let lower: Vec<String> = visible
                .split_whitespace()
                .filter(|word| !word.starts_with("/problems/"))
                .map(str::to_lowercase)
                .collect();
            let lower = lower.join(" ");
            for word in FORBIDDEN {
                assert!(!lower.contains(word), "{page}: {word:?}");
            }
            // Writes the pages as files, to be opened beside `assets/`.
            if let Some(folder) = std::env::var_os("OMADATA_PAGES_DIR") {
                let linked = html.replace("/assets/", "assets/");
                let name = format!("{}.{}.html", sample.name, language.tag());
                std::fs::write(std::path::Path::new(&folder).join(name), linked).unwrap();
            }
        }
    }
}

#[test]
fn languages_do_not_leak_into_each_other() {
    for sample in samples::all() {
        let page = |language| render(sample.view.as_ref(), language, &sample.chrome).unwrap();
        let [fi, sv, en] = Language::ALL.map(|language| parse(&page(language)).1);
        assert!(fi.contains("Siirry sisältöön") && !fi.contains("Skip to"), "{}", sample.name);
        assert!(sv.contains("Gå till innehållet") && !sv.contains("Siirry"), "{}", sample.name);
        assert!(en.contains("Skip to content") && !en.contains("Gå till"), "{}", sample.name);
    }
}

#[test]
fn the_host_stands_beside_a_members_name_wherever_somebody_decides_or_judges() {
    // Nothing is decided on these, and what they tell of has its host on the page that they lead to.
    let only_told = ["home", "receipts"];
    let mut decided = BTreeSet::new();
    for sample in samples::all() {
        for language in Language::ALL {
            let html = render(sample.view.as_ref(), language, &sample.chrome).unwrap();
            let named = parse(&html).1.contains(samples::helsinki().get(language));
            if !named || only_told.iter().any(|name| sample.name.starts_with(name)) {
                continue;
            }
            assert!(html.contains("omat.helsinki.example"), "{} in {}", sample.name, language.tag());
            decided.insert(sample.name.clone());
        }
    }
    for page in [
        "consent",
        "decided",
        "denials",
        "me",
        "partners",
        "passkey",
        "permission",
        "sharing",
        "stop",
        "use",
        "verify",
    ] {
        assert!(decided.iter().any(|name| name.starts_with(page)), "{page} names nobody: {decided:?}");
    }
}

#[test]
fn the_decision_page_keeps_its_order_and_its_balance() {
    let html =
        render(&decision::samples::consent(), Language::En, &samples::chrome("/consent/1", true)).unwrap();
    let order = [
        "id=\"who\"",
        "id=\"purpose\"",
        "id=\"data\"",
        "name=\"field\"",
        "id=\"time\"",
        "id=\"after\"",
        "id=\"basis\"",
        "id=\"no\"",
        "id=\"mind\"",
        "id=\"as\"",
        "value=\"allow\"",
        "value=\"deny\"",
    ];
    let places: Vec<usize> = order.iter().map(|mark| html.find(mark).expect(mark)).collect();
    assert!(places.is_sorted(), "{places:?}");
    // Nothing is preselected but "once".
    let (tags, _) = parse(&html);
    let checked: Vec<&Tag> = tags.iter().filter(|tag| tag.attributes.contains_key("checked")).collect();
    assert_eq!(checked.len(), 1);
    assert_eq!(checked[0].attributes["value"], "once");
    // Two buttons of equal weight; neither is the default of the Enter key.
    let buttons: Vec<&Tag> =
        tags.iter().filter(|tag| tag.attributes.get("name").is_some_and(|n| n == "decision")).collect();
    assert_eq!(buttons.len(), 2);
    assert_eq!(buttons[0].attributes["class"], buttons[1].attributes["class"]);
    let form = html.find("action=\"/consent/").unwrap();
    assert!(html[form..].find("disabled hidden").unwrap() < html[form..].find("<input").unwrap());
    // Values are shown, escaped.
    assert!(html.contains("Kuusimetsän päiväkoti &lt;A&gt;") && html.contains("1 August 2026"));
    assert!(html.contains("name=\"offer_hash\" value=\"hash-of-the-offer\""));
}

#[test]
fn stopping_takes_two_clicks_from_the_first_page() {
    let mine = render(&permissions::samples::me(), Language::Fi, &samples::chrome("/me", true)).unwrap();
    assert!(mine.contains("/stop\">Peru lupa"));
    let (tags, _) = parse(&mine);
    let posts = tags.iter().filter(|tag| tag.attributes.get("method").is_some_and(|method| method == "post"));
    assert!(posts.into_iter().all(|form| form.attributes["action"] == "/logout"));
}

#[test]
fn no_text_from_outside_turns_the_page_around() {
    let mut view = decision::samples::consent();
    view.asker.city = Text::same("Hel\u{202e}iknis");
    view.purpose = Text::same("Why\u{2066} not");
    view.records[0].title = Some("Ai\u{202e}on".to_owned());
    let mut chrome = samples::chrome("/consent/1", true);
    chrome.signed_in = Some(SignedIn { name: Some("Aino\u{200f} Esimerkki".to_owned()) });
    for language in Language::ALL {
        let html = render(&view, language, &chrome).unwrap();
        assert!(!html.contains(['\u{202e}', '\u{2066}', '\u{200f}']), "{}", language.tag());
        assert!(html.contains("Hel[U+202E]iknis") && html.contains("U+202E</span>on"), "{}", language.tag());
    }
}

/// An error page without anything beside the error.
fn plain_error(error: PageError) -> ErrorView {
    ErrorView {
        error,
        retry: None,
        log_in: None,
        choices_kept: false,
        permission: None,
        add_passkey: None,
        trace_id: None,
    }
}

#[test]
fn an_error_page_says_that_nothing_was_sent_only_where_that_is_certain() {
    let chrome = samples::chrome("/", true);
    for error in PageError::ALL {
        let view = plain_error(error);
        let html = render(&view, Language::En, &chrome).unwrap();
        assert_eq!(html.contains("None of your data was sent"), error.says_nothing_was_sent(), "{error:?}");
    }
    for unknown in [
        PageError::AlreadyDecided,
        PageError::PermissionEnded,
        PageError::StopUnknown,
        PageError::OutcomeUnknown,
    ] {
        assert!(!unknown.says_nothing_was_sent(), "{unknown:?}");
    }
}

#[test]
fn a_change_whose_commit_was_not_answered_is_told_as_uncertain_in_every_language() {
    let told = PageError::from(ProblemKind::OutcomeUnknown);
    assert_eq!((told, told.status()), (PageError::OutcomeUnknown, 503));
    for (language, uncertain, untrue) in [
        (
            Language::Fi,
            "Ei ole vielä varmaa, tuliko tämä voimaan",
            ["Tietojasi ei lähetetty", "ei tehnyt mitään"],
        ),
        (
            Language::Sv,
            "Det är inte säkert ännu om det här trädde i kraft",
            ["har skickats", "gjorde därför ingenting"],
        ),
        (Language::En, "It is not certain yet whether this took effect", ["was sent", "did nothing"]),
    ] {
        let view = plain_error(told);
        let html = render(&view, language, &samples::chrome("/", true)).unwrap();
        assert!(html.contains(uncertain), "{html}");
        assert!(untrue.iter().all(|words| !html.contains(words)), "{html}");
    }
    // To a service: not "nothing was sent", and it is to look before it asks again.
    let topic = ProblemTopic::of(ProblemKind::OutcomeUnknown);
    assert_eq!((topic.slug(), topic.status()), ("outcome-unknown", 503));
    assert!(topic.next_step().contains("before you repeat"), "{}", topic.next_step());
}

#[test]
fn every_error_of_the_decision_form_stands_at_its_field_and_in_the_summary() {
    let view = decision::samples::with_errors();
    let html = render(&view, Language::En, &samples::chrome("/consent/1", true)).unwrap();
    let (tags, _) = parse(&html);
    for error in &view.errors {
        let id = error.field_id();
        let input = tags
            .iter()
            .find(|tag| tag.attributes.get("id").is_some_and(|found| found == id))
            .unwrap_or_else(|| panic!("no field {id}"));
        assert_eq!(input.attributes["aria-invalid"], "true", "{id}");
        assert_eq!(input.attributes["aria-describedby"], format!("{id}-error"));
        assert!(html.contains(&format!("href=\"#{id}\"")), "{id} is not in the summary");
    }
    let ticked = tags.iter().filter(|tag| tag.attributes.contains_key("checked")).count();
    assert_eq!(ticked, 3, "two optional fields and how long");
    assert!(html.contains("<title>Error: "));
}

/// The file's keys with the names of their arguments.
fn keys(source: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in source.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        if !line.starts_with(' ') {
            current = line.split(" =").next().unwrap().to_owned();
            assert!(keys.insert(current.clone(), BTreeSet::new()).is_none(), "{current} stands twice");
        }
        for piece in line.split("{ $").skip(1) {
            let name = piece.split([' ', '}']).next().unwrap().to_owned();
            keys.get_mut(&current).unwrap().insert(name);
        }
    }
    keys
}

#[test]
fn the_three_languages_have_the_same_keys_and_arguments() {
    let [fi, sv, en] = [
        include_str!("../html/texts/fi.ftl"),
        include_str!("../html/texts/sv.ftl"),
        include_str!("../html/texts/en.ftl"),
    ]
    .map(keys);
    assert!(en.len() > 400);
    assert_eq!(fi, en);
    assert_eq!(sv, en);
}

/// Every word of the templates and of the code that is not a test.
fn sources_below(folder: &Path) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            words.extend(sources_below(&path));
        } else if path.extension().is_some_and(|ending| ending == "html" || ending == "rs")
            && !path.ends_with("page_tests.rs")
        {
            let text = std::fs::read_to_string(&path).unwrap();
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
            words.extend(text.split(|c| !is_part(c)).map(str::to_owned));
        }
    }
    words
}

#[test]
fn every_text_is_used() {
    let sources = sources_below(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/web")));
    let unused: Vec<String> = keys(include_str!("../html/texts/en.ftl"))
        .into_keys()
        .filter(|key| !sources.contains(key.replace('-', "_").as_str()))
        .collect();
    assert_eq!(unused, Vec::<String>::new());
}

#[test]
fn arguments_and_plurals_land_where_they_belong() {
    let (fi, sv, en) = (texts(Language::Fi), texts(Language::Sv), texts(Language::En));
    assert_eq!(&*fi.period_years(1), "1 vuosi");
    assert_eq!(&*fi.period_years(2), "2 vuotta");
    assert_eq!(&*sv.period_months(1), "1 månad");
    assert_eq!(&*en.period_days(0), "0 days");
    assert_eq!(&*en.times_value(2, 10), "2 so far, at most 10");
    assert_eq!(&*sv.times_value(2, 10), "hittills 2, högst 10");
    assert_eq!(&*fi.times_value(2, 10), "tähän mennessä 2, enintään 10");
    assert_eq!(
        &*en.permission_stop_confirmed("Turku", "today"),
        "Nothing more is fetched. Turku confirmed the stop on today."
    );
    assert_eq!(
        &*fi.permission_stop_confirmed("Turku", "tänään"),
        "Uusia hakuja ei tehdä. Turku vahvisti perumisen tänään."
    );
    assert_eq!(&*en.stop_limits(0), "Your data has not been fetched with this permission yet.");
    assert!(fi.stop_limits(1).starts_with("Tietosi on haettu kerran."));
    assert!(sv.stop_limits(4).starts_with("Dina uppgifter har hämtats 4 gånger."));
}

#[test]
fn a_page_that_needs_a_script_says_so_and_offers_no_button_without_it() {
    let chrome = samples::chrome("/me/passkeys/new", true);
    let pages: [&dyn View; 2] = [&passkeys::samples::new_passkey(), &passkeys::samples::confirm_passkey()];
    for view in pages {
        let html = render(view, Language::En, &chrome).unwrap();
        assert!(html.contains("JavaScript"), "{html}");
        let (tags, _) = parse(&html);
        let form = tags.iter().position(|tag| tag.attributes.contains_key("data-passkey")).unwrap();
        let button = tags[form..].iter().find(|tag| tag.name == "button" && !tag.closing).unwrap();
        assert!(button.attributes.contains_key("hidden"));
        let hidden = |id: &str| {
            let tag =
                tags.iter().find(|tag| tag.attributes.get("id").is_some_and(|found| found == id)).unwrap();
            tag.attributes.contains_key("hidden")
        };
        assert!(!hidden("passkey-needs-script") && hidden("passkey-failed"));
    }
}

#[test]
fn the_page_of_a_copy_stands_alone_in_every_language() {
    for sample in super::holdings::samples::copies() {
        for language in Language::ALL {
            let page = format!("{} {}", sample.name, language.tag());
            let html = render(&*sample.view, language, &sample.chrome).unwrap();
            let (tags, _) = parse(&html);
            check_balance(&tags, &page);
            check_headings(&tags, &page);
            assert!(html.contains(&format!("<html lang=\"{}\">", language.tag())), "{page}");
            for tag in &tags {
                assert!(!["script", "img", "link", "iframe", "form"].contains(&tag.name.as_str()), "{page}");
                let href = tag.attributes.get("href").map_or("mailto:", String::as_str);
                let good = ["mailto:", "https://"].iter().any(|start| href.starts_with(start))
                    || href.ends_with(".csv");
                assert!(good, "{page}: {href}");
            }
        }
    }
}
