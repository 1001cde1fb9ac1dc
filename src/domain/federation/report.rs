//! The report of a diagnosis: step by step, with the responsible party and the remedy.

use std::sync::Arc;

use serde::Serialize;

use super::TrustedPeer;
use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;

/// The result of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As it should be.
    Pass,
    /// Works now; should be looked into.
    Warn,
    /// Does not work.
    Fail,
}

/// The step of a diagnosis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// The trust anchor: reachable, and signed with a configured key.
    Anchor,
    /// An intermediate on the path: reachable and trusted.
    Intermediate,
    /// Whether a superior lists the entity.
    Listing,
    /// The entity's own configuration.
    Configuration,
    /// The chain from the entity to the anchor.
    Chain,
    /// A trust mark.
    Mark,
    /// The roles of the entity.
    Roles,
    /// The expiry of the whole.
    Time,
}

impl Step {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anchor => "anchor",
            Self::Intermediate => "intermediate",
            Self::Listing => "listing",
            Self::Configuration => "configuration",
            Self::Chain => "chain",
            Self::Mark => "mark",
            Self::Roles => "roles",
            Self::Time => "time",
        }
    }
}

/// The responsible party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResponsibleParty {
    /// This node, its configuration or its clock.
    Ours,
    /// The diagnosed entity.
    Peer,
    /// An intermediate above it.
    Intermediate,
    /// The trust anchor.
    Anchor,
    /// The network.
    Network,
}

impl ResponsibleParty {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Peer => "the peer's",
            Self::Intermediate => "the intermediate's",
            Self::Anchor => "the anchor's",
            Self::Network => "the network's",
        }
    }
}

/// The kind of a fault, coarse enough for readers who operate nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// Unreachable.
    Silent,
    /// Not verifiable.
    Unfit,
    /// Not listed by a superior.
    NotMember,
    /// Without a role.
    NoRole,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where.
    pub step: Step,
    /// How it ended.
    pub verdict: Verdict,
    /// The entity concerned.
    pub about: EntityId,
    /// The finding, for operators.
    #[serde(rename = "said")]
    pub message: String,
    /// The responsible party of a fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<ResponsibleParty>,
    /// What the fault is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultKind>,
    /// The remedy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<&'static str>,
}

impl Finding {
    /// A step without a fault.
    #[must_use]
    pub fn pass(step: Step, about: &EntityId, message: impl Into<String>) -> Self {
        Self::new(step, Verdict::Pass, about, message.into())
    }

    #[must_use]
    pub(crate) fn warn(
        step: Step,
        about: &EntityId,
        message: impl Into<String>,
        side: ResponsibleParty,
        remedy: &'static str,
    ) -> Self {
        let found = Self::new(step, Verdict::Warn, about, message.into());
        Self { side: Some(side), remedy: Some(remedy), ..found }
    }

    #[must_use]
    pub(crate) fn fail(
        step: Step,
        about: &EntityId,
        message: impl Into<String>,
        (side, fault): (ResponsibleParty, FaultKind),
        remedy: &'static str,
    ) -> Self {
        let found = Self::new(step, Verdict::Fail, about, message.into());
        Self { side: Some(side), fault: Some(fault), remedy: Some(remedy), ..found }
    }

    fn new(step: Step, verdict: Verdict, about: &EntityId, message: String) -> Self {
        Self { step, verdict, about: about.clone(), message, side: None, fault: None, remedy: None }
    }
}

/// The findings of a diagnosis.
#[derive(Debug, Clone)]
pub struct PeerReport {
    /// The diagnosed entity.
    pub subject: EntityId,
    /// When.
    pub at: Timestamp,
    /// The findings, in the order of the steps.
    pub findings: Vec<Finding>,
    /// Whether an anchor, or an intermediate below one, lists it.
    pub listed: bool,
    /// Whether it is one of the configured anchors.
    pub anchor: bool,
    /// The entity, when it is trusted.
    pub peer: Option<Arc<TrustedPeer>>,
}

impl PeerReport {
    /// The report of an examination that could not be made.
    #[must_use]
    pub(crate) fn nothing_found(subject: &EntityId, at: Timestamp) -> Self {
        let subject = subject.clone();
        Self { subject, at, findings: Vec::new(), listed: false, anchor: false, peer: None }
    }

    /// The worst that was found. An entity that is neither trusted nor an anchor has failed, whatever else was found.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let worst = self.findings.iter().map(|finding| finding.verdict).max();
        if self.peer.is_none() && !self.anchor { Verdict::Fail } else { worst.unwrap_or(Verdict::Pass) }
    }

    /// The fault that keeps the entity from being trusted or from playing any role: the last one that was found, since an
    /// examination goes on for as long as another way is left.
    #[must_use]
    pub fn fault(&self) -> Option<(ResponsibleParty, FaultKind)> {
        let faults = self.findings.iter().filter(|finding| finding.verdict == Verdict::Fail);
        faults.filter_map(|finding| finding.side.zip(finding.fault)).next_back()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(findings: Vec<Finding>) -> PeerReport {
        let subject = EntityId::new("https://espoo.example").unwrap();
        PeerReport { subject, at: Timestamp::from_secs(0), findings, listed: true, anchor: false, peer: None }
    }

    #[test]
    fn whoever_is_not_trusted_has_failed_and_the_last_fault_says_why() {
        let id = EntityId::new("https://espoo.example").unwrap();
        assert_eq!(report(vec![Finding::pass(Step::Anchor, &id, "")]).verdict(), Verdict::Fail);
        let broken = report(vec![
            Finding::fail(
                Step::Anchor,
                &id,
                "one of two",
                (ResponsibleParty::Anchor, FaultKind::Silent),
                "wait",
            ),
            Finding::fail(
                Step::Configuration,
                &id,
                "no answer",
                (ResponsibleParty::Peer, FaultKind::Silent),
                "ask",
            ),
            Finding::warn(Step::Time, &id, "soon", ResponsibleParty::Peer, "renew"),
        ]);
        assert_eq!(broken.fault(), Some((ResponsibleParty::Peer, FaultKind::Silent)));
        let json = serde_json::to_value(&broken.findings[1]).unwrap();
        assert_eq!((json["side"].as_str(), json["step"].as_str()), (Some("peer"), Some("configuration")));
    }
}
