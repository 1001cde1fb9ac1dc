//! The findings of a bundle's verification.

use serde::Serialize;

/// The verdict on a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// Undecided: the file alone is not enough.
    CannotTell,
}

impl Verdict {
    /// The label of a finding.
    #[must_use]
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::CannotTell => "cannot tell",
        }
    }
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check, a stable code.
    pub subject: &'static str,
    /// Whether it holds.
    pub verdict: Verdict,
    /// Why it is not valid, a stable code; `None` if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The finding as a sentence.
    pub text: String,
}

/// All findings about one bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// In the order of their dependency.
    pub findings: Vec<Finding>,
    /// The consent's state at the requested moment; `not_given` before the decision. `None` if the file does not say
    /// which consent it is about, or its changes are not valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_as_of: Option<String>,
    /// The moment, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// What the verification does not cover, stable codes; empty if the file could not be read.
    #[serde(skip_serializing_if = "<[&str]>::is_empty")]
    pub(crate) not_judged: &'static [&'static str],
}

/// What [`judge`](crate::domain::bundle::verify) does not cover: the members' roles by their trust marks, which were
/// checked at the decision and at every exchange.
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

    /// Whether some part is not valid.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.findings.iter().any(|finding| finding.verdict == Verdict::Fail)
    }

    /// Whether every part is valid.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.findings.is_empty() && self.findings.iter().all(|finding| finding.verdict == Verdict::Pass)
    }

    /// The stable codes of the parts that are not valid.
    #[must_use]
    pub fn failures(&self) -> Vec<&'static str> {
        let failed = self.findings.iter().filter(|finding| finding.verdict == Verdict::Fail);
        failed.filter_map(|finding| finding.reason).collect()
    }
}
