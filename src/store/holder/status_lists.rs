//! Status lists as last signed. A change of an entry increments a counter; serving a list compares the counters.

use diesel::prelude::*;

use crate::domain::clock::Timestamp;
use crate::domain::ids::KeyId;
use crate::domain::token::status_list::LIST_SIZE;
use crate::store::engine::db::on_backend;
use crate::store::engine::schema::{status_list_changes, status_lists};
use crate::store::{Reader, StoreError, Tx};

/// The counter and the last signed list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StatusListRow {
    /// Number of changes of its entries so far.
    pub(crate) changes: i64,
    pub(crate) signed: Option<Signed>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signed {
    /// The status list token, compact.
    pub(crate) token: String,
    /// Number of changes that it includes.
    pub(crate) of_changes: i64,
    /// The key that signed it.
    pub(crate) kid: KeyId,
    pub(crate) signed_at: Timestamp,
}

/// Counts a change of an entry, in the transaction that makes it.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn count_change(tx: &mut Tx<'_>, status_index: u32) -> Result<(), StoreError> {
    let number = i64::from(status_index / LIST_SIZE);
    know(tx, number)?;
    let change: i64 = diesel::update(status_lists::table.find(number))
        .set(status_lists::changes.eq(status_lists::changes + 1))
        .returning(status_lists::changes)
        .get_result(tx.db)?;
    diesel::insert_into(status_list_changes::table)
        .values((
            status_list_changes::number.eq(number),
            status_list_changes::change.eq(change),
            status_list_changes::status_index.eq(i64::from(status_index)),
        ))
        .execute(tx.db)?;
    Ok(())
}

/// The changes that are kept of each list; a process that has built an older one builds it anew.
const KEPT_CHANGES: i64 = 10_000;

/// The indexes of the entries of a list that changed after a change of it; `None` when so old changes are not kept, or
/// that one was never made here.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn changed_since(
    reader: &mut Reader<'_>,
    list: u32,
    since: i64,
) -> Result<Option<Vec<i64>>, StoreError> {
    let changes = find(reader, list)?.changes;
    if since == changes {
        return Ok(Some(Vec::new()));
    }
    let later: Vec<i64> = status_list_changes::table
        .filter(status_list_changes::number.eq(i64::from(list)).and(status_list_changes::change.gt(since)))
        .order(status_list_changes::change)
        .select(status_list_changes::status_index)
        .load(reader.db)?;
    let all = changes.checked_sub(since).and_then(|all| usize::try_from(all).ok());
    Ok((all == Some(later.len())).then_some(later))
}

fn know(tx: &mut Tx<'_>, number: i64) -> Result<(), StoreError> {
    let row = status_lists::number.eq(number);
    on_backend!(tx.db, |c| diesel::insert_into(status_lists::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(())
}

/// The counter and the last signed list; zero for a list without changes.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn find(reader: &mut Reader<'_>, list: u32) -> Result<StatusListRow, StoreError> {
    type Row = (i64, Option<String>, Option<i64>, Option<KeyId>, Option<Timestamp>);
    let row: Option<Row> = status_lists::table
        .find(i64::from(list))
        .select((
            status_lists::changes,
            status_lists::token,
            status_lists::of_changes,
            status_lists::kid,
            status_lists::signed_at,
        ))
        .first(reader.db)
        .optional()?;
    let Some((changes, token, of_changes, kid, signed_at)) = row else {
        return Ok(StatusListRow { changes: 0, signed: None });
    };
    let signed = match (token, of_changes, kid, signed_at) {
        (Some(token), Some(of_changes), Some(kid), Some(signed_at)) => {
            Some(Signed { token, of_changes, kid, signed_at })
        }
        _ => None,
    };
    Ok(StatusListRow { changes, signed })
}

/// Stores a signed list, unless a newer one is stored already. Returns the stored one.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn keep(tx: &mut Tx<'_>, list: u32, signed: &Signed) -> Result<Signed, StoreError> {
    know(tx, i64::from(list))?;
    if let Some(kept) = find(tx, list)?.signed
        && (kept.of_changes, kept.signed_at) > (signed.of_changes, signed.signed_at)
    {
        return Ok(kept);
    }
    let forgotten = status_list_changes::change.le(signed.of_changes.saturating_sub(KEPT_CHANGES));
    diesel::delete(status_list_changes::table)
        .filter(status_list_changes::number.eq(i64::from(list)).and(forgotten))
        .execute(tx.db)?;
    diesel::update(status_lists::table.find(i64::from(list)))
        .set((
            status_lists::token.eq(&signed.token),
            status_lists::of_changes.eq(signed.of_changes),
            status_lists::kid.eq(&signed.kid),
            status_lists::signed_at.eq(signed.signed_at),
        ))
        .execute(tx.db)?;
    Ok(signed.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::testing::{at, on_both};

    fn signed(text: &str, of_changes: i64, when: i64) -> Signed {
        Signed { token: text.to_owned(), of_changes, kid: KeyId::new("k1").unwrap(), signed_at: at(when) }
    }

    on_both!(
        async fn a_list_that_shows_more_is_not_replaced_by_one_that_shows_less(fixture) {
            let store = &fixture.store;
            let keep = |signed: Signed| store.write("test", move |tx| keep(tx, 1, &signed));
            assert_eq!(
                store.read("test", |r| find(r, 1)).await.unwrap(),
                StatusListRow { changes: 0, signed: None }
            );
            store
                .write("test", |tx| {
                    count_change(tx, LIST_SIZE + 5)?;
                    count_change(tx, LIST_SIZE + 5)?;
                    count_change(tx, 5)
                })
                .await
                .unwrap();
            assert_eq!(keep(signed("b", 2, 10)).await.unwrap().token, "b");
            assert_eq!(keep(signed("a", 1, 11)).await.unwrap().token, "b", "an older picture");
            let row = store.read("test", |r| find(r, 1)).await.unwrap();
            assert_eq!((row.changes, row.signed), (2, Some(signed("b", 2, 10))));
            assert_eq!(keep(signed("c", 2, 12)).await.unwrap().token, "c", "signed anew");
            assert_eq!(store.read("test", |r| find(r, 0)).await.unwrap().changes, 1);
            let since = |change| store.read("test", move |r| changed_since(r, 1, change));
            let index = i64::from(LIST_SIZE + 5);
            assert_eq!(since(0).await, Ok(Some(vec![index, index])));
            assert_eq!(since(1).await, Ok(Some(vec![index])));
            assert_eq!(since(2).await, Ok(Some(Vec::new())));
            assert_eq!(since(3).await, Ok(None), "a change of another database");
            assert_eq!(keep(signed("d", KEPT_CHANGES + 1, 13)).await.unwrap().token, "d");
            assert_eq!(since(0).await, Ok(None), "too long ago");
            assert_eq!(since(1).await, Ok(Some(vec![index])));
        }
    );
}
