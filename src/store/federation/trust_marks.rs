//! Trust marks: those that this anchor issued, to report their status, and those that this node was issued.

use std::collections::BTreeSet;

use diesel::prelude::*;

use crate::domain::clock::Timestamp;
use crate::domain::ids::{EntityId, KeyId};
use crate::domain::jose::sha256;
use crate::store::engine::db::on_backend;
use crate::store::engine::purge::delete_oldest;
use crate::store::engine::schema::{issued_trust_marks as issued, own_trust_marks as own};
use crate::store::{Reader, StoreError, Tx};

/// A trust mark that this anchor issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IssuedMark {
    pub(crate) subject: EntityId,
    /// The trust mark type (`trust_mark_type`).
    pub(crate) mark_type: String,
    /// The mark, compact JWS.
    pub(crate) mark: String,
    /// The key that signed it.
    pub(crate) kid: KeyId,
    /// When it was given.
    pub(crate) issued_at: Timestamp,
    /// When it ends by itself.
    pub(crate) expires_at: Timestamp,
    /// When it was taken back.
    pub(crate) revoked_at: Option<Timestamp>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = issued)]
struct Row {
    entity_id: EntityId,
    mark_type: String,
    mark: String,
    kid: KeyId,
    issued_at: Timestamp,
    expires_at: Timestamp,
    revoked_at: Option<Timestamp>,
}

impl From<Row> for IssuedMark {
    fn from(row: Row) -> Self {
        Self {
            subject: row.entity_id,
            mark_type: row.mark_type,
            mark: row.mark,
            kid: row.kid,
            issued_at: row.issued_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        }
    }
}

/// Stores a mark before it is issued.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn insert(tx: &mut Tx<'_>, mark: &IssuedMark) -> Result<(), StoreError> {
    diesel::insert_into(issued::table)
        .values((
            issued::digest.eq(sha256(mark.mark.as_bytes()).to_vec()),
            issued::entity_id.eq(&mark.subject),
            issued::mark_type.eq(&mark.mark_type),
            issued::mark.eq(&mark.mark),
            issued::kid.eq(&mark.kid),
            issued::issued_at.eq(mark.issued_at),
            issued::expires_at.eq(mark.expires_at),
            issued::revoked_at.eq(mark.revoked_at),
        ))
        .execute(tx.db)?;
    Ok(())
}

/// The mark with exactly these bytes.
///
/// # Errors
/// [`StoreError::NotFound`].
pub(crate) fn find(reader: &mut Reader<'_>, mark: &str) -> Result<IssuedMark, StoreError> {
    let digest = sha256(mark.as_bytes()).to_vec();
    let row: Row = issued::table.find(digest).select(Row::as_select()).get_result(reader.db)?;
    Ok(row.into())
}

/// The longest-lived of an entity's marks of a type that were not revoked.
///
/// # Errors
/// [`StoreError::NotFound`] when none is valid at `now`.
pub(crate) fn current(
    reader: &mut Reader<'_>,
    subject: &EntityId,
    mark_type: &str,
    now: Timestamp,
) -> Result<IssuedMark, StoreError> {
    let row: Row = issued::table
        .filter(issued::entity_id.eq(subject).and(issued::mark_type.eq(mark_type)))
        .filter(issued::revoked_at.is_null().and(issued::expires_at.gt(now)))
        .order((issued::expires_at.desc(), issued::digest))
        .select(Row::as_select())
        .first(reader.db)?;
    Ok(row.into())
}

/// The entities with a mark that is valid at `now`: of one type, or of any.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn marked(
    reader: &mut Reader<'_>,
    mark_type: Option<&str>,
    now: Timestamp,
) -> Result<BTreeSet<EntityId>, StoreError> {
    let standing = issued::table
        .filter(issued::revoked_at.is_null().and(issued::expires_at.gt(now)))
        .select(issued::entity_id)
        .distinct();
    let marked: Vec<EntityId> = match mark_type {
        Some(mark_type) => standing.filter(issued::mark_type.eq(mark_type)).load(reader.db)?,
        None => standing.load(reader.db)?,
    };
    Ok(marked.into_iter().collect())
}

/// The marks that were not revoked and expire after a time.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn given(reader: &mut Reader<'_>, ending_after: Timestamp) -> Result<Vec<IssuedMark>, StoreError> {
    let rows: Vec<Row> = issued::table
        .filter(issued::revoked_at.is_null().and(issued::expires_at.gt(ending_after)))
        .order((issued::entity_id, issued::mark_type, issued::expires_at))
        .select(Row::as_select())
        .load(reader.db)?;
    Ok(rows.into_iter().map(IssuedMark::from).collect())
}

/// Revokes marks of an entity: those of the types, or all. Returns how many.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn revoke(
    tx: &mut Tx<'_>,
    subject: &EntityId,
    types: Option<&[String]>,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let standing = issued::table.filter(issued::entity_id.eq(subject).and(issued::revoked_at.is_null()));
    Ok(match types {
        None => diesel::update(standing).set(issued::revoked_at.eq(now)).execute(tx.db)?,
        Some(types) => diesel::update(standing.filter(issued::mark_type.eq_any(types)))
            .set(issued::revoked_at.eq(now))
            .execute(tx.db)?,
    })
}

/// Forgets marks that ended before a time, the oldest first. Returns how many.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn purge(tx: &mut Tx<'_>, ended_before: Timestamp, limit: u32) -> Result<usize, StoreError> {
    delete_oldest!(
        tx, "issued_trust_marks", key "digest", while "expires_at < $1", by "expires_at", ended_before, limit
    )
}

/// A trust mark that this node was issued.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub(crate) struct OwnMark {
    /// The trust mark type (`trust_mark_type`).
    pub(crate) mark_type: String,
    /// The mark, compact JWS.
    pub(crate) mark: String,
    pub(crate) expires_at: Timestamp,
}

/// Stores a mark that this node was issued, in place of the previous one of its type.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn keep_own(tx: &mut Tx<'_>, mark: &OwnMark) -> Result<(), StoreError> {
    let row =
        (own::mark_type.eq(&mark.mark_type), own::mark.eq(&mark.mark), own::expires_at.eq(mark.expires_at));
    on_backend!(tx.db, |c| diesel::insert_into(own::table)
        .values(row)
        .on_conflict(own::mark_type)
        .do_update()
        .set((own::mark.eq(&mark.mark), own::expires_at.eq(mark.expires_at)))
        .execute(c))?;
    Ok(())
}

/// Deletes a mark that this node lost.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn lose_own(tx: &mut Tx<'_>, mark_type: &str) -> Result<(), StoreError> {
    diesel::delete(own::table.find(mark_type)).execute(tx.db)?;
    Ok(())
}

/// This node's marks that are valid at `now`, by type.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn list_own(reader: &mut Reader<'_>, now: Timestamp) -> Result<Vec<OwnMark>, StoreError> {
    Ok(own::table.filter(own::expires_at.gt(now)).order(own::mark_type).load(reader.db)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::testing::{at, on_both};

    fn mark(name: &str, kind: &str, expires: i64) -> IssuedMark {
        IssuedMark {
            subject: EntityId::new(format!("https://{name}.example")).unwrap(),
            mark_type: kind.to_owned(),
            mark: format!("{name}.{kind}.{expires}"),
            kid: KeyId::new("kid").unwrap(),
            issued_at: at(0),
            expires_at: at(expires),
            revoked_at: None,
        }
    }

    on_both!(
        async fn given_marks_are_found_revoked_and_forgotten(fixture) {
            let marks = [mark("espoo", "holder", 100), mark("espoo", "holder", 200), mark("espoo", "issuer", 50)];
            let given = marks.clone();
            fixture
                .store
                .write("test", move |tx| given.iter().try_for_each(|mark| insert(tx, mark)))
                .await
                .unwrap();
            let espoo = marks[0].subject.clone();
            let best = move |kind: &'static str, now: i64| {
                let (store, espoo) = (fixture.store.clone(), espoo.clone());
                async move { store.read("test", move |reader| current(reader, &espoo, kind, at(now))).await }
            };
            assert_eq!(best("holder", 0).await, Ok(marks[1].clone()));
            assert_eq!(best("issuer", 50).await, Err(StoreError::NotFound));
            let espoo = marks[0].subject.clone();
            let revoked = fixture
                .store
                .write("test", move |tx| revoke(tx, &espoo, Some(&["holder".to_owned()]), at(10)))
                .await
                .unwrap();
            assert_eq!(revoked, 2);
            assert_eq!(best("holder", 0).await, Err(StoreError::NotFound));
            assert_eq!(best("issuer", 0).await, Ok(marks[2].clone()));
            let text = marks[0].mark.clone();
            let found = fixture.store.read("test", move |reader| find(reader, &text)).await.unwrap();
            assert_eq!(found.revoked_at, Some(at(10)));
            let espoo = marks[0].subject.clone();
            let again = fixture.store.write("test", move |tx| revoke(tx, &espoo, None, at(20))).await.unwrap();
            assert_eq!(again, 1, "what was taken back keeps its time");
            for forgotten in [1, 1, 0] {
                let purged = fixture.store.write("test", move |tx| purge(tx, at(150), 1)).await;
                assert_eq!(purged, Ok(forgotten), "a few at a time");
            }
            let text = marks[0].mark.clone();
            let gone = fixture.store.read("test", move |reader| find(reader, &text)).await;
            assert_eq!(gone, Err(StoreError::NotFound));
        }
    );

    on_both!(
        async fn own_marks_replace_each_other_by_type(fixture) {
            let own = |kind: &str, mark: &str, expires| OwnMark {
                mark_type: kind.to_owned(),
                mark: mark.to_owned(),
                expires_at: at(expires),
            };
            let given = [own("holder", "a", 100), own("holder", "b", 200), own("issuer", "c", 50)];
            let kept = given.clone();
            fixture
                .store
                .write("test", move |tx| kept.iter().try_for_each(|mark| keep_own(tx, mark)))
                .await
                .unwrap();
            let now = |secs| fixture.store.read("test", move |reader| list_own(reader, at(secs)));
            assert_eq!(now(0).await.unwrap(), given[1..]);
            assert_eq!(now(50).await.unwrap(), given[1..2]);
            fixture.store.write("test", |tx| lose_own(tx, "holder")).await.unwrap();
            assert_eq!(now(0).await.unwrap(), given[2..]);
        }
    );
}
