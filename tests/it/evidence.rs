//! What a resident keeps in hand: receipts that anyone can check.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use omadata::domain::bundle::{VerifyOptions, verify_bundle};
use omadata::domain::jose::PublicKeys;
use omadata::operator;
use omadata::operator::keys::KeyPurpose;
use serde_json::{Value, json};

use crate::harness::browser::Browser;
use crate::harness::{World, client, eventually};

const PLACEMENT: &str = "early-education-placement";

/// What `/receipt/verify` says to somebody who has never logged in, once it can say something: on a machine that does much
/// else, a city may not get the signer's keys in time.
async fn verify(city: &str, receipt: &str) -> String {
    eventually("the signer can be asked", || async {
        let page = verify_once(city, receipt).await;
        (!page.contains("keys cannot be fetched now")).then_some(page)
    })
    .await
}

async fn verify_once(city: &str, receipt: &str) -> String {
    let body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"receipt\"\r\n\r\n{receipt}\r\n\
         --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n\r\n--x--\r\n"
    );
    let answer = client()
        .post(format!("{city}/receipt/verify"))
        .header("content-type", "multipart/form-data; boundary=x")
        .header("accept-language", "en")
        .body(body)
        .send()
        .await
        .unwrap();
    let status = answer.status().as_u16();
    let page = answer.text().await.unwrap();
    assert_eq!(status, 200, "{page}");
    page
}

async fn file(browser: &mut Browser, url: &str) -> String {
    let page = browser.look(url).await;
    assert_eq!(page.status, 200, "{}", page.describe());
    let header = page.headers["content-disposition"].to_str().unwrap();
    assert!(header.starts_with("attachment; filename=\""), "{header}");
    assert_eq!(page.headers["cache-control"], "no-store");
    page.body
}

/// One test replaces the keys with which another's receipts are signed: they take turns, so that no check falls into the
/// second in which a peer has yet to ask for the new ones.
static KEYS: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test]
async fn a_resident_gets_a_receipt_of_every_decision_and_anyone_can_check_it() {
    let _turn = KEYS.lock().await;
    let world = World::shared();
    let service = world.service("helsinki").await;
    let (id, mut browser) = service.given("espoo", PLACEMENT, "aino", json!({})).await;
    let consent = world.consent("helsinki", "espoo", &id).await;
    let espoo = world.url("espoo");
    let base = format!("{espoo}/me/sharing/{consent}");

    // The page for people, in three languages.
    for (language, words) in
        [("fi", "Näin perut luvan"), ("sv", "Så återkallar du"), ("en", "How to stop the permission")]
    {
        let page = browser.look(&format!("{base}/receipt?lang={language}")).await;
        assert_eq!(page.status, 200, "{}", page.describe());
        let text = page.text();
        for shown in [words, "Helsinki", "Espoo", &consent.to_string(), "tietosuoja.fi"] {
            assert!(text.contains(shown), "{language}: {shown}");
        }
    }

    // The signed receipt, and the readable copy: the same content, canonical.
    let signed = file(&mut browser, &format!("{base}/receipt/1/signed")).await;
    let readable = file(&mut browser, &format!("{base}/receipt/1/readable")).await;
    let receipt: Value = serde_json::from_str(&readable).unwrap();
    assert_eq!(receipt["event"]["event_type"], "given");
    assert_eq!(receipt["event"]["event_state"], "https://w3id.org/dpv#ConsentGiven");
    assert_eq!(receipt["version"], 1);
    assert!(receipt["evidence"]["provider_key"].as_str().is_some_and(|key| key.len() == 43));
    let payload = signed.split('.').nth(1).unwrap();
    assert_eq!(payload, omadata::domain::jose::b64url(readable.as_bytes()), "what is signed is canonical");

    // Anyone checks it, at any city; a changed letter is told.
    for city in ["espoo", "turku"] {
        let page = verify(&world.url(city), &signed).await;
        assert!(
            page.contains("The receipt is genuine") && page.contains("You gave the permission"),
            "{page}"
        );
        // What a member calls itself does not tell who it is.
        let host = espoo.trim_start_matches("http://");
        assert!(page.contains(&format!("Espoo ({host})")), "{page}");
    }
    let changed = readable.replacen("Helsinki", "Helsinkj", 1);
    let forged = signed.replacen(payload, &omadata::domain::jose::b64url(changed.as_bytes()), 1);
    assert!(verify(&espoo, &forged).await.contains("The signature does not fit"));
    assert!(verify(&espoo, &readable).await.contains("readable copy"));
    assert!(verify(&espoo, &signed[..signed.len() - 9]).await.contains("This is not a receipt"));
    assert!(verify(&espoo, "").await.contains("This is not a receipt"));

    // An exchange has one too, and it ended this permission, for it was for once.
    let (status, fetched) = service.fetch(&id).await;
    assert_eq!(status, 200, "{fetched}");
    let page = verify(&espoo, fetched["receiptJws"].as_str().unwrap()).await;
    assert!(page.contains("The receipt is genuine") && page.contains("Data was given"), "{page}");
    let second: Value =
        serde_json::from_str(&file(&mut browser, &format!("{base}/receipt/2/readable")).await).unwrap();
    assert_eq!((&second["event"]["event_type"], &second["version"]), (&json!("exhausted"), &json!(2)));
    let digest = omadata::domain::exchange::receipt::digest(signed.as_bytes());
    assert_eq!(second["previous"], digest, "each receipt names the one before it");

    // Nobody else sees it.
    let mut other = Browser::new();
    let login = other.open(&format!("{espoo}/me")).await;
    login.log_in(&mut other, "elin").await;
    for path in ["receipt", "receipt/1", "receipt/1/signed", "receipt/1/readable"] {
        assert_eq!(other.look(&format!("{base}/{path}")).await.status, 404, "{path}");
    }
    let strange = Browser::new().look(&format!("{base}/receipt/1/signed")).await;
    assert_eq!(strange.status, 303, "{}", strange.describe());
    operator::consents::verify_consent(&world.cities["espoo"], consent).await.unwrap();
}

#[tokio::test]
async fn taking_back_and_saying_no_leave_receipts() {
    let world = World::shared();
    let service = world.service("turku").await;
    let espoo = world.url("espoo");
    let (id, mut browser) = service.given("espoo", PLACEMENT, "otso", json!({"times": 3})).await;
    let consent = world.consent("turku", "espoo", &id).await;
    let base = format!("{espoo}/me/sharing/{consent}");
    let stop = browser.open(&format!("{base}/stop")).await;
    let stopped = browser.submit(&stop, &stop.form("/me/sharing/"), &[]).await;
    assert_eq!(stopped.url.query(), Some("notice=stopped"), "{}", stopped.describe());
    // Whoever was not told whether it took effect does it again: nothing more happens.
    let again = browser.submit(&stop, &stop.form("/me/sharing/"), &[]).await;
    assert_eq!((again.status, again.url.query()), (200, Some("notice=had-ended")), "{}", again.describe());
    assert_eq!(browser.look(&format!("{base}/receipt/3")).await.status, 404, "one stop, one receipt");
    let signed = file(&mut browser, &format!("{base}/receipt/2/signed")).await;
    let page = verify(&espoo, &signed).await;
    assert!(page.contains("The receipt is genuine") && page.contains("You stopped the permission"), "{page}");

    let asked = service.ask("espoo", PLACEMENT, Some("otso"), json!({})).await;
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await;
    page.decide(&mut browser, "deny", &[]).await;
    let receipts = eventually("the receipt of a no", || {
        let (url, cookies) = (format!("{espoo}/me/receipts"), browser.cookies.clone());
        async move {
            let mut again = Browser::new();
            again.cookies = cookies;
            let page = again.open(&url).await;
            page.text().contains("You did not give the permission").then_some(page)
        }
    })
    .await;
    let newest = receipts.link("/receipt/1");
    let declined: Value =
        serde_json::from_str(&file(&mut browser, &format!("{newest}/readable")).await).unwrap();
    assert_eq!(declined["event"]["event_state"], "https://w3id.org/dpv#ConsentRefused");
    assert_eq!(declined["pii_processing"]["purposes"][0]["pii_information"], json!([]));
    assert!(declined.get("grant_id").is_none() && declined.get("evidence").is_none());
}

/// What somebody outside would use to check: the anchor's and the login provider's keys, as they publish them.
pub(crate) async fn published(world: &World) -> (Value, Value) {
    let espoo = &world.cities["espoo"];
    let get = async |url: String| client().get(url).send().await.unwrap().text().await.unwrap();
    let anchor = &espoo.trust_anchors[0].entity_id;
    let statement = get(format!("{anchor}/.well-known/openid-federation")).await;
    let payload = URL_SAFE_NO_PAD.decode(statement.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    let issuer = espoo.login.issuer.trim_end_matches('/');
    let metadata: Value =
        serde_json::from_str(&get(format!("{issuer}/.well-known/openid-configuration")).await).unwrap();
    let keys = get(metadata["jwks_uri"].as_str().unwrap().to_owned()).await;
    (claims["jwks"].clone(), serde_json::from_str(&keys).unwrap())
}

#[tokio::test]
async fn a_bundle_is_judged_without_its_node_and_after_its_keys_were_replaced() {
    let _turn = KEYS.lock().await;
    let world = World::shared();
    let config = &world.cities["espoo"];
    let service = world.service("oulu").await;
    let (id, mut browser) = service.given("espoo", PLACEMENT, "aino", json!({})).await;
    let consent = world.consent("oulu", "espoo", &id).await;
    let (status, fetched) = service.fetch(&id).await;
    assert_eq!(status, 200, "{fetched}");
    let (anchor_keys, provider_keys) = published(world).await;
    let question = || VerifyOptions {
        as_of: None,
        anchor_keys: Some(PublicKeys::from_jwks(&anchor_keys).unwrap()),
        provider_keys: Some(provider_keys.clone()),
    };

    // The resident downloads it; the recipient's own signature comes a moment later.
    let url = format!("{}/me/sharing/{consent}/bundle", world.url("espoo"));
    let mut last = String::new();
    let asked = tokio::time::Instant::now();
    while asked.elapsed().as_secs() < 30 {
        last = file(&mut browser, &url).await;
        if verify_bundle(&last, &question()).holds() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let judged = verify_bundle(&last, &question());
    assert!(judged.holds(), "{:#?}", judged.findings);
    assert_eq!(judged.state_as_of.as_deref(), Some("exhausted"), "it was for once");
    assert!(!last.contains(world.identifier("aino")), "the identifier is in the bundle");
    assert_eq!(Browser::new().look(&url).await.status, 303, "a stranger is sent to log in");

    // The keys that sign receipts and tokens are replaced; the operator exports it then.
    operator::keys::rotate(&config.store, &config.keys, &[KeyPurpose::Receipt, KeyPurpose::Token], true)
        .await
        .unwrap();
    let later = eventually("a bundle under the new keys", || async {
        let text = operator::consents::export_consent(config, consent).await.unwrap();
        verify_bundle(&text, &question()).holds().then_some(text)
    })
    .await;
    assert_eq!(verify_bundle(&later, &question()).state_as_of.as_deref(), Some("exhausted"));
    // The older file is as good as it was.
    assert!(verify_bundle(&last, &question()).holds());

    // On another machine: a file, the two key sets, and the program. No configuration, no network.
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("permission.json"), &later).unwrap();
    std::fs::write(path("anchor.json"), anchor_keys.to_string()).unwrap();
    std::fs::write(path("provider.json"), provider_keys.to_string()).unwrap();
    std::fs::write(path("changed.json"), later.replacen("Espoo", "Esboo", 1)).unwrap();
    let run = |file: &str, more: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_omadata"));
        command.args(["consent", "verify", "--bundle", file]).args(more).current_dir(folder.path());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let keys = ["--anchor-keys", "anchor.json", "--provider-keys", "provider.json"];
    let (code, said) = run("permission.json", &keys);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the permission was: exhausted"), "{said}");
    assert!(said.contains("not judged: the members' trust marks"), "what is left out is said: {said}");
    let (code, said) = run("permission.json", &["--as-of", "2020-01-01T00:00:00Z", "--json"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("\"not_given\"") && said.contains("anchor_keys_not_given"), "{said}");
    let (code, said) = run("changed.json", &keys);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("changed_after_sealing"), "{said}");

    // The verifier that somebody wrote from docs/bundle.md alone says the same.
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/verify_bundle.py");
    for (file, expected) in [("permission.json", 0), ("changed.json", 1)] {
        let mut command = std::process::Command::new("python3");
        command.args(["-B", script, file]).args(keys).current_dir(folder.path());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(expected), "{file}: {said}");
    }
}
