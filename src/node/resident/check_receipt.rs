//! Whether a receipt is what it says, for anyone: changes nothing, keeps nothing, asks nobody but the member that is
//! named as its signer.

use crate::domain::catalogue::Text;
use crate::domain::clock::Timestamp;
use crate::domain::consent::ConsentReceipt;
use crate::domain::consent::receipt::CONSENT_RECEIPT;
use crate::domain::exchange::Receipt;
use crate::domain::exchange::receipt::EXCHANGE_RECEIPT;
use crate::domain::federation::{TrustError, TrustedPeer, with_host};
use crate::domain::ids::{EntityId, ExchangeId, KeyId};
use crate::domain::jose::{JoseError, KeyStanding, PublicKey, PublicKeys, UnverifiedJws};
use crate::node::{KeyPurpose, Node, Problem};
use crate::store::holder::{consent_receipts, exchanges};
use crate::store::keys::signing_keys;
use crate::store::keys::signing_keys::KeyState;
use crate::store::recipient::fetches;
use crate::store::{Reader, StoreError};

/// Most bytes that are looked at.
pub const MAX_BYTES: usize = 64 * 1024;

/// What a receipt says.
#[derive(Debug, Clone)]
pub enum Paper {
    /// About a decision or a change of it.
    Consent(Box<ConsentReceipt>),
    /// About data that was released.
    Exchange(Box<Receipt>),
}

/// Where the key stands that signed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignerKey {
    /// It is published now.
    InUse,
    /// It signs no more; what it signed is good.
    Retired,
    /// It was given up later, and this receipt is known from before.
    GivenUpSince,
    /// Somebody else may have it: the signature proves nothing.
    Compromised,
}

/// What came of the check.
#[derive(Debug, Clone)]
pub enum Verified {
    /// The signature is the signer's.
    Genuine {
        /// What it says.
        paper: Paper,
        /// What the signer is called, with its host: a name alone does not tell who that is.
        signer: Text,
        /// When it was signed, by its own word.
        at: Timestamp,
        /// Where the key stands.
        key: SignerKey,
    },
    /// Changed after it was signed: one letter is enough.
    Altered {
        /// Who is named as signer.
        signer: Text,
    },
    /// The signer never had such a key, as far as it tells.
    UnknownKey {
        /// Who is named as signer.
        signer: Text,
    },
    /// The named signer is no member of the federation.
    UnknownSigner {
        /// Who is named as signer.
        signer: Text,
    },
    /// The signer cannot be asked now.
    Unavailable {
        /// Who is named as signer.
        signer: Text,
    },
    /// The readable copy, which nobody signed.
    Unsigned,
    /// Something else, or cut off.
    NoReceipt,
}

/// A key of the signer's, and where it stands.
struct Known {
    key: PublicKey,
    standing: Standing,
}

/// Where a key stands.
enum Standing {
    InUse,
    Retired,
    GivenUp(KeyStanding),
}

/// Checks a receipt as pasted or uploaded.
///
/// # Errors
/// [`Problem`] when the store is away.
pub async fn check(node: &Node, text: &str) -> Result<Verified, Problem> {
    let text = text.trim();
    if text.starts_with('{') {
        return Ok(Verified::Unsigned);
    }
    let Some((jws, signer)) = parse(text) else { return Ok(Verified::NoReceipt) };
    let (name, known) = if signer == node.settings.id {
        let keys = own_keys(node).await?;
        (with_host(&node.settings.name, signer.host()), jws.kid().and_then(|kid| find(keys, kid)))
    } else {
        let peer = match node.peers.resolve(&signer).await {
            Ok(peer) => peer,
            Err(TrustError::NotTrusted(_)) => {
                return Ok(Verified::UnknownSigner { signer: everywhere(&signer) });
            }
            Err(TrustError::Unavailable(_)) => {
                return Ok(Verified::Unavailable { signer: everywhere(&signer) });
            }
        };
        match current_key_of(node, &peer, jws.kid()).await {
            Ok(known) => (with_host(&peer.name, peer.id.host()), known),
            Err(_) => return Ok(Verified::Unavailable { signer: with_host(&peer.name, peer.id.host()) }),
        }
    };
    let Some(known) = known else { return Ok(Verified::UnknownKey { signer: name }) };
    let Ok((paper, at)) = open(text, &known.key) else { return Ok(Verified::Altered { signer: name }) };
    let key = match known.standing {
        Standing::InUse => SignerKey::InUse,
        Standing::Retired => SignerKey::Retired,
        Standing::GivenUp(standing) => {
            let recorded = recorded(node, &paper, text).await?;
            if standing.upholds(at, recorded).is_ok() {
                SignerKey::GivenUpSince
            } else {
                SignerKey::Compromised
            }
        }
    };
    Ok(Verified::Genuine { paper, signer: name, at, key })
}

/// The form of either receipt, and the member that it names as signer.
fn parse(text: &str) -> Option<(UnverifiedJws, EntityId)> {
    let jws = UnverifiedJws::parse(text, &CONSENT_RECEIPT)
        .or_else(|_| UnverifiedJws::parse(text, &EXCHANGE_RECEIPT))
        .ok()?;
    let signer = jws.claimed_issuer()?.parse().ok()?;
    Some((jws, signer))
}

fn open(text: &str, key: &PublicKey) -> Result<(Paper, Timestamp), JoseError> {
    let keys = PublicKeys::single(key.clone());
    if UnverifiedJws::parse(text, &CONSENT_RECEIPT).is_ok() {
        let receipt = ConsentReceipt::verify(text, &keys)?;
        let at = Timestamp::from_secs(receipt.iat);
        return Ok((Paper::Consent(Box::new(receipt)), at));
    }
    let receipt: Receipt = UnverifiedJws::parse(text, &EXCHANGE_RECEIPT)?.verify_with(&keys)?.into_claims();
    let at = Timestamp::from_secs(receipt.iat);
    Ok((Paper::Exchange(Box::new(receipt)), at))
}

/// When this very receipt was recorded here, if it was: a date that whoever has the key cannot write.
async fn recorded(node: &Node, paper: &Paper, text: &str) -> Result<Option<Timestamp>, Problem> {
    let text = text.to_owned();
    let found = match paper {
        Paper::Consent(receipt) => {
            let (consent, version) = (receipt.record_id, receipt.version);
            let all = node
                .store
                .read("list_consent_receipts", move |store| consent_receipts::of_consent(store, consent))
                .await?;
            all.into_iter()
                .find(|stored| stored.version == version && stored.text == text)
                .map(|stored| stored.at)
        }
        Paper::Exchange(receipt) => {
            let Ok(id) = receipt.jti.as_str().parse::<ExchangeId>() else { return Ok(None) };
            // As the one who released, or as the one who received.
            let of_both = move |store: &mut Reader<'_>| match exchanges::find(store, id) {
                Ok(exchange) => Ok((exchange.receipt == text).then_some(exchange.at)),
                Err(StoreError::NotFound) => fetches::received_with(store, &text),
                Err(error) => Err(error),
            };
            node.store.read("list_exchange_receipts", of_both).await?
        }
    };
    Ok(found)
}

/// Every receipt key that this node ever had.
async fn own_keys(node: &Node) -> Result<Vec<Known>, Problem> {
    let records = node.store.read("list_signing_keys", signing_keys::list).await?;
    let of_receipts = records.into_iter().filter(|record| record.purpose == KeyPurpose::Receipt);
    Ok(of_receipts
        .filter_map(|record| {
            let standing = match record.state {
                KeyState::Active | KeyState::Pending => Standing::InUse,
                KeyState::Retired => Standing::Retired,
                KeyState::Revoked => Standing::GivenUp(record.standing()),
            };
            Some(Known { key: record.public.verifying()?.clone(), standing })
        })
        .collect())
}

/// The key that a receipt names. One that is neither in use nor retired as far as is known here may be new: the member is
/// asked again.
async fn current_key_of(
    node: &Node,
    peer: &TrustedPeer,
    kid: Option<&KeyId>,
) -> Result<Option<Known>, TrustError> {
    let known = key_of(node, peer, kid).await?;
    let (None, Some(named)) = (&known, kid) else { return Ok(known) };
    let has = |peer: &TrustedPeer| peer.holder_receipt_keys().is_some_and(|keys| keys.find(named).is_some());
    let peer = node.peers.refreshed(&peer.id, &has).await?;
    key_of(node, &peer, kid).await
}

/// A key of another member: one of those that it publishes, or else of those with which it signed before.
async fn key_of(node: &Node, peer: &TrustedPeer, kid: Option<&KeyId>) -> Result<Option<Known>, TrustError> {
    let Some(kid) = kid else { return Ok(None) };
    if let Some(key) = peer.holder_receipt_keys().and_then(|keys| keys.find(kid)) {
        return Ok(Some(Known { key: key.clone(), standing: Standing::InUse }));
    }
    match node.member_documents.former_keys(&peer.id).await {
        Ok(former) => Ok(former.find_receipt_key(kid).map(|former| Known {
            key: former.key.clone(),
            standing: match former.standing() {
                KeyStanding::Sound => Standing::Retired,
                given_up => Standing::GivenUp(given_up),
            },
        })),
        Err(TrustError::NotTrusted(reason)) => {
            tracing::info!(event = "former_keys_refused", member = %peer.id, %reason, "could not read a member's former keys");
            Ok(None)
        }
        Err(error @ TrustError::Unavailable(_)) => Err(error),
    }
}

fn find(keys: Vec<Known>, kid: &KeyId) -> Option<Known> {
    keys.into_iter().find(|known| known.key.kid() == Some(kid))
}

/// A name that is the same in all languages.
fn everywhere(id: &EntityId) -> Text {
    Text { fi: id.to_string(), sv: id.to_string(), en: id.to_string() }
}
