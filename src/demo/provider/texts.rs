//! What the login page says, in the three languages.

use crate::domain::catalogue::Language;

/// The texts of the login page in one language.
pub(super) struct Texts {
    pub(super) page: &'static str,
    pub(super) notice: &'static str,
    pub(super) notice_more: &'static str,
    pub(super) heading: &'static str,
    /// Before the name of the requesting city.
    pub(super) going_to: &'static str,
    pub(super) strong: &'static str,
    pub(super) here_already: &'static str,
    pub(super) cancel: &'static str,
    pub(super) languages: &'static str,
}

impl Texts {
    pub(super) const fn of(language: Language) -> &'static Self {
        match language {
            Language::Fi => &FI,
            Language::Sv => &SV,
            Language::En => &EN,
        }
    }
}

const FI: Texts = Texts {
    page: "Kokeilukirjautuminen",
    notice: "Tämä on kokeilukirjautuminen.",
    notice_more: "Kaikki ihmiset ovat keksittyjä. Oikeassa palvelussa tunnistaudut pankkitunnuksilla tai mobiilivarmenteella.",
    heading: "Kenenä kirjaudut?",
    going_to: "Kirjaudut palveluun:",
    strong: "Palvelu pyytää vahvaa tunnistautumista. Kokeilussa siihen riittää yksi painallus.",
    here_already: "kirjautuneena nyt",
    cancel: "Peru ja palaa palveluun",
    languages: "Kieli",
};

const SV: Texts = Texts {
    page: "Testinloggning",
    notice: "Det här är en testinloggning.",
    notice_more: "Alla personer är påhittade. I en riktig tjänst identifierar du dig med bankkoder eller mobilcertifikat.",
    heading: "Vem loggar du in som?",
    going_to: "Du loggar in i tjänsten:",
    strong: "Tjänsten ber om stark autentisering. I testet räcker det med en tryckning.",
    here_already: "inloggad nu",
    cancel: "Avbryt och gå tillbaka till tjänsten",
    languages: "Språk",
};

const EN: Texts = Texts {
    page: "Demo login",
    notice: "This is a demo login.",
    notice_more: "Everyone here is made up. In a real service you would identify yourself with your bank or your mobile certificate.",
    heading: "Whom do you log in as?",
    going_to: "You are logging in to:",
    strong: "The service asks for strong identification. In the demo, one press is enough.",
    here_already: "logged in now",
    cancel: "Cancel and go back to the service",
    languages: "Language",
};
