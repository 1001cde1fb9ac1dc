//! `/partners`: which services of which city may ask what.

use crate::domain::catalogue::Text;
use crate::domain::ids::UseId;

/// What one service may ask.
#[derive(Debug, Clone)]
pub struct PartnerUse {
    /// The use; the link leads to `/partners/use?id=…`.
    pub id: UseId,
    /// What people call the use.
    pub title: Text,
    /// What people call the service.
    pub service: Text,
    /// What for, in one sentence.
    pub purpose: Text,
    /// What people call the data here; none when this city holds no such data.
    pub dataset: Option<Text>,
}

/// One city and its uses.
#[derive(Debug, Clone)]
pub struct PartnerCity {
    /// What people call it.
    pub name: Text,
    /// Whether it is this city.
    pub here: bool,
    /// Whether its uses could be read now.
    pub reachable: bool,
    /// Its uses.
    pub uses: Vec<PartnerUse>,
}

/// All cities and their uses.
#[derive(Debug, Clone)]
pub struct PartnersView {
    /// The cities.
    pub cities: Vec<PartnerCity>,
}

page!(PartnersView, "partners.html", Some(Section::Partners));
