//! A service's fetches through both nodes: `POST …/fetch` at a recipient node, which asks the holder and checks what it gets.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use serde::Serialize;
use serde_json::{Value, json};
use url::Url;

use super::browser::Browser;
use super::config::{DATASET, SERVICE, SERVICE_TIMES, SERVICE_USE};
use super::consents::allow;
use super::http::{self, Connection};
use super::jose;
use super::parties::{WHO, identity};
use super::world::{CHILDREN, World, unit};

#[derive(Serialize, Clone)]
pub struct Fetches {
    pub fetches: u64,
    pub connections: usize,
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// Of the first and the last tenth.
    pub p50_first_ms: f64,
    pub p50_last_ms: f64,
    pub refused: u64,
    pub wrong: u64,
}

/// A permission of the recipient node's service.
#[derive(Clone)]
pub struct Held {
    resident: usize,
    id: String,
}

/// The service's own token at its node.
async fn token(world: &World) -> Result<String> {
    let node = world.recipient.as_ref().context("no recipient node")?;
    let basic = format!("Basic {}", jose::b64(format!("{SERVICE}:{}", node.secret).as_bytes()));
    let url = Url::parse(&format!("{}/api/v1/token", node.base))?;
    let form = http::form([("grant_type", "client_credentials")]);
    let answer = http::once("POST", &url, &[("Authorization", &basic)], Some(&form)).await?.json()?;
    Ok(format!("Bearer {}", answer["access_token"].as_str().context("no access_token")?))
}

/// Asks for permissions of so many residents, who give them.
pub async fn prepare(world: &World, count: usize) -> Result<Vec<Held>> {
    let node = world.recipient.as_ref().context("no recipient node")?;
    let token = token(world).await?;
    let mut all = Vec::new();
    for resident in 0..count {
        let asked = json!({
            "holder": world.holder, "dataset": DATASET, "use": SERVICE_USE, "times": SERVICE_TIMES,
            "returnUrl": format!("{}/oauth/callback", world.parties.recipient),
        });
        let url = Url::parse(&format!("{}/api/v1/consent-requests", node.base))?;
        let headers = [("Authorization", token.as_str()), ("Content-Type", "application/json")];
        let asked = http::once("POST", &url, &headers, Some(&asked.to_string())).await?.json()?;
        let mut browser = Browser::default();
        browser.set_cookie(&world.parties.login_host, WHO, &identity(resident));
        let page = browser.open(&Url::parse(asked["startUrl"].as_str().context("no startUrl")?)?).await?;
        let mut form = page.form("/consent/")?;
        allow(&mut form, &page.boxes("person"), SERVICE_TIMES);
        let end = browser.submit(&page, &form).await?;
        if !end.url.query().is_some_and(|query| query.contains("state=active")) {
            bail!("the decision ends at {}", end.describe());
        }
        all.push(Held { resident, id: asked["id"].as_str().context("no id")?.to_owned() });
    }
    Ok(all)
}

/// So many fetches, one after the other on each connection.
pub async fn run(world: &Rc<World>, held: &[Held], connections: usize, fetches: u64) -> Result<Fetches> {
    let base = world.recipient.as_ref().context("no recipient node")?.base.clone();
    let token = token(world).await?;
    let requests = held.iter().map(|held| {
        let url = Url::parse(&format!("{base}/api/v1/consents/{}/fetch", held.id))?;
        Ok((held.resident, http::request("POST", &url, &[("Authorization", &token)], Some(""))))
    });
    let requests: Rc<Vec<(usize, Vec<u8>)>> = Rc::new(requests.collect::<Result<_>>()?);
    let port = http::port(&Url::parse(&base)?);
    let (next, times) = (Rc::new(Cell::new(0_u64)), Rc::new(RefCell::new(Vec::new())));
    let (refused, wrong) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let begin = Instant::now();
    let workers = (0..connections).map(|_| {
        let (requests, next, times) = (requests.clone(), next.clone(), times.clone());
        let (refused, wrong) = (refused.clone(), wrong.clone());
        tokio::task::spawn_local(async move {
            let mut connection = Connection::new(port);
            while next.get() < fetches {
                let number = usize::try_from(next.replace(next.get() + 1)).unwrap_or(0);
                let (resident, request) = &requests[number % requests.len()];
                let sent = Instant::now();
                let answer = connection.exchange(request).await?;
                times.borrow_mut().push(sent.elapsed().as_secs_f64() * 1000.0);
                if answer.status != 200 {
                    refused.set(refused.get() + 1);
                    if refused.get() == 1 {
                        eprintln!("load: a fetch is answered with {} {}", answer.status, answer.text());
                    }
                } else if !is_right(*resident, &serde_json::from_slice(&answer.body)?) {
                    wrong.set(wrong.get() + 1);
                }
            }
            anyhow::Ok(())
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.map_err(|_| anyhow!("a task ended"))??;
    }
    let times = times.take();
    let tenth = times.len().div_ceil(10);
    Ok(Fetches {
        fetches,
        connections,
        per_second: fetches as f64 / begin.elapsed().as_secs_f64(),
        p50_ms: quantile(&times, 0.5),
        p99_ms: quantile(&times, 0.99),
        p50_first_ms: quantile(&times[..tenth], 0.5),
        p50_last_ms: quantile(&times[times.len() - tenth..], 0.5),
        refused: refused.get(),
        wrong: wrong.get(),
    })
}

/// Whether a fetch gave this resident's records and nobody else's, with the holder's receipt over them.
fn is_right(resident: usize, answer: &Value) -> bool {
    let records = answer["data"].as_array().map_or(&[][..], Vec::as_slice);
    let units = records.iter().filter_map(|record| record["unit"].as_str());
    let own = |known: &str| (0..CHILDREN).any(|child| known == unit(resident, child));
    records.len() == CHILDREN
        && units.filter(|known| own(known)).count() == CHILDREN
        && answer["receiptJws"].is_string()
}

/// The smallest value that at least such a share of all does not exceed.
pub fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}
