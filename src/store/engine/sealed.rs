//! Secrets at rest: sealed if they are read back, keyed-hashed if they are only compared.
//!
//! A sealed value is `key id (1 byte) ‖ nonce (12) ‖ AES-256-GCM ciphertext and tag`. Table, row and column are
//! authenticated data: a value copied to another row or column does not open there.

use std::collections::BTreeMap;
use std::sync::Arc;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Random;
use super::error::StoreError;
use super::root_keys::RootKey;
use crate::domain::ids::{
    DatasetId, EntityId, NationalIdentifier, PairwisePerson, PairwiseRecord, PairwiseSubject, PersonId,
};

const NONCE_BYTES: usize = 12;

/// The id of `sealing.key`; that of `sealing-N.key` is N. Each value names its key.
const FIRST_KEY: u8 = 1;

/// The column of a sealed value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    /// `table.column`, for errors.
    pub(crate) name: &'static str,
}

/// Declares a sealed column.
macro_rules! column {
    ($table:ident . $column:ident) => {
        $crate::store::engine::sealed::Column {
            table: stringify!($table),
            column: stringify!($column),
            name: concat!(stringify!($table), ".", stringify!($column)),
        }
    };
}
pub(crate) use column;

/// Seals columns with the newest key and opens them with the key that they name.
pub(crate) struct Sealer {
    ciphers: BTreeMap<u8, Aes256Gcm>,
    random: Random,
}

impl Sealer {
    pub(crate) fn new(key: &RootKey, random: Random) -> Self {
        Self { ciphers: BTreeMap::new(), random: Arc::clone(&random) }.with_key(FIRST_KEY, key)
    }

    /// Adds a key; the one with the highest id seals.
    pub(crate) fn with_key(mut self, id: u8, key: &RootKey) -> Self {
        self.ciphers.insert(id, Aes256Gcm::new(key.bytes().into()));
        self
    }

    /// The ids of the keys, ascending.
    pub(crate) fn key_ids(&self) -> Vec<u8> {
        self.ciphers.keys().copied().collect()
    }

    /// Seals a value for its place, with the newest key.
    pub(crate) fn seal(&self, column: Column, row: &[u8], plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let newest = self.ciphers.last_key_value().map_or(FIRST_KEY, |(id, _)| *id);
        self.seal_with(newest, column, row, plain)
    }

    /// Seals a value with one of the keys.
    pub(crate) fn seal_with(
        &self,
        key_id: u8,
        column: Column,
        row: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        let cipher = self.ciphers.get(&key_id).ok_or(StoreError::Rule("there is no such sealing key"))?;
        let mut nonce = [0; NONCE_BYTES];
        (self.random)(&mut nonce);
        let aad = place(key_id, column, row);
        let sealed = cipher
            .encrypt(Nonce::from_slice(&nonce), Payload { msg: plain, aad: &aad })
            .map_err(|_| StoreError::Rule("a value is too large to be sealed"))?;
        Ok([&[key_id], nonce.as_slice(), sealed.as_slice()].concat())
    }

    /// Opens a value that was sealed for this place.
    pub(crate) fn open(
        &self,
        column: Column,
        row: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let corrupt = || StoreError::Corrupt(column.name);
        let (key_id, rest) = sealed.split_first().ok_or_else(corrupt)?;
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_BYTES).ok_or_else(corrupt)?;
        let cipher = self.ciphers.get(key_id).ok_or_else(corrupt)?;
        cipher
            .decrypt(Nonce::from_slice(nonce), Payload { msg: ciphertext, aad: &place(*key_id, column, row) })
            .map(Zeroizing::new)
            .map_err(|_| corrupt())
    }

    /// As [`Sealer::open`], for text.
    pub(crate) fn open_text(
        &self,
        column: Column,
        row: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<String>, StoreError> {
        let bytes = self.open(column, row, sealed)?;
        std::str::from_utf8(&bytes)
            .map(|text| Zeroizing::new(text.to_owned()))
            .map_err(|_| StoreError::Corrupt(column.name))
    }

    /// As [`Sealer::seal`], for a value that may be absent.
    pub(crate) fn seal_option(
        &self,
        column: Column,
        row: &[u8],
        plain: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        plain.map(|plain| self.seal(column, row, plain)).transpose()
    }

    /// As [`Sealer::open_text`], for a value that may be absent.
    pub(crate) fn open_text_option(
        &self,
        column: Column,
        row: &[u8],
        sealed: Option<&[u8]>,
    ) -> Result<Option<Zeroizing<String>>, StoreError> {
        sealed.map(|sealed| self.open_text(column, row, sealed)).transpose()
    }
}

/// Unambiguous: the names are constants without NUL, the row comes last.
fn place(key_id: u8, column: Column, row: &[u8]) -> Vec<u8> {
    [&[key_id], column.table.as_bytes(), &[0], column.column.as_bytes(), &[0], row].concat()
}

/// A keyed hash: finds or compares a value that is not stored in readable form.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyedHash([u8; 32]);

impl KeyedHash {
    /// The bytes as stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first 128 bits (RFC 2104 §5).
    fn half(self) -> [u8; 16] {
        let mut half = [0; 16];
        for (to, from) in half.iter_mut().zip(self.0) {
            *to = from;
        }
        half
    }

    /// Wraps stored bytes.
    pub(crate) fn stored(bytes: &[u8], column: &'static str) -> Result<Self, StoreError> {
        bytes.try_into().map(Self).map_err(|_| StoreError::Corrupt(column))
    }
}

impl std::fmt::Debug for KeyedHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyedHash")
    }
}

/// HMAC-SHA-256 under `lookup.key`. Without the key, an identifier cannot be found by trying all identifiers.
#[derive(Clone)]
pub struct LookupKey(Hmac<Sha256>);

impl LookupKey {
    /// From the root key.
    #[must_use]
    pub fn new(key: &RootKey) -> Self {
        // HMAC pads a short key with zeros to the hash's block (RFC 2104 §2).
        let mut block = Zeroizing::new([0_u8; 64]);
        for (to, from) in block.iter_mut().zip(key.bytes()) {
            *to = *from;
        }
        Self(<Hmac<Sha256> as KeyInit>::new(&(*block).into()))
    }

    /// The hash under which a person's identifier is looked up.
    #[must_use]
    pub fn identifier(&self, identifier: &NationalIdentifier) -> KeyedHash {
        self.hash("identifier", &[identifier.reveal().as_bytes()])
    }

    /// The hash of a provider's `sub`, which may itself be an identifier.
    #[must_use]
    pub fn login(&self, issuer: &str, subject: &str) -> KeyedHash {
        self.hash("login", &[issuer.as_bytes(), subject.as_bytes()])
    }

    /// The hash of a random secret that is only compared: a code, a session key, a state. `kind` keeps kinds apart.
    #[must_use]
    pub fn secret(&self, kind: &'static str, secret: &str) -> KeyedHash {
        self.hash(kind, &[secret.as_bytes()])
    }

    /// The hash of several parts that are only compared. `kind` keeps kinds apart.
    #[must_use]
    pub(crate) fn parts(&self, kind: &'static str, parts: &[&[u8]]) -> KeyedHash {
        self.hash(kind, parts)
    }

    /// The pairwise subject of a person for one recipient: meaningless to anyone else, and two recipients cannot match
    /// theirs.
    ///
    /// # Errors
    /// Never in practice: the text is made of 43 base64url characters.
    pub(crate) fn pairwise(
        &self,
        person: &PersonId,
        recipient: &EntityId,
    ) -> Result<PairwiseSubject, StoreError> {
        let hash = self.hash("pairwise", &[person.as_bytes(), recipient.as_str().as_bytes()]);
        PairwiseSubject::new(URL_SAFE_NO_PAD.encode(hash.0))
            .map_err(|_| StoreError::Rule("a pairwise subject"))
    }

    /// The subject of a person in copies of their own data: it names them to nobody but this node.
    ///
    /// # Errors
    /// Never in practice: the text is made of 43 base64url characters.
    pub(crate) fn export_subject(
        &self,
        identifier: &NationalIdentifier,
    ) -> Result<PairwiseSubject, StoreError> {
        let hash = self.hash("export", &[identifier.reveal().as_bytes()]);
        PairwiseSubject::new(URL_SAFE_NO_PAD.encode(hash.0))
            .map_err(|_| StoreError::Rule("an export subject"))
    }

    /// The pairwise identifier of a person whom records are about. The same in all datasets, so that a recipient can
    /// match a child's placement and fee; two recipients cannot match theirs.
    #[must_use]
    pub(crate) fn person_for(&self, recipient: &EntityId, person: &NationalIdentifier) -> PairwisePerson {
        let parts = [recipient.as_str().as_bytes(), person.reveal().as_bytes()];
        PairwisePerson::from_bytes(self.hash("pairwise person", &parts).half())
    }

    /// The pairwise identifier of a dataset's record, by its key in the register.
    #[must_use]
    pub(crate) fn record_for(&self, recipient: &EntityId, dataset: &DatasetId, key: &str) -> PairwiseRecord {
        let parts = [recipient.as_str().as_bytes(), dataset.as_str().as_bytes(), key.as_bytes()];
        PairwiseRecord::from_bytes(self.hash("pairwise record", &parts).half())
    }

    /// Each part is preceded by its length: two lists of parts never hash the same text.
    fn hash(&self, kind: &str, parts: &[&[u8]]) -> KeyedHash {
        let mut mac = self.0.clone();
        for part in std::iter::once(&kind.as_bytes()).chain(parts) {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        KeyedHash(mac.finalize().into_bytes().into())
    }
}

impl std::fmt::Debug for LookupKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LookupKey([redacted])")
    }
}
