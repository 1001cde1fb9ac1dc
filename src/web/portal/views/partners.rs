//! `/partners`: who belongs to the cities' network, on whose word, and which services of which city may ask what.

use crate::domain::catalogue::Text;
use crate::domain::clock::Timestamp;
use crate::domain::federation::{FaultKind, ResponsibleParty, Role};
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

/// A trust mark, for those who want to check.
#[derive(Debug, Clone)]
pub struct PartnerMark {
    /// What it lets the member do.
    pub role: Role,
    /// Who gave it.
    pub issuer: String,
    /// Until when; open where the mark itself does not say.
    pub until: Option<Timestamp>,
}

/// A signed statement of the chain, for those who want to check.
#[derive(Debug, Clone)]
pub struct PartnerStatement {
    /// Who speaks.
    pub issuer: String,
    /// About whom.
    pub subject: String,
    /// When it was issued.
    pub from: Timestamp,
    /// When it stops to hold.
    pub until: Timestamp,
    /// The keys of whom it is about, by name.
    pub keys: Vec<String>,
}

/// Why a member counts as verified.
#[derive(Debug, Clone)]
pub struct Vouched {
    /// What it may do.
    pub roles: Vec<Role>,
    /// Who vouches: its immediate superior first, the network's own at the end.
    pub by: Vec<Text>,
    /// Until when that holds; it is renewed by itself before.
    pub until: Timestamp,
    /// Its trust marks.
    pub marks: Vec<PartnerMark>,
    /// The chain.
    pub statements: Vec<PartnerStatement>,
}

/// Whether a member can be relied on now.
#[derive(Debug, Clone)]
pub enum Standing {
    /// Verified now.
    Verified(Vouched),
    /// Not available now.
    Broken {
        /// Whose side is broken.
        side: ResponsibleParty,
        /// What is wrong.
        fault: FaultKind,
    },
}

/// One member and its uses.
#[derive(Debug, Clone)]
pub struct PartnerCity {
    /// What people call it; its address while it cannot be verified.
    pub name: Text,
    /// Its address.
    pub address: String,
    /// Whether it is this city.
    pub here: bool,
    /// Whether it can be relied on.
    pub standing: Standing,
    /// Whether its uses could be read now.
    pub reachable: bool,
    /// Its uses.
    pub uses: Vec<PartnerUse>,
}

/// All members and their uses.
#[derive(Debug, Clone)]
pub struct PartnersView {
    /// The members, this city first.
    pub cities: Vec<PartnerCity>,
    /// Whether nobody can tell now who belongs to the network.
    pub unknown: bool,
}

page!(PartnersView, "partners.html", Some(Section::Partners));
