//! Browser sessions, kept on the server so that they can be ended. The cookie's key is stored hashed, the state sealed.

use diesel::prelude::*;
use zeroize::Zeroizing;

use crate::domain::clock::Timestamp;
use crate::store::engine::purge::delete_oldest;
use crate::store::engine::schema::sessions;
use crate::store::engine::sealed::column;
use crate::store::{Reader, StoreError, Tx};

const KIND: &str = "session-key";

/// How long a session lives, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetime {
    pub(crate) idle_secs: i64,
    pub(crate) longest_secs: i64,
}

/// Begins a session.
///
/// # Errors
/// [`StoreError::Conflict`] when the key is taken.
pub(crate) fn save(
    tx: &mut Tx<'_>,
    key: &str,
    state: &str,
    lifetime: Lifetime,
    now: Timestamp,
) -> Result<(), StoreError> {
    let hash = tx.keys.lookup.secret(KIND, key);
    let sealed = tx.keys.sealer.seal(column!(sessions.state), hash.as_bytes(), state.as_bytes())?;
    let ends = now.plus_secs(lifetime.longest_secs);
    diesel::insert_into(sessions::table)
        .values((
            sessions::key_hash.eq(hash),
            sessions::state.eq(sealed),
            sessions::created_at.eq(now),
            sessions::expires_at.eq(now.plus_secs(lifetime.idle_secs).min(ends)),
            sessions::ends_at.eq(ends),
        ))
        .execute(tx.db)?;
    Ok(())
}

/// The state of a live session; `None` when it is unknown, ended or idle for too long.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn load(
    reader: &mut Reader<'_>,
    key: &str,
    now: Timestamp,
) -> Result<Option<Zeroizing<String>>, StoreError> {
    let hash = reader.keys.lookup.secret(KIND, key);
    let sealed: Option<Vec<u8>> = sessions::table
        .find(hash)
        .filter(sessions::expires_at.gt(now))
        .select(sessions::state)
        .first(reader.db)
        .optional()?;
    reader.keys.sealer.open_text_option(column!(sessions.state), hash.as_bytes(), sealed.as_deref())
}

/// Replaces a live session's state and extends its idle limit.
///
/// # Errors
/// [`StoreError::NotFound`] when the session is over.
pub(crate) fn update(
    tx: &mut Tx<'_>,
    key: &str,
    state: &str,
    now: Timestamp,
    idle_secs: i64,
) -> Result<(), StoreError> {
    let hash = tx.keys.lookup.secret(KIND, key);
    let sealed = tx.keys.sealer.seal(column!(sessions.state), hash.as_bytes(), state.as_bytes())?;
    let expires = moved(tx, key, now, idle_secs)?;
    diesel::update(sessions::table.find(hash))
        .set((sessions::state.eq(sealed), sessions::expires_at.eq(expires)))
        .execute(tx.db)?;
    Ok(())
}

/// Extends a live session's idle limit.
///
/// # Errors
/// [`StoreError::NotFound`] when the session is over.
pub(crate) fn update_ttl(
    tx: &mut Tx<'_>,
    key: &str,
    now: Timestamp,
    idle_secs: i64,
) -> Result<(), StoreError> {
    let hash = tx.keys.lookup.secret(KIND, key);
    let expires = moved(tx, key, now, idle_secs)?;
    diesel::update(sessions::table.find(hash)).set(sessions::expires_at.eq(expires)).execute(tx.db)?;
    Ok(())
}

fn moved(
    reader: &mut Reader<'_>,
    key: &str,
    now: Timestamp,
    idle_secs: i64,
) -> Result<Timestamp, StoreError> {
    let ends: Timestamp = sessions::table
        .find(reader.keys.lookup.secret(KIND, key))
        .filter(sessions::expires_at.gt(now))
        .select(sessions::ends_at)
        .first(reader.db)?;
    Ok(now.plus_secs(idle_secs).min(ends))
}

/// Ends a session.
///
/// # Errors
/// [`StoreError`]; ending an ended session is no error.
pub(crate) fn delete(tx: &mut Tx<'_>, key: &str) -> Result<(), StoreError> {
    let hash = tx.keys.lookup.secret(KIND, key);
    diesel::delete(sessions::table.find(hash)).execute(tx.db)?;
    Ok(())
}

/// Deletes the sessions that are over. Returns how many.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn delete_expired(tx: &mut Tx<'_>, now: Timestamp, limit: u32) -> Result<usize, StoreError> {
    delete_oldest!(tx, "sessions", key "key_hash", while "expires_at <= $1", by "expires_at", now, limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::testing::{at, on_both};

    const LIFETIME: Lifetime = Lifetime { idle_secs: 600, longest_secs: 1000 };

    on_both!(
        async fn a_session_lives_idles_and_ends(fixture) {
            let store = &fixture.store;
            store.write("test", |tx| save(tx, "k", "{\"a\":\"1\"}", LIFETIME, at(0))).await.unwrap();
            let seen = |key: &'static str, when| {
                let store = store.clone();
                async move { store.read("test", move |r| load(r, key, at(when))).await.unwrap().map(|s| s.to_string()) }
            };
            assert_eq!(seen("k", 599).await.as_deref(), Some("{\"a\":\"1\"}"));
            assert_eq!(seen("k", 600).await, None);
            assert_eq!(seen("other", 0).await, None);
            store.write("test", |tx| update(tx, "k", "{}", at(500), 600)).await.unwrap();
            assert_eq!(seen("k", 999).await.as_deref(), Some("{}"));
            // The absolute limit holds, however often it is used.
            store.write("test", |tx| update_ttl(tx, "k", at(900), 600)).await.unwrap();
            assert_eq!(seen("k", 1000).await, None);
            let late = store.write("test", |tx| update(tx, "k", "{}", at(1000), 600)).await;
            assert_eq!(late, Err(StoreError::NotFound));
            assert_eq!(store.write("test", |tx| delete_expired(tx, at(1000), 100)).await, Ok(1));
            store.write("test", |tx| save(tx, "k", "{}", LIFETIME, at(0))).await.unwrap();
            let taken = store.write("test", |tx| save(tx, "k", "{}", LIFETIME, at(0))).await;
            assert_eq!(taken, Err(StoreError::Conflict));
            store.write("test", |tx| delete(tx, "k")).await.unwrap();
            assert_eq!(seen("k", 1).await, None);
        }
    );
}
