//! Permissions through the real flow: a pushed request (RFC 9126) with DPoP, PKCE and RAR, the resident's browser in the
//! holder's portal, and a token bound to the recipient's key.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use url::Url;

use super::browser::{Browser, Form};
use super::config::DATASET;
use super::http::{self, Answer};
use super::jose;
use super::parties::{Parties, REQUIRED_FIELDS, WHO, identity};
use super::world::World;

const AT_ONCE: usize = 4;
const DAY: u64 = 86_400;

/// A permission that was given, with the token that uses it.
pub struct Permission {
    pub resident: usize,
    pub token: String,
    /// `ath` of its proofs.
    pub token_hash: String,
    pub grant_id: String,
    /// The body of its first answer: every later one is the same, because nothing changes in the register.
    pub body: RefCell<Option<Vec<u8>>>,
    /// The browser that gave it.
    pub browser: RefCell<Browser>,
    /// When the resident began to stop it, and when the portal had confirmed that.
    pub stopping: Cell<Option<Instant>>,
    pub stopped: Cell<Option<Instant>>,
}

impl Permission {
    pub fn of(resident: usize, token: &str, browser: Browser) -> Result<Self> {
        let (_, claims) = jose::unverified(token)?;
        Ok(Self {
            resident,
            token_hash: jose::b64url(&jose::sha256(token.as_bytes())),
            grant_id: claims["grant_id"].as_str().context("no grant_id")?.to_owned(),
            token: token.to_owned(),
            body: RefCell::default(),
            browser: RefCell::new(browser),
            stopping: Cell::default(),
            stopped: Cell::default(),
        })
    }
}

struct Endpoints {
    push: Url,
    authorize: Url,
    token: Url,
}

/// The form's body for a client assertion, made anew for every attempt.
type MakeBody<'a> = dyn Fn() -> Result<String> + 'a;

/// Gives `count` permissions of as many residents.
pub async fn prepare(world: &Rc<World>, count: usize) -> Result<Vec<Rc<Permission>>> {
    let discovered =
        http::get(&format!("{}/.well-known/oauth-authorization-server", world.holder)).await?.json()?;
    let at = |name: &str| -> Result<Url> {
        Ok(Url::parse(discovered[name].as_str().with_context(|| format!("the holder names no {name}"))?)?)
    };
    let endpoints = Rc::new(Endpoints {
        push: at("pushed_authorization_request_endpoint")?,
        authorize: at("authorization_endpoint")?,
        token: at("token_endpoint")?,
    });
    let made = Rc::new(RefCell::new(Vec::with_capacity(count)));
    let next = Rc::new(std::cell::Cell::new(0));
    let workers = (0..AT_ONCE.min(count)).map(|_| {
        let (world, endpoints, made, next) = (world.clone(), endpoints.clone(), made.clone(), next.clone());
        tokio::task::spawn_local(async move {
            while next.get() < count {
                let resident = next.replace(next.get() + 1);
                let permission = give(&world, &endpoints, resident).await?;
                made.borrow_mut().push(Rc::new(permission));
            }
            anyhow::Ok(())
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.map_err(|_| anyhow!("a task ended"))??;
    }
    let made = made.take();
    Ok(made)
}

async fn give(world: &World, endpoints: &Endpoints, resident: usize) -> Result<Permission> {
    let parties = &*world.parties;
    let (state, verifier) = (jose::secret::<16>(), jose::secret::<32>());
    let pushed = push(world, endpoints, &state, &verifier).await.context("the request is not taken")?;
    let mut start = endpoints.authorize.clone();
    start
        .query_pairs_mut()
        .append_pair("client_id", &parties.recipient)
        .append_pair("request_uri", pushed["request_uri"].as_str().context("no request_uri")?);

    let mut browser = Browser::default();
    browser.set_cookie(&parties.login_host, WHO, &identity(resident));
    let code = decide(&mut browser, &start, parties, &state).await?;
    let body = || {
        let redirect_uri = parties.redirect_uri();
        assertion_and(
            world,
            &[
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", &redirect_uri),
                ("code_verifier", &verifier),
            ],
        )
    };
    let tokens = post(parties, &endpoints.token, &body).await?.json().context("no token")?;
    Permission::of(resident, tokens["access_token"].as_str().context("no access_token")?, browser)
}

async fn push(world: &World, endpoints: &Endpoints, state: &str, verifier: &str) -> Result<Value> {
    let parties = &*world.parties;
    let details = json!([{
        "type": "omadata_dataset",
        "locations": [world.holder],
        "identifier": DATASET,
        "actions": ["read"],
        "datatypes": REQUIRED_FIELDS,
        "use": parties.use_id(),
        "purpose": "https://w3id.org/dpv#ServiceProvision",
        "frequency": {"max": parties.max_exchanges},
        "retention": "P1Y",
        "until": date(jose::now() + 30 * DAY),
    }])
    .to_string();
    let challenge = jose::b64url(&jose::sha256(verifier.as_bytes()));
    let redirect_uri = parties.redirect_uri();
    let body = || {
        assertion_and(
            world,
            &[
                ("response_type", "code"),
                ("redirect_uri", &redirect_uri),
                ("state", state),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
                ("authorization_details", &details),
                ("grant_management_action", "create"),
            ],
        )
    };
    post(parties, &endpoints.push, &body).await?.json()
}

/// Logs in, allows all that is asked, and comes back with the code.
async fn decide(browser: &mut Browser, start: &Url, parties: &Parties, state: &str) -> Result<String> {
    let page = browser.open(start).await?;
    let mut form = page.form("/consent/")?;
    allow(&mut form, &page.boxes("person"), parties.max_exchanges);
    let end = browser.submit(&page, &form).await?;
    if !end.url.as_str().starts_with(&parties.redirect_uri()) {
        bail!("the decision ends at {}", end.describe());
    }
    let value = |name: &str| {
        end.url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    };
    if value("state").as_deref() != Some(state) {
        bail!("another state came back");
    }
    value("code").with_context(|| format!("no code but {:?}", value("error")))
}

pub fn allow(form: &mut Form, persons: &[String], times: u32) {
    let persons: Vec<&str> = persons.iter().map(String::as_str).collect();
    form.set("person", &persons);
    form.set("duration", &["until"]);
    form.set("times", &[&times.to_string()]);
    form.set("decision", &["allow"]);
}

/// A form with the recipient's client assertion (RFC 7523).
fn assertion_and(world: &World, pairs: &[(&str, &str)]) -> Result<String> {
    let (parties, now) = (&world.parties, jose::now());
    let assertion = parties.client_key.sign("JWT", &json!({
        "iss": parties.recipient, "sub": parties.recipient, "aud": world.holder, "iat": now, "exp": now + 60,
        "jti": jose::secret::<16>(),
    }))?;
    let own = [
        ("client_id", parties.recipient.as_str()),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", &assertion),
    ];
    Ok(http::form(own.iter().chain(pairs).copied()))
}

/// Posts a form with a DPoP proof; a second time, with the nonce that the holder asks for.
async fn post(parties: &Parties, url: &Url, body: &MakeBody<'_>) -> Result<Answer> {
    let header = parties.dpop_key.proof_header();
    let mut nonce = None;
    loop {
        let mut claims =
            json!({"htm": "POST", "htu": url.as_str(), "iat": jose::now(), "jti": jose::secret::<16>()});
        if let Some(nonce) = &nonce {
            claims["nonce"] = json!(nonce);
        }
        let proof = parties.dpop_key.sign_parts(&header, claims.to_string().as_bytes())?;
        let answer = http::once("POST", url, &[("DPoP", &proof)], Some(&body()?)).await?;
        let asked = answer.header("dpop-nonce").map(str::to_owned);
        if nonce.is_none() && asked.is_some() && answer.text().contains("use_dpop_nonce") {
            nonce = asked;
            continue;
        }
        if answer.status == 503 {
            // Trust may still be on its way just after the start.
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        return Ok(answer);
    }
}

/// The day of a moment, as `YYYY-MM-DD` (days from the civil calendar, after H. Hinnant).
pub fn date(seconds: u64) -> String {
    let days = seconds / DAY + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
