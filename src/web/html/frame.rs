//! Rendering: the data of a template besides its view.

use std::borrow::Cow;

use super::chrome::{Chrome, Notice, Section, login_href};
use super::format::{self, Html, LegalBasis, Period, PeriodPart};
use super::texts::{Texts, texts};
use crate::domain::catalogue::{Field, FieldTree, Language, Text};
use crate::domain::clock::{Day, Timestamp};

/// A page's own content, as plain values.
pub(crate) trait View {
    /// The section of the portal that the page belongs to.
    fn section(&self) -> Option<Section>;

    /// Writes the page. Call [`render`] instead.
    ///
    /// # Errors
    /// [`askama::Error`] when a value cannot be written.
    fn write(&self, frame: &Frame<'_>) -> Result<String, askama::Error>;
}

/// The page as HTML, in one language.
///
/// # Errors
/// [`askama::Error`] when a value cannot be written; no page of this crate has such a value.
pub(crate) fn render(view: &dyn View, language: Language, chrome: &Chrome) -> Result<String, askama::Error> {
    view.write(&Frame { t: texts(language), language, chrome, section: view.section() })
}

/// The data of every template: the texts, the language and the formats of values.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    /// The texts in the page's language.
    pub(crate) t: Texts,
    pub(crate) language: Language,
    /// What every page has.
    pub(crate) chrome: &'a Chrome,
    /// The section of the portal that the page belongs to.
    pub(crate) section: Option<Section>,
}

/// One entry of the navigation.
#[derive(Debug)]
pub(crate) struct NavigationItem {
    pub(crate) section: Section,
    pub(crate) href: &'static str,
    pub(crate) label: String,
}

impl Frame<'_> {
    /// The personal pages are shown only to residents who are logged in.
    pub(crate) fn navigation(&self) -> Vec<NavigationItem> {
        let t = &self.t;
        let home = [(Section::Home, "/", t.nav_home())];
        let personal = [
            (Section::Overview, "/me", t.nav_overview()),
            (Section::Data, "/me/data", t.nav_data()),
            (Section::Sharing, "/me/sharing", t.nav_sharing()),
            (Section::Uses, "/me/uses", t.nav_uses()),
            (Section::Log, "/me/log", t.nav_log()),
        ];
        let open = [
            (Section::Partners, "/partners", t.nav_partners()),
            (Section::Catalogue, "/catalogue", t.nav_catalogue()),
        ];
        let personal = personal.into_iter().filter(|_| self.chrome.signed_in.is_some());
        home.into_iter()
            .chain(personal)
            .chain(open)
            .map(|(section, href, label)| NavigationItem { section, href, label: label.to_string() })
            .collect()
    }

    pub(crate) fn languages(&self) -> [Language; 3] {
        Language::ALL
    }

    pub(crate) fn is_language(&self, language: &Language) -> bool {
        self.language == *language
    }

    pub(crate) fn login_to(&self, path: &str) -> String {
        login_href(path)
    }

    pub(crate) fn signed_in_name(&self) -> Option<String> {
        self.chrome.signed_in.as_ref()?.name.as_deref().map(Html::named_marks).map(Cow::into_owned)
    }

    /// The first of the given names.
    pub(crate) fn greeting_name(&self) -> Option<String> {
        self.signed_in_name()?.split_whitespace().next().map(str::to_owned)
    }

    /// Whether an address may become a link; `javascript:` and the like may not.
    pub(crate) fn is_web_address(&self, address: &str) -> bool {
        address.starts_with("https://") || address.starts_with("http://")
    }

    /// A text of this city or of another: control characters and direction marks in it are shown by name.
    pub(crate) fn text<'t>(&self, text: &'t Text) -> Cow<'t, str> {
        Html::named_marks(text.get(self.language))
    }

    pub(crate) fn city(&self) -> Cow<'_, str> {
        self.text(&self.chrome.city)
    }

    pub(crate) fn is_at(&self, section: &Section) -> bool {
        self.section == Some(*section)
    }

    pub(crate) fn day(&self, day: &Day) -> String {
        format::day(*day, self.language)
    }

    pub(crate) fn moment(&self, at: &Timestamp) -> String {
        format::moment(*at, self.language)
    }

    pub(crate) fn moment_day(&self, at: &Timestamp) -> String {
        format::moment_day(*at, self.language)
    }

    /// A value of a register; of objects and lists the fields `within` alone.
    pub(crate) fn field_value(&self, field: &Field, within: &FieldTree, value: &serde_json::Value) -> Html {
        format::field_html(field, within, value, &self.t, self.language)
    }

    /// The names of the fields in an object or list; all of them, or those `within`.
    pub(crate) fn field_names(&self, field: &Field, within: Option<&FieldTree>) -> Html {
        format::names_html(field, within, &self.t, self.language)
    }

    /// A name or text from a register or a login provider.
    pub(crate) fn plain(&self, text: &str) -> Html {
        Html::of_text(text)
    }

    /// A language's own name for itself.
    pub(crate) fn language_name(&self, language: &Language) -> &'static str {
        match language {
            Language::Fi => "Suomi",
            Language::Sv => "Svenska",
            Language::En => "English",
        }
    }

    /// An ISO 8601 period in words; an unknown one is shown as written.
    pub(crate) fn period(&self, text: &str) -> String {
        let Some(period) = Period::parse(text) else { return text.to_owned() };
        let mut words = String::new();
        let count = period.parts.len();
        for (index, part) in period.parts.iter().enumerate() {
            if index > 0 {
                let joint =
                    if index.saturating_add(1) == count { self.t.and().to_string() } else { ",".to_owned() };
                if joint != "," {
                    words.push(' ');
                }
                words.push_str(&joint);
                words.push(' ');
            }
            words.push_str(&match part {
                PeriodPart::Years(n) => self.t.period_years(*n),
                PeriodPart::Months(n) => self.t.period_months(*n),
                PeriodPart::Weeks(n) => self.t.period_weeks(*n),
                PeriodPart::Days(n) => self.t.period_days(*n),
            });
        }
        if words.is_empty() { self.t.period_none().to_string() } else { words }
    }

    /// A legal basis in plain words, with its article.
    pub(crate) fn basis(&self, term: &str) -> String {
        let t = &self.t;
        match LegalBasis::from_term(term) {
            LegalBasis::Permission => t.basis_permission(),
            LegalBasis::Contract => t.basis_contract(),
            LegalBasis::LegalObligation => t.basis_legal_obligation(),
            LegalBasis::VitalInterests => t.basis_vital_interests(),
            LegalBasis::PublicTask => t.basis_public_task(),
            LegalBasis::LegitimateInterest => t.basis_legitimate_interest(),
            LegalBasis::ExplicitPermission => t.basis_explicit_permission(),
            LegalBasis::SpecialCategory => t.basis_special_category(),
            LegalBasis::Other => t.basis_other(),
        }
        .to_string()
    }

    /// A legal basis in plain words, without its article, for lists.
    pub(crate) fn basis_in_short(&self, term: &str) -> String {
        let text = self.basis(term);
        text.split_once(" (").map_or(text.as_str(), |(words, _)| words).to_owned()
    }

    pub(crate) fn is_choice(&self, term: &str) -> bool {
        LegalBasis::from_term(term).is_choice()
    }

    /// How many times, and in which stretch of time.
    pub(crate) fn often(&self, times: &(u32, Option<String>)) -> String {
        self.often_in(&times.0, &times.1)
    }

    /// How many times, and in which stretch of time.
    pub(crate) fn often_in(&self, times: &u32, per: &Option<String>) -> String {
        match per {
            None => times.to_string(),
            Some(per) => self.t.use_times_per(*times, self.period(per)).to_string(),
        }
    }

    pub(crate) fn notice(&self, notice: &Notice) -> String {
        match notice {
            Notice::PermissionStopped => self.t.notice_stopped(),
            Notice::PermissionHadEnded => self.t.notice_had_ended(),
            Notice::PermissionPaused => self.t.notice_paused(),
            Notice::PermissionResumed => self.t.notice_resumed(),
            Notice::PermissionNotResumed => self.t.notice_not_resumed(),
            Notice::DenialAdded => self.t.notice_denial_added(),
            Notice::DenialRemoved => self.t.notice_denial_removed(),
            Notice::PasskeyAdded => self.t.notice_passkey_added(),
            Notice::PasskeyRemoved => self.t.notice_passkey_removed(),
            Notice::ObjectionMade => self.t.notice_objection_made(),
            Notice::ObjectionStands => self.t.notice_objection_stands(),
        }
        .to_string()
    }
}
