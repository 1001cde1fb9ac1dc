//! `GET /me/data`: live, dataset by dataset.

use actix_web::web;
use futures_util::{StreamExt, stream};
use tokio_util::task::AbortOnDropHandle;

use super::view::{HoldingHead, HoldingPart, HoldingValues, HoldingsView, PARTS};
use crate::domain::catalogue::{AssuranceRequirement, Corrections, Dataset};
use crate::domain::ids::{DatasetId, NationalIdentifier};
use crate::domain::login::Resident;
use crate::node::resident::holdings::Holding;
use crate::node::resident::log_in::LoginRequirement;
use crate::node::resident::{holdings, log_in, own_records};
use crate::node::{Node, Problem, ProblemKind};
use crate::web::App;
use crate::web::extract::{Id, answer_to_probe};
use crate::web::portal::page::{PageResult, ResidentPage};
use crate::web::session::PostLogin;

/// Registers that one page reads at a time.
const AT_ONCE: usize = 4;

/// `GET /me/data`.
pub(crate) async fn all(page: ResidentPage) -> PageResult {
    let datasets = page.app.node.settings.datasets.clone();
    show(page, datasets, true).await
}

/// `GET /me/data/{id}`: one dataset.
pub(crate) async fn one(page: ResidentPage, Id(id): Id<DatasetId>) -> PageResult {
    let dataset = find(&page.app, &id)?;
    show(page, vec![dataset], false).await
}

/// `GET /me/data/{id}/log-in`: a login with the assurance that the dataset requires.
pub(crate) async fn log_in(page: ResidentPage, Id(id): Id<DatasetId>) -> PageResult {
    if let Some(answer) = answer_to_probe(&page.request) {
        return Ok(answer);
    }
    let dataset = find(&page.app, &id)?;
    let known = AssuranceRequirement::of(&dataset);
    let demand = LoginRequirement { nonce: None, known, step_up: true };
    let (location, pending) = log_in::begin(&page.app.node, demand, page.language).await?;
    page.visitor.save_pending_login(pending, PostLogin::Open(format!("/me/data/{id}")))?;
    Ok(page.redirect(location.as_str()))
}

fn find(app: &App, id: &DatasetId) -> Result<Dataset, Problem> {
    app.node.settings.dataset(id).cloned().ok_or(Problem::new(ProblemKind::NotFound))
}

/// Where a correction of a dataset is asked for.
pub(super) fn corrections(node: &Node, dataset: &Dataset) -> Corrections {
    dataset.corrections.clone().unwrap_or_else(|| {
        let contact = &node.settings.contact;
        Corrections { name: contact.name.clone(), address: contact.email.clone() }
    })
}

async fn show(page: ResidentPage, datasets: Vec<Dataset>, all: bool) -> PageResult {
    let (app, resident) = (page.app.clone(), page.resident.clone());
    let turn = app.node.own_reads.turn(resident.person).await?;
    let subject = own_records::identifier(&app.node, &resident).await?;
    let view = HoldingsView {
        datasets: datasets.iter().map(|dataset| (dataset.id.clone(), dataset.title.clone())).collect(),
        all,
    };
    let mut heads: Vec<HoldingHead> = datasets
        .iter()
        .map(|dataset| HoldingHead { corrections: corrections(&app.node, dataset), dataset: dataset.clone() })
        .collect();
    heads.reverse();
    let first = HoldingPart { values: None, next: heads.pop() };
    let values = stream::iter(datasets)
        .map(move |dataset| read(app.clone(), resident.clone(), subject.clone(), dataset))
        .buffered(AT_ONCE);
    let parts = values.map(move |values| {
        let _turn = &turn;
        HoldingPart { values: Some(values), next: heads.pop() }
    });
    page.show_in_parts(&view, PARTS, stream::once(std::future::ready(first)).chain(parts))
}

async fn read(
    app: web::Data<App>,
    resident: Resident,
    subject: NationalIdentifier,
    dataset: Dataset,
) -> HoldingValues {
    let node: &Node = &app.node;
    if !own_records::may_see(node, &resident, &dataset) {
        return HoldingValues::login_too_weak(dataset);
    }
    let (reading, asked) = (app.clone(), dataset.clone());
    // In a task of its own: a browser that stops reading keeps no register from answering others.
    let reading =
        AbortOnDropHandle::new(tokio::spawn(
            async move { holdings::read(&reading.node, &asked, subject).await },
        ));
    HoldingValues::new(dataset, reading.await.unwrap_or(Holding::Unavailable))
}
