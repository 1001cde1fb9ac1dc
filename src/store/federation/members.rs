//! The members of a trust anchor or intermediate, and every change of a membership.

use diesel::prelude::*;

use crate::domain::clock::Timestamp;
use crate::domain::federation::{DecidedBy, Member, MemberState, Role};
use crate::domain::ids::EntityId;
use crate::domain::jose::PublicKeys;
use crate::store::engine::columns::{from_json, to_json, word_column};
use crate::store::engine::db::Db;
use crate::store::engine::error::exactly_one;
use crate::store::engine::schema::{federation_member_changes as changes, federation_members as members};
use crate::store::{Reader, StoreError, Tx};

word_column!(MemberState);
word_column!(DecidedBy);

/// A change of a membership, as kept.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Change {
    /// Whose.
    pub member: EntityId,
    /// Number of the change of this member, from 1.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// The change, a short text (`added`, `suspended`, `keys followed`).
    pub change: String,
    /// Who.
    pub actor: String,
    /// Why, where a reason was given.
    pub reason: Option<String>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = members)]
struct Row {
    entity_id: EntityId,
    state: MemberState,
    state_by: DecidedBy,
    jwks: Option<String>,
    roles: String,
    rules: String,
    declared: Option<String>,
    entity_types: String,
    intermediate: i64,
    reason: Option<String>,
    added_at: Timestamp,
    changed_at: Timestamp,
    seen_at: Option<Timestamp>,
}

impl Row {
    fn into_member(self) -> Result<Member, StoreError> {
        let keys = match &self.jwks {
            None => None,
            Some(text) => {
                let jwks: serde_json::Value = from_json(text, "federation_members.jwks")?;
                let keys = PublicKeys::from_jwks(&jwks);
                Some(keys.map_err(|_| StoreError::Corrupt("federation_members.jwks"))?)
            }
        };
        Ok(Member {
            id: self.entity_id,
            state: self.state,
            state_by: self.state_by,
            keys,
            roles: from_json::<Vec<String>>(&self.roles, "federation_members.roles")?
                .iter()
                .map(|name| Role::from_name(name).ok_or(StoreError::Corrupt("federation_members.roles")))
                .collect::<Result<_, _>>()?,
            rules: from_json(&self.rules, "federation_members.rules")?,
            declared: self.declared,
            entity_types: from_json(&self.entity_types, "federation_members.entity_types")?,
            intermediate: self.intermediate != 0,
            reason: self.reason,
            added_at: self.added_at,
            changed_at: self.changed_at,
            seen_at: self.seen_at,
        })
    }
}

/// One member, in any state.
///
/// # Errors
/// [`StoreError::NotFound`].
pub(crate) fn find(reader: &mut Reader<'_>, id: &EntityId) -> Result<Member, StoreError> {
    let row: Row = members::table.find(id).select(Row::as_select()).get_result(reader.db)?;
    row.into_member()
}

/// One member, locked until this transaction ends.
///
/// # Errors
/// [`StoreError::NotFound`].
pub(crate) fn lock(tx: &mut Tx<'_>, id: &EntityId) -> Result<Member, StoreError> {
    if let Db::Postgres(c) = &mut *tx.db {
        members::table.find(id).select(members::entity_id).for_update().first::<EntityId>(c)?;
    }
    // SQLite has one writer: the transaction itself is the lock.
    find(tx, id)
}

/// All members, in any state, by entity identifier.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn list(reader: &mut Reader<'_>) -> Result<Vec<Member>, StoreError> {
    let rows: Vec<Row> = members::table.order(members::entity_id).select(Row::as_select()).load(reader.db)?;
    rows.into_iter().map(Row::into_member).collect()
}

/// Adds an entity that was never a member.
///
/// # Errors
/// [`StoreError::Conflict`] when it exists already.
pub(crate) fn insert(tx: &mut Tx<'_>, member: &Member) -> Result<(), StoreError> {
    diesel::insert_into(members::table)
        .values((
            members::entity_id.eq(&member.id),
            members::state.eq(member.state),
            members::state_by.eq(member.state_by),
            members::jwks.eq(jwks(member)?),
            members::roles.eq(roles(member)?),
            members::rules.eq(to_json(&member.rules, "federation_members.rules")?),
            members::declared.eq(&member.declared),
            members::entity_types.eq(to_json(&member.entity_types, "federation_members.entity_types")?),
            members::intermediate.eq(i64::from(member.intermediate)),
            members::reason.eq(&member.reason),
            members::added_at.eq(member.added_at),
            members::changed_at.eq(member.changed_at),
            members::seen_at.eq(member.seen_at),
        ))
        .execute(tx.db)?;
    Ok(())
}

/// Stores a member that was locked and changed.
///
/// # Errors
/// [`StoreError::NotFound`].
pub(crate) fn save(tx: &mut Tx<'_>, member: &Member) -> Result<(), StoreError> {
    let changed = diesel::update(members::table.find(&member.id))
        .set((
            members::state.eq(member.state),
            members::state_by.eq(member.state_by),
            members::jwks.eq(jwks(member)?),
            members::roles.eq(roles(member)?),
            members::rules.eq(to_json(&member.rules, "federation_members.rules")?),
            members::declared.eq(&member.declared),
            members::entity_types.eq(to_json(&member.entity_types, "federation_members.entity_types")?),
            members::intermediate.eq(i64::from(member.intermediate)),
            members::reason.eq(&member.reason),
            members::changed_at.eq(member.changed_at),
            members::seen_at.eq(member.seen_at),
        ))
        .execute(tx.db)?;
    exactly_one(changed, StoreError::NotFound)
}

fn roles(member: &Member) -> Result<String, StoreError> {
    let names: Vec<&str> = member.roles.iter().map(|role| role.name()).collect();
    to_json(&names, "federation_members.roles")
}

fn jwks(member: &Member) -> Result<Option<String>, StoreError> {
    member.keys.as_ref().map(|keys| to_json(&keys.to_jwks(), "federation_members.jwks")).transpose()
}

/// A change of a membership, to be stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MadeChange<'a> {
    /// `added`, `suspended`, `changed` …
    pub(crate) change: &'a str,
    pub(crate) actor: &'a str,
    /// The reason that was given, if any.
    pub(crate) reason: Option<&'a str>,
}

/// Appends a change to the member's history. The member must be locked, or just inserted.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn record(
    tx: &mut Tx<'_>,
    member: &EntityId,
    made: &MadeChange<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let last: Option<i64> = changes::table
        .filter(changes::entity_id.eq(member))
        .select(diesel::dsl::max(changes::number))
        .first(tx.db)?;
    diesel::insert_into(changes::table)
        .values((
            changes::entity_id.eq(member),
            changes::number.eq(last.unwrap_or(0).saturating_add(1)),
            changes::at.eq(now),
            changes::change.eq(made.change),
            changes::actor.eq(made.actor),
            changes::reason.eq(made.reason),
        ))
        .execute(tx.db)?;
    Ok(())
}

/// The changes of one member or of all, oldest first.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn history(reader: &mut Reader<'_>, member: Option<&EntityId>) -> Result<Vec<Change>, StoreError> {
    let all = changes::table.order((changes::at, changes::entity_id, changes::number));
    Ok(match member {
        Some(member) => all.filter(changes::entity_id.eq(member)).load(reader.db)?,
        None => all.load(reader.db)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::federation::StatementRules;
    use crate::domain::jose::SigningKey;
    use crate::store::engine::testing::{at, on_both, root_keys};

    fn member(name: &str) -> Member {
        Member {
            id: EntityId::new(format!("https://{name}.example")).unwrap(),
            state: MemberState::Active,
            state_by: DecidedBy::File,
            keys: None,
            roles: vec![Role::DataHolder],
            rules: StatementRules::default(),
            declared: None,
            entity_types: vec![],
            intermediate: false,
            reason: None,
            added_at: at(0),
            changed_at: at(0),
            seen_at: None,
        }
    }

    on_both!(
        async fn members_are_kept_with_every_change(fixture) {
            let mut espoo = member("espoo");
            let (first, again) = (espoo.clone(), espoo.clone());
            fixture.store.write("test", move |tx| insert(tx, &first)).await.unwrap();
            let twice = fixture.store.write("test", move |tx| insert(tx, &again)).await;
            assert_eq!(twice, Err(StoreError::Conflict));

            espoo.state = MemberState::Suspended;
            espoo.state_by = DecidedBy::Command;
            espoo.keys = Some(PublicKeys::single(SigningKey::generate().unwrap().public().clone()));
            espoo.rules.metadata = Some(serde_json::Map::new());
            espoo.entity_types = vec!["oauth_client".to_owned()];
            espoo.intermediate = true;
            espoo.reason = Some("audit".to_owned());
            (espoo.changed_at, espoo.seen_at) = (at(5), Some(at(4)));
            let changed = espoo.clone();
            fixture
                .store
                .write("test", move |tx| {
                    let found = lock(tx, &changed.id)?;
                    assert_eq!(found.state, MemberState::Active);
                    save(tx, &changed)?;
                    record(tx, &changed.id, &MadeChange { change: "added", actor: "file", reason: None }, at(0))?;
                    record(tx, &changed.id, &MadeChange { change: "suspended", actor: "liisa", reason: Some("audit") }, at(5))
                })
                .await
                .unwrap();
            let turku = member("turku");
            let stranger = turku.clone();
            let missing = fixture.store.write("test", move |tx| save(tx, &stranger)).await;
            assert_eq!(missing, Err(StoreError::NotFound));
            fixture
                .store
                .write("test", move |tx| {
                    insert(tx, &turku)?;
                    record(tx, &turku.id, &MadeChange { change: "added", actor: "file", reason: None }, at(1))
                })
                .await
                .unwrap();

            let all = fixture.store.read("test", list).await.unwrap();
            assert_eq!(all, [espoo.clone(), member("turku")]);
            let (one, everyone) = fixture
                .store
                .read("test", move |reader| {
                    Ok::<_, StoreError>((history(reader, Some(&espoo.id))?, history(reader, None)?))
                })
                .await
                .unwrap();
            let words = |changes: &[Change]| {
                changes
                    .iter()
                    .map(|c| (c.number, c.change.clone(), c.actor.clone(), c.reason.clone()))
                    .collect::<Vec<_>>()
            };
            assert_eq!(
                words(&one),
                [
                    (1, "added".to_owned(), "file".to_owned(), None),
                    (2, "suspended".to_owned(), "liisa".to_owned(), Some("audit".to_owned())),
                ]
            );
            assert_eq!(everyone.len(), 3);
            assert_eq!(everyone[1].member, member("turku").id);
        }
    );

    on_both!(
        async fn changes_at_once_are_numbered_one_by_one(fixture) {
            let espoo = member("espoo");
            let first = espoo.clone();
            fixture.store.write("test", move |tx| insert(tx, &first)).await.unwrap();
            let other = fixture.other_process(&root_keys()).unwrap();
            let tasks: Vec<_> = (0..8)
                .map(|n| {
                    let store = if n % 2 == 0 { fixture.store.clone() } else { other.clone() };
                    let id = espoo.id.clone();
                    tokio::spawn(async move {
                        store
                            .write("test", move |tx| {
                                lock(tx, &id)?;
                                record(tx, &id, &MadeChange { change: "changed", actor: "test", reason: None }, at(n))
                            })
                            .await
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap().unwrap();
            }
            let all = fixture.store.read("test", |reader| history(reader, None)).await.unwrap();
            let mut numbers: Vec<_> = all.iter().map(|change| change.number).collect();
            numbers.sort_unstable();
            assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
        }
    );
}
