//! What a resident keeps in hand: receipts that anyone can check.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod harness;

use harness::browser::Browser;
use harness::{World, client, eventually};
use omadata::app;
use serde_json::{Value, json};

const PLACEMENT: &str = "early-education-placement";

/// What `/receipt/verify` says to somebody who has never logged in.
async fn verify(city: &str, receipt: &str) -> String {
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

#[tokio::test]
async fn a_resident_gets_a_receipt_of_every_decision_and_anyone_can_check_it() {
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
    app::verify_consent(&world.cities["espoo"], consent).await.unwrap();
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
    browser.submit(&stop, &stop.form("/me/sharing/"), &[]).await;
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
