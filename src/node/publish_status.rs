//! The status list of this holder's consent tokens (Token Status List), made from the consents as they are now.

use std::io::Write;
use std::sync::Arc;

use flate2::{Compression, write::ZlibEncoder};

use super::{KeyPurpose, Node, Problem, ProblemKind};
use crate::domain::token::status_list;
use crate::store::{StoreError, consents};

/// How long a made list is served, in seconds.
const FRESH_SECS: i64 = 3;

/// The signed list of that number, compact.
///
/// # Errors
/// [`Problem`]: no such list, or the store is away.
pub async fn publish_status(node: &Node, list: u32) -> Result<Arc<str>, Problem> {
    // One maker at a time, and what it makes serves everyone for a moment.
    let mut made = node.status_lists.lock().await;
    let now = node.now();
    if let Some((at, text)) = made.get(&list)
        && *at > now.plus_secs(-FRESH_SECS)
    {
        return Ok(Arc::clone(text));
    }
    let text: Arc<str> = make(node, list).await?.into();
    made.insert(list, (now, Arc::clone(&text)));
    Ok(text)
}

async fn make(node: &Node, list: u32) -> Result<String, Problem> {
    let entries = node
        .store
        .read(move |store| {
            if list >= consents::status_lists(store)? {
                return Err(StoreError::NotFound);
            }
            consents::statuses(store, list)
        })
        .await?;
    let bytes =
        status_list::pack(entries.into_iter().map(|(index, state)| (index, status_list::value(state))));
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    let compressed = encoder
        .write_all(&bytes)
        .and_then(|()| encoder.finish())
        .map_err(|error| Problem::because(ProblemKind::Internal, error))?;
    let claims = status_list::claims(
        &node.settings.id,
        list,
        &compressed,
        node.now(),
        node.settings.limits.status_list_secs,
    );
    Ok(node.keys.active(KeyPurpose::Token)?.sign(status_list::TYP, &claims)?)
}
