//! Declared uses: this city's own for the other nodes, and those of all members.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use crate::domain::catalogue::processing::uses_schema;
use crate::domain::catalogue::{Dataset, DeclaredUse, DeclaredUses, Processing, Text};
use crate::domain::federation::with_host;
use crate::domain::ids::{EntityId, UseId};
use crate::domain::jose::sha256;
use crate::node::{Problem, ProblemKind};
use crate::web::App;
use crate::web::html::chrome::query_value;
use crate::web::html::frame::Frame;
use crate::web::made_once::MadeOf;
use crate::web::problem::HttpProblem;
use crate::web::public_document::share_for;
use crate::web::representation::Representation;

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
pub(crate) async fn uses(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, HttpProblem> {
    let node = Arc::clone(&app.node);
    let make = move || {
        let settings = &node.settings;
        let all = OwnUses { declared: settings.declared_uses(), processing: &settings.processing };
        let body =
            serde_json::to_vec(&all).map_err(|error| Problem::because(ProblemKind::Internal, error))?;
        Ok(Representation::new("application/json", body))
    };
    let document = app.catalogue.get("uses", MadeOf::default(), make).await?;
    Ok(document.respond(&request, share_for(&mut HttpResponse::Ok(), 60)))
}

/// `GET /catalogue/uses/schema`: the JSON Schema of that document.
pub(crate) async fn schema(request: HttpRequest) -> HttpResponse {
    Representation::new("application/schema+json", uses_schema().to_string())
        .respond(&request, share_for(&mut HttpResponse::Ok(), 60))
}

/// The declared uses of all members.
pub(crate) struct AllUses {
    /// This city, which is the holder.
    own: EntityId,
    members: Vec<(Text, Option<Arc<DeclaredUses>>)>,
    /// Members whose declared uses could not be fetched now.
    pub(crate) unreachable: Vec<Text>,
}

/// What a page tells of the members.
#[derive(Serialize)]
struct Told<'a> {
    name: &'a Text,
    uses: Option<&'a DeclaredUses>,
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
    /// The digest of all that a page takes from here.
    ///
    /// # Errors
    /// [`Problem`] when a use cannot be written, which does not happen.
    pub(crate) fn digest(&self) -> Result<MadeOf, Problem> {
        let told = |(name, uses): &'_ (Text, Option<Arc<DeclaredUses>>)| {
            serde_json::to_vec(&Told { name, uses: uses.as_deref() })
        };
        let members: Result<Vec<_>, _> = self.members.iter().map(told).collect();
        let members = members.map_err(|error| Problem::because(ProblemKind::Internal, error))?;
        Ok(sha256(&members.join(&b'\n')))
    }

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
