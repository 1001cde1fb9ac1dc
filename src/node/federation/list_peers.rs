//! The members of the federation with their superiors; for each that is not available, the responsible party and the
//! fault.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};

use crate::domain::catalogue::{DeclaredUses, Text};
use crate::domain::federation::{FaultKind, ResponsibleParty, TrustError, TrustedPeer, with_host};
use crate::domain::ids::EntityId;
use crate::node::Node;

/// How long a request waits for a diagnosis. The diagnosis goes on, and the next request gets it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Maximum number of members diagnosed for one request; when more fail at once, the cause is seldom theirs.
const MAX_EXAMINED: usize = 8;

/// Maximum number of members resolved at a time.
const AT_ONCE: usize = 8;

pub(crate) struct MemberStanding {
    pub(crate) id: EntityId,
    /// The member, or the responsible party and the fault.
    pub(crate) outcome: Result<Arc<TrustedPeer>, (ResponsibleParty, FaultKind)>,
    /// What those who vouch for it are called, with their hosts: its immediate superior first, the anchor at the end.
    pub(crate) superiors: Vec<Text>,
    /// Its declared uses; `None` when they cannot be fetched now.
    pub(crate) uses: Option<Arc<DeclaredUses>>,
}

pub(crate) struct Membership {
    /// The members, this node first, the others in the order of their identifiers.
    pub members: Vec<MemberStanding>,
    /// Whether the list of members is not available.
    pub unknown: bool,
}

pub(crate) async fn survey_members(node: &Node) -> Membership {
    let own = &node.settings.id;
    let (mut listed, unknown) = match node.members.survey().await {
        Ok(listed) => (listed, false),
        Err(error) => {
            tracing::info!(event = "members_not_listed", %error, "could not list the members");
            (Vec::new(), true)
        }
    };
    if !listed.iter().any(|(id, _)| id == own) {
        listed.push((own.clone(), node.peers.resolve(own).await));
    }
    listed.sort_by(|(one, _), (other, _)| (one != own, one).cmp(&(other != own, other)));
    let broken = listed.iter().filter_map(|(id, outcome)| Some((id, outcome.as_ref().err()?)));
    let faults = faults(node, broken.take(MAX_EXAMINED).collect()).await;
    let shared = faults.iter().map(|(_, fault)| *fault).find(|(side, _)| {
        // A fault of the anchor, or of the network, also explains members that were not diagnosed.
        matches!(side, ResponsibleParty::Anchor | ResponsibleParty::Network)
    });
    let members = stream::iter(listed)
        .map(|(id, outcome)| {
            let examined = faults.iter().find(|(examined, _)| *examined == id).map(|(_, fault)| *fault);
            async move {
                match outcome {
                    Ok(peer) => standing(node, peer).await,
                    Err(error) => MemberStanding {
                        outcome: Err(examined.or(shared).unwrap_or_else(|| guess(&error))),
                        superiors: Vec::new(),
                        uses: (id == *own).then(|| Arc::new(node.settings.declared_uses())),
                        id,
                    },
                }
            }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    Membership { members, unknown }
}

async fn standing(node: &Node, peer: Arc<TrustedPeer>) -> MemberStanding {
    let mut superiors = Vec::new();
    for id in &peer.superiors {
        let name = match node.peers.resolve(id).await {
            _ if *id == peer.anchor => peer.anchor_name(),
            Ok(superior) => Some(superior.name.clone()),
            Err(_) => None,
        };
        superiors.push(name.map_or_else(|| address(id), |name| with_host(&name, id.host())));
    }
    let uses = if peer.recipient().is_ok() {
        node.member_documents.declared_uses(&peer.id).await.ok()
    } else {
        Some(Arc::new(DeclaredUses { recipient: peer.id.clone(), name: peer.name.clone(), uses: Vec::new() }))
    };
    MemberStanding { id: peer.id.clone(), outcome: Ok(peer), superiors, uses }
}

/// The name of an entity without a verified name: its host.
#[must_use]
pub(crate) fn address(id: &EntityId) -> Text {
    let host = url::Url::parse(id.as_str()).ok().and_then(|url| url.host_str().map(str::to_owned));
    let host = host.unwrap_or_else(|| id.to_string());
    Text::same(&host)
}

/// The diagnoses of these entities, as far as they finish in time.
async fn faults(
    node: &Node,
    broken: Vec<(&EntityId, &TrustError)>,
) -> Vec<(EntityId, (ResponsibleParty, FaultKind))> {
    join_all(broken.into_iter().map(|(id, error)| async move {
        let members = Arc::clone(&node.members);
        let subject = id.clone();
        // A task of its own, so that it finishes and is cached however long the request waits.
        let examination = tokio::spawn(async move { members.examine(&subject).await });
        let found = match tokio::time::timeout(PATIENCE, examination).await {
            Ok(Ok(report)) => report.fault(),
            _ => None,
        };
        let (side, fault) = found.unwrap_or_else(|| guess(error));
        let ours = side == ResponsibleParty::Peer && *id == node.settings.id;
        (id.clone(), (if ours { ResponsibleParty::Ours } else { side }, fault))
    }))
    .await
}

/// The fault that follows from the refusal alone.
const fn guess(error: &TrustError) -> (ResponsibleParty, FaultKind) {
    match error {
        TrustError::NotTrusted(_) => (ResponsibleParty::Peer, FaultKind::Unfit),
        TrustError::Unavailable(_) => (ResponsibleParty::Peer, FaultKind::Silent),
    }
}
