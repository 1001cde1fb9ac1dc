//! `/`: introduction, cities, login link.

use std::sync::Arc;

use crate::domain::catalogue::Text;
use crate::domain::federation::TrustedPeer;
use crate::web::App;
use crate::web::html::page;
use crate::web::portal::page::{Page, PageResult};

/// A city of the network.
#[derive(Debug, Clone)]
pub(crate) struct CityLink {
    pub(crate) name: Text,
    pub(crate) url: String,
    /// Whether it is this city.
    pub(crate) here: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct HomeView {
    /// All cities that are available now, including this one.
    pub(crate) cities: Vec<CityLink>,
}

/// `GET /`.
pub(crate) async fn show(page: Page) -> PageResult {
    let members = page.app.node.members.members().await.unwrap_or_default();
    page.show_public(&HomeView { cities: cities(&page.app, &members) })
}

/// The cities of the front page.
fn cities(app: &App, members: &[Arc<TrustedPeer>]) -> Vec<CityLink> {
    let own = &app.node.settings;
    let here = CityLink { name: own.name.clone(), url: own.id.to_string(), here: true };
    // Cities have a portal; a member that is only a recipient has none.
    let others = members
        .iter()
        .filter(|peer| peer.id != own.id && peer.consent_issuer().is_ok())
        .map(|peer| CityLink { name: peer.name.clone(), url: peer.id.to_string(), here: false });
    std::iter::once(here).chain(others).collect()
}

page!(HomeView, "home.html", Home);
