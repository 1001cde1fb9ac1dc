//! A copy of a resident's data as one archive: files to read and to process, and a manifest that the city's node signed.

pub(crate) mod archive;
pub(crate) mod content;
pub(crate) mod error;
pub(crate) mod table;
pub mod zip;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::clock::Timestamp;
use crate::domain::ids::{DatasetId, EntityId, FieldName, Jti, PairwiseSubject};
use crate::domain::jose::{Claims, KeySource, Profile};
use crate::domain::word_enum::word_enum;

/// Profile of the manifest's signature.
pub const EXPORT_MANIFEST: Profile = Profile {
    typ: "omadata-export+jwt",
    max_bytes: 256 * 1024,
    key_source: KeySource::Kid,
    required: &["iss", "sub", "iat", "jti", "purpose", "files", "datasets"],
    optional: Claims::Only(&[]),
    forbidden_headers: &[],
};

/// A record's values by field.
pub(crate) type RecordValues = BTreeMap<FieldName, Value>;

word_enum! {
    /// Why the copy was made.
    pub enum Purpose {
        /// The resident downloaded it.
        OwnCopy = "own_copy",
        /// The city's answer to a request under GDPR article 15.
        Article15 = "article_15",
    }
}

word_enum! {
    /// Whether a dataset is in the copy.
    pub enum Coverage {
        /// All that its register has.
        Complete = "complete",
        /// The register has it later.
        Later = "later",
        /// The resident's login lacked the assurance that the dataset requires.
        LoginTooWeak = "login_too_weak",
        /// The register did not answer, or not correctly.
        Unavailable = "unavailable",
    }
}

word_enum! {
    /// Whether a data tracker's uses are in the copy.
    pub enum TrackerCoverage {
        /// All that it has.
        Complete = "complete",
        /// The latest ones; it may have more.
        Latest = "latest",
        /// It did not answer, or not correctly.
        Unavailable = "unavailable",
    }
}

/// One dataset in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetCoverage {
    /// The dataset.
    pub id: DatasetId,
    /// Whether it is in the copy.
    pub coverage: Coverage,
    /// From when on the register has it, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_from: Option<String>,
    /// The number of records.
    pub records: usize,
}

/// One file in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestFile {
    /// Its name in the archive.
    pub name: String,
    /// Its size.
    pub bytes: usize,
    /// SHA-256, base64url.
    pub sha256: String,
}

/// What the node signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The city's node.
    pub iss: EntityId,
    /// The person, by an identifier that only this node can relate to them.
    pub sub: PairwiseSubject,
    /// Seconds since 1970.
    pub iat: i64,
    /// This copy.
    pub jti: Jti,
    /// Why it was made.
    pub purpose: Purpose,
    /// Every file but the manifest itself.
    pub files: Vec<ManifestFile>,
    /// Every dataset of the city, also those that are not in the copy.
    pub datasets: Vec<DatasetCoverage>,
}

impl Manifest {
    /// When the copy was made.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        Timestamp::from_secs(self.iat)
    }
}
