//! `/partners/use?id=…`: one declared use, with the form to start a permission (`POST /partners/use`, `csrf` and `id`).

use crate::domain::catalogue::{DeclaredUse, Text};
use crate::domain::federation::{TrustedPeer, with_host};
use crate::domain::ids::{DatasetId, FieldPath, UseId};
use crate::node::holder::decision::start_consent;
use crate::node::{Problem, ProblemKind};
use crate::web::App;
use crate::web::extract::{Parameters, query};
use crate::web::html::page;
use crate::web::portal::page::{Page, PageResult, SignedForm};
use crate::web::portal::public::uses::held_for;
use crate::web::portal::reply::Look;

/// The dataset here that matches the use.
#[derive(Debug, Clone)]
pub(crate) struct UseDataset {
    pub(crate) id: DatasetId,
    pub(crate) title: Text,
    /// What people call the required fields.
    pub(crate) required: Vec<Text>,
    /// What people call the optional fields.
    pub(crate) optional: Vec<Text>,
}

#[derive(Debug, Clone)]
pub(crate) struct UseView {
    /// As published by its city.
    pub(crate) declared: DeclaredUse,
    /// What people call the city, with its host.
    pub(crate) city: Text,
    /// The matching dataset here; `None` when this city holds no such data, and nothing can be started.
    pub(crate) dataset: Option<UseDataset>,
}

/// `GET /partners/use?id=`.
pub(crate) async fn show(page: Page) -> PageResult {
    let unknown = || Problem::new(ProblemKind::NotFound);
    let id: UseId = query(&page.request)?.take("id").and_then(|id| id.parse().ok()).ok_or_else(unknown)?;
    let node = &page.app.node;
    let declared = node.member_documents.declared_use(&id).await.map_err(Problem::from)?;
    let recipient = id.recipient().parse().map_err(|_| unknown())?;
    let peer = node.peers.resolve(&recipient).await.map_err(Problem::from)?;
    // The form leads to the decision, and from there on to the login provider if a stronger login is required.
    let look = Look { form_leads_out: true, ..Look::default() };
    page.show_as(&view_of(&page.app, &declared, &peer), look)
}

/// `POST /partners/use`: the resident starts a permission of their own.
pub(crate) async fn start(signed: SignedForm<Parameters>) -> PageResult {
    let SignedForm { page, mut form } = signed;
    let use_id: UseId =
        form.take("id").and_then(|id| id.parse().ok()).ok_or(Problem::new(ProblemKind::NotFound))?;
    let id = start_consent::start_consent(&page.app.node, &page.resident, &use_id).await?;
    Ok(page.redirect(&format!("/consent/{id}")))
}

fn view_of(app: &App, declared: &DeclaredUse, peer: &TrustedPeer) -> UseView {
    let dataset = held_for(app, declared).map(|dataset| {
        let labels = |names: &[FieldPath]| {
            names.iter().filter_map(|name| dataset.leaf(name)).map(|leaf| leaf.label()).collect()
        };
        UseDataset {
            id: dataset.id.clone(),
            title: dataset.title.clone(),
            required: labels(&declared.required_fields),
            optional: labels(&declared.optional_fields),
        }
    });
    UseView { declared: declared.clone(), city: with_host(&peer.name, peer.id.host()), dataset }
}

page!(UseView, "use.html", Partners);
