//! `/`: what this is, the cities, the way to log in.

use crate::domain::catalogue::Text;

/// A city of the network.
#[derive(Debug, Clone)]
pub struct CityLink {
    /// What people call it.
    pub name: Text,
    /// Its portal.
    pub url: String,
    /// Whether it is this city.
    pub here: bool,
}

/// The front page.
#[derive(Debug, Clone)]
pub struct HomeView {
    /// All cities that can be reached now, this one included.
    pub cities: Vec<CityLink>,
}

page!(HomeView, "home.html", Some(Section::Home));
