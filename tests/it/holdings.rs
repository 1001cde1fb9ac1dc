//! What a city holds about a resident: on the page, in the copy that they take, and in the city's answer under GDPR
//! article 15.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use omadata::domain::catalogue::Language;
use omadata::domain::export::zip;
use omadata::domain::ids::NationalIdentifier;
use omadata::domain::jose::PublicKeys;
use omadata::operator::residents::{self, ArchiveFault};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::harness::browser::{Browser, Page};
use crate::harness::{self, World};

/// Somebody's page of their data at a city.
async fn holdings(world: &World, city: &str, who: &str) -> (Browser, Page) {
    let mut browser = Browser::new();
    let page = browser.open(&format!("{}/login?return_to=%2Fme%2Fdata", world.url(city))).await;
    let page = page.log_in(&mut browser, who).await;
    assert_eq!((page.status, page.url.path()), (200, "/me/data"), "{}", page.describe());
    (browser, page)
}

#[tokio::test]
async fn aino_sees_what_espoo_has_about_her_in_her_language() {
    let world = World::shared();
    let (mut browser, page) = holdings(world, "espoo", "aino").await;
    assert_eq!(page.headers["cache-control"], "no-store");
    for (language, told) in [
        ("en", ["My data", "Why the city has this", "Ask for a correction", "Size of the family"]),
        ("fi", ["Tietoni", "Miksi kaupungilla on", "Pyydä korjausta", "Perheen koko"]),
        ("sv", ["Mina uppgifter", "Varför staden har", "Be om rättelse", "Familjens storlek"]),
    ] {
        let page = browser.open(&format!("{}/me/data?lang={language}", world.url("espoo"))).await;
        let text = page.text();
        for shown in told {
            assert!(text.contains(shown), "{language}: {shown} is not in {text}");
        }
        assert!(text.contains("Lumi") && text.contains("Onni"), "{language}: {text}");
        assert!(page.body.trim_end().ends_with("</html>"), "the page is not complete");
    }
    let page = browser.open(&format!("{}/me/data?lang=en", world.url("espoo"))).await;
    // What asks for a stronger login is not shown, and does not keep the rest back.
    assert!(page.text().contains("only after a stronger or more recent login"), "{}", page.text());
    assert!(!page.text().contains("Level of support"), "a confidential value after a weak login");
    assert!(page.body.contains("href=\"/me/data/assistance/log-in\""));
    let choice = browser.open(&format!("{}/me/data/assistance/log-in", world.url("espoo"))).await;
    let stronger = choice.log_in(&mut browser, "aino").await;
    assert_eq!(stronger.url.path(), "/me/data/assistance", "{}", stronger.describe());
    assert!(
        stronger.text().contains("Level of support") && stronger.text().contains("Lumi"),
        "{}",
        stronger.text()
    );
}

#[tokio::test]
async fn one_broken_register_hides_no_other() {
    let world = World::shared();
    let (mut browser, page) = holdings(world, "espoo", "rauno").await;
    let text = page.text();
    assert_eq!(text.matches("This register did not answer").count(), 3, "{text}");
    assert!(text.contains("Size of the family"), "the fees register answers: {text}");
    assert!(page.body.contains("href=\"/me/data/placements\""), "a link to try again");
    let again = browser.open(&format!("{}/me/data/placements", world.url("espoo"))).await;
    assert!(
        again.text().contains("This register did not answer") && !again.text().contains("Size of the family")
    );
}

#[tokio::test]
async fn a_slow_register_delays_its_own_part_alone() {
    let world = World::shared();
    let (browser, _) = holdings(world, "turku", "elin").await;
    // Nobody can read Turku's database of early education now; the folder of fees is another register.
    let path = world.register("turku", "early-education.sqlite");
    let mut lock = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    lock.batch_execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    let cookie = browser.cookies["turku.localhost"].iter().map(|(name, value)| format!("{name}={value}"));
    let started = Instant::now();
    let mut answer = harness::client()
        .get(format!("{}/me/data", world.url("turku")))
        .header("accept-language", "en")
        .header("cookie", cookie.collect::<Vec<_>>().join("; "))
        .send()
        .await
        .unwrap();
    let (mut body, mut first) = (String::new(), None);
    while let Some(chunk) = answer.chunk().await.unwrap() {
        body.push_str(&String::from_utf8_lossy(&chunk));
        if body.contains("Reading the register…") && first.is_none() {
            assert!(!body.contains("</html>"), "the page waits for the slow register");
            first = Some(started.elapsed());
        }
    }
    lock.batch_execute("ROLLBACK").unwrap();
    assert!(first.unwrap() < Duration::from_secs(4), "{first:?}");
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    assert!(body.contains("This register did not answer") && body.contains("Size of the family"), "{body}");
}

#[tokio::test]
async fn selma_sees_that_there_is_an_order_and_not_what_it_protects() {
    let world = World::shared();
    for (language, told) in [
        ("en", "A non-disclosure order applies to this data. This is not given to anyone here:"),
        ("fi", "Tietoja koskee turvakielto. Näitä tietoja ei anneta täältä kenellekään:"),
        ("sv", "Uppgifterna omfattas av en spärrmarkering. Det här lämnas inte ut till någon härifrån:"),
    ] {
        let (mut browser, _) = holdings(world, "helsinki", "selma").await;
        let page = browser.open(&format!("{}/me/data?lang={language}", world.url("helsinki"))).await;
        assert!(page.text().contains(told), "{language}: {}", page.text());
        assert!(!page.text().contains("Keksittykuja"), "{}", page.text());
        let copy = copy(world, "helsinki", &browser).await;
        for (name, bytes) in unzipped(&copy) {
            assert!(!String::from_utf8_lossy(&bytes).contains("Keksittykuja"), "{name}");
        }
    }
    let (_, page) = holdings(world, "helsinki", "otso").await;
    assert!(
        !page.text().contains("non-disclosure") && page.text().contains("Keksittykuja"),
        "{}",
        page.text()
    );
}

/// The copy that a browser's resident takes.
async fn copy(world: &World, city: &str, browser: &Browser) -> Vec<u8> {
    let host = format!("{city}.localhost");
    let cookie = browser.cookies[&host].iter().map(|(name, value)| format!("{name}={value}"));
    let answer = harness::client()
        .get(format!("{}/me/data/download", world.url(city)))
        .header("cookie", cookie.collect::<Vec<_>>().join("; "))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/zip");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert!(
        answer.headers()["content-disposition"]
            .to_str()
            .unwrap()
            .starts_with("attachment; filename=\"omadata-")
    );
    answer.bytes().await.unwrap().to_vec()
}

/// Names and contents.
pub(crate) type Files = Vec<(String, Vec<u8>)>;

/// The files, as a program of another origin unpacks them.
pub(crate) fn unzipped(archive: &[u8]) -> Files {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.zip");
    std::fs::write(&path, archive).unwrap();
    let script = "import sys, zipfile; archive = zipfile.ZipFile(sys.argv[1]); assert archive.testzip() is None; \
                  archive.extractall(sys.argv[2]); print('\\n'.join(archive.namelist()))";
    let into = folder.path().join("files");
    let done =
        std::process::Command::new("python3").arg("-c").arg(script).args([&path, &into]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let names = String::from_utf8(done.stdout).unwrap();
    names.lines().map(|name| (name.to_owned(), std::fs::read(into.join(name)).unwrap())).collect()
}

/// The receipt keys that a city publishes.
async fn receipt_keys(world: &World, city: &str) -> Value {
    let address = format!("{}/.well-known/openid-federation", world.url(city));
    let statement = harness::client().get(address).send().await.unwrap().text().await.unwrap();
    let claims = URL_SAFE_NO_PAD.decode(statement.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["metadata"]["oauth_resource"]["jwks"].clone()
}

pub(crate) fn file<'a>(files: &'a [(String, Vec<u8>)], name: &str) -> &'a [u8] {
    &files.iter().find(|(other, _)| other == name).unwrap_or_else(|| panic!("no {name}")).1
}

#[tokio::test]
async fn otsos_copy_can_be_checked_by_anyone_and_changed_by_nobody() {
    let world = World::shared();
    let (browser, _) = holdings(world, "espoo", "otso").await;
    let archive = copy(world, "espoo", &browser).await;
    let files = unzipped(&archive);

    // An independent reading: the signature by the published key, then each file by its hash.
    let jwks = receipt_keys(world, "espoo").await;
    let signed = String::from_utf8(file(&files, "manifest.jws").to_vec()).unwrap();
    let parts: Vec<&str> = signed.split('.').collect();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[0]).unwrap()).unwrap();
    assert_eq!(header["typ"], "omadata-export+jwt");
    let jwk = jwks["keys"].as_array().unwrap().iter().find(|jwk| jwk["kid"] == header["kid"]).unwrap();
    let jwk = josekit::jwk::Jwk::from_bytes(jwk.to_string().as_bytes()).unwrap();
    let verifier = josekit::jws::ES256.verifier_from_jwk(&jwk).unwrap();
    let message = format!("{}.{}", parts[0], parts[1]);
    josekit::jws::JwsVerifier::verify(
        &verifier,
        message.as_bytes(),
        &URL_SAFE_NO_PAD.decode(parts[2]).unwrap(),
    )
    .unwrap();
    let payload = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
    assert_eq!(payload, file(&files, "manifest.json"));
    let manifest: Value = serde_json::from_slice(&payload).unwrap();
    for listed in manifest["files"].as_array().unwrap() {
        let bytes = file(&files, listed["name"].as_str().unwrap());
        assert_eq!(listed["bytes"], bytes.len());
        let hash = URL_SAFE_NO_PAD.encode(openssl::sha::sha256(bytes));
        assert_eq!(listed["sha256"], hash.as_str());
    }
    assert_eq!(manifest["files"].as_array().unwrap().len() + 2, files.len());
    let coverage = |id: &str| {
        let datasets = manifest["datasets"].as_array().unwrap();
        datasets.iter().find(|dataset| dataset["id"] == id).unwrap()["coverage"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (coverage("placements").as_str(), coverage("assistance").as_str()),
        ("complete", "login_too_weak")
    );

    // What is in it, for people, for spreadsheets and for programs.
    let page = String::from_utf8(file(&files, "index.html").to_vec()).unwrap();
    assert!(page.contains("My data at Espoo") && page.contains("Pihla"), "{page}");
    let table = file(&files, "placements.csv");
    assert!(table.starts_with("\u{feff}Child".as_bytes()) && table.windows(2).any(|pair| pair == b"\r\n"));
    let data: Value = serde_json::from_slice(file(&files, "data.json")).unwrap();
    assert_eq!(data["format"], "omadata-export/1");
    let national = world.identifier("otso");
    assert!(files.iter().all(|(_, bytes)| !String::from_utf8_lossy(bytes).contains(national)));

    // The program's own check, and what it refuses.
    let keys = PublicKeys::from_jwks(&jwks).unwrap();
    assert_eq!(residents::verify_copy(&archive, &keys).unwrap().iss.as_str(), world.url("espoo"));
    let refused = |change: &dyn Fn(&mut Files)| {
        let mut files = files.clone();
        change(&mut files);
        residents::verify_copy(&zip::pack(&files).unwrap(), &keys).unwrap_err()
    };
    let at =
        |files: &[(String, Vec<u8>)], name: &str| files.iter().position(|(other, _)| other == name).unwrap();
    let changed = refused(&|files| {
        let at = at(files, "placements.csv");
        files[at].1.push(b'x');
    });
    assert_eq!(changed, ArchiveFault::Changed("placements.csv".into()));
    let missing = refused(&|files| drop(files.remove(at(files, "data.json"))));
    assert_eq!(missing, ArchiveFault::Missing("data.json".into()));
    let extra = refused(&|files| files.push(("extra.csv".into(), Vec::new())));
    assert_eq!(extra, ArchiveFault::Extra("extra.csv".into()));
    let other = refused(&|files| {
        let at = at(files, "manifest.json");
        files[at].1 =
            String::from_utf8(files[at].1.clone()).unwrap().replace("login_too_weak", "complete").into();
    });
    assert_eq!(other, ArchiveFault::ManifestOther);
    let unsigned = refused(&|files| {
        let at = at(files, "manifest.jws");
        let end = files[at].1.len() - 3;
        files[at].1[end] = if files[at].1[end] == b'A' { b'B' } else { b'A' };
    });
    assert!(matches!(unsigned, ArchiveFault::Signature(_)), "{unsigned}");
    let foreign = PublicKeys::from_jwks(&receipt_keys(world, "oulu").await).unwrap();
    assert!(matches!(residents::verify_copy(&archive, &foreign), Err(ArchiveFault::Signature(_))));
    assert_eq!(residents::verify_copy(b"PK", &keys), Err(ArchiveFault::NotAnArchive));
}

#[tokio::test]
async fn espoo_answers_ainos_request_under_article_15_and_logs_that_it_did() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let (id, _) = service.given("espoo", "early-education-placement", "aino", json!({})).await;
    let (status, fetched) = service.fetch(&id).await;
    assert_eq!(status, 200, "{fetched}");
    let config = &world.cities["espoo"];
    let whose = NationalIdentifier::new(world.identifier("aino")).unwrap();
    for (language, title) in [
        (Language::En, "Espoo answers your request"),
        (Language::Fi, "Espoo: vastaus tietopyyntöösi"),
        (Language::Sv, "Esbo: svar på din begäran"),
    ] {
        let archive = residents::export_article_15(config, &whose, language).await.unwrap();
        let keys = PublicKeys::from_jwks(&receipt_keys(world, "espoo").await).unwrap();
        let manifest = residents::verify_copy(&archive, &keys).unwrap();
        assert_eq!(manifest.purpose.as_str(), "article_15");
        let files = unzipped(&archive);
        let page = String::from_utf8(file(&files, "index.html").to_vec()).unwrap();
        assert!(page.contains(title) && page.contains("Lumi"), "{page}");
        // The confidential part too: the operator sees to whom it is sent.
        assert!(files.iter().any(|(name, _)| name == "assistance.csv"));
        let recipients: Value = serde_json::from_slice(file(&files, "recipients.json")).unwrap();
        let requests = recipients["requests"].as_array().unwrap();
        assert!(
            requests
                .iter()
                .any(|request| request["outcome"] == "released" && request["recipient"]["en"] == "Helsinki")
        );
        assert!(!recipients["permissions"].as_array().unwrap().is_empty());
        let store = world.store("espoo");
        let subject = manifest.sub.as_str().to_owned();
        let logged = store
            .read("test", |store| omadata::store::log::read(store, 0, 10_000))
            .await
            .unwrap()
            .into_iter()
            .filter(|entry| {
                entry.leaf.entry.contains("subject_access") && entry.leaf.entry.contains(&subject)
            })
            .count();
        assert!(logged >= 1, "the answer is not in the log");
    }
    // Somebody whom nobody knows gets an answer too.
    let nobody = NationalIdentifier::new("131052-308T").unwrap();
    let archive = residents::export_article_15(config, &nobody, Language::Fi).await.unwrap();
    let data: Value = serde_json::from_slice(file(&unzipped(&archive), "data.json")).unwrap();
    assert!(data["datasets"].as_array().unwrap().iter().all(|dataset| dataset["records"] == json!([])));
}
