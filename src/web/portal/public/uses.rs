//! Declared uses: this city's own for the other nodes, and those of all members.

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use serde::Serialize;

use crate::domain::catalogue::processing::uses_schema;
use crate::domain::catalogue::{Dataset, DeclaredUse, DeclaredUses, Processing, Text};
use crate::domain::federation::with_host;
use crate::domain::ids::{EntityId, UseId};
use crate::web::App;
use crate::web::html::chrome::query_value;
use crate::web::html::frame::Frame;
use crate::web::public_document::share_for;

/// A declared use of a dataset by a service of some city.
#[derive(Debug, Clone)]
pub(crate) struct DatasetUse {
    /// The use; the link leads to `/partners/use?id=…`.
    pub(crate) id: UseId,
    /// The city that uses it, with its host.
    pub(crate) city: Text,
    pub(crate) service: Text,
    /// The purpose in one sentence.
    pub(crate) purpose: Text,
    /// Legal basis, a DPV term.
    pub(crate) legal_basis: String,
}

/// The document at `/catalogue/uses`.
#[derive(Serialize)]
struct OwnUses<'a> {
    #[serde(flatten)]
    declared: DeclaredUses,
    processing: &'a [Processing],
}

/// `GET /catalogue/uses`: this city's declared uses, for the other nodes, and its record of processing.
pub(crate) async fn uses(app: web::Data<App>) -> HttpResponse {
    let settings = &app.node.settings;
    share_for(&mut HttpResponse::Ok(), 60)
        .json(OwnUses { declared: settings.declared_uses(), processing: &settings.processing })
}

/// `GET /catalogue/uses/schema`: the JSON Schema of that document.
pub(crate) async fn schema() -> HttpResponse {
    share_for(&mut HttpResponse::Ok(), 60)
        .content_type("application/schema+json")
        .body(uses_schema().to_string())
}

/// The declared uses of all members.
pub(crate) struct AllUses {
    /// This city, which is the holder.
    own: EntityId,
    members: Vec<(Text, Option<Arc<DeclaredUses>>)>,
    /// Members whose declared uses could not be fetched now.
    pub(crate) unreachable: Vec<Text>,
}

/// Fetches the declared uses of every member; reports those that are not available.
pub(crate) async fn all_uses(app: &App) -> AllUses {
    let node = &app.node;
    let mut all = AllUses { own: node.settings.id.clone(), members: Vec::new(), unreachable: Vec::new() };
    let own = node.settings.declared_uses();
    all.members.push((own.name.clone(), Some(Arc::new(own))));
    let members = node.members.members().await.unwrap_or_default();
    for peer in members.iter().filter(|peer| peer.id != node.settings.id && peer.recipient().is_ok()) {
        let uses = node.member_documents.declared_uses(&peer.id).await.ok();
        if uses.is_none() {
            all.unreachable.push(peer.name.clone());
        }
        all.members.push((peer.name.clone(), uses));
    }
    all
}

impl AllUses {
    /// The declared uses by which one dataset of this city may be requested.
    pub(crate) fn of(&self, dataset: &Dataset) -> Vec<DatasetUse> {
        self.members
            .iter()
            .filter_map(|(city, uses)| uses.as_ref().map(|uses| (city, uses)))
            .flat_map(|(city, uses)| uses.uses.iter().map(move |declared| (city, declared)))
            .filter(|(_, declared)| declared.dataset_type == dataset.kind)
            .filter(|(_, declared)| declared.may_be_asked_of(&self.own))
            .map(|(city, declared)| DatasetUse {
                id: declared.id.clone(),
                city: with_host(city, declared.id.host()),
                service: declared.service_name.clone(),
                purpose: declared.purpose_text.clone(),
                legal_basis: declared.legal_basis.clone(),
            })
            .collect()
    }
}

/// The dataset here that a use requests; `None` when this city holds none, or the use does not ask it.
pub(crate) fn held_for<'a>(app: &'a App, declared: &DeclaredUse) -> Option<&'a Dataset> {
    let settings = &app.node.settings;
    if !declared.may_be_asked_of(&settings.id) {
        return None;
    }
    settings.datasets.iter().find(|dataset| dataset.kind == declared.dataset_type)
}

impl Frame<'_> {
    /// The page of a declared use: `/partners/use?id=…`.
    pub(crate) fn use_href(&self, id: &UseId) -> String {
        format!("/partners/use?id={}", query_value(id.as_str()))
    }
}
