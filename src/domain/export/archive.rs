//! The archive: packing, signing, and the check that it is as the node made it.

use std::collections::{BTreeMap, BTreeSet};

use super::content::ExportContent;
use super::error::ExportError;
use super::{EXPORT_MANIFEST, Manifest, ManifestFile, zip};
use crate::domain::ids::{Jti, PairwiseSubject};
use crate::domain::jose::{JoseError, PublicKeys, SigningKey, UnverifiedJws, b64url, sha256};

/// The signed claims, to read.
const MANIFEST: &str = "manifest.json";
/// The same claims with the signature, a compact JWS.
const SIGNED: &str = "manifest.jws";

/// Packs and signs files.
///
/// # Errors
/// [`ExportError`].
pub(crate) fn pack(
    content: &ExportContent,
    (subject, jti): (PairwiseSubject, Jti),
    mut files: Vec<(String, Vec<u8>)>,
    key: &SigningKey,
) -> Result<Vec<u8>, ExportError> {
    let entry = |(name, bytes): &(String, Vec<u8>)| ManifestFile {
        name: name.clone(),
        bytes: bytes.len(),
        sha256: b64url(&sha256(bytes)),
    };
    let manifest = Manifest {
        iss: content.holder.clone(),
        sub: subject,
        iat: content.at.secs(),
        jti,
        purpose: content.purpose,
        files: files.iter().map(entry).collect(),
        datasets: content.datasets.iter().map(|exported| exported.coverage()).collect(),
    };
    files.push((MANIFEST.to_owned(), serde_json::to_vec(&manifest)?));
    files.push((SIGNED.to_owned(), key.sign(EXPORT_MANIFEST.typ, &manifest)?.into_bytes()));
    Ok(zip::pack(&files)?)
}

/// Why an archive is not what a node made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveFault {
    /// Not an archive in the form that nodes write.
    #[error("this is not an archive as a node writes it: check the file as it was downloaded")]
    NotAnArchive,
    /// The signed manifest is missing, or its signature does not hold.
    #[error("the manifest's signature does not hold: {0}")]
    Signature(String),
    /// `manifest.json` is not what was signed.
    #[error("manifest.json is not what was signed")]
    ManifestOther,
    /// A file that the manifest names is missing.
    #[error("the file {0} is missing")]
    Missing(String),
    /// A file was changed.
    #[error("the file {0} was changed")]
    Changed(String),
    /// A file that the manifest does not name, or the same name twice.
    #[error("the file {0} does not belong to it")]
    Extra(String),
}

/// Checks that an archive is complete and unchanged, and signed by one of these keys.
///
/// # Errors
/// [`ArchiveFault`].
pub fn verify_archive(bytes: &[u8], keys: &PublicKeys) -> Result<Manifest, ArchiveFault> {
    let mut files = BTreeMap::new();
    for (name, content) in zip::unpack(bytes).ok_or(ArchiveFault::NotAnArchive)? {
        if files.insert(name.clone(), content).is_some() {
            return Err(ArchiveFault::Extra(name));
        }
    }
    let broken = |error: JoseError| ArchiveFault::Signature(error.to_string());
    let signed = files.remove(SIGNED).ok_or_else(|| ArchiveFault::Missing(SIGNED.to_owned()))?;
    let signed = String::from_utf8(signed).map_err(|_| broken(JoseError::Utf8))?;
    let manifest: Manifest = UnverifiedJws::parse(&signed, &EXPORT_MANIFEST)
        .and_then(|jws| jws.verify_with(keys))
        .map_err(broken)?
        .into_claims();
    let readable = files.remove(MANIFEST).ok_or_else(|| ArchiveFault::Missing(MANIFEST.to_owned()))?;
    if serde_json::from_slice::<Manifest>(&readable).ok().as_ref() != Some(&manifest) {
        return Err(ArchiveFault::ManifestOther);
    }
    let mut known = BTreeSet::new();
    for listed in &manifest.files {
        let content = files.get(&listed.name).ok_or_else(|| ArchiveFault::Missing(listed.name.clone()))?;
        if content.len() != listed.bytes || b64url(&sha256(content)) != listed.sha256 {
            return Err(ArchiveFault::Changed(listed.name.clone()));
        }
        known.insert(&listed.name);
    }
    match files.keys().find(|name| !known.contains(name)) {
        Some(name) => Err(ArchiveFault::Extra(name.clone())),
        None => Ok(manifest),
    }
}
