//! What a judgement is made of.

use serde::Serialize;

/// Whether a part holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// This file alone does not tell.
    CannotTell,
}

impl Verdict {
    /// The word that stands before a finding.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::CannotTell => "cannot tell",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What, a stable word.
    pub subject: &'static str,
    /// Whether it holds.
    pub verdict: Verdict,
    /// Why not, a stable word; none where it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The same for people.
    pub text: String,
}

/// All findings about one bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// In the order in which they rest on each other.
    pub findings: Vec<Finding>,
    /// What the consent was at the moment that was asked about, a word of its state; `not_given` before the decision.
    /// None when the file does not even say which consent it is about, or its changes do not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_as_of: Option<String>,
    /// The moment, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// What a bundle is not judged by, stable words; nothing where the file could not be read.
    #[serde(skip_serializing_if = "<[&str]>::is_empty")]
    pub not_judged: &'static [&'static str],
}

/// What [`judge`](crate::domain::bundle::verify) leaves out: which roles the members' trust marks gave them was judged at the decision
/// and at every exchange.
pub(super) const NOT_JUDGED: &[&str] = &["trust_marks"];

impl Judgement {
    pub(super) fn pass(&mut self, subject: &'static str, text: impl Into<String>) {
        self.findings.push(Finding { subject, verdict: Verdict::Pass, reason: None, text: text.into() });
    }

    pub(super) fn fail(&mut self, subject: &'static str, reason: &'static str, text: impl Into<String>) {
        self.findings.push(Finding {
            subject,
            verdict: Verdict::Fail,
            reason: Some(reason),
            text: text.into(),
        });
    }

    pub(super) fn cannot_tell(
        &mut self,
        subject: &'static str,
        reason: &'static str,
        text: impl Into<String>,
    ) {
        let (verdict, reason) = (Verdict::CannotTell, Some(reason));
        self.findings.push(Finding { subject, verdict, reason, text: text.into() });
    }

    /// Whether some part does not hold.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.findings.iter().any(|finding| finding.verdict == Verdict::Fail)
    }

    /// Whether every part holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.findings.is_empty() && self.findings.iter().all(|finding| finding.verdict == Verdict::Pass)
    }

    /// The stable words of what does not hold.
    #[must_use]
    pub fn failures(&self) -> Vec<&'static str> {
        let failed = self.findings.iter().filter(|finding| finding.verdict == Verdict::Fail);
        failed.filter_map(|finding| finding.reason).collect()
    }
}
