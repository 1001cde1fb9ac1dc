//! Joining, being suspended and leaving, at real anchors and intermediates over HTTP and by the command line.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::{App, HttpServer, web};
use async_trait::async_trait;
use omadata::app::{self, Running};
use omadata::config::AnchorConfig;
use omadata::config::shipped::City;
use omadata::demo::run::Adjust;
use omadata::domain::catalogue::Text;
use omadata::domain::clock::Timestamp;
use omadata::domain::federation::{
    ENTITY_STATEMENT, EntityStatement, HistoricalKeys, MarkStatus, MarkStatusResponse, NodeDescription,
    ResolveResponse, Role, TrustAnchor, TrustMark, verify_self_signed, verify_statements,
};
use omadata::domain::ids::EntityId;
use omadata::domain::jose::{PublicKeys, SigningKey, UnverifiedJws};
use omadata::node::federation::{FederationError, FederationStatements};
use omadata::ports::Clock;
use omadata::store::keys::signing_keys;
use omadata::store::keys::signing_keys::Purpose;
use omadata::web::federation;
use serde_json::{Value, json};

use crate::harness::browser::Browser;
use crate::harness::{Service, Setup, World, client, eventually, free_ports};

fn now() -> Timestamp {
    app::SystemClock.now()
}

/// A member of other people's making: a server that shows what it is told to.
#[derive(Clone)]
struct Site {
    id: EntityId,
    keys: Arc<Mutex<(Vec<SigningKey>, usize)>>,
    superior: EntityId,
}

impl Site {
    /// Serves on a port of its own, with one key.
    fn start(name: &str, superior: &EntityId) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let site = Self {
            id: EntityId::new(format!("http://{name}.localhost:{port}")).unwrap(),
            keys: Arc::new(Mutex::new((vec![SigningKey::generate().unwrap()], 0))),
            superior: superior.clone(),
        };
        let statements: Arc<dyn FederationStatements> = Arc::new(site.clone());
        let server = HttpServer::new(move || {
            App::new().app_data(web::Data::from(Arc::clone(&statements))).configure(federation::configure)
        });
        let server = server.workers(1).disable_signals().listen(listener).unwrap().run();
        actix_web::rt::spawn(server);
        site
    }

    fn public(&self) -> PublicKeys {
        let keys = self.keys.lock().unwrap();
        PublicKeys::from_keys(keys.0.iter().map(|key| key.public().clone()).collect()).unwrap()
    }

    /// Shows these keys from now on, signed with the one at the place.
    fn show(&self, keys: Vec<SigningKey>, signer: usize) {
        *self.keys.lock().unwrap() = (keys, signer);
    }

    fn key(&self) -> SigningKey {
        self.keys.lock().unwrap().0[0].clone()
    }

    fn jwks_file(&self, folder: &Path) -> PathBuf {
        let file = folder.join(format!("{}.jwks.json", self.id.as_str().split(['/', '.']).nth(2).unwrap()));
        std::fs::write(&file, self.public().to_jwks().to_string()).unwrap();
        file
    }
}

#[async_trait]
impl FederationStatements for Site {
    async fn publish_entity_configuration(&self) -> Result<String, FederationError> {
        let keys = self.public();
        let name = Text { fi: "Kunta".into(), sv: "Kommun".into(), en: "City".into() };
        let description = NodeDescription {
            id: self.id.clone(),
            name,
            organization_uri: None,
            contacts: vec![],
            trust_anchors: vec![],
            authority_hints: vec![self.superior.clone()],
            acr_values: vec![],
            grant_types: vec!["authorization_code".into()],
            federation_keys: keys.clone(),
            token_keys: keys.clone(),
            receipt_keys: keys.clone(),
            client_keys: keys,
        };
        let (keys, signer) = self.keys.lock().unwrap().clone();
        Ok(description.entity_configuration(now(), 3600).sign(&keys[signer])?)
    }
}

/// An anchor or intermediate with its files.
struct Superior {
    id: EntityId,
    folder: tempfile::TempDir,
    running: Vec<Running>,
}

impl Superior {
    /// Starts one at a free port; `more` goes into its file before the members.
    async fn start(name: &str, more: &str, members: &str) -> Self {
        let port = free_ports(1);
        let folder = tempfile::tempdir().unwrap();
        let id = EntityId::new(format!("http://{name}.localhost:{port}")).unwrap();
        let (anchor, rest) = more.split_once("---").unwrap_or(("", more));
        let text = format!(
            "[anchor]\nentity_id = \"{id}\"\nlisten = \"127.0.0.1:{port}\"\nprofile = \"demo\"\n\
             organization_name = \"Federation\"\ndata_dir = \"data\"\nmembers_file = \"../members.toml\"\n\
             member_refresh_seconds = 1\n{anchor}\n[store]\nurl = \"sqlite:anchor.sqlite\"\n{rest}\n"
        );
        std::fs::create_dir(folder.path().join("data")).unwrap();
        std::fs::write(folder.path().join("anchor.toml"), text).unwrap();
        std::fs::write(folder.path().join("members.toml"), members).unwrap();
        let mut superior = Self { id, folder, running: vec![] };
        superior.running.push(app::start_anchor(&superior.config()).await.unwrap_or_else(|e| panic!("{e}")));
        superior
    }

    fn config(&self) -> AnchorConfig {
        AnchorConfig::load(&self.folder.path().join("anchor.toml")).unwrap_or_else(|error| panic!("{error}"))
    }

    fn write_members(&self, text: &str) {
        std::fs::write(self.folder.path().join("members.toml"), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> (bool, String) {
        command(&self.folder.path().join("anchor.toml"), arguments)
    }

    async fn get(&self, path: &str) -> (u16, String) {
        get(&format!("{}{path}", self.id)).await
    }

    async fn listed(&self, query: &str) -> Vec<String> {
        let (status, body) = self.get(&format!("/federation/list{query}")).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Its own configuration, and the keys in it.
    async fn configuration(&self) -> (String, EntityStatement) {
        let (status, text) = self.get("/.well-known/openid-federation").await;
        assert_eq!(status, 200, "{text}");
        let statement = verify_self_signed(&text, now()).unwrap();
        (text, statement)
    }

    async fn about(&self, member: &EntityId) -> (u16, String) {
        self.get(&format!("/federation/fetch?sub={member}")).await
    }

    /// The keys that it vouches for.
    async fn vouched(&self, member: &EntityId) -> PublicKeys {
        let (status, text) = self.about(member).await;
        assert_eq!(status, 200, "{text}");
        let jws = UnverifiedJws::parse(&text, &ENTITY_STATEMENT).unwrap();
        jws.claimed::<EntityStatement>().unwrap().keys().unwrap()
    }

    async fn mark(&self, role: Role, subject: &EntityId) -> (u16, String) {
        let mark_type = role.mark_type(&self.config().trust_marks.anchor);
        self.get(&format!("/federation/trust-mark?trust_mark_type={mark_type}&sub={subject}")).await
    }

    /// The status of a mark as the endpoint tells it, its signature checked.
    async fn status(&self, mark: &str) -> (u16, Option<MarkStatus>) {
        let answer = client()
            .post(format!("{}/federation/trust-mark-status", self.id))
            .form(&[("trust_mark", mark)])
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        if status != 200 {
            return (status, None);
        }
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        assert_eq!(kind, "application/trust-mark-status-response+jwt");
        let text = answer.text().await.unwrap();
        let claims: MarkStatusResponse = signed_by(&text, &self.configuration().await.1);
        assert_eq!((claims.iss, claims.trust_mark.as_str()), (self.id.clone(), mark));
        (status, Some(claims.status))
    }
}

/// The claims of an answer that an entity signed.
fn signed_by<T: serde::de::DeserializeOwned>(text: &str, entity: &EntityStatement) -> T {
    // The tests of the domain check each form; here it matters that the key is the entity's own.
    let mut parts = text.split('.');
    let decode = |part: &str| {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let header = decode(parts.next().unwrap());
    let kid = omadata::domain::ids::KeyId::new(header["kid"].as_str().unwrap()).unwrap();
    assert!(entity.keys().unwrap().find(&kid).is_some(), "not signed by {}", entity.sub);
    serde_json::from_value(decode(parts.next().unwrap())).unwrap()
}

async fn get(url: &str) -> (u16, String) {
    let answer = client().get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// `omadata members …`.
fn command(config: &Path, arguments: &[&str]) -> (bool, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_omadata"))
        .arg("members")
        .args(arguments)
        .arg("--config")
        .arg(config)
        .env("USER", "liisa")
        .output()
        .unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

fn member(site: &Site, more: &str) -> String {
    format!("[[members]]\nentity_id = \"{}\"\n{more}\n", site.id)
}

const ALL_ROLES: &str = "roles = [\"consent-issuer\", \"data-holder\", \"data-recipient\"]";

#[actix_web::test]
async fn a_city_joins_by_command_is_suspended_resumed_and_leaves_with_every_change_kept() {
    let anchor = Superior::start("anchor", "", "").await;
    let city = Site::start("city", &anchor.id);
    let (id, keys) = (city.id.to_string(), city.jwks_file(anchor.folder.path()));
    assert_eq!(anchor.about(&city.id).await.0, 404);
    assert_eq!(anchor.mark(Role::DataHolder, &city.id).await.0, 404);

    let keys = keys.to_str().unwrap();
    let joined = anchor.command(&["add", &id, "--jwks", keys, "--role", "data-holder", "--reason", "agreed"]);
    assert!(joined.0, "{}", joined.1);
    assert!(!anchor.command(&["add", &id]).0, "nobody joins twice");
    // No restart: the next answer knows it.
    assert_eq!(anchor.vouched(&city.id).await, city.public());
    assert_eq!(anchor.listed("").await, std::slice::from_ref(&id));
    let (status, mark) = anchor.mark(Role::DataHolder, &city.id).await;
    assert_eq!(status, 200, "{mark}");
    assert_eq!(anchor.mark(Role::DataHolder, &city.id).await.1, mark, "asking again makes no new mark");
    assert_eq!(anchor.mark(Role::DataRecipient, &city.id).await.0, 404, "a role that it has not");
    let claims: TrustMark = signed_by(&mark, &anchor.configuration().await.1);
    assert_eq!((&claims.sub, &claims.iss), (&city.id, &anchor.id));
    assert_eq!(anchor.status(&mark).await, (200, Some(MarkStatus::Active)));

    assert!(anchor.command(&["suspend", &id, "--reason", "audit"]).0);
    assert_eq!(anchor.about(&city.id).await.0, 404);
    assert_eq!(anchor.listed("").await, Vec::<String>::new());
    assert_eq!(anchor.status(&mark).await, (200, Some(MarkStatus::Revoked)));
    assert_eq!(anchor.mark(Role::DataHolder, &city.id).await.0, 404);
    assert!(!anchor.command(&["suspend", &id]).0);

    assert!(anchor.command(&["resume", &id]).0);
    let again = anchor.mark(Role::DataHolder, &city.id).await.1;
    assert_ne!(again, mark);
    assert_eq!(anchor.status(&mark).await.1, Some(MarkStatus::Revoked), "a revoked mark does not come back");
    assert_eq!(anchor.status(&again).await.1, Some(MarkStatus::Active));
    let marked =
        format!("/federation/trust-mark-list?trust_mark_type={}", Role::DataHolder.mark_type(&anchor.id));
    assert_eq!(anchor.get(&marked).await, (200, json!([id]).to_string()));

    // It loses one role and gets another: the lost role's mark is revoked, and no other.
    assert!(anchor.command(&["change", &id, "--role", "data-recipient"]).0);
    assert_eq!(anchor.status(&again).await.1, Some(MarkStatus::Revoked));
    let recipient = anchor.mark(Role::DataRecipient, &city.id).await.1;
    assert!(anchor.command(&["remove", &id, "--reason", "left"]).0);
    assert_eq!(anchor.status(&recipient).await.1, Some(MarkStatus::Revoked));
    assert_eq!(anchor.about(&city.id).await.0, 404);

    let (_, history) = anchor.command(&["list", "--history"]);
    let words: Vec<&str> = history.lines().map(|line| line.split_once(&*id).unwrap().1.trim()).collect();
    assert_eq!(
        words.iter().filter(|line| line.contains("by liisa")).copied().collect::<Vec<_>>(),
        [
            "added by liisa: agreed",
            "suspended by liisa: audit",
            "resumed by liisa",
            "changed by liisa",
            "removed by liisa: left"
        ]
    );
    let (_, listed) = anchor.command(&["list"]);
    assert!(listed.contains("removed") && listed.contains("why: left"), "{listed}");
}

#[actix_web::test]
async fn strangers_and_forgers_learn_nothing_from_the_status_of_marks() {
    let anchor = Superior::start("anchor", "", "").await;
    let mark = TrustMark {
        iss: anchor.id.clone(),
        sub: EntityId::new("http://city.localhost:1").unwrap(),
        trust_mark_type: Role::DataHolder.mark_type(&anchor.id),
        iat: now().secs(),
        exp: Some(now().secs() + 60),
        reference: None,
        delegation: None,
    };
    let forged = mark.sign(&SigningKey::generate().unwrap()).unwrap();
    assert_eq!(anchor.status(&forged).await, (200, Some(MarkStatus::Invalid)));
    let elsewhere = TrustMark { iss: EntityId::new("http://other.localhost:1").unwrap(), ..mark };
    let elsewhere = elsewhere.sign(&SigningKey::generate().unwrap()).unwrap();
    assert_eq!(anchor.status(&elsewhere).await, (404, None));
    assert_eq!(anchor.status("no mark").await, (404, None));
    let query = client().get(format!("{}/federation/trust-mark-status?trust_mark={elsewhere}", anchor.id));
    assert!(
        matches!(query.send().await.unwrap().status().as_u16(), 404 | 405),
        "a mark does not go into a URL"
    );
    let large = client()
        .post(format!("{}/federation/trust-mark-status", anchor.id))
        .form(&[("trust_mark", "a".repeat(200_000))])
        .send()
        .await
        .unwrap();
    assert_eq!(large.status().as_u16(), 413);
}

#[actix_web::test]
async fn a_members_own_rotation_is_followed_and_nobody_else_brings_keys_in() {
    let anchor = Superior::start("anchor", "", "").await;
    let city = Site::start("city", &anchor.id);
    anchor.write_members(&member(&city, ALL_ROLES));
    eventually("it is a member", || async { (anchor.about(&city.id).await.0 == 200).then_some(()) }).await;
    let (old, next) = (city.key(), SigningKey::generate().unwrap());

    // The next key is named while the old one signs, then the next signs, then the old one is gone.
    city.show(vec![old.clone(), next.clone()], 0);
    let both = city.public();
    eventually("both", || async { (anchor.vouched(&city.id).await == both).then_some(()) }).await;
    city.show(vec![next.clone()], 0);
    let one = city.public();
    eventually("the next", || async { (anchor.vouched(&city.id).await == one).then_some(()) }).await;

    // Whoever answers at its address with other keys is not followed, the old key included.
    for foreign in [SigningKey::generate().unwrap(), old] {
        city.show(vec![next.clone(), foreign], 1);
        tokio::time::sleep(Duration::from_millis(3500)).await;
        assert_eq!(anchor.vouched(&city.id).await, one);
    }
    let (_, history) = anchor.command(&["list", "--history", city.id.as_str()]);
    assert_eq!(history.matches("keys followed by the member itself").count(), 2, "{history}");
    assert_eq!(history.matches("keys met by the member itself").count(), 1, "{history}");
}

#[actix_web::test]
async fn files_are_read_again_and_a_broken_one_changes_nothing() {
    let anchor = Superior::start("anchor", "", "").await;
    let (espoo, turku) = (Site::start("espoo", &anchor.id), Site::start("turku", &anchor.id));
    let both = format!("{}{}", member(&espoo, ALL_ROLES), member(&turku, ""));
    anchor.write_members(&both);
    eventually("both are members", || async { (anchor.listed("").await.len() == 2).then_some(()) }).await;

    anchor.write_members(&format!("{both}[[members]]\nroles = [\"king\"]\n"));
    let told = AnchorConfig::load(&anchor.folder.path().join("anchor.toml")).unwrap_err().to_string();
    assert!(told.contains("members.toml:8: [[members]] number 3 roles: not a role"), "{told}");
    assert!(told.contains("[[members]] number 3 entity_id: missing"), "{told}");
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(anchor.listed("").await.len(), 2, "a broken file changes nothing");

    // A command that the file does not contradict holds; whom the file names no longer is out.
    assert!(!anchor.command(&["suspend", espoo.id.as_str()]).0, "a broken file is told to the command too");
    anchor.write_members(&both);
    assert!(anchor.command(&["suspend", espoo.id.as_str()]).0);
    anchor.write_members(&member(&espoo, ALL_ROLES));
    eventually("turku is out", || async { (anchor.about(&turku.id).await.0 == 404).then_some(()) }).await;
    assert_eq!(anchor.about(&espoo.id).await.0, 404, "what a command suspended stays suspended");
    anchor.write_members(&both);
    eventually("turku is back", || async { (anchor.about(&turku.id).await.0 == 200).then_some(()) }).await;
    // The anchor's own file counts too, and what it says about every member.
    let file = anchor.folder.path().join("anchor.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n[subordinates]\nconstraints = {{ max_path_length = 0 }}\n"))
        .unwrap();
    eventually("the rule counts", || async {
        let (_, text) = anchor.about(&turku.id).await;
        let statement: EntityStatement = signed_by(&text, &anchor.configuration().await.1);
        (statement.constraints?.max_path_length == Some(0)).then_some(())
    })
    .await;
}

#[actix_web::test]
async fn several_anchor_processes_over_one_database_agree() {
    let mut anchor = Superior::start("anchor", "", "").await;
    let mut second = anchor.config();
    let port = free_ports(1);
    second.anchor.listen = ([127, 0, 0, 1], port).into();
    anchor.running.push(app::start_anchor(&second).await.unwrap());
    let city = Site::start("city", &anchor.id);
    let other = |path: String| async move { get(&format!("http://127.0.0.1:{port}{path}")).await };

    assert!(anchor.command(&["add", city.id.as_str(), "--role", "data-holder"]).0);
    let fetch = format!("/federation/fetch?sub={}", city.id);
    assert_eq!(other(fetch.clone()).await.0, 200);
    assert_eq!(anchor.about(&city.id).await.0, 200);
    // Both give the same mark, signed with the same key; a suspension holds at both at once.
    let mark_type = Role::DataHolder.mark_type(&anchor.id);
    let mark = other(format!("/federation/trust-mark?trust_mark_type={mark_type}&sub={}", city.id)).await;
    assert_eq!(mark, anchor.mark(Role::DataHolder, &city.id).await);
    assert!(anchor.command(&["suspend", city.id.as_str()]).0);
    assert_eq!(other(fetch).await.0, 404);
    assert_eq!(anchor.status(&mark.1).await.1, Some(MarkStatus::Revoked));
}

#[actix_web::test]
async fn an_intermediate_stands_between_an_anchor_and_a_city() {
    let policy = "metadata_policy = { oauth_client = { client_name = { value = \"Named by the anchor\" } } }";
    let anchor = Superior::start("anchor", "", "").await;
    let more = format!("---[[superiors]]\nentity_id = \"{}\"", anchor.id);
    let region = Superior::start("region", &more, "").await;
    let city = Site::start("city", &region.id);
    region.write_members(&member(&city, ALL_ROLES));
    let member_of_anchor = format!("[[members]]\nentity_id = \"{}\"\n{policy}\n", region.id);
    anchor.write_members(&member_of_anchor);
    eventually("the chain stands", || async {
        (region.about(&city.id).await.0 == 200 && anchor.about(&region.id).await.0 == 200).then_some(())
    })
    .await;

    let (_, own) = region.configuration().await;
    assert_eq!(own.authority_hints, Some(vec![anchor.id.clone()].into()));
    assert_eq!(own.trust_mark_issuers, None, "only an anchor says who may give marks");
    let (top, top_statement) = anchor.configuration().await;
    let chain = [
        get(&format!("{}/.well-known/openid-federation", city.id)).await.1,
        region.about(&city.id).await.1,
        anchor.about(&region.id).await.1,
        top,
    ];
    let trusted = TrustAnchor { id: anchor.id.clone(), keys: top_statement.keys().unwrap() };
    let verified = verify_statements(&chain, &[trusted], now()).unwrap();
    assert_eq!(verified.superiors(), [region.id.clone(), anchor.id.clone()]);
    assert_eq!(verified.metadata()["oauth_client"]["client_name"], "Named by the anchor");

    // The region gives marks of the anchor's types; whether they count is the anchor's to say.
    let (status, mark) = region.mark(Role::DataHolder, &city.id).await;
    assert_eq!(status, 200, "{mark}");
    let claims: TrustMark = signed_by(&mark, &region.configuration().await.1);
    assert_eq!(claims.trust_mark_type, Role::DataHolder.mark_type(&anchor.id));

    // Filters of the list.
    eventually("the anchor has looked", || async {
        (anchor.listed("?intermediate=true").await == [region.id.to_string()]).then_some(())
    })
    .await;
    assert_eq!(region.listed("?intermediate=true").await, Vec::<String>::new());
    assert_eq!(region.listed("?entity_type=oauth_client").await, [city.id.to_string()]);
    let either = "?entity_type=openid_provider&entity_type=oauth_client";
    assert_eq!(region.listed(either).await, [city.id.to_string()]);
    assert_eq!(anchor.listed("?entity_type=oauth_client").await, Vec::<String>::new());
    assert_eq!(region.listed("?trust_marked=true").await, [city.id.to_string()]);
    let holder = format!("?trust_mark_type={}", Role::DataHolder.mark_type(&anchor.id));
    assert_eq!(region.listed(&holder).await, [city.id.to_string()]);
    assert_eq!(region.listed("?trust_mark_type=http://x.localhost").await, Vec::<String>::new());
}

#[actix_web::test]
async fn an_anchor_resolves_for_others_and_tells_its_former_keys() {
    let anchor = Superior::start("anchor", "", "").await;
    let city = Site::start("city", &anchor.id);
    let unfit = Site::start("unfit", &anchor.id);
    let set = member(&city, "metadata = { oauth_client = { client_name = \"Set\" } }");
    let policy = "metadata_policy = { oauth_client = { logo_uri = { essential = true } } }";
    anchor.write_members(&format!("{set}\n{}", member(&unfit, policy)));
    for site in [&city, &unfit] {
        eventually("it is a member", || async { (anchor.about(&site.id).await.0 == 200).then_some(()) })
            .await;
    }
    let resolve = |sub: &EntityId, top: &str, more: &str| {
        format!("/federation/resolve?sub={sub}&trust_anchor={top}{more}")
    };
    let path = resolve(&city.id, anchor.id.as_str(), "");
    let text = eventually("it resolves", || async {
        let (status, text) = anchor.get(&path).await;
        (status == 200).then_some(text)
    })
    .await;
    let keys = anchor.configuration().await.1.keys().unwrap();
    let answer = ResolveResponse::verify(&text, &anchor.id, &keys, now()).unwrap();
    assert_eq!((&answer.sub, answer.trust_chain.len()), (&city.id, 3));
    assert_eq!(answer.metadata["oauth_client"]["client_name"], "Set");
    let trusted = TrustAnchor { id: anchor.id.clone(), keys: keys.clone() };
    assert!(verify_statements(&answer.trust_chain, &[trusted], now()).is_ok());
    let narrowed = anchor.get(&resolve(&city.id, anchor.id.as_str(), "&entity_type=oauth_client")).await.1;
    let narrowed = ResolveResponse::verify(&narrowed, &anchor.id, &keys, now()).unwrap();
    assert_eq!(narrowed.metadata.keys().collect::<Vec<_>>(), ["oauth_client"]);

    let stranger = EntityId::new("http://stranger.localhost:1").unwrap();
    for (path, status, code) in [
        (resolve(&city.id, "http://other.localhost:1", ""), 404, "invalid_trust_anchor"),
        (resolve(&stranger, anchor.id.as_str(), ""), 400, "invalid_trust_chain"),
        // OpenID Federation 1.0 §8.9: the chain holds, the metadata does not fulfil a superior's policy.
        (resolve(&unfit.id, anchor.id.as_str(), ""), 400, "invalid_metadata"),
        (format!("/federation/resolve?sub={}", city.id), 400, "invalid_request"),
    ] {
        let (told, body) = anchor.get(&path).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((told, body["error"].as_str()), (status, Some(code)), "{path}");
    }

    let (status, history) = anchor.get("/federation/historical-keys").await;
    assert_eq!(status, 200, "{history}");
    let history = HistoricalKeys::verify(&history, &anchor.id, &keys, now()).unwrap();
    assert!(history.keys.is_empty(), "no key of its own is out of use yet");
}

/// The anchor's file of a demo, for the command line.
fn demo_anchor_file(world: &World, base: u16) -> (tempfile::TempDir, PathBuf) {
    let data = world.cities["espoo"].node.data_dir.parent().unwrap().join("anchor");
    let mut text = omadata::config::shipped::ANCHOR
        .replace("../data/anchor", data.to_str().unwrap())
        .replace("8400", &base.to_string());
    for step in 1..=4 {
        text = text.replace(&format!(":{}", 8400 + step), &format!(":{}", base + step));
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("anchor.toml");
    std::fs::write(&file, text).unwrap();
    (folder, file)
}

/// Longest time that the cities of the test below use what they know of each other.
const CHAIN_AGE: Duration = Duration::from_secs(3);

/// Permissions of a resident for what a city's service may fetch from each of these without a stronger login.
async fn given(service: &Service, holders: &[&'static str]) -> Vec<(&'static str, String)> {
    let recipient = &service.world.cities[service.city];
    let mut permissions = Vec::new();
    for holder in holders {
        let held = |kind: &str| {
            let mut datasets = service.world.cities[*holder].datasets.iter().map(|held| &held.dataset);
            datasets.any(|one| one.kind.as_str() == kind && one.required_acr.is_none())
        };
        let uses = recipient.uses.iter().filter(|one| held(one.dataset_type.as_str()));
        let own = uses.filter(|one| one.service == recipient.services[0].id);
        let smallest = own.min_by_key(|one| (one.required_fields.len(), one.id.clone())).unwrap();
        // The page offers once; the resident allows as often as was asked for.
        let asked = service.ask(holder, smallest.id.slug(), Some("aino"), json!({"times": 9})).await;
        let mut browser = Browser::new();
        let page = browser.open(asked["startUrl"].as_str().unwrap()).await;
        let page = page.log_in(&mut browser, "aino").await;
        page.decide(&mut browser, "allow", &[("duration", Some("until")), ("times", Some("9"))]).await;
        let id = asked["id"].as_str().unwrap().to_owned();
        assert_eq!(service.fetch(&id).await.0, 200, "{holder}");
        permissions.push((*holder, id));
    }
    permissions
}

/// Chains of three seconds, and uses that may be fetched often enough to ask again and again.
fn short_lived(config: &mut omadata::config::Config) {
    config.federation.chain_age_seconds = 3;
    for declared in &mut config.uses {
        declared.max_exchanges = 100;
    }
}

/// Each of the others refuses the city once what it knew is too old. Asked only then: every answer before would use up
/// the permission.
async fn refused_by_all(service: &Service, permissions: &[(&'static str, String)]) {
    tokio::time::sleep(CHAIN_AGE + Duration::from_secs(1)).await;
    for (holder, id) in permissions {
        let (status, body) = service.fetch(id).await;
        assert_ne!(status, 200, "{holder} still trusts {}", service.city);
        assert!(body.get("data").is_none() && body["type"].is_string(), "{holder}: {body}");
    }
}

#[actix_web::test]
async fn a_city_that_is_removed_or_loses_its_role_is_refused_by_all_others() {
    // A minute is what it takes in service. Here it is three seconds, so that the test need not wait for that long.
    assert_eq!(omadata::config::Federation::default().chain_age_seconds, 60);
    let base = free_ports(11);
    let adjust = Adjust { city: Some(short_lived), anchor: None };
    let world: &'static World =
        Box::leak(Box::new(World::start(Setup { base_port: base, adjust, ..Setup::default() })));
    let (_folder, file) = demo_anchor_file(world, base);
    let helsinki = world.service("helsinki").await;
    let turku = world.service("turku").await;
    let of_helsinki = given(&helsinki, &["espoo", "turku", "oulu"]).await;
    let of_turku = given(&turku, &["espoo", "oulu"]).await;
    // All of them go on for longer than that while nothing is changed.
    tokio::time::sleep(CHAIN_AGE + Duration::from_secs(1)).await;
    for (holder, id) in &of_helsinki {
        assert_eq!(helsinki.fetch(id).await.0, 200, "{holder}");
    }

    // A member held back for a while is refused meanwhile, and what residents gave it goes on afterwards.
    let id = world.url("helsinki");
    assert!(command(&file, &["suspend", &id, "--reason", "audit"]).0);
    refused_by_all(&helsinki, &of_helsinki).await;
    assert!(command(&file, &["resume", &id]).0);
    tokio::time::sleep(CHAIN_AGE + Duration::from_secs(1)).await;
    for (holder, id) in &of_helsinki {
        assert_eq!(helsinki.fetch(id).await.0, 200, "{holder}, after the suspension");
    }

    let (ok, said) = command(&file, &["remove", &world.url("helsinki"), "--reason", "left"]);
    assert!(ok, "{said}");
    refused_by_all(&helsinki, &of_helsinki).await;

    // Without the role's mark Turku is a member, and no recipient.
    for (holder, id) in &of_turku {
        assert_eq!(turku.fetch(id).await.0, 200, "{holder}");
    }
    assert!(command(&file, &["change", &world.url("turku"), "--role", "data-holder"]).0);
    refused_by_all(&turku, &of_turku).await;
}

/// Who may fetch in this federation is said by Oulu too, and Espoo has no such mark from the anchor.
fn oulu_gives_marks(config: &mut AnchorConfig) {
    let is_of = |id: &EntityId, city: &str| id.as_str().contains(city);
    let oulu = config.members.iter().map(|member| &member.known.entity_id).find(|id| is_of(id, "oulu"));
    let oulu = oulu.unwrap().clone();
    let mark_type = Role::DataRecipient.mark_type(&config.anchor.entity_id);
    config.trust_marks.issuers.insert(mark_type, vec![oulu]);
    for member in config.members.iter_mut().filter(|member| is_of(&member.known.entity_id, "espoo")) {
        member.roles.retain(|role| *role != Role::DataRecipient);
    }
}

#[tokio::test]
async fn a_trust_mark_in_a_file_is_published_and_gives_its_role_at_a_peer() {
    let adjust = Adjust { city: None, anchor: Some(oulu_gives_marks) };
    let setup = Setup { base_port: free_ports(11), adjust, ..Setup::default() };
    let world: &'static World = Box::leak(Box::new(World::start(setup)));
    let id = |city: &str| EntityId::new(world.url(city)).unwrap();
    let roles = async || {
        // A process of Helsinki's that has not met Espoo before.
        let helsinki = app::assemble(&world.cities["helsinki"]).await.unwrap().node;
        helsinki.peers.resolve(&id("espoo")).await.unwrap().roles()
    };
    assert!(!roles().await.contains(&Role::DataRecipient));

    let key = world
        .store("oulu")
        .read("test", |store| signing_keys::active(store, Purpose::Federation))
        .await
        .unwrap();
    let mark_type = Role::DataRecipient.mark_type(&world.anchor.anchor.entity_id);
    let mark_of = |city: &str| {
        let mark = TrustMark {
            iss: id("oulu"),
            sub: id(city),
            trust_mark_type: mark_type.clone(),
            iat: now().secs(),
            exp: Some(now().secs() + 3600),
            reference: None,
            delegation: None,
        };
        mark.sign(&key).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recipient.jwt");
    let mut config = world.cities["espoo"].clone();
    config.federation.trust_mark_files = vec![file.clone()];

    // What is no mark of this node is refused by the name of its file.
    let name = file.display().to_string();
    let mut wrong = vec![("not there", None), ("no mark", Some("eyJ.e30.x".to_owned()))];
    wrong.push(("another member's", Some(mark_of("turku"))));
    for (what, text) in wrong {
        if let Some(text) = text {
            std::fs::write(&file, text).unwrap();
        }
        let refused = app::assemble(&config).await.err().unwrap_or_else(|| panic!("{what}: accepted"));
        assert!(refused.to_string().contains(&name), "{what}: {refused}");
    }

    let mark = mark_of("espoo");
    std::fs::write(&file, format!("{mark}\n")).unwrap();
    world.stop(City::Espoo);
    let running = app::start_node(&config).await.unwrap();
    let (status, text) = get(&format!("{}/.well-known/openid-federation", id("espoo"))).await;
    assert_eq!(status, 200);
    let published = verify_self_signed(&text, now()).unwrap().trust_marks.unwrap();
    let entry = published.iter().find(|entry| entry.trust_mark_type == mark_type);
    assert_eq!(entry.map(|entry| entry.trust_mark.as_str()), Some(mark.as_str()));
    assert_eq!(published.len(), Role::ALL.len(), "beside those that the anchor gives");
    assert!(roles().await.contains(&Role::DataRecipient));
    running.stop().await;
}
