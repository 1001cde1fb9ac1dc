//! A permission for one child, or for one record: what the guardian left out never leaves, whoever asks for it.

use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use omadata::app::SystemClock;
use omadata::domain::bundle::{VerifyOptions, verify_bundle};
use omadata::domain::ids::HeldConsentId;
use omadata::domain::jose::{SigningKey, b64url, sha256};
use omadata::operator;
use omadata::ports::Clock;
use omadata::store::keys::signing_keys;
use omadata::store::recipient::held_consents;
use serde_json::{Value, json};

use crate::harness::browser::{Browser, Page};
use crate::harness::{Service, World, client};

const PLACEMENT: &str = "early-education-placement";
const PLACEMENTS: &str = "early-education-placements";
const SERVICE_NEED: &str = "early-education-service-need";

/// The consent page of a request, as a resident who has just logged in sees it.
async fn page_of(asked: &Value, resident: &str) -> (Page, Browser) {
    let mut browser = Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, resident).await;
    assert_eq!(page.status, 200, "{}", page.describe());
    (page, browser)
}

/// The person or record whose checkbox has this label.
fn labelled(page: &Page, name: &str, label: &str) -> String {
    let values = page.values_of(name);
    let is_labelled = |value: &&String| {
        let tag = page.body.split(&format!("value=\"{value}\"")).nth(1).unwrap();
        tag.split("</label>").next().unwrap().contains(label)
    };
    values.iter().find(is_labelled).unwrap_or_else(|| panic!("no {name} {label} in {values:?}")).clone()
}

/// Runs statements in Espoo's early education register.
fn register(world: &World, statements: &str) {
    let path = world.register("espoo", "early-education.sqlite");
    let mut register = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    register.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
    register.batch_execute(statements).unwrap();
}

/// An exchange as any recipient may ask it, with Helsinki's own token and key.
async fn exchanged(world: &World, id: &str, query: &str) -> (u16, Value) {
    let held: HeldConsentId = id.parse().unwrap();
    let helsinki = world.store("helsinki");
    let held = helsinki.read("test", move |store| held_consents::find(store, held)).await.unwrap();
    let tokens = held.life.grant_held().unwrap().tokens.clone();
    let kid = tokens.dpop_kid.clone();
    let key = helsinki.read("test", move |store| signing_keys::with_private_part(store, &kid)).await.unwrap();
    let url = format!("{}/exchange/datasets/{}", world.url("espoo"), world.dataset("espoo", PLACEMENTS));
    let http = client();
    let nonce = http.get(&url).send().await.unwrap().headers()["dpop-nonce"].to_str().unwrap().to_owned();
    let claims = json!({
        "htm": "GET", "htu": url, "iat": SystemClock.now().secs(), "nonce": nonce,
        "jti": SigningKey::generate().unwrap().kid(), "ath": b64url(&sha256(tokens.access_token.as_bytes())),
    });
    let request = http
        .get(format!("{url}?{query}"))
        .header("authorization", format!("DPoP {}", tokens.access_token))
        .header("dpop", key.sign_with_jwk("dpop+jwt", &claims).unwrap());
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap())
}

async fn fetched(service: &Service, id: &str) -> Value {
    let (status, fetched) = service.fetch(id).await;
    assert_eq!(status, 200, "{fetched}");
    assert_eq!(fetched["data"].as_array().unwrap().len(), fetched["about"].as_array().map_or(0, Vec::len));
    fetched
}

fn children(fetched: &Value) -> Vec<&str> {
    let records = fetched["data"].as_array().unwrap().iter();
    let mut names: Vec<&str> = records.map(|record| record["childName"].as_str().unwrap()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[tokio::test]
async fn aino_gives_the_placements_of_one_child_and_the_other_childs_never_leave() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let asked = service.ask("espoo", PLACEMENT, Some("aino"), json!({"times": 5})).await;
    let id = asked["id"].as_str().unwrap();
    let (page, mut browser) = page_of(&asked, "aino").await;
    let (onni, lumi) = (labelled(&page, "person", "Onni"), labelled(&page, "person", "Lumi"));
    assert_eq!(page.offered_persons().len(), 2);
    assert!(!page.body.contains("checkbox\" checked"), "a child is chosen beforehand");

    // Who chooses nobody is told so at the choice, and what else was filled in stays.
    let until = [("duration", Some("until")), ("times", Some("4"))];
    let nobody: Vec<_> = until.iter().copied().chain([("person", None), ("field", Some("type"))]).collect();
    let again = page.decide(&mut browser, "allow", &nobody).await;
    assert_eq!(again.status, 400, "{}", again.describe());
    assert!(again.text().contains("Choose whose data the permission covers"), "{}", again.text());
    assert!(again.body.contains("href=\"#persons\"") && again.body.contains("id=\"persons\""));
    assert!(again.body.contains("value=\"4\"") && again.body.contains("value=\"type\" checked"));
    assert_eq!(service.show(id).await["state"], "requested");

    // Everything about her and only one record of hers: it is asked which of the two.
    let only = labelled(&again, "record", "Only: ");
    let whose =
        if again.body.find("Lumi</legend>") < again.body.find("Onni</legend>") { &lumi } else { &onni };
    let both: Vec<_> = until
        .iter()
        .copied()
        .chain([("person", Some(whose.as_str())), ("record", Some(only.as_str()))])
        .collect();
    let again = again.decide(&mut browser, "allow", &both).await;
    assert_eq!(again.status, 400, "{}", again.describe());
    assert!(again.text().contains("Leave only one of the two"), "{}", again.text());

    let changes: Vec<_> = until
        .iter()
        .copied()
        .chain([("person", None), ("record", None), ("person", Some(lumi.as_str()))])
        .collect();
    let end = again.decide(&mut browser, "allow", &changes).await;
    assert!(end.url.query().unwrap().contains("state=active"), "{}", end.describe());
    assert_eq!(service.show(id).await["persons"], json!([{"id": lumi}]));

    let first = fetched(&service, id).await;
    assert_eq!(children(&first), ["Lumi"]);
    assert!(first["about"].as_array().unwrap().iter().all(|about| about["person"] == json!(lumi)));
    let text = first.to_string();
    assert!(!text.contains("Onni") && !text.contains(&onni), "something of the other child: {text}");
    let records = first["data"].as_array().unwrap().len();
    assert_eq!(first["receipt"]["persons"], json!([{"id": lumi, "records": records}]));

    // The register gets another placement of each, and one of a third child: Lumi's is covered.
    let who = world.identifier("aino");
    let new = |child: &str, name: &str, id: &str| {
        format!(
            "INSERT INTO placement_row (guardian, non_disclosure, id, child, child_name, type, unit, start_date, end_date)
             SELECT '{who}', 0, '{id}', {child}, '{name}', 'CLUB', 'Uusi kerho', '2026-01-01', '2026-02-01'"
        )
    };
    let known = |name: &str| {
        format!(
            "(SELECT child FROM placement_row WHERE guardian = '{who}' AND child_name = '{name}' LIMIT 1)"
        )
    };
    register(world, &new(&known("Lumi"), "Lumi", "new-1"));
    register(world, &new(&known("Onni"), "Onni", "new-2"));
    register(world, &new("'010124A999K'", "Kerttu", "new-3"));
    let second = fetched(&service, id).await;
    assert_eq!(children(&second), ["Lumi"]);
    assert_eq!(second["data"].as_array().unwrap().len(), records + 1);
    register(world, "DELETE FROM placement_row WHERE id LIKE 'new-%'");

    // She sees whose data it is, where she decided and where it was fetched; no identifier of the child.
    let consent = world.consent("helsinki", "espoo", id).await;
    let base = world.url("espoo");
    for path in
        [format!("/me/sharing/{consent}"), format!("/me/sharing/{consent}/receipt"), "/me/log".to_owned()]
    {
        let seen = browser.open(&format!("{base}{path}")).await;
        assert!(seen.text().contains("Lumi"), "{path}: {}", seen.text());
        assert!(!seen.text().contains("Onni"), "{path}: {}", seen.text());
        assert!(!seen.body.contains(&lumi), "an identifier stands on {path}");
    }

    // The evidence says it, and can be verified elsewhere.
    let bundle = operator::consents::export_consent(&world.cities["espoo"], consent).await.unwrap();
    let judged = verify_bundle(&bundle, &VerifyOptions::default());
    assert!(!judged.has_failed(), "{:#?}", judged.findings);
    assert!(bundle.contains(&lumi) && !bundle.contains(&onni), "the bundle is about Lumi alone");
}

#[tokio::test]
async fn a_permission_for_one_record_covers_no_later_one() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let asked = service.ask("espoo", PLACEMENT, Some("mikael"), json!({"times": 3})).await;
    let (id, who) = (asked["id"].as_str().unwrap(), world.identifier("mikael"));
    let (page, mut browser) = page_of(&asked, "mikael").await;
    let record = page.values_of("record").remove(0);
    let until = [("duration", Some("until")), ("times", Some("3")), ("record", Some(record.as_str()))];
    let end = page.decide(&mut browser, "allow", &until).await;
    assert!(end.url.query().unwrap().contains("state=active"), "{}", end.describe());

    let first = fetched(&service, id).await;
    assert_eq!(first["data"].as_array().unwrap().len(), 1, "{first}");
    assert_eq!(first["about"][0]["record"], json!(record));
    let person = &first["about"][0]["person"];
    assert_eq!(service.show(id).await["persons"], json!([{"id": person, "records": [record]}]));
    assert_eq!(first["receipt"]["persons"], json!([{"id": person, "records": 1, "record_ids": [record]}]));
    // The same child's next placement is another record.
    register(
        world,
        &format!(
            "INSERT INTO placement_row SELECT * FROM placement_row WHERE guardian = '{who}';
             UPDATE placement_row SET id = id || '-later' WHERE rowid IN
             (SELECT max(rowid) FROM placement_row WHERE guardian = '{who}' GROUP BY id HAVING count(*) > 1)"
        ),
    );
    let second = fetched(&service, id).await;
    assert_eq!(second["data"], first["data"]);
    register(world, &format!("DELETE FROM placement_row WHERE guardian = '{who}' AND id LIKE '%-later'"));
}

#[tokio::test]
async fn a_service_asks_for_one_child_by_what_it_learnt_before_and_no_other_city_knows_that_child() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let (id, _) = service.given("espoo", PLACEMENT, "otso", json!({})).await;
    let all = fetched(&service, &id).await;
    let about = all["about"].as_array().unwrap();
    let pihla = all["data"].as_array().unwrap().iter().position(|record| record["childName"] == "Pihla");
    let pihla = about[pihla.unwrap()]["person"].as_str().unwrap();

    // The same child has the same identifier in another dataset: the service asks for her need of care alone.
    let persons = json!({"persons": [{"id": pihla}]});
    let asked = service.ask("espoo", SERVICE_NEED, Some("otso"), persons.clone()).await;
    let (page, mut browser) = page_of(&asked, "otso").await;
    assert!(page.text().contains("Pihla") && !page.text().contains("Sampo"), "{}", page.text());
    assert!(
        page.offered_persons().iter().all(|person| person == pihla),
        "somebody else than the asked child is offered"
    );
    let end = page.decide(&mut browser, "allow", &[]).await;
    assert!(end.url.query().unwrap().contains("state=active"), "{}", end.describe());
    let need = fetched(&service, asked["id"].as_str().unwrap()).await;
    assert_eq!(children(&need), ["Pihla"]);

    // Another city gets other identifiers for the same child.
    let turku = world.service("turku").await;
    let (other, _) = turku.given("espoo", PLACEMENT, "otso", json!({})).await;
    let theirs = fetched(&turku, &other).await.to_string();
    for known in about {
        assert!(!theirs.contains(known["person"].as_str().unwrap()), "two cities can match a child");
        assert!(!theirs.contains(known["record"].as_str().unwrap()), "two cities can match a record");
    }

    // A child of somebody else's and one that does not exist are the same: not held about this resident.
    for unknown in [pihla, "CQkJCQkJCQkJCQkJCQkJCQ"] {
        let persons = json!({"persons": [{"id": unknown}]});
        let asked = service.ask("espoo", PLACEMENT, Some("mikael"), persons).await;
        let (page, mut browser) = page_of(&asked, "mikael").await;
        assert!(page.text().contains("has no such data about you"), "{}", page.text());
        assert!(!page.body.contains("value=\"allow\""), "there is nothing to allow");
        let by_hand = page.decide(&mut browser, "allow", &[("person", Some(unknown))]).await;
        assert_eq!(by_hand.status, 400, "{}", by_hand.describe());
        let end = page.decide(&mut browser, "return", &[]).await;
        assert!(end.url.query().unwrap().contains("state=failed"), "{}", end.describe());
        let shown = service.show(asked["id"].as_str().unwrap()).await;
        assert_eq!(shown["reason"], "invalid_authorization_details", "{shown}");
        assert_ne!(service.fetch(asked["id"].as_str().unwrap()).await.0, 200);
    }
}

#[tokio::test]
async fn a_service_hears_at_once_what_a_dataset_cannot_be_narrowed_to() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let id = json!({"id": "CQkJCQkJCQkJCQkJCQkJCQ"});
    for (persons, kind) in [
        (json!([]), "invalid-request"),
        (json!([id, id]), "invalid-request"),
        (json!([{"id": "010124A999K"}]), "invalid-request"),
        (json!([{"id": "CQkJCQkJCQkJCQkJCQkJCQ", "records": []}]), "invalid-request"),
    ] {
        let body = json!({"persons": persons});
        let (status, problem) = service.try_ask("espoo", PLACEMENT, Some("aino"), body).await;
        assert_eq!(status, 400, "{problem}");
        assert!(problem["type"].as_str().unwrap().ends_with(kind), "{problem}");
    }
    // Turku's records do not name the children.
    let body = json!({"persons": [id]});
    let (status, problem) = service.try_ask("turku", PLACEMENT, Some("aino"), body).await;
    assert_eq!(status, 403, "{problem}");
    assert!(problem.to_string().contains("cannot be narrowed"), "{problem}");
}

#[tokio::test]
async fn an_exchange_is_narrowed_to_what_the_permission_covers_and_to_nothing_else() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let asked = service.ask("espoo", PLACEMENT, Some("otso"), json!({"times": 5})).await;
    let id = asked["id"].as_str().unwrap();
    let (page, mut browser) = page_of(&asked, "otso").await;
    let (sampo, pihla) = (labelled(&page, "person", "Sampo"), labelled(&page, "person", "Pihla"));
    let pihlas = page.body.split("<legend>").find(|part| part.starts_with("Pihla")).unwrap();
    let record = pihlas.split("name=\"record\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    // One child whole, of the other one record.
    let changes = [
        ("duration", Some("until")),
        ("times", Some("5")),
        ("person", Some(sampo.as_str())),
        ("record", Some(record)),
    ];
    let end = page.decide(&mut browser, "allow", &changes).await;
    assert!(end.url.query().unwrap().contains("state=active"), "{}", end.describe());

    let (status, all) = exchanged(world, id, "fields=unit").await;
    assert_eq!(status, 200, "{all}");
    let about = all["about"].as_array().unwrap().clone();
    assert!(about.iter().any(|about| about["person"] == json!(sampo)));
    let sampos =
        about.iter().find(|about| about["person"] == json!(sampo)).unwrap()["record"].as_str().unwrap();
    let (status, narrowed) = exchanged(world, id, &format!("persons={pihla}")).await;
    assert_eq!(
        (status, &narrowed["about"]),
        (200, &json!([{"person": pihla, "record": record}])),
        "{narrowed}"
    );
    let (status, narrowed) = exchanged(world, id, &format!("records={sampos}")).await;
    assert_eq!(
        (status, &narrowed["about"]),
        (200, &json!([{"person": sampo, "record": sampos}])),
        "{narrowed}"
    );

    // What was left out, what is somebody else's and what does not exist are refused alike.
    let (theirs, _) = service.given("espoo", PLACEMENT, "selma", json!({})).await;
    let theirs = fetched(&service, &theirs).await["about"][0].clone();
    let nobody = "CQkJCQkJCQkJCQkJCQkJCQ";
    let mut refusals = Vec::new();
    for query in [
        format!("persons={}", theirs["person"].as_str().unwrap()),
        format!("persons={nobody}"),
        format!("persons={pihla},{nobody}"),
        format!("records={}", theirs["record"].as_str().unwrap()),
        format!("records={nobody}"),
    ] {
        let (status, refused) = exchanged(world, id, &query).await;
        assert_eq!(status, 403, "{query}: {refused}");
        refusals.push(refused);
    }
    assert!(refusals.windows(2).all(|pair| pair[0]["error"] == pair[1]["error"]), "{refusals:?}");
    let left = fetched(&service, id).await;
    assert_eq!(
        left["about"].as_array().unwrap().len(),
        about.len(),
        "a refusal is no exchange, and widens nothing"
    );
}

#[tokio::test]
async fn what_the_register_changed_since_the_page_was_shown_is_decided_by_nobody() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let asked = service.ask("espoo", PLACEMENT, Some("elin"), json!({"times": 2})).await;
    let (id, who) = (asked["id"].as_str().unwrap(), world.identifier("elin"));
    let (page, mut browser) = page_of(&asked, "elin").await;
    let alva = labelled(&page, "person", "Alva");
    // The register corrects which child the name means.
    let rename = |from: &str, to: &str| {
        format!(
            "UPDATE placement_row SET child_name = '{to}' WHERE guardian = '{who}' AND child_name = '{from}'"
        )
    };
    register(world, &rename("Alva", "Ebba"));
    let stale = page.decide(&mut browser, "allow", &[("person", Some(alva.as_str()))]).await;
    assert_eq!(stale.status, 409, "{}", stale.describe());
    assert_eq!(service.show(id).await["state"], "requested");
    register(world, &rename("Ebba", "Alva"));

    // The choice is still there, and holds where it is as shown.
    let again = browser.open(page.url.as_str()).await;
    assert!(again.body.contains(&format!("value=\"{alva}\" checked")), "{}", again.text());
    let choice = [("duration", Some("until")), ("times", Some("2")), ("person", Some(alva.as_str()))];
    let end = again.decide(&mut browser, "allow", &choice).await;
    assert!(end.url.query().unwrap().contains("state=active"), "{}", end.describe());

    // What the register has later of a child that was left out puts nothing off; what it has of this child does.
    let later = |name: &str, from: &str| {
        format!(
            "UPDATE placement_row SET available_from = {from} WHERE guardian = '{who}' AND child_name = '{name}'"
        )
    };
    let soon = format!("'{}'", SystemClock.now().plus_secs(86_400).rfc3339());
    register(world, &later("Hugo", &soon));
    assert_eq!(children(&fetched(&service, id).await), ["Alva"]);
    register(world, &later("Alva", &soon));
    assert_eq!(service.fetch(id).await.0, 202);
    register(world, &format!("{}; {}", later("Hugo", "NULL"), later("Alva", "NULL")));
}

#[tokio::test]
async fn a_permission_that_is_replaced_covers_whom_the_resident_chose_last() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let asked = service.ask("espoo", SERVICE_NEED, Some("elin"), json!({"times": 3})).await;
    let old = asked["id"].as_str().unwrap();
    let (page, mut browser) = page_of(&asked, "elin").await;
    let (hugo, alva) = (labelled(&page, "person", "Hugo"), labelled(&page, "person", "Alva"));
    let end = page.decide(&mut browser, "allow", &[("person", Some(alva.as_str()))]).await;
    assert!(end.url.query().unwrap().contains("state=active"), "{}", end.describe());

    // To ask for more of her is not to get the other child too.
    let more = json!({"times": 3, "fields": ["childName", "startDate", "endDate", "option", "partWeek"], "extends": old});
    let asked = service.ask("espoo", SERVICE_NEED, Some("elin"), more).await;
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await;
    let told = page.text();
    assert!(told.contains("Covered until now") && told.contains("Alva: everything, also"), "{told}");
    assert!(
        !page.body.contains("checkbox\" checked")
            && !page.body.contains(&format!("value=\"{alva}\" checked"))
    );
    let end = page.decide(&mut browser, "allow", &[("person", Some(hugo.as_str()))]).await;
    assert!(end.url.query().unwrap().contains("state=active"), "{}", end.describe());
    assert_eq!(children(&fetched(&service, asked["id"].as_str().unwrap()).await), ["Hugo"]);
    assert_eq!(service.fetch(old).await.0, 409);
}

#[tokio::test]
async fn whom_a_resident_left_out_is_not_added_while_the_register_has_nobody_to_choose_from() {
    let world = World::shared();
    let service = world.service("oulu").await;
    let asked = service.ask("espoo", SERVICE_NEED, Some("aino"), json!({"times": 3})).await;
    let old = asked["id"].as_str().unwrap();
    let (page, mut browser) = page_of(&asked, "aino").await;
    let lumi = labelled(&page, "person", "Lumi");
    let end = page.decide(&mut browser, "allow", &[("person", Some(lumi.as_str()))]).await;
    assert!(end.url.query().unwrap().contains("state=active"), "{}", end.describe());

    let who = world.identifier("aino");
    let moved = |from: &str, to: &str| {
        format!("UPDATE service_need_row SET guardian = '{to}' WHERE guardian = '{from}'")
    };
    let more = json!({"times": 3, "extends": old});
    let asked = service.ask("espoo", SERVICE_NEED, Some("aino"), more).await;
    register(world, &moved(who, "elsewhere"));
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await;
    register(world, &moved("elsewhere", who));
    assert!(page.status >= 400 && !page.has_form("/consent/"), "{}", page.describe());
    assert_eq!(service.show(old).await["state"], "active");
}
