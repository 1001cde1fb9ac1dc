//! A resident's log, page by page: exchanges under their permissions, refusals, and the uses that systems reported.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::str::FromStr;

use super::list_mine::{self, LogLine, Outcome, Permission};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{ConsentId, PersonId, RequestId, ServiceId};
use crate::domain::uses::ShownUse;
use crate::node::{Node, Problem};
use crate::store::holder::exchanges::Exchange;
use crate::store::holder::{consent_requests, deferrals, exchanges, refusals};
use crate::store::resident::{persons, reported_uses, reported_uses::Before};
use crate::store::{Reader, StoreError};

/// One entry of the log.
#[derive(Debug, Clone)]
pub(crate) enum Line {
    /// A request for data under a permission, or one that a standing denial declined.
    Request(Box<LogLine>),
    /// A use that a system reported.
    Use(Box<ShownUse>),
}

/// The kinds of entries, in their order within one moment.
const EXCHANGE: u8 = 0;
const REFUSAL: u8 = 1;
const USE: u8 = 2;
const DEFERRAL: u8 = 3;
const DENIAL: u8 = 4;

/// The place of an entry in the log: newest first, then by kind, then by the kind's own order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    at: Reverse<Timestamp>,
    kind: u8,
    number: Reverse<i64>,
    /// Of a declined request, in place of a number.
    request: Reverse<[u8; 16]>,
}

impl Position {
    fn numbered(at: Timestamp, kind: u8, number: i64) -> Self {
        Self { at: Reverse(at), kind, number: Reverse(number), request: Reverse([0; 16]) }
    }

    fn denial(at: Timestamp, request: RequestId) -> Self {
        Self { at: Reverse(at), kind: DENIAL, number: Reverse(0), request: Reverse(*request.as_bytes()) }
    }

    /// The entries of a kind that come after this position.
    const fn before(self, kind: u8) -> Before {
        let number = if kind > self.kind {
            i64::MAX
        } else if kind == self.kind {
            self.number.0
        } else {
            i64::MIN
        };
        Before { at: self.at.0, number }
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.", self.at.0.micros(), self.kind)?;
        match self.kind {
            DENIAL => write!(f, "{}", RequestId::from_bytes(self.request.0)),
            _ => write!(f, "{}", self.number.0),
        }
    }
}

impl FromStr for Position {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.splitn(3, '.');
        let mut part = || parts.next().ok_or(());
        let at = Timestamp::from_micros(part()?.parse().map_err(|_| ())?);
        let kind: u8 = part()?.parse().map_err(|_| ())?;
        let key = part()?;
        match kind {
            EXCHANGE | REFUSAL | USE | DEFERRAL => Ok(Self::numbered(at, kind, key.parse().map_err(|_| ())?)),
            DENIAL => Ok(Self::denial(at, key.parse().map_err(|_| ())?)),
            _ => Err(()),
        }
    }
}

/// One page of the log.
pub(crate) struct LogPage {
    /// Newest first.
    pub(crate) lines: Vec<Line>,
    /// The last entry of this page, if older ones follow.
    pub(crate) older: Option<Position>,
}

/// A page of a person's log, from its beginning or behind a position.
///
/// # Errors
/// [`Problem`] when the store is unavailable.
pub(crate) async fn page(
    node: &Node,
    person: PersonId,
    behind: Option<Position>,
    lines: usize,
) -> Result<LogPage, Problem> {
    let now = node.now();
    node.store
        .read("list_own_log", move |store| {
            // A moment in the far future: every entry is behind it.
            let behind =
                behind.unwrap_or(Position::numbered(Timestamp::from_secs(i64::MAX), EXCHANGE, i64::MAX));
            let most = u32::try_from(lines).unwrap_or(u32::MAX).saturating_add(1);
            let known = persons::find(store, person)?;
            let mut found: Vec<(Position, Entry)> = Vec::new();
            for exchange in exchanges::of_person(store, person, behind.before(EXCHANGE), most)? {
                let number = i64::try_from(exchange.log_index).unwrap_or(i64::MAX);
                let position = Position::numbered(exchange.at, EXCHANGE, number);
                found.push((position, Entry::Exchange(Box::new(exchange))));
            }
            for (seq, refusal) in refusals::of_person(store, person, behind.before(REFUSAL), most)? {
                let Some(consent) = refusal.consent else { continue };
                let entry = Entry::Request(consent, refusal.at, Outcome::Refused(refusal.reason));
                found.push((Position::numbered(refusal.at, REFUSAL, seq), entry));
            }
            for (seq, consent, deferral) in
                deferrals::of_person(store, person, behind.before(DEFERRAL), most)?
            {
                let outcome = Outcome::Deferred { available_from: deferral.available_from };
                let entry = Entry::Request(consent, deferral.at, outcome);
                found.push((Position::numbered(deferral.at, DEFERRAL, seq), entry));
            }
            let hash = known.identifier_hash;
            for used in reported_uses::of_person(store, hash, behind.before(USE), now, most)? {
                found.push((Position::numbered(used.period.to, USE, used.seq), Entry::Use(Box::new(used))));
            }
            let bound = if behind.kind == DENIAL { behind.request.0 } else { [u8::MAX; 16] };
            let bound = RequestId::from_bytes(bound);
            for (request, at) in consent_requests::denied_behind(store, person, (behind.at.0, bound), most)? {
                found.push((
                    Position::denial(at, request.id),
                    Entry::Line(Box::new(list_mine::denied_line(request, at))),
                ));
            }
            found.sort_by_key(|(position, _)| *position);
            let more = found.len() > lines;
            found.truncate(lines);
            let older = found.last().filter(|_| more).map(|(position, _)| *position);
            let entries = found.into_iter().map(|(_, entry)| entry).collect();
            Ok::<_, StoreError>(LogPage { lines: with_permissions(store, entries)?, older })
        })
        .await
        .map_err(Problem::from)
}

/// Entries read at once for a whole log.
const AT_ONCE: usize = 500;

/// A person's whole log, for a copy of it.
///
/// # Errors
/// [`Problem`] when the store is unavailable.
pub(crate) async fn whole(node: &Node, person: PersonId) -> Result<Vec<Line>, Problem> {
    let (mut lines, mut behind) = (Vec::new(), None);
    loop {
        let part = page(node, person, behind, AT_ONCE).await?;
        lines.extend(part.lines);
        match part.older {
            Some(position) => behind = Some(position),
            None => return Ok(lines),
        }
    }
}

/// An entry before its permission is looked up.
enum Entry {
    Exchange(Box<Exchange>),
    Request(ConsentId, Timestamp, Outcome),
    Line(Box<LogLine>),
    Use(Box<ShownUse>),
}

/// Completes the entries with their permissions, each read once.
fn with_permissions(store: &mut Reader<'_>, entries: Vec<Entry>) -> Result<Vec<Line>, StoreError> {
    let mut known: BTreeMap<ConsentId, Permission> = BTreeMap::new();
    let mut under = |id: ConsentId| -> Result<Permission, StoreError> {
        if let Some(permission) = known.get(&id) {
            return Ok(permission.clone());
        }
        let permission = list_mine::find_permission(store, id)?;
        known.insert(id, permission.clone());
        Ok(permission)
    };
    entries
        .into_iter()
        .map(|entry| {
            Ok(match entry {
                Entry::Line(line) => Line::Request(line),
                Entry::Use(used) => Line::Use(used),
                Entry::Exchange(exchange) => {
                    let permission = under(exchange.consent)?;
                    let (at, outcome) = (exchange.at, list_mine::released(*exchange, &permission));
                    Line::Request(Box::new(list_mine::line(&permission, at, outcome)))
                }
                Entry::Request(consent, at, outcome) => {
                    Line::Request(Box::new(list_mine::line(&under(consent)?, at, outcome)))
                }
            })
        })
        .collect()
}

/// When each system last reported uses of anybody's data.
///
/// # Errors
/// [`Problem`] when the store is unavailable.
pub(crate) async fn last_reports(node: &Node) -> Result<Vec<(ServiceId, Timestamp)>, Problem> {
    Ok(node.store.read("list_last_reports", reported_uses::last_reports).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_in_the_log_survives_the_address_and_orders_entries_newest_first() {
        let at = Timestamp::from_secs;
        let request = RequestId::from_bytes([7; 16]);
        let ordered = [
            Position::numbered(at(9), USE, 1),
            Position::numbered(at(5), EXCHANGE, 8),
            Position::numbered(at(5), EXCHANGE, 3),
            Position::numbered(at(5), USE, 90),
            Position::denial(at(5), request),
            Position::numbered(at(1), REFUSAL, 2),
        ];
        assert!(ordered.is_sorted(), "{ordered:?}");
        for position in ordered {
            assert_eq!(position.to_string().parse(), Ok(position));
        }
        for text in ["", "1", "1.0", "x.0.1", "1.9.1", "1.4.1", "1.0.x"] {
            assert_eq!(text.parse::<Position>(), Err(()), "{text}");
        }
    }
}
