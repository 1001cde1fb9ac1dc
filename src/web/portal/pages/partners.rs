//! `/partners`: the members, and what their services may ask.

use actix_web::{HttpRequest, HttpResponse, web};

use super::page::{Page, PageProblem};
use crate::domain::catalogue::Text;
use crate::domain::clock::Timestamp;
use crate::domain::federation::{HeldMark, TrustedPeer};
use crate::domain::ids::KeyId;
use crate::node::federation::list_peers::{MemberStanding, address, survey_members};
use crate::web::App;
use crate::web::portal::pages::view_models;
use crate::web::portal::views::{
    PartnerCity, PartnerMark, PartnerStatement, PartnersView, Standing, Vouched,
};

/// `GET /partners`.
pub(super) async fn show(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let membership = survey_members(&app.node).await;
    let cities = membership.members.into_iter().map(|member| city(&page, member)).collect();
    page.show(&PartnersView { cities, unknown: membership.unknown })
}

fn city(page: &Page, member: MemberStanding) -> PartnerCity {
    let own = &page.app.node.settings;
    let here = member.id == own.id;
    let name = match &member.outcome {
        _ if here => own.name.clone(),
        Ok(peer) => peer.name.clone(),
        Err(_) => address(&member.id),
    };
    let uses = member.uses.iter().flat_map(|uses| &uses.uses);
    PartnerCity {
        name,
        address: member.id.to_string(),
        here,
        uses: uses.map(|declared| view_models::partner_use(page, declared)).collect(),
        reachable: member.uses.is_some(),
        standing: match member.outcome {
            Ok(peer) => Standing::Verified(vouched(&peer, member.superiors)),
            Err((side, fault)) => Standing::Broken { side, fault },
        },
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
