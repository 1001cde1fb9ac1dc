//! The findings of a diagnosis: message, responsible party, and remedy.

use crate::domain::clock::Timestamp;
use crate::domain::federation::{
    EntityStatement, ExpiryWarning, FaultKind, Finding, HeldMark, Outage, ResponsibleParty, Role, Step,
    TrustError, TrustFault, TrustedPeer, VerifiedChain, WarningThreshold,
};
use crate::domain::ids::EntityId;
use crate::domain::jose::JoseError;
use crate::outbound::federation::anchor_keys::CHECK_ANCHOR_KEYS;
use crate::outbound::federation::superior::{Superior, SuperiorState};

const ASK_NETWORK: &str =
    "see this machine's network, name service, proxy, firewall and clock; nothing outside answers it in time";
const ASK_ANCHOR: &str = "ask the anchor's operator whether it runs; what is known holds until it expires, and is asked for again by itself";
const ASK_INTERMEDIATE: &str =
    "ask the intermediate's operator; members below it hold until their statements expire";
const ASK_PEER: &str = "ask the peer's operator; nothing is to be done here";
const COMPARE_CLOCKS: &str = "compare both clocks with the time; a minute's difference is allowed";

/// The diagnosis exceeded its time limit.
pub(super) fn took_too_long(id: &EntityId) -> Finding {
    let fault = (ResponsibleParty::Network, FaultKind::Silent);
    Finding::fail(Step::Chain, id, "the examination took too long", fault, ASK_NETWORK)
}

/// When no superior answered, the network is responsible and not each of them.
pub(super) fn blame_network(finding: &mut Finding) {
    if finding.fault == Some(FaultKind::Silent) {
        (finding.side, finding.remedy) = (Some(ResponsibleParty::Network), Some(ASK_NETWORK));
    }
}

pub(super) fn superior_answers(superior: &Superior, state: &SuperiorState) -> Finding {
    let until = state.expires_at().rfc3339();
    let keys = state.keys.len();
    let (step, known) = if superior.is_anchor() {
        (Step::Anchor, "answers and signs with a key that is known here")
    } else {
        (Step::Intermediate, "answers and is vouched for itself")
    };
    Finding::pass(step, &superior.id, format!("{known}; {keys} key(s), holds until {until}"))
}

pub(super) fn superior_failed(superior: &Superior, error: &TrustError) -> Finding {
    let (step, side) = step_of(superior);
    let (side, kind, remedy) = match error {
        TrustError::Unavailable(Outage::Store) => {
            let fault = (ResponsibleParty::Ours, FaultKind::Silent);
            let message = "this node's own store is away";
            return Finding::fail(step, &superior.id, message, fault, "see the database of this node");
        }
        TrustError::Unavailable(_) => (side, FaultKind::Silent, ask(side)),
        TrustError::NotTrusted(TrustFault::Jose(JoseError::NotYetValid | JoseError::Expired)) => {
            (side, FaultKind::Unfit, COMPARE_CLOCKS)
        }
        // Its keys are configured here: an anchor with other keys is not the configured one.
        TrustError::NotTrusted(TrustFault::Jose(JoseError::UnknownKey)) if superior.is_anchor() => {
            (ResponsibleParty::Ours, FaultKind::Unfit, CHECK_ANCHOR_KEYS)
        }
        TrustError::NotTrusted(_) => (side, FaultKind::Unfit, ask(side)),
    };
    Finding::fail(step, &superior.id, explain(error), (side, kind), remedy)
}

pub(super) fn list_failed(superior: &Superior, error: &TrustError) -> Finding {
    let (_, side) = step_of(superior);
    let message = format!("cannot be asked whom it lists: {}", explain(error));
    Finding::fail(Step::Listing, &superior.id, message, (side, fault(error)), ask(side))
}

pub(super) fn superiors_left_out(id: &EntityId, error: &TrustError) -> Finding {
    let message = format!("not every superior was asked whether it lists it: {}", explain(error));
    let remedy = "the entity names its superiors in authority_hints, and each of them its own";
    Finding::fail(Step::Listing, id, message, (ResponsibleParty::Peer, fault(error)), remedy)
}

pub(super) fn configuration_read(id: &EntityId, statement: &EntityStatement) -> Finding {
    let superiors: Vec<EntityId> = statement.authority_hints.iter().flat_map(|hints| hints.iter()).collect();
    let superiors: Vec<&str> = superiors.iter().map(EntityId::as_str).collect();
    let message = format!(
        "signed by itself, holds until {}; superiors: {}",
        Timestamp::from_secs(statement.exp).rfc3339(),
        if superiors.is_empty() { "none".to_owned() } else { superiors.join(", ") },
    );
    Finding::pass(Step::Configuration, id, message)
}

/// A part of the configuration that is unusable and without further effect.
pub(super) fn part_left_out(id: &EntityId, part: String) -> Finding {
    let message = format!("left out: {part}");
    Finding::warn(Step::Configuration, id, message, ResponsibleParty::Peer, ASK_PEER)
}

pub(super) fn configuration_failed(id: &EntityId, error: &TrustError) -> Finding {
    let remedy = match error {
        TrustError::NotTrusted(TrustFault::Jose(JoseError::NotYetValid | JoseError::Expired)) => {
            COMPARE_CLOCKS
        }
        TrustError::NotTrusted(TrustFault::NotFound) => {
            "it serves no entity configuration below /.well-known/openid-federation: see the address"
        }
        _ => ASK_PEER,
    };
    let at_fault = (ResponsibleParty::Peer, fault(error));
    Finding::fail(Step::Configuration, id, explain(error), at_fault, remedy)
}

/// No superior lists the entity, or that is not known. `names_anchor` is whether it names an anchor of this node as its
/// superior, if its configuration could be read.
pub(super) fn not_listed(id: &EntityId, names_anchor: Option<bool>, before: &[Finding]) -> Finding {
    let unasked = before.iter().find(|found| {
        found.fault.is_some() && matches!(found.step, Step::Anchor | Step::Intermediate | Step::Listing)
    });
    if let Some((side, fault)) = unasked.and_then(|found| found.side.zip(found.fault)) {
        let message = "whether it is a member cannot be told: not all who could list it answer properly";
        return Finding::fail(Step::Listing, id, message, (side, fault), ask(side));
    }
    let remedy = match names_anchor {
        Some(true) => "the anchor's operator adds it as a member, when it is to be one",
        Some(false) => {
            "it names no anchor of this node as its superior: it belongs to another federation, or to none yet"
        }
        None => ASK_PEER,
    };
    let message =
        "no anchor that this node trusts, and no intermediate below one, lists it: it is not a member";
    Finding::fail(Step::Listing, id, message, (ResponsibleParty::Peer, FaultKind::NotMember), remedy)
}

pub(super) fn superior_not_named(id: &EntityId, superior: &Superior) -> Finding {
    let message = format!("it does not name {} as its superior, which lists it", superior.id);
    let remedy = "the peer names it in authority_hints";
    Finding::fail(Step::Chain, id, message, (ResponsibleParty::Peer, FaultKind::Unfit), remedy)
}

pub(super) fn no_statement(superior: &Superior, error: &TrustError) -> Finding {
    let (_, side) = step_of(superior);
    let message = format!("{} says nothing about it: {}", superior.id, explain(error));
    let kind = match error {
        TrustError::NotTrusted(TrustFault::NotFound) => FaultKind::NotMember,
        error => fault(error),
    };
    Finding::fail(Step::Chain, &superior.id, message, (side, kind), ask(side))
}

pub(super) fn chain_holds(id: &EntityId, chain: &VerifiedChain) -> Finding {
    let superiors: Vec<&str> = chain.superiors().iter().map(EntityId::as_str).collect();
    let until = chain.expires_at().rfc3339();
    let message = format!("vouched for by {}; holds until {until}", superiors.join(", by "));
    Finding::pass(Step::Chain, id, message)
}

/// The chain does not verify; `sound` is whether the superior's own statement is valid.
pub(super) fn chain_broken(id: &EntityId, superior: &Superior, sound: bool, error: &TrustError) -> Finding {
    let explained = explain(error);
    if !sound {
        let (_, side) = step_of(superior);
        let message = format!("its statement about {id} is faulty: {explained}");
        return Finding::fail(Step::Chain, &superior.id, message, (side, FaultKind::Unfit), ask(side));
    }
    let remedy = match error {
        TrustError::NotTrusted(TrustFault::Jose(JoseError::UnknownKey)) => {
            "the peer signs with a key that its superior does not know: the superior has to follow it"
        }
        _ => "the peer and its superior have to agree: one says what the other does not allow",
    };
    Finding::fail(Step::Chain, id, explained, (ResponsibleParty::Peer, FaultKind::Unfit), remedy)
}

pub(super) fn mark_holds(id: &EntityId, role: Role, mark: &HeldMark) -> Finding {
    let until = mark.mark().exp.map(|exp| Timestamp::from_secs(exp).rfc3339());
    let until = until.map_or_else(String::new, |until| format!(", until {until}"));
    let message = format!("{role}: given by {} and not taken back{until}", mark.mark().iss);
    Finding::pass(Step::Mark, id, message)
}

pub(super) fn mark_refused(id: &EntityId, role: Role, error: &TrustError) -> Finding {
    let (side, kind, remedy) = match error {
        TrustError::Unavailable(_) => (
            ResponsibleParty::Anchor,
            FaultKind::Silent,
            "the mark's issuer does not tell its status: ask its operator",
        ),
        TrustError::NotTrusted(TrustFault::MarkRevoked) => (
            ResponsibleParty::Anchor,
            FaultKind::NoRole,
            "the mark's issuer took it back: its operator says why",
        ),
        TrustError::NotTrusted(_) => (ResponsibleParty::Peer, FaultKind::NoRole, ASK_PEER),
    };
    Finding::fail(Step::Mark, id, format!("{role}: {}", explain(error)), (side, kind), remedy)
}

pub(super) fn metadata_unusable(id: &EntityId, error: &TrustError) -> Finding {
    let message = format!("its metadata is not what a node needs: {}", explain(error));
    Finding::fail(Step::Roles, id, message, (ResponsibleParty::Peer, FaultKind::Unfit), ASK_PEER)
}

pub(super) fn roles(id: &EntityId, peer: &TrustedPeer, is_superior: bool) -> Finding {
    let roles: Vec<&str> = peer.roles().into_iter().map(Role::name).collect();
    if !roles.is_empty() {
        return Finding::pass(Step::Roles, id, format!("may act as {}", roles.join(", ")));
    }
    if is_superior {
        return Finding::pass(Step::Roles, id, "vouches for others, and plays no role itself");
    }
    let message = "it is a member, and holds no trust mark for any role that it has the metadata for";
    let remedy = "the anchor's operator gives it its roles, and it publishes the marks";
    Finding::fail(Step::Roles, id, message, (ResponsibleParty::Peer, FaultKind::NoRole), remedy)
}

pub(super) fn expires(id: &EntityId, warning: &ExpiryWarning) -> Finding {
    let left = match warning.threshold {
        WarningThreshold::Days(days) => format!("ends within {days} day(s)"),
        WarningThreshold::LastQuarter => "is in the last quarter of its life and was not renewed".to_owned(),
        WarningThreshold::Over => "is over".to_owned(),
    };
    let message = format!("{} {left}: {}", warning.expiry.name, warning.expiry.ends_at.rfc3339());
    Finding::warn(Step::Time, id, message, ResponsibleParty::Peer, warning.expiry.kind.remedy())
}

/// The step that asks a superior, and the party responsible for its faults.
fn step_of(superior: &Superior) -> (Step, ResponsibleParty) {
    if superior.is_anchor() {
        (Step::Anchor, ResponsibleParty::Anchor)
    } else {
        (Step::Intermediate, ResponsibleParty::Intermediate)
    }
}

const fn ask(side: ResponsibleParty) -> &'static str {
    match side {
        ResponsibleParty::Anchor => ASK_ANCHOR,
        ResponsibleParty::Intermediate => ASK_INTERMEDIATE,
        ResponsibleParty::Peer => ASK_PEER,
        ResponsibleParty::Ours => CHECK_ANCHOR_KEYS,
        ResponsibleParty::Network => ASK_NETWORK,
    }
}

const fn fault(error: &TrustError) -> FaultKind {
    match error {
        TrustError::Unavailable(_) => FaultKind::Silent,
        TrustError::NotTrusted(_) => FaultKind::Unfit,
    }
}

/// The reason of a refusal as a sentence.
fn explain(error: &TrustError) -> String {
    match error {
        TrustError::NotTrusted(TrustFault::Jose(JoseError::UnknownKey)) => {
            "signed with a key that nobody vouches for".to_owned()
        }
        TrustError::NotTrusted(TrustFault::Jose(JoseError::Expired)) => "its time is over".to_owned(),
        TrustError::NotTrusted(TrustFault::Jose(JoseError::NotYetValid)) => "issued in the future".to_owned(),
        TrustError::NotTrusted(TrustFault::Jose(JoseError::WrongType)) => {
            "a signed message of another kind".to_owned()
        }
        TrustError::NotTrusted(TrustFault::Jose(error)) => error.to_string(),
        TrustError::NotTrusted(TrustFault::NotFound) => "there is nothing at that address (404)".to_owned(),
        other => other.reason().to_owned(),
    }
}
