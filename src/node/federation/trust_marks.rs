//! The trust marks that a superior issues to its members, one for each role (OpenID Federation 1.0 §8.4 to §8.6).

use super::FederationError;
use super::anchor::AnchorStatements;
use crate::domain::clock::Timestamp;
use crate::domain::federation::{MarkStatus, MarkStatusResponse, Member, Outage, Role, TrustMark};
use crate::domain::ids::{EntityId, KeyId};
use crate::store::StoreError;
use crate::store::federation::trust_marks::IssuedMark;
use crate::store::federation::{members, trust_marks};

impl AnchorStatements {
    /// A member's mark for a role. Returns the stored mark until half of its lifetime is over or another key signs, so
    /// that requests do not fill the store.
    pub(crate) async fn give_mark(
        &self,
        mark_type: &str,
        subject: &EntityId,
    ) -> Result<String, FederationError> {
        let terms = self.terms();
        let role = Role::of_mark(mark_type, &terms.marks_of).ok_or(FederationError::NotFound)?;
        let now = self.parts.clock.now();
        let signing = self.parts.keys.signing()?;
        // Most requests get the stored mark, and those for non-members none: neither waits in the queue of writers.
        let (asked, kind, kid) = (subject.clone(), mark_type.to_owned(), signing.kid().clone());
        let given = self
            .parts
            .store
            .read("find_current_trust_mark", move |reader| {
                entitled(&members::find(reader, &asked)?, role)?;
                Ok::<_, FederationError>(young(trust_marks::current(reader, &asked, &kind, now), &kid, now)?)
            })
            .await?;
        if let Some(mark) = given {
            return Ok(mark);
        }
        let claims = TrustMark {
            iss: self.parts.id.clone(),
            sub: subject.clone(),
            trust_mark_type: mark_type.to_owned(),
            iat: now.secs(),
            exp: Some(now.secs().saturating_add(terms.mark_secs)),
            reference: None,
            delegation: None,
        };
        let fresh = IssuedMark {
            subject: subject.clone(),
            mark_type: mark_type.to_owned(),
            mark: claims.sign(&signing)?,
            kid: signing.kid().clone(),
            issued_at: now,
            expires_at: now.plus_secs(terms.mark_secs),
            revoked_at: None,
        };
        self.parts
            .store
            .write("issue_trust_mark", move |tx| {
                // Locked, so that no mark is issued beside a suspension that revokes all marks.
                entitled(&members::lock(tx, &fresh.subject)?, role)?;
                let current = trust_marks::current(tx, &fresh.subject, &fresh.mark_type, now);
                if let Some(given) = young(current, &fresh.kid, now)? {
                    return Ok(given);
                }
                trust_marks::insert(tx, &fresh)?;
                Ok(fresh.mark.clone())
            })
            .await
    }

    /// The status of a mark that was issued here.
    pub(crate) async fn tell_status(&self, mark: &str) -> Result<String, FederationError> {
        let now = self.parts.clock.now();
        let text = mark.to_owned();
        let status = match self
            .parts
            .store
            .read("find_trust_mark", move |reader| trust_marks::find(reader, &text))
            .await
        {
            Ok(given) if given.revoked_at.is_some() => MarkStatus::Revoked,
            Ok(given) if given.expires_at <= now => MarkStatus::Expired,
            Ok(_) => MarkStatus::Active,
            Err(StoreError::NotFound) => return self.status_of_unknown(mark, now),
            Err(_) => return Err(FederationError::Unavailable(Outage::Store)),
        };
        self.status(mark, status, now)
    }

    /// The status of a mark that was not issued here: unknown issuer, or invalid when it names this one.
    fn status_of_unknown(&self, mark: &str, now: Timestamp) -> Result<String, FederationError> {
        match TrustMark::claimed(mark) {
            Ok(claimed) if claimed.iss == self.parts.id => {
                let keys = self.parts.keys.published();
                let forgotten = TrustMark::verify_signature(mark, &keys)
                    .is_ok_and(|mark| mark.exp.is_some_and(|exp| exp <= now.secs()));
                let status = if forgotten { MarkStatus::Expired } else { MarkStatus::Invalid };
                self.status(mark, status, now)
            }
            _ => Err(FederationError::NotFound),
        }
    }

    fn status(&self, mark: &str, status: MarkStatus, now: Timestamp) -> Result<String, FederationError> {
        let answer = MarkStatusResponse {
            iss: self.parts.id.clone(),
            iat: now.secs(),
            trust_mark: mark.to_owned(),
            status,
        };
        Ok(answer.sign(&self.parts.keys.signing()?)?)
    }
}

/// Whether more than half of a mark's lifetime is left.
fn is_young(mark: &IssuedMark, now: Timestamp) -> bool {
    let whole = mark.expires_at.secs().saturating_sub(mark.issued_at.secs());
    now.secs().saturating_sub(mark.issued_at.secs()) < whole / 2
}

fn entitled(member: &Member, role: Role) -> Result<(), FederationError> {
    if member.is_active() && member.roles.contains(&role) { Ok(()) } else { Err(FederationError::NotFound) }
}

/// A stored mark that may be returned again.
fn young(
    given: Result<IssuedMark, StoreError>,
    kid: &KeyId,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    match given {
        Ok(given) => Ok((given.kid == *kid && is_young(&given, now)).then_some(given.mark)),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

impl From<StoreError> for FederationError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::Conflict
            | StoreError::Unavailable(_)
            | StoreError::OutcomeUnknown
            | StoreError::Corrupt(_)
            | StoreError::Rule(_) => Self::Unavailable(Outage::Store),
        }
    }
}
