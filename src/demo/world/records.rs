//! A person's records in the registers: rows by dataset, with the names of the dataset's fields.

use serde_json::{Map, Value, json};
use time::{Date, Duration, Month};

use super::people::{Behaviour, Person, identity_code};
use super::random::Random;
use crate::config::shipped::City;

/// A row, with its subject under `guardian` or `resident`.
pub(in crate::demo) type Row = Map<String, Value>;

/// All rows of one city.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) placements: Vec<Row>,
    pub(super) service_needs: Vec<Row>,
    pub(super) decisions: Vec<Row>,
    pub(super) fee_decisions: Vec<Row>,
    pub(super) assistance: Vec<Row>,
    pub(super) profiles: Vec<Row>,
    pub(super) youth: Vec<Row>,
    pub(super) parking: Vec<Row>,
}

/// First day of the demo's present placements.
const YEAR: i32 = 2025;

const PLACEMENT_TYPES: [&str; 8] = [
    "DAYCARE",
    "DAYCARE",
    "DAYCARE",
    "DAYCARE_PART_TIME",
    "PRESCHOOL_DAYCARE",
    "CLUB",
    "PREPARATORY",
    "SCHOOL_SHIFT_CARE",
];

/// Daycare centres of a city: name and language. None of them exists.
const fn units(city: City) -> [(&'static str, &'static str); 4] {
    match city {
        City::Helsinki => [
            ("Päiväkoti Tuulimylly", "fi"),
            ("Päiväkoti Satusaari", "fi"),
            ("Päiväkoti Lyhtykuja", "fi"),
            ("Daghemmet Sagoskogen", "sv"),
        ],
        City::Espoo => [
            ("Kuvitelmakallion päiväkoti", "fi"),
            ("Satumetsän päiväkoti", "fi"),
            ("Majakkapolun päiväkoti", "fi"),
            ("Påhittsbackens daghem", "sv"),
        ],
        City::Turku => [
            ("Tarulinnan päiväkoti", "fi"),
            ("Jokitarinan päiväkoti", "fi"),
            ("Purjeveneen päiväkoti", "fi"),
            ("Daghemmet Sagoborg", "sv"),
        ],
        City::Oulu => [
            ("Revontulen päiväkoti", "fi"),
            ("Keksityn puron päiväkoti", "fi"),
            ("Tervatarun päiväkoti", "fi"),
            ("Daghemmet Norrskenssagan", "sv"),
        ],
    }
}

const fn place_name(city: City) -> &'static str {
    match city {
        City::Helsinki => "Helsinki",
        City::Espoo => "Espoo",
        City::Turku => "Turku",
        City::Oulu => "Oulu",
    }
}

fn row(value: Value) -> Row {
    match value {
        Value::Object(row) => row,
        _ => Row::new(),
    }
}

fn date(year: i32, month: Month, day: u8) -> Date {
    Date::from_calendar_date(year, month, day).unwrap_or(Date::MIN)
}

fn iso(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

/// Generates a city's records about its residents.
pub(super) fn of_city(city: City, residents: &[Person], random: &mut Random) -> Rows {
    let mut rows = Rows::default();
    for (index, person) in residents.iter().enumerate() {
        if person.behaviour == Behaviour::Unknown {
            continue;
        }
        // The eldest of three goes to school; the others are in early education.
        let (school, small) = match person.children.split_first() {
            Some((eldest, others)) if others.len() > 1 => (Some(eldest), others),
            _ => (None, person.children.as_slice()),
        };
        for (number, child) in small.iter().enumerate() {
            let child = Child { name: child, identifier: child_identifier(index, number) };
            early_education(city, person, &child, &mut rows, random);
        }
        if !small.is_empty() {
            rows.fee_decisions.push(fee_decision(city, person, small, random));
        }
        if city == City::Helsinki {
            rows.profiles.push(profile(person, index));
            if let Some(child) = school.or(person.children.first()) {
                youth(person, child, index, &mut rows, random);
            }
            parking(person, index, &mut rows, random);
        }
    }
    rows
}

/// A child in early education.
struct Child<'a> {
    name: &'a str,
    identifier: String,
}

/// A personal identity code of a child, of whom none is an adult resident of the demo.
fn child_identifier(family: usize, number: usize) -> String {
    let place = family.saturating_mul(8).saturating_add(number);
    let days = i64::try_from(place % 1_800).unwrap_or_default();
    let born = date(YEAR - 6, Month::January, 1).saturating_add(Duration::days(days));
    let individual = u16::try_from(place.div_euclid(1_800) % 100).unwrap_or_default();
    identity_code(born, individual.saturating_add(900))
}

/// A placement now and, for some, one before it, each with its service need and decision.
fn early_education(city: City, person: &Person, child: &Child<'_>, rows: &mut Rows, random: &mut Random) {
    let language = person.language;
    let fitting: Vec<&str> =
        units(city).iter().filter(|unit| unit.1 == language).map(|unit| unit.0).collect();
    let now = (date(YEAR, Month::August, 1), date(YEAR + 2, Month::July, 31));
    let before = (date(YEAR - 2, Month::August, 1), date(YEAR, Month::July, 31));
    let periods: &[(Date, Date)] = if random.chance(40) { &[now, before] } else { &[now] };
    for (start, end) in periods.iter().copied() {
        let unit = random.pick(&fitting).copied().unwrap_or("Päiväkoti Tuulimylly");
        let kind = random.pick(&PLACEMENT_TYPES).copied().unwrap_or("DAYCARE");
        let leaving = (start == now.0 && random.chance(10)).then(|| iso(date(YEAR + 1, Month::May, 4)));
        let id = format!("P{:06}", rows.placements.len());
        rows.placements.push(row(json!({
            "id": id, "child": child.identifier,
            "guardian": person.identifier, "nonDisclosure": person.non_disclosure, "availableFrom": available_from(person), "childName": child.name,
            "type": kind, "unit": unit, "startDate": iso(start), "endDate": iso(end),
            "placeGuarantee": random.chance(30), "terminationRequestedDate": leaving,
        })));
        let (hours_fi, hours_sv, hours_en, part_week) = [
            (
                "Kokopäiväinen, yli 35 tuntia viikossa",
                "Heldag, över 35 timmar i veckan",
                "Full-time, over 35 hours a week",
                false,
            ),
            (
                "Osapäiväinen, 20–35 tuntia viikossa",
                "Deltid, 20–35 timmar i veckan",
                "Part-time, 20–35 hours a week",
                false,
            ),
            (
                "Osaviikkoinen, enintään 20 tuntia viikossa",
                "Del av veckan, högst 20 timmar i veckan",
                "Part of the week, 20 hours at most",
                true,
            ),
        ]
        .get(random.below(3))
        .copied()
        .unwrap_or_default();
        let shift = if random.chance(8) {
            "INTERMITTENT"
        } else if random.chance(4) {
            "FULL"
        } else {
            "NONE"
        };
        let id = format!("S{:06}", rows.service_needs.len());
        rows.service_needs.push(row(json!({
            "id": id, "child": child.identifier,
            "guardian": person.identifier, "nonDisclosure": person.non_disclosure, "availableFrom": available_from(person), "childName": child.name,
            "startDate": iso(start), "endDate": iso(end),
            "option": {"fi": hours_fi, "sv": hours_sv, "en": hours_en}, "shiftCare": shift, "partWeek": part_week,
        })));
        let sent = start.saturating_sub(Duration::days(i64::from(random.between(40, 120))));
        let id = format!("D{:06}", rows.decisions.len());
        rows.decisions.push(row(json!({
            "id": id, "child": child.identifier,
            "guardian": person.identifier, "nonDisclosure": person.non_disclosure, "availableFrom": available_from(person), "childName": child.name,
            "decisionNumber": 100_000_usize.saturating_add(rows.decisions.len()), "type": kind,
            "startDate": iso(start), "endDate": iso(end), "sentDate": iso(sent), "status": "ACCEPTED",
            "resolved": iso(sent.saturating_add(Duration::days(i64::from(random.between(1, 14))))),
            "unit": {
                "name": unit, "providerType": if random.chance(85) { "MUNICIPAL" } else { "PURCHASED" },
                "language": language, "address": format!("Keksittykuja {}, {}", random.between(1, 40), place_name(city)),
            },
        })));
    }
    // The younger child of the README's family gets support, so that there is something to leave out.
    if child.name == "Lumi" || random.chance(12) {
        let level = random.pick(&["GENERAL_SUPPORT", "INTENSIFIED_SUPPORT", "SPECIAL_SUPPORT"]);
        rows.assistance.push(row(json!({
            "guardian": person.identifier, "childName": child.name, "level": level,
            "validDuring": {"start": iso(now.0), "end": iso(now.1)},
        })));
    }
}

/// How long after the register was written it has a person's records, as SQLite adds it to a moment.
fn available_from(person: &Person) -> Option<&'static str> {
    (person.behaviour == Behaviour::Later).then_some("+15 minutes")
}

fn fee_decision(city: City, person: &Person, children: &[String], random: &mut Random) -> Row {
    // In cents, so that a discount leaves no fraction.
    let base = random.between(50, 310).saturating_mul(100);
    let fees: Vec<Value> = children
        .iter()
        .enumerate()
        .map(|(place, child)| {
            // The youngest pays in full, the next 40 %, any further 20 % of it (Act 1503/2016 §§ 5–7).
            let discount = match place {
                0 => 0,
                1 => 60,
                _ => 80,
            };
            let fee = base.saturating_mul(100_i32.saturating_sub(discount)).div_euclid(100);
            // A fee below the limit is not charged (Act 1503/2016 § 5).
            let charged = if fee < SMALLEST_FEE { 0 } else { fee };
            json!({
                "childName": child, "baseFee": money(city, base), "siblingDiscount": discount,
                "fee": money(city, fee), "finalFee": money(city, charged),
            })
        })
        .collect();
    row(json!({
        "guardian": person.identifier,
        "validDuring": {"start": iso(date(YEAR, Month::August, 1)), "end": iso(date(YEAR + 2, Month::July, 31))},
        "familySize": person.children.len().saturating_add(2), "children": fees,
    }))
}

/// The smallest fee that is charged, in cents.
const SMALLEST_FEE: i32 = 3_000;

/// An amount as the city's register writes it: with its currency, or alone.
fn money(city: City, cents: i32) -> Value {
    let amount = format!("{}.{:02}", cents.div_euclid(100), cents.rem_euclid(100));
    match city {
        City::Oulu => json!({"amount": amount, "currency": "EUR"}),
        City::Helsinki | City::Espoo | City::Turku => json!(amount),
    }
}

fn profile(person: &Person, index: usize) -> Row {
    let plain = |name: &str| {
        let name = name.to_lowercase();
        name.replace(['ä', 'å'], "a").replace('ö', "o").replace('é', "e")
    };
    row(json!({
        "resident": person.identifier, "nonDisclosure": person.non_disclosure,
        "firstName": person.first_name, "lastName": person.last_name, "nickname": person.first_name,
        "language": person.language, "contactMethod": if index.is_multiple_of(3) { "SMS" } else { "EMAIL" },
        "emails": [format!("{}.{}@post.example", plain(&person.first_name), plain(&person.last_name))],
        // No real subscriber number begins like this.
        "phones": [format!("+358 000 {index:04}")],
        "addresses": [{"street": format!("Keksittykuja {} A {}", index % 40 + 1, index % 12 + 1),
                       "postalCode": "00000", "city": "Helsinki"}],
    }))
}

/// A membership for each season: of a child who goes to school this one and the two before it.
fn youth(person: &Person, child: &str, index: usize, rows: &mut Rows, random: &mut Random) {
    let born =
        date(YEAR - 12, Month::January, 1).saturating_add(Duration::days(i64::from(random.between(0, 700))));
    let (class, letter) = (random.between(4, 6), random.pick(&["A", "B", "C"]).unwrap_or(&"A"));
    let photos = random.chance(60);
    let seasons = if person.children.len() > 2 { 3 } else { 1 };
    for before in 0..seasons {
        rows.youth.push(row(json!({
            "guardian": person.identifier, "childName": child, "membershipNumber": format!("N{index:06}-{}", YEAR + 1 - before),
            "birthDate": iso(born), "schoolName": "Satusaaren koulu",
            "schoolClass": format!("{}{letter}", class - before),
            "expiration": iso(date(YEAR + 2 - before, Month::August, 31)), "languageAtHome": person.language,
            "photoUsageApproved": photos,
        })));
    }
}

fn parking(person: &Person, index: usize, rows: &mut Rows, random: &mut Random) {
    // Named residents have a permit each; of the others about every third.
    if index >= 8 && !random.chance(35) {
        return;
    }
    let months = random.between(6, 24);
    rows.parking.push(row(json!({
        "resident": person.identifier, "type": if random.chance(92) { "RESIDENT" } else { "COMPANY" },
        "status": "VALID", "startTime": format!("{}-03-01T00:00:00+02:00", YEAR + 1),
        "endTime": format!("{}-02-28T23:59:59+02:00", YEAR + 2),
        "contractType": if random.chance(50) { "OPEN_ENDED" } else { "FIXED_PERIOD" }, "monthCount": months,
        "vehicle": format!("DEMO-{index}"),
        // A zone reveals where someone lives.
        "parkingZone": (!person.non_disclosure).then(|| random.pick(&["A", "B", "C", "H", "K"])),
    })));
}
