//! What an examination of an entity found: step by step, whose side a fault is on and the remedy.

use std::sync::Arc;

use serde::Serialize;

use super::TrustedPeer;
use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As it should be.
    Pass,
    /// Works now; somebody should look at it.
    Warn,
    /// Does not work.
    Fail,
}

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// The trust anchor: reached, and signed with a key that is configured here.
    Anchor,
    /// An intermediate on the way: reached, and vouched for itself.
    Intermediate,
    /// Whether anyone lists the entity.
    Listing,
    /// The entity's own configuration.
    Configuration,
    /// The chain from the entity to the anchor.
    Chain,
    /// A trust mark.
    Mark,
    /// What the entity may do.
    Roles,
    /// How long all that holds.
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

/// Whose side a fault is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResponsibleParty {
    /// This node, its configuration or its clock.
    Ours,
    /// The entity that was examined.
    Peer,
    /// An intermediate that vouches for it.
    Intermediate,
    /// The trust anchor.
    Anchor,
    /// The way to all of them.
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

/// What is wrong, roughly enough for people who run nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// It does not answer.
    Silent,
    /// Its answer cannot be verified.
    Unfit,
    /// Nobody vouches for it.
    NotMember,
    /// It may play no role.
    NoRole,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where.
    pub step: Step,
    /// How it ended.
    pub verdict: Verdict,
    /// About whom.
    pub about: EntityId,
    /// What was found, for operators.
    #[serde(rename = "said")]
    pub message: String,
    /// Whose side a fault is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<ResponsibleParty>,
    /// What the fault is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultKind>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<&'static str>,
}

impl Finding {
    /// A step that ended well.
    #[must_use]
    pub fn pass(step: Step, about: &EntityId, message: impl Into<String>) -> Self {
        Self::new(step, Verdict::Pass, about, message.into())
    }

    /// Something to look at that works now.
    #[must_use]
    pub fn warn(
        step: Step,
        about: &EntityId,
        message: impl Into<String>,
        side: ResponsibleParty,
        remedy: &'static str,
    ) -> Self {
        let found = Self::new(step, Verdict::Warn, about, message.into());
        Self { side: Some(side), remedy: Some(remedy), ..found }
    }

    /// A fault.
    #[must_use]
    pub fn fail(
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

/// Everything that an examination found.
#[derive(Debug, Clone)]
pub struct PeerReport {
    /// Who was examined.
    pub subject: EntityId,
    /// When.
    pub at: Timestamp,
    /// What was found, in the order in which it was looked at.
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
    pub fn nothing_found(subject: &EntityId, at: Timestamp) -> Self {
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
