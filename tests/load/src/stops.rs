//! Residents stop permissions in the portal while these are being used.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde::Serialize;
use url::Url;

use super::consents::Permission;
use super::drive::{Outcome, Plan, Target, drive_until};
use super::fetches::quantile;
use super::world::World;

const PAUSE: Duration = Duration::from_millis(20);
/// Exchanges go on for so long after the last stop.
const AFTERWARDS: Duration = Duration::from_secs(1);

#[derive(Serialize, Clone)]
pub struct Stops {
    pub stops: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
    pub outcome: Outcome,
}

/// Stops half of the permissions beside so many busy connections, which use the others and the stopped ones alike.
pub async fn beside(world: &Rc<World>, target: &Rc<Target>, connections: usize) -> Result<Stops> {
    let stopped: Vec<_> = target.permissions.iter().step_by(2).cloned().collect();
    let mut ready = Vec::new();
    // The pages first: what counts is the request that stops.
    for permission in &stopped {
        let mut browser = permission.browser.take();
        let page = browser.open(&Url::parse(&format!("{}/me", world.holder))?).await?;
        let address = page.address("/me/sharing/")?;
        let name = address["/me/sharing/".len()..].split(['/', '?', '#']).next().unwrap_or("");
        let page = browser.open(&page.url.join(&format!("/me/sharing/{name}/stop"))?).await?;
        let form = page.form("/me/sharing/")?;
        ready.push((permission.clone(), browser, page, form));
    }
    let longest = Duration::from_secs(600);
    let plan = Plan { length: Some(longest), ..Plan::of(connections) };
    let (over, is_over) = tokio::sync::watch::channel(false);
    let driving = {
        let target = target.clone();
        tokio::task::spawn_local(async move { drive_until(&target, &plan, Some(is_over)).await })
    };
    let mut times = Vec::new();
    for (permission, mut browser, page, form) in ready {
        tokio::time::sleep(PAUSE).await;
        let begin = Instant::now();
        permission.stopping.set(Some(begin));
        let answer = browser.post(&page, &form).await?;
        stop_confirmed(&permission, &answer)?;
        times.push(begin.elapsed().as_secs_f64() * 1000.0);
    }
    tokio::time::sleep(AFTERWARDS).await;
    over.send(true).ok().context("nobody drives")?;
    let outcome = driving.await.map_err(|_| anyhow!("a task ended"))??;
    let at = |q: f64| quantile(&times, q);
    Ok(Stops { stops: times.len(), p50_ms: at(0.5), p99_ms: at(0.99), max_ms: at(1.0), outcome })
}

fn stop_confirmed(permission: &Permission, answer: &super::http::Answer) -> Result<()> {
    let location = answer.header("location").unwrap_or("");
    if !(300..400).contains(&answer.status) || !location.contains("notice=") {
        bail!("the stop is answered with {} {location}", answer.status);
    }
    permission.stopped.set(Some(Instant::now()));
    Ok(())
}
