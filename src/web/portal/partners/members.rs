//! `/partners`: the members of the cities' network, their superiors, and the declared uses of their services.

use crate::domain::catalogue::{DeclaredUse, Text};
use crate::domain::clock::Timestamp;
use crate::domain::federation::{FaultKind, HeldMark, ResponsibleParty, Role, TrustedPeer, with_host};
use crate::domain::ids::{KeyId, UseId};
use crate::node::federation::list_peers::{MemberStanding, address, survey_members};
use crate::web::App;
use crate::web::html::frame::Frame;
use crate::web::html::page;
use crate::web::portal::page::{Page, PageResult};
use crate::web::portal::public::uses::held_for;

/// A declared use of a service.
#[derive(Debug, Clone)]
pub(crate) struct PartnerUse {
    /// The use; the link leads to `/partners/use?id=…`.
    pub(crate) id: UseId,
    /// Display name of the use.
    pub(crate) title: Text,
    /// Display name of the service.
    pub(crate) service: Text,
    /// The purpose in one sentence.
    pub(crate) purpose: Text,
    /// Display name of the data here; `None` when this city holds no such data.
    pub(crate) dataset: Option<Text>,
}

/// A trust mark, for readers who want to verify it.
#[derive(Debug, Clone)]
pub(crate) struct PartnerMark {
    pub(crate) role: Role,
    pub(crate) issuer: String,
    /// Its expiry; `None` if the mark has none.
    pub(crate) until: Option<Timestamp>,
}

/// A signed statement of the chain, for readers who want to verify it.
#[derive(Debug, Clone)]
pub(crate) struct PartnerStatement {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    /// When it was issued.
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    /// The key identifiers of its subject.
    pub(crate) keys: Vec<String>,
}

/// The evidence that a member is verified.
#[derive(Debug, Clone)]
pub(crate) struct Vouched {
    /// What it may do.
    pub(crate) roles: Vec<Role>,
    /// Its superiors: the immediate one first, the network's anchor last.
    pub(crate) by: Vec<Text>,
    /// The expiry of the chain; renewed automatically.
    pub(crate) until: Timestamp,
    pub(crate) marks: Vec<PartnerMark>,
    pub(crate) statements: Vec<PartnerStatement>,
}

/// Whether a member is available.
#[derive(Debug, Clone)]
pub(crate) enum Standing {
    Verified(Vouched),
    Broken { side: ResponsibleParty, fault: FaultKind },
}

/// One member and its uses.
#[derive(Debug, Clone)]
pub(crate) struct PartnerCity {
    /// What people call it, with its host; its host while it cannot be verified.
    pub(crate) name: Text,
    pub(crate) address: String,
    /// Whether it is this city.
    pub(crate) here: bool,
    /// Whether it is available.
    pub(crate) standing: Standing,
    /// Whether its declared uses could be fetched.
    pub(crate) reachable: bool,
    pub(crate) uses: Vec<PartnerUse>,
}

/// All members and their uses.
#[derive(Debug, Clone)]
pub(crate) struct PartnersView {
    /// The members, this city first.
    pub(crate) cities: Vec<PartnerCity>,
    /// Whether the list of members is not available.
    pub(crate) unknown: bool,
}

/// `GET /partners`.
pub(crate) async fn show(page: Page) -> PageResult {
    let membership = survey_members(&page.app.node).await;
    let cities = membership.members.into_iter().map(|member| city(&page.app, member)).collect();
    page.show_public(&PartnersView { cities, unknown: membership.unknown })
}

fn city(app: &App, member: MemberStanding) -> PartnerCity {
    let own = &app.node.settings;
    let here = member.id == own.id;
    let name = match &member.outcome {
        _ if here => with_host(&own.name, own.id.host()),
        Ok(peer) => with_host(&peer.name, peer.id.host()),
        Err(_) => address(&member.id),
    };
    let uses = member.uses.iter().flat_map(|uses| &uses.uses);
    PartnerCity {
        name,
        address: member.id.to_string(),
        here,
        uses: uses.map(|declared| partner_use(app, declared)).collect(),
        reachable: member.uses.is_some(),
        standing: match member.outcome {
            Ok(peer) => Standing::Verified(vouched(&peer, member.superiors)),
            Err((side, fault)) => Standing::Broken { side, fault },
        },
    }
}

/// A declared use of any member.
fn partner_use(app: &App, declared: &DeclaredUse) -> PartnerUse {
    PartnerUse {
        id: declared.id.clone(),
        title: declared.title.clone(),
        service: declared.service_name.clone(),
        purpose: declared.purpose_text.clone(),
        dataset: held_for(app, declared).map(|dataset| dataset.title.clone()),
    }
}

fn vouched(peer: &TrustedPeer, by: Vec<Text>) -> Vouched {
    let mark = |held: &HeldMark| PartnerMark {
        role: held.role(),
        issuer: held.mark().iss.to_string(),
        until: held.mark().exp.map(Timestamp::from_secs),
    };
    let statements = peer.links().into_iter().map(|link| PartnerStatement {
        issuer: link.issuer.to_string(),
        subject: link.subject.to_string(),
        from: link.issued_at,
        until: link.expires_at,
        keys: link.keys.iter().map(KeyId::to_string).collect(),
    });
    Vouched {
        roles: peer.roles(),
        by,
        until: peer.expires_at,
        marks: peer.marks().iter().map(mark).collect(),
        statements: statements.collect(),
    }
}

impl Frame<'_> {
    pub(crate) fn role(&self, role: &Role) -> String {
        match role {
            Role::ConsentIssuer => self.t.partners_role_consent_issuer(),
            Role::DataHolder => self.t.partners_role_data_holder(),
            Role::DataRecipient => self.t.partners_role_data_recipient(),
        }
        .to_string()
    }

    /// The responsible party for a member's fault.
    pub(crate) fn broken_side(&self, side: &ResponsibleParty) -> String {
        let t = &self.t;
        match side {
            ResponsibleParty::Ours => t.partners_side_here(),
            ResponsibleParty::Peer => t.partners_side_member(),
            ResponsibleParty::Intermediate => t.partners_side_intermediate(),
            ResponsibleParty::Anchor => t.partners_side_anchor(),
            ResponsibleParty::Network => t.partners_side_network(),
        }
        .to_string()
    }

    pub(crate) fn broken_why(&self, fault: &FaultKind) -> String {
        let t = &self.t;
        match fault {
            FaultKind::Silent => t.partners_why_silent(),
            FaultKind::Unfit => t.partners_why_unfit(),
            FaultKind::NotMember => t.partners_why_not_member(),
            FaultKind::NoRole => t.partners_why_no_role(),
        }
        .to_string()
    }
}

page!(PartnersView, "partners.html", Partners);
