//! Signed requests and encrypted responses, as the Finnish Trust Network requires them.

use super::*;
use crate::domain::jose::{LoginKey, LoginKeyKind};

/// This node's keys, which a test may rotate.
struct Keys {
    signing: ClientKey,
    decryption: Mutex<Vec<LoginKey>>,
}

#[async_trait]
impl ClientKeySource for Keys {
    async fn active_client_key(&self) -> Option<ClientKey> {
        Some(self.signing.clone())
    }

    async fn decryption_keys(&self) -> Vec<LoginKey> {
        self.decryption.lock().unwrap().clone()
    }
}

fn keys(signing: ClientKey) -> Arc<Keys> {
    let decryption = [LoginKeyKind::RsaDecryption, LoginKeyKind::EcDecryption];
    let decryption = decryption.map(|kind| LoginKey::generate(kind).unwrap()).to_vec();
    Arc::new(Keys { signing, decryption: Mutex::new(decryption) })
}

fn bench(keys: &Arc<Keys>, messages: MessageProtection) -> Bench {
    Bench::with(ClientAuthentication::PrivateKeyJwt(keys.clone()), |settings| settings.messages = messages)
}

const ENCRYPTED: MessageProtection = MessageProtection { signed_requests: false, encrypted_responses: true };

fn curve() -> ClientKey {
    ClientKey::Curve(SigningKey::generate().unwrap())
}

#[actix_web::test]
async fn a_signed_request_says_everything_in_its_object() {
    let rsa = LoginKey::generate(LoginKeyKind::RsaSigning).unwrap();
    let ec = SigningKey::generate().unwrap();
    let cases = [
        (ClientKey::Rsa(rsa.clone()), rsa.to_public_jwk().clone(), "RS256"),
        (ClientKey::Curve(ec.clone()), ec.public().to_jwk(), "ES256"),
    ];
    for (signing, public, algorithm) in cases {
        let bench =
            bench(&keys(signing), MessageProtection { signed_requests: true, encrypted_responses: false });
        bench.script(|script| script.metadata = json!({"claims_parameter_supported": true}));
        let (address, pending) = bench.begin().await;
        let sent: std::collections::BTreeMap<String, String> = address.query_pairs().into_owned().collect();
        let names: Vec<&str> = sent.keys().map(String::as_str).collect();
        assert_eq!(names, ["client_id", "request", "response_type", "scope"]);
        let object = &sent["request"];
        let header = jose::parse_strict_json(&jose::from_b64url(object.split('.').next().unwrap()).unwrap());
        let header = header.unwrap();
        assert_eq!((&header["typ"], &header["alg"]), (&json!("oauth-authz-req+jwt"), &json!(algorithm)));
        assert_eq!(header["kid"], public["kid"]);
        let claims = ProviderJwt::parse(object).unwrap().verify(&public).unwrap();
        let expected = json!({
            "iss": CLIENT, "aud": bench.provider.issuer, "iat": NOW, "nbf": NOW, "exp": NOW + 300,
            "jti": claims["jti"], "response_type": "code", "client_id": CLIENT, "scope": "openid profile",
            "redirect_uri": "http://espoo.localhost:8402/login/callback", "state": "the-state",
            "nonce": "the-nonce", "code_challenge": jose::b64url(&jose::sha256(VERIFIER.as_bytes())),
            "code_challenge_method": "S256", "ui_locales": "sv", "max_age": 600,
            "claims": {"id_token": {"acr": {"essential": true, "values": ["loa2", "loa3"]}}},
        });
        assert_eq!(Value::Object(claims.clone()), expected);
        let (again, _) = bench.begin().await;
        assert!(
            !again.as_str().contains(object.as_str()),
            "each request object has an identifier of its own"
        );
        let outcome = bench.node.complete(&pending, &bench.callback(), bench.clock.now()).await;
        assert!(outcome.is_ok());
        let assertion = bench.form("client_assertion").unwrap();
        assert!(ProviderJwt::parse(&assertion).unwrap().verify(&public).is_ok());
        bench.stop().await;
    }
}

#[actix_web::test]
async fn an_encrypted_token_logs_in_and_the_signed_one_inside_is_the_evidence() {
    let keys = keys(curve());
    let bench = bench(&keys, ENCRYPTED);
    let published = keys.decryption_keys().await;
    for key in &published {
        let algorithms: &[&str] = match key.kind() {
            LoginKeyKind::RsaDecryption => &["RSA-OAEP", "RSA-OAEP-256"],
            _ => &["ECDH-ES", "ECDH-ES+A128KW"],
        };
        for alg in algorithms {
            bench.script(|script| script.encryption = Some((key.to_public_jwk().clone(), alg, "A128GCM")));
            let person = bench.complete().await.unwrap();
            let claims = jose::id_token::verify(&person.id_token, &person.provider_key).unwrap();
            assert_eq!((claims.iss.as_str(), claims.sub.as_str()), (person.issuer.as_str(), "subject-1"));
        }
    }
    bench.stop().await;
}

#[actix_web::test]
async fn a_token_for_an_older_key_is_opened_as_long_as_this_node_has_it() {
    let keys = keys(curve());
    let bench = bench(&keys, ENCRYPTED);
    let old = keys.decryption.lock().unwrap()[0].clone();
    bench.script(|script| script.encryption = Some((old.to_public_jwk().clone(), "RSA-OAEP", "A256GCM")));
    keys.decryption.lock().unwrap().push(LoginKey::generate(LoginKeyKind::RsaDecryption).unwrap());
    assert!(bench.complete().await.is_ok());
    keys.decryption.lock().unwrap().retain(|key| key.kid() != old.kid());
    assert_eq!(bench.complete().await.unwrap_err(), LoginError::Invalid("decryption"));
    bench.stop().await;
}

#[actix_web::test]
async fn what_is_not_encrypted_as_agreed_is_refused() {
    let keys = keys(curve());
    let agreed = bench(&keys, ENCRYPTED);
    assert_eq!(agreed.complete().await.unwrap_err(), LoginError::Invalid("encryption"), "a plain token");
    let key = keys.decryption.lock().unwrap()[0].to_public_jwk().clone();
    agreed.script(|script| {
        script.encryption = Some((key.clone(), "RSA-OAEP", "A128GCM"));
        script.claims = json!({"national_id": null});
        script.userinfo = Some(json!({"sub": "subject-1", "national_id": "010190-999C"}));
    });
    assert_eq!(agreed.complete().await.unwrap_err(), LoginError::Invalid("encryption"), "plain UserInfo");
    agreed.stop().await;

    let not_agreed = bench(&keys, MessageProtection::default());
    not_agreed.script(|script| script.encryption = Some((key, "RSA-OAEP", "A128GCM")));
    assert_eq!(not_agreed.complete().await.unwrap_err(), LoginError::Invalid("encryption"));
    not_agreed.stop().await;
}

#[actix_web::test]
async fn every_wrong_token_is_refused_inside_an_encrypted_one_too() {
    let keys = keys(curve());
    let bench = bench(&keys, ENCRYPTED);
    let key = keys.decryption.lock().unwrap()[1].to_public_jwk().clone();
    bench.script(|script| script.encryption = Some((key, "ECDH-ES", "A128CBC-HS256")));
    for (signing, claims, error) in [
        (Signing::Nothing, json!({}), "alg"),
        (Signing::Hs256WithTheSecret, json!({}), "alg"),
        (Signing::Broken, json!({}), "signature"),
        (Signing::NotAKeyOfTheProvider, json!({}), "kid"),
        (Signing::Es256, json!({"nonce": "other"}), "nonce"),
        (Signing::Es256, json!({"aud": "other"}), "aud"),
    ] {
        bench.script(|script| (script.signing, script.claims) = (signing, claims.clone()));
        assert_eq!(bench.complete().await.unwrap_err(), LoginError::Invalid(error), "{claims}");
    }
    bench.stop().await;
}

#[actix_web::test]
async fn user_info_is_taken_signed_and_encrypted_and_only_for_this_person_and_client() {
    let keys = keys(curve());
    let bench = bench(&keys, ENCRYPTED);
    let key = keys.decryption.lock().unwrap()[0].to_public_jwk().clone();
    let issuer = bench.provider.issuer.clone();
    bench.script(|script| {
        script.encryption = Some((key, "RSA-OAEP", "A128GCM"));
        script.claims = json!({"national_id": null});
        script.userinfo_signed = true;
    });
    let good = json!({"iss": issuer, "aud": CLIENT, "sub": "subject-1", "national_id": "010190-999C"});
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    for (claims, expected) in [
        (good.clone(), Ok(())),
        (with("aud", json!([CLIENT, "another"])), Ok(())),
        (json!({"sub": "subject-1", "national_id": "010190-999C"}), Ok(())),
        (with("sub", json!("someone-else")), Err("userinfo sub")),
        (with("iss", json!("https://other.example")), Err("userinfo iss")),
        (with("aud", json!("another")), Err("userinfo aud")),
    ] {
        bench.script(|script| script.userinfo = Some(claims.clone()));
        let outcome = bench.complete().await.map(|_| ());
        assert_eq!(outcome, expected.map_err(LoginError::Invalid), "{claims}");
    }
    bench.stop().await;
}

#[test]
fn protected_messages_need_keys() {
    let settings = OpenIdSettings {
        issuer: "https://login.example".to_owned(),
        client_id: CLIENT.to_owned(),
        authentication: ClientAuthentication::SecretBasic(SECRET.to_owned().into()),
        identifier_claim: "national_id".to_owned(),
        scopes: Vec::new(),
        redirect_url: "https://espoo.example/login/callback".parse().unwrap(),
        network: ProviderNetwork::Production,
        assurance_request: AssuranceRequest::default(),
        messages: ENCRYPTED,
    };
    let clock = Arc::new(StillClock(AtomicI64::new(NOW)));
    let made = OpenIdProvider::new(settings, clock, Arc::new(Counting(AtomicU64::new(0))));
    assert!(matches!(made.err(), Some(OpenIdSettingsError::NoClientKeys)));
}
