//! Verification of a receipt, for anyone: changes and stores nothing, and asks nobody but the member that is named as
//! its signer.

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

/// Maximum size of the input in bytes.
pub(crate) const MAX_BYTES: usize = 64 * 1024;

/// The content of a receipt.
#[derive(Debug, Clone)]
pub enum Paper {
    /// Of a decision or a change.
    Consent(Box<ConsentReceipt>),
    /// Of an exchange.
    Exchange(Box<Receipt>),
}

/// The state of the signing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignerKey {
    /// Published now.
    InUse,
    /// Retired; its signatures are valid.
    Retired,
    /// Revoked later, and this receipt was recorded before.
    GivenUpSince,
    /// Compromised: the signature proves nothing.
    Compromised,
}

/// The result of the verification.
#[derive(Debug, Clone)]
pub enum Verified {
    /// The signature is valid.
    Genuine {
        /// What it says.
        paper: Paper,
        /// The signer's display name, with its host, since a name alone does not identify it.
        signer: Text,
        /// The time of signature that the receipt states.
        at: Timestamp,
        /// The state of the signing key.
        key: SignerKey,
    },
    /// Changed after it was signed.
    Altered {
        /// The named signer.
        signer: Text,
    },
    /// The signer does not publish such a key.
    UnknownKey {
        /// The named signer.
        signer: Text,
    },
    /// The named signer is no member of the federation.
    UnknownSigner {
        /// The named signer.
        signer: Text,
    },
    /// The signer is not available now.
    Unavailable {
        /// The named signer.
        signer: Text,
    },
    /// The readable copy, which is not signed.
    Unsigned,
    /// Something else, or truncated.
    NoReceipt,
}

/// A key of the signer, with its state.
struct Known {
    key: PublicKey,
    standing: Standing,
}

/// The state of a key.
enum Standing {
    InUse,
    Retired,
    GivenUp(KeyStanding),
}

/// Verifies a receipt as pasted or uploaded.
///
/// # Errors
/// [`Problem`] when the store is unavailable.
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

/// When exactly this receipt was recorded here, if it was: a time that the owner of the key cannot forge.
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
            // As the holder, or as the recipient.
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

/// The key that a receipt names. An unknown key may be new: the member is fetched again.
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

/// A key of another member: one of those that it publishes, or a former one.
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
