//! Made-up families.

use std::collections::HashSet;

use time::{Date, Duration, Month};

use super::random::Random;
use super::{DemoResident, WorldError};
use crate::domain::catalogue::Text;
use crate::domain::ids::NationalIdentifier;

/// The failure when a register is queried about somebody, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behaviour {
    Plain,
    /// No register knows them.
    Unknown,
    /// The early education register fails.
    Broken,
    /// The early education register, where it is a database, has the records a quarter of an hour after it was written.
    Later,
}

/// One made-up person with their children.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) identifier: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    /// `fi` or `sv`.
    pub(super) language: &'static str,
    pub(super) non_disclosure: bool,
    pub(super) behaviour: Behaviour,
    /// First names, the eldest first; the eldest of several goes to school.
    pub(super) children: Vec<String>,
}

/// A named resident with a role.
pub(super) struct Part {
    username: &'static str,
    description: Text,
    pub(super) person: Person,
}

impl Part {
    pub(super) fn into_resident(self) -> Result<DemoResident, WorldError> {
        Ok(DemoResident {
            username: self.username,
            display_name: format!("{} {}", self.person.first_name, self.person.last_name),
            identifier: NationalIdentifier::new(&self.person.identifier)?,
            description: self.description,
            protected: self.person.non_disclosure,
        })
    }
}

const FIRST_NAMES_FI: [&str; 24] = [
    "Aada", "Anni", "Eemeli", "Eero", "Elias", "Ella", "Emmi", "Helmi", "Iida", "Ilmari", "Joel", "Kaisa",
    "Lauri", "Leo", "Maija", "Niilo", "Oiva", "Pihla", "Saara", "Sampo", "Siiri", "Toivo", "Venla", "Väinö",
];
const FIRST_NAMES_SV: [&str; 16] = [
    "Agnes", "Alva", "Anton", "Axel", "Ebba", "Edvin", "Elsa", "Emil", "Hugo", "Ida", "Linnéa", "Ludvig",
    "Matilda", "Oskar", "Saga", "Viktor",
];
const LAST_NAMES_FI: [&str; 14] = [
    "Esimerkkilä",
    "Kuvitelma",
    "Keksiväinen",
    "Mallimaa",
    "Tarukivi",
    "Satulinna",
    "Leikkinen-Taru",
    "Kokeilumäki",
    "Näytelmä",
    "Ainola-Keksitty",
    "Tarinapuro",
    "Olematon",
    "Testilehto",
    "Mallikorpi",
];
const LAST_NAMES_SV: [&str; 8] = [
    "Exempelström",
    "Påhittlund",
    "Sagobäck",
    "Mallholm",
    "Testkvist",
    "Fantasidal",
    "Påhittberg",
    "Lekströmsdal",
];

/// The check character of a personal identity code, by the remainder of its nine digits and 31.
const CHECK: &str = "0123456789ABCDEFHJKLMNPRSTUVWXY";

/// A personal identity code of the form that the Digital and Population Data Services Agency gives. Individual numbers
/// from 900 to 999 are kept for uses like this one and belong to nobody.
pub(super) fn identity_code(born: Date, individual: u16) -> String {
    let (day, month, year) = (born.day(), u8::from(born.month()), born.year());
    let century = if year >= 2000 { 'A' } else { '-' };
    let date = format!("{day:02}{month:02}{:02}", year.rem_euclid(100));
    let number: u64 = format!("{date}{individual:03}").parse().unwrap_or(0);
    let check = usize::try_from(number % 31).ok().and_then(|at| CHECK.chars().nth(at)).unwrap_or('0');
    format!("{date}{century}{individual:03}{check}")
}

fn day(year: i32, month: Month, day: u8) -> Date {
    Date::from_calendar_date(year, month, day).unwrap_or(Date::MIN)
}

pub(super) fn make_up(random: &mut Random, taken: &mut HashSet<String>) -> Person {
    let swedish = random.chance(12);
    let (first, last): (&[&str], &[&str]) = match swedish {
        true => (&FIRST_NAMES_SV, &LAST_NAMES_SV),
        false => (&FIRST_NAMES_FI, &LAST_NAMES_FI),
    };
    let identifier = loop {
        let born =
            day(1975, Month::January, 1).saturating_add(Duration::days(i64::from(random.between(0, 9_800))));
        let individual = u16::try_from(random.between(900, 999)).unwrap_or(900);
        let code = identity_code(born, individual);
        if taken.insert(code.clone()) {
            break code;
        }
    };
    let mut name = |list: &[&'static str]| random.pick(list).copied().unwrap_or("Aada").to_owned();
    let (first_name, last_name) = (name(first), name(last));
    let mut children: Vec<String> = Vec::new();
    for _ in 0..random.between(0, 3) {
        let child = random.pick(first).copied().unwrap_or("Aada");
        if !children.iter().any(|other| other == child) && child != first_name {
            children.push(child.to_owned());
        }
    }
    Person {
        identifier,
        first_name,
        last_name,
        language: if swedish { "sv" } else { "fi" },
        non_disclosure: random.chance(2),
        behaviour: Behaviour::Plain,
        children,
    }
}

/// The named residents, the same for every seed.
pub(super) fn cast(taken: &mut HashSet<String>) -> Vec<Part> {
    let mut part = |username, name: (&str, &str), born, individual, children: &[&str], description: Text| {
        let identifier = identity_code(born, individual);
        taken.insert(identifier.clone());
        Part {
            username,
            description,
            person: Person {
                identifier,
                first_name: name.0.to_owned(),
                last_name: name.1.to_owned(),
                language: "fi",
                non_disclosure: false,
                behaviour: Behaviour::Plain,
                children: children.iter().map(|name| (*name).to_owned()).collect(),
            },
        }
    };
    let mut cast = vec![
        part(
            "aino",
            ("Aino", "Mallimaa"),
            day(1988, Month::March, 14),
            900,
            &["Kerttu", "Onni", "Lumi"],
            text(
                "Perhe on muuttanut Espoosta Helsinkiin. Antaa luvan, ja kaikki toimii.",
                "Familjen har flyttat från Esbo till Helsingfors. Ger tillstånd, och allt fungerar.",
                "The family has moved from Espoo to Helsinki. Allows, and everything works.",
            ),
        ),
        part(
            "elin",
            ("Elin", "Exempelström"),
            day(1991, Month::November, 2),
            902,
            &["Hugo", "Alva"],
            text(
                "Käyttää ruotsia. Kokeile, mitä tapahtuu, kun lupaa ei anneta.",
                "Använder svenska. Prova vad som händer när tillståndet inte ges.",
                "Uses Swedish. Try what happens when permission is not given.",
            ),
        ),
        part(
            "otso",
            ("Otso", "Esimerkkilä"),
            day(1985, Month::June, 23),
            905,
            &["Sampo", "Pihla"],
            text(
                "Antaa luvan ja lopettaa sen sitten kesken.",
                "Ger tillstånd och avslutar det sedan i förtid.",
                "Allows, and then stops the permission before its end.",
            ),
        ),
        part(
            "mikael",
            ("Mikael", "Påhittlund"),
            day(1982, Month::January, 9),
            907,
            &["Ebba", "Axel"],
            text(
                "Joku muu kuin se, jolta palvelu odottaa lupaa. Pyyntö hylätään selvästi.",
                "Någon annan än den som tjänsten väntar sig tillstånd av. Begäran avvisas tydligt.",
                "Someone else than the service expects. The request is refused plainly.",
            ),
        ),
        part(
            "tuovi",
            ("Tuovi", "Tarukivi"),
            day(1996, Month::September, 30),
            908,
            &[],
            text(
                "Missään rekisterissä ei ole hänestä tietoja.",
                "Inget register har uppgifter om henne.",
                "No register holds anything about her.",
            ),
        ),
        part(
            "selma",
            ("Selma", "Satulinna"),
            day(1990, Month::April, 18),
            910,
            &["Helmi", "Toivo"],
            text(
                "Turvakielto: asuinpaikasta kertovat tiedot eivät lähde rekisteristä.",
                "Spärrmarkering: uppgifter om var hon bor lämnar inte registret.",
                "Non-disclosure order: what tells where she lives never leaves the register.",
            ),
        ),
        part(
            "rauno",
            ("Rauno", "Keksiväinen"),
            day(1979, Month::December, 5),
            911,
            &["Siiri", "Leo"],
            text(
                "Varhaiskasvatuksen rekisteri ei vastaa hänestä kysyttäessä.",
                "Småbarnspedagogikens register svarar inte när det gäller honom.",
                "The early education register does not answer when asked about him.",
            ),
        ),
        part(
            "ilmari",
            ("Ilmari", "Kokeilumäki"),
            day(1987, Month::May, 17),
            912,
            &["Pihla", "Eero"],
            text(
                "Varhaiskasvatuksen rekisterissä tiedot ovat vasta varttitunnin kuluttua.",
                "Uppgifterna finns i småbarnspedagogikens register först efter en kvart.",
                "The early education register has the data only a quarter of an hour later.",
            ),
        ),
    ];
    for part in &mut cast {
        match part.username {
            "elin" | "mikael" => part.person.language = "sv",
            "tuovi" => part.person.behaviour = Behaviour::Unknown,
            "selma" => part.person.non_disclosure = true,
            "ilmari" => part.person.behaviour = Behaviour::Later,
            "rauno" => part.person.behaviour = Behaviour::Broken,
            _ => {}
        }
    }
    cast
}

fn text(fi: &str, sv: &str, en: &str) -> Text {
    Text { fi: fi.to_owned(), sv: sv.to_owned(), en: en.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_codes_have_the_right_check_character() {
        // The agency's own example of a code.
        assert_eq!(identity_code(day(1952, Month::October, 13), 308), "131052-308T");
        assert_eq!(identity_code(day(2001, Month::February, 3), 999).len(), 11);
        assert!(identity_code(day(2001, Month::February, 3), 999).starts_with("030201A999"));
    }

    #[test]
    fn the_same_seed_makes_the_same_people_and_no_two_share_an_identifier() {
        let make = |seed| {
            let (mut random, mut taken) = (Random::new(seed), HashSet::new());
            (0..300).map(|_| make_up(&mut random, &mut taken).identifier).collect::<Vec<_>>()
        };
        assert_eq!(make(7), make(7));
        assert_ne!(make(7), make(8));
        assert_eq!(make(7).into_iter().collect::<HashSet<_>>().len(), 300);
        assert!(make(7).iter().all(|code| code[7..10].parse::<u16>().unwrap() >= 900));
    }
}
