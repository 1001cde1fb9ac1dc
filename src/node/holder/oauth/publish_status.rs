//! The status lists of this holder's consent tokens (Token Status List), built from the stored consents. The signed
//! list is stored and served by every process until an entry or the key changes, or half its lifetime is over.

use std::sync::Arc;

use super::published_list::PublishedList;
use crate::domain::clock::Timestamp;
use crate::domain::jose::{b64url, sha256};
use crate::domain::sync::lock;
use crate::domain::token::status_list;
use crate::node::{KeyPurpose, Node, Problem, ProblemKind};
use crate::store::StoreError;
use crate::store::holder::consents;
use crate::store::holder::status_lists;
use crate::store::holder::status_lists::Signed;

/// How long a process serves a list without checking the store for changes, in seconds.
const UNASKED_SECS: i64 = 2;

/// The signed list of a number.
///
/// # Errors
/// [`Problem`]: no such list, or the store is unavailable.
pub(crate) async fn publish_status(node: &Node, list: u32) -> Result<PublishedList, Problem> {
    // Numbers without a list are refused before they wait for the lock.
    let is_known = node.status_lists.lock().await.contains_key(&list);
    if !is_known && list >= node.store.read("count_status_lists", consents::status_lists).await? {
        return Err(Problem::new(ProblemKind::NotFound));
    }
    // One builder at a time; its result is served to everyone for a moment.
    let mut known = node.status_lists.lock().await;
    let now = node.now();
    if let Some((at, published)) = known.get(&list)
        && *at > now.plus_secs(-UNASKED_SECS)
    {
        return Ok(published.clone());
    }
    let signed = current(node, list).await?;
    let published = match known.get(&list) {
        Some((_, published)) if *published.token == *signed.token => published.clone(),
        _ => PublishedList {
            tag: b64url(&sha256(signed.token.as_bytes())).into(),
            token: signed.token.into(),
            ttl_secs: status_list::ttl(node.settings.limits.status_list_secs),
        },
    };
    known.insert(list, (now, published.clone()));
    Ok(published)
}

/// The addresses of all lists (Token Status List, "Status List Aggregation").
///
/// # Errors
/// [`Problem`] when the store is unavailable.
pub(crate) async fn all_lists(node: &Node) -> Result<Vec<String>, Problem> {
    let lists = node.store.read("count_status_lists", consents::status_lists).await?;
    Ok((0..lists).map(|list| status_list::list_uri(&node.settings.id, list)).collect())
}

/// Signs the lists that are due, without waiting for a request.
///
/// # Errors
/// [`Problem`] when the store is unavailable.
pub(crate) async fn renew_all(node: &Node) -> Result<(), Problem> {
    let lists = node.store.read("count_status_lists", consents::status_lists).await?;
    for list in 0..lists {
        current(node, list).await?;
    }
    Ok(())
}

/// The list to serve now.
async fn current(node: &Node, list: u32) -> Result<Signed, Problem> {
    let row = node
        .store
        .read("find_status_list", move |store| {
            if list >= consents::status_lists(store)? {
                return Err(Problem::new(ProblemKind::NotFound));
            }
            Ok(status_lists::find(store, list)?)
        })
        .await?;
    let kid = node.keys.active(KeyPurpose::Token)?.kid().clone();
    let lifetime = node.settings.limits.status_list_secs;
    let oldest: Timestamp = node.now().plus_secs(-(lifetime / 2));
    match row.signed {
        Some(signed)
            if signed.of_changes == row.changes && signed.kid == kid && signed.signed_at > oldest =>
        {
            Ok(signed)
        }
        _ => make(node, list).await,
    }
}

async fn make(node: &Node, list: u32) -> Result<Signed, Problem> {
    let (changes, packed) = packed(node, list).await?;
    let (key, now) = (node.keys.active(KeyPurpose::Token)?, node.now());
    let (holder, lifetime) = (node.settings.id.clone(), node.settings.limits.status_list_secs);
    // A list of a million entries takes a while: run on a blocking thread.
    let signed = tokio::task::spawn_blocking(move || {
        let compressed =
            status_list::compress(&packed).map_err(|error| Problem::because(ProblemKind::Internal, error))?;
        let claims = status_list::claims(&holder, list, &compressed, now, lifetime);
        let token = key.sign(status_list::TYP, &claims)?;
        Ok::<_, Problem>(Signed { token, of_changes: changes, kid: key.kid().clone(), signed_at: now })
    })
    .await
    .map_err(|error| Problem::because(ProblemKind::Internal, error))??;
    Ok(node.store.write("keep_status_list", move |tx| status_lists::keep(tx, list, &signed)).await?)
}

/// The number of changes that a list shows, and its packed entries.
pub(crate) type PackedList = (i64, Arc<Vec<u8>>);

/// The entries of a list as they are now, and the number of changes that they show. A list that this process has built is
/// brought up to date with what changed since.
async fn packed(node: &Node, list: u32) -> Result<PackedList, Problem> {
    let before = lock(&node.status_bits).get(&list).cloned();
    let built = node
        .store
        // One snapshot: the entries match the counter.
        .read("list_status_entries", move |store| {
            let changes = status_lists::find(store, list)?.changes;
            if let Some((since, mut packed)) = before
                && let Some(changed) = status_lists::changed_since(store, list, since)?
            {
                for part in changed.chunks(AT_ONCE) {
                    for (index, state) in consents::statuses_at(store, list, part)? {
                        let bits: &mut Vec<u8> = Arc::make_mut(&mut packed);
                        status_list::set(bits, index, status_list::value(state));
                    }
                }
                return Ok((changes, packed));
            }
            let entries = consents::statuses(store, list)?;
            let values = entries.into_iter().map(|(index, state)| (index, status_list::value(state)));
            Ok::<_, StoreError>((changes, Arc::new(status_list::pack(values))))
        })
        .await?;
    lock(&node.status_bits).insert(list, built.clone());
    Ok(built)
}

/// Entries that are read in one statement.
const AT_ONCE: usize = 1000;
