//! What the OpenID Foundation's conformance suite tries under the FAPI 2.0 Security Profile and no other test here does:
//! `docs/fapi-checklist.md` names a test for each of its modules.

use omadata::app::SystemClock;
use omadata::domain::ids::EntityId;
use omadata::domain::jose::{SigningKey, b64url, sha256};
use omadata::domain::token::client_assertion::ASSERTION_TYPE;
use omadata::ports::Clock;
use omadata::store::keys::signing_keys;
use omadata::store::keys::signing_keys::Purpose;
use omadata::store::{Reader, StoreError};
use serde_json::{Map, Value, json};

use super::login_and_consent::{Client, fresh};
use crate::harness::browser::Browser;
use crate::harness::{self, World};

fn now() -> i64 {
    SystemClock.now().secs()
}

fn members(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn nothing() -> Map<String, Value> {
    Map::new()
}

impl Client {
    /// An assertion of Helsinki's with these claims changed; `null` takes one out.
    async fn changed_assertion(&self, change: &Value) -> String {
        let store = self.world.store("helsinki");
        let key = store.read("test", |store| signing_keys::active(store, Purpose::Client)).await.unwrap();
        let id: EntityId = self.id.parse().unwrap();
        let mut claims = members(json!({
            "iss": id, "sub": id, "aud": self.holder, "jti": fresh(),
            "iat": now(), "nbf": now(), "exp": now() + 60,
        }));
        for (name, value) in change.as_object().unwrap() {
            claims.insert(name.clone(), value.clone());
        }
        claims.retain(|_, value| !value.is_null());
        key.sign("JWT", &claims).unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.holder)
    }

    /// A nonce for proofs.
    async fn nonce(&self) -> String {
        let answer = self.http.get(self.url("/exchange/datasets/x")).send().await.unwrap();
        answer.headers()["dpop-nonce"].to_str().unwrap().to_owned()
    }

    /// A proof by this key whose `iat` is off by so many seconds.
    async fn proof(
        &self,
        key: &SigningKey,
        method: &str,
        path: &str,
        off: i64,
        token: Option<&str>,
    ) -> String {
        let mut claims = json!({
            "htm": method, "htu": self.url(path), "iat": now() + off, "jti": fresh(), "nonce": self.nonce().await,
        });
        if let Some(token) = token {
            claims["ath"] = json!(b64url(&sha256(token.as_bytes())));
        }
        key.sign_with_jwk("dpop+jwt", &claims).unwrap()
    }

    /// The address that a browser is sent back to after a request was pushed and allowed. `beside` are parameters of the
    /// authorization request's address that stand beside the pushed ones.
    async fn allowed(
        &self,
        set: &Map<String, Value>,
        proof: Option<&str>,
        beside: &[(&str, &str)],
    ) -> url::Url {
        let (status, pushed) = self.push_with(&self.names(), set, proof).await;
        assert_eq!(status, 201, "{pushed}");
        let mut query =
            vec![("client_id", self.id.as_str()), ("request_uri", pushed["request_uri"].as_str().unwrap())];
        query.extend(beside);
        let query: Vec<(String, String)> =
            query.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut browser = Browser::new();
        let page = browser.open(&self.authorize(&query)).await.log_in(&mut browser, "aino").await;
        browser.stop_before = Some("/oauth/callback");
        page.decide(&mut browser, "allow", &[]).await.leads_to()
    }

    /// Asks the token endpoint as Helsinki; these parameters beside its authentication.
    async fn ask_token(&self, grant: &[(&str, &str)], proof: Option<&str>) -> (u16, Value) {
        let assertion = self.assertion("helsinki", &self.holder).await;
        let mut form = vec![
            ("client_id", self.id.as_str()),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion.as_str()),
        ];
        form.extend(grant);
        self.post_token(&form, proof).await
    }

    async fn post_token(&self, form: &[(&str, &str)], proof: Option<&str>) -> (u16, Value) {
        let mut request = self.http.post(self.url("/oauth/token")).form(form);
        if let Some(proof) = proof {
            request = request.header("dpop", proof);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Redeems a code with a proof by this key.
    async fn redeem(&self, back: &url::Url, key: &SigningKey, off: i64) -> (u16, Value) {
        let code = member(back, "code").unwrap();
        let redirect = format!("{}/oauth/callback", self.id);
        let proof = self.proof(key, "POST", "/oauth/token", off, None).await;
        let grant = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", redirect.as_str()),
            ("code_verifier", self.verifier.as_str()),
        ];
        self.ask_token(&grant, Some(&proof)).await
    }
}

/// A parameter of an address.
fn member(url: &url::Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn client_assertions_are_judged_as_the_profile_says() {
    let client = Client::new().await;
    let (holder, now) = (client.holder.clone(), now());
    let lines = [
        ("as it should be", json!({}), 201),
        // FAPI 2.0 §5.3.2.1: the issuer identifier, as a string.
        ("the audience in a list", json!({"aud": [holder]}), 401),
        ("the PAR endpoint as audience", json!({"aud": format!("{holder}/oauth/par")}), 401),
        ("the token endpoint as audience", json!({"aud": format!("{holder}/oauth/token")}), 401),
        ("another audience", json!({"aud": "https://other.example"}), 401),
        ("over for five minutes", json!({"iat": now - 360, "nbf": now - 360, "exp": now - 300}), 401),
        ("no sub", json!({"sub": null}), 401),
        ("eight seconds ahead", json!({"iat": now + 8, "nbf": now + 8, "exp": now + 68}), 201),
        ("more than a minute ahead", json!({"iat": now + 90, "nbf": now + 90, "exp": now + 150}), 401),
    ];
    for (name, change, expected) in lines {
        let set = members(json!({"client_assertion": client.changed_assertion(&change).await}));
        let (status, answer) = client.push(&client.names(), &set).await;
        assert_eq!(status, expected, "{name}: {answer}");
        if status != 201 {
            assert_eq!(answer["error"], "invalid_client", "{name}");
        }
    }
    // An algorithm that the profile does not allow (§5.4.1), in a header over a good signature.
    let good = client.changed_assertion(&json!({})).await;
    let (header, rest) = good.split_once('.').unwrap();
    let mut header: Value = serde_json::from_slice(&unb64(header)).unwrap();
    header["alg"] = json!("RS256");
    let forged = format!("{}.{rest}", b64url(header.to_string().as_bytes()));
    let (status, answer) = client.push(&client.names(), &members(json!({"client_assertion": forged}))).await;
    assert_eq!((status, &answer["error"]), (401, &json!("invalid_client")));
}

fn unb64(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap()
}

#[tokio::test]
async fn a_state_comes_back_as_it_was_pushed_and_from_nowhere_else() {
    let client = Client::new().await;
    let long = "s".repeat(384);
    let lines = [
        ("none", Value::Null, None, None),
        ("none, but one in the address", Value::Null, Some("outside"), None),
        ("one, and another in the address", json!("pushed"), Some("outside"), Some("pushed")),
        ("a long one", json!(long), None, Some(long.as_str())),
    ];
    for (name, pushed, outside, expected) in lines {
        let beside: Vec<(&str, &str)> = outside.map(|state| ("state", state)).into_iter().collect();
        let back = client.allowed(&members(json!({"state": pushed})), None, &beside).await;
        assert_eq!(member(&back, "state").as_deref(), expected, "{name}");
        assert_eq!(member(&back, "iss").as_deref(), Some(client.holder.as_str()), "{name}");
        assert!(member(&back, "code").is_some(), "{name}");
    }
}

#[tokio::test]
async fn proofs_ten_seconds_off_are_taken_at_every_endpoint_and_the_scheme_in_any_case() {
    let client = Client::new().await;
    let path = format!("/exchange/datasets/{}", client.world.dataset("espoo", "early-education-placements"));
    for (off, scheme) in [(-10, "dpop"), (10, "dPOP")] {
        let pushed = client.proof(&client.dpop, "POST", "/oauth/par", off, None).await;
        let back = client.allowed(&nothing(), Some(&pushed), &[]).await;
        let (status, issued) = client.redeem(&back, &client.dpop, off).await;
        assert_eq!((status, &issued["token_type"]), (200, &json!("DPoP")), "{off}: {issued}");
        let token = issued["access_token"].as_str().unwrap();
        let proof = client.proof(&client.dpop, "GET", &path, off, Some(token)).await;
        let request = client.http.get(client.url(&path)).header("dpop", proof);
        let answer = request.header("authorization", format!("{scheme} {token}")).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{off}: {}", answer.text().await.unwrap());
    }
}

#[tokio::test]
async fn a_code_is_bound_to_the_key_of_its_request() {
    let client = Client::new().await;
    let other = SigningKey::generate().unwrap();
    // A thumbprint and a proof that differ (RFC 9449 §10.1).
    let proof = client.proof(&other, "POST", "/oauth/par", 0, None).await;
    let (status, answer) = client.push_with(&client.names(), &nothing(), Some(&proof)).await;
    assert_eq!(status, 400, "{answer}");
    for by_proof in [false, true] {
        let (set, proof) = if by_proof {
            let proof = client.proof(&client.dpop, "POST", "/oauth/par", 0, None).await;
            (members(json!({"dpop_jkt": null})), Some(proof))
        } else {
            (nothing(), None)
        };
        let back = client.allowed(&set, proof.as_deref(), &[]).await;
        let (status, answer) = client.redeem(&back, &other, 0).await;
        assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")), "{by_proof}");
        let (status, answer) = client.redeem(&back, &client.dpop, 0).await;
        assert_eq!(status, 200, "{by_proof}: {answer}");
    }
}

/// Lets a code be over, behind the node's back.
async fn expire_code(world: &World, code: String) {
    let hash = move |reader: &mut Reader<'_>| {
        Ok::<_, StoreError>(reader.lookup().secret("authorization-code", &code))
    };
    let hash = world.store("espoo").read("test", hash).await.unwrap();
    let hash = harness::hex(hash.as_bytes());
    world.alter(
        "espoo",
        &format!("UPDATE authorization_codes SET expires_at = 1 WHERE code_hash = x'{hash}'"),
    );
}

#[tokio::test]
async fn a_code_that_is_over_is_worth_nothing() {
    let client = Client::new().await;
    let back = client.allowed(&nothing(), None, &[]).await;
    expire_code(client.world, member(&back, "code").unwrap()).await;
    let (status, answer) = client.redeem(&back, &client.dpop, 0).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test]
async fn a_refresh_token_works_for_its_client_with_its_proofs_alone() {
    let client = Client::new().await;
    let back = client.allowed(&nothing(), None, &[]).await;
    let (status, issued) = client.redeem(&back, &client.dpop, 0).await;
    assert_eq!(status, 200, "{issued}");
    let refresh = issued["refresh_token"].as_str().unwrap();
    let grant = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let fresh_proof = || client.proof(&client.dpop, "POST", "/oauth/token", 0, None);
    let (status, answer) = client.ask_token(&grant, None).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_dpop_proof")));
    let (status, answer) = client.post_token(&grant, Some(&fresh_proof().await)).await;
    assert_eq!((status, &answer["error"]), (401, &json!("invalid_client")));
    let turku = client.world.url("turku");
    let assertion = client.assertion("turku", &client.holder).await;
    let mut of_turku = vec![
        ("client_id", turku.as_str()),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion.as_str()),
    ];
    of_turku.extend(grant);
    let (status, answer) = client.post_token(&of_turku, Some(&fresh_proof().await)).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
    let (status, answer) = client.ask_token(&grant, Some(&fresh_proof().await)).await;
    assert_eq!(status, 200, "{answer}");
    assert_ne!(answer["access_token"], issued["access_token"]);
}

#[tokio::test]
async fn the_metadata_says_what_the_profile_demands() {
    let client = Client::new().await;
    let answer = client.http.get(client.url("/.well-known/oauth-authorization-server")).send().await.unwrap();
    let metadata: Value = answer.json().await.unwrap();
    assert_eq!(metadata["issuer"], client.holder.as_str());
    assert_eq!(metadata["response_types_supported"], json!(["code"]));
    assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(metadata["token_endpoint_auth_methods_supported"], json!(["private_key_jwt"]));
    for member in ["require_pushed_authorization_requests", "authorization_response_iss_parameter_supported"]
    {
        assert_eq!(metadata[member], json!(true), "{member}");
    }
    for member in [
        "authorization_endpoint",
        "token_endpoint",
        "pushed_authorization_request_endpoint",
        "revocation_endpoint",
        "jwks_uri",
    ] {
        assert!(metadata[member].as_str().unwrap().starts_with(&client.holder), "{member}");
    }
    // §5.4.1: PS256, ES256 or EdDSA with Ed25519.
    let allowed = ["PS256", "ES256", "EdDSA", "Ed25519"];
    for member in ["dpop_signing_alg_values_supported", "token_endpoint_auth_signing_alg_values_supported"] {
        let algorithms = metadata[member].as_array().unwrap();
        assert!(!algorithms.is_empty(), "{member}");
        assert!(algorithms.iter().all(|alg| allowed.contains(&alg.as_str().unwrap())), "{member}");
    }
    let grants = metadata["grant_types_supported"].as_array().unwrap();
    assert!(["authorization_code", "refresh_token"].iter().all(|grant| grants.contains(&json!(grant))));
    assert!(["implicit", "password"].iter().all(|grant| !grants.contains(&json!(grant))));
}

#[tokio::test]
async fn proofs_are_held_against_their_request_as_the_standard_says() {
    let client = Client::new().await;
    let path = format!("/exchange/datasets/{}", client.world.dataset("espoo", "early-education-placements"));
    let url = client.url(&path);
    let shouted = url.replace("http://espoo.localhost", "HTTP://ESPOO.LOCALHOST");
    let now = now();
    // RFC 9449 §4.3 (9) and RFC 3986 §6.2.2: query and fragment count for nothing, nor does the case of scheme and host.
    // RFC 7519 §4.1.4 and §4.1.5 for `exp` and `nbf`; what is not understood is ignored (§4).
    let lines = [
        ("as it should be", json!({}), 200),
        ("a query and a fragment", json!({"htu": format!("{url}?fields=unit#a")}), 200),
        ("scheme and host in capitals", json!({"htu": shouted}), 200),
        ("claims that nobody knows", json!({"x": 1, "https://claims.example/y": {"z": []}}), 200),
        ("within its own times", json!({"nbf": now - 5, "exp": now + 60}), 200),
        ("over", json!({"exp": now - 60}), 401),
        ("not yet", json!({"nbf": now + 3600}), 401),
        ("another path", json!({"htu": format!("{url}/other")}), 401),
    ];
    // A permission for once: each line that is taken uses one up.
    let mut unused: Option<String> = None;
    for (name, change, expected) in lines {
        if unused.is_none() {
            let back = client.allowed(&nothing(), None, &[]).await;
            let (status, issued) = client.redeem(&back, &client.dpop, 0).await;
            assert_eq!(status, 200, "{issued}");
            unused = issued["access_token"].as_str().map(str::to_owned);
        }
        let token = unused.clone().unwrap();
        let mut claims = members(json!({
            "htm": "GET", "htu": url, "iat": now, "jti": fresh(), "nonce": client.nonce().await,
            "ath": b64url(&sha256(token.as_bytes())),
        }));
        claims.extend(members(change));
        let proof = client.dpop.sign_with_jwk("dpop+jwt", &claims).unwrap();
        let request = client.http.get(&url).header("DPOP", proof);
        let answer = request.header("authorization", format!("DPoP {token}")).send().await.unwrap();
        assert_eq!(answer.status(), expected, "{name}: {}", answer.text().await.unwrap());
        if expected == 200 {
            unused = None;
        }
    }
}

#[tokio::test]
async fn a_request_is_pushed_by_post_alone() {
    let client = Client::new().await;
    for method in ["GET", "PUT", "DELETE"] {
        let request = client.http.request(method.parse().unwrap(), client.url("/oauth/par"));
        let answer = request.send().await.unwrap();
        // RFC 9126 §2.3 (3).
        assert_eq!(answer.status(), 405, "{method}");
        assert!(answer.headers()["allow"].to_str().unwrap().contains("POST"), "{method}");
    }
}
