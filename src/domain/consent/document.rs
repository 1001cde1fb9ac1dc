//! The consent document: exactly what the resident saw and decided, in canonical JSON (RFC 8785), and the salted
//! commitment that the login provider signs.

use serde::{Deserialize, Serialize};

use super::persons::CoveredPerson;
use super::terms::Terms;
use crate::domain::catalogue::{Contact, Dataset, DeclaredUse, Language};
use crate::domain::clock::{Day, Timestamp};
use crate::domain::ids::{ConsentId, FieldPath, PairwisePerson, PairwiseRecord, PairwiseSubject, Thumbprint};
use crate::domain::jose::{b64url, sha256};

/// Version of the document format.
pub(crate) const DOCUMENT_VERSION: &str = "omadata-consent/1";

/// 32 random bytes, so that a commitment does not reveal a document that can be guessed.
#[derive(Clone, PartialEq, Eq)]
pub struct Salt(pub [u8; 32]);

impl Salt {
    /// Pseudonym of a login: `base64url(SHA-256(salt || iss || 0 || sub))`.
    #[must_use]
    pub fn signer(&self, issuer: &str, subject: &str) -> String {
        let mut bytes = self.0.to_vec();
        bytes.extend_from_slice(issuer.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(subject.as_bytes());
        b64url(&sha256(&bytes))
    }
}

impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salt([redacted])")
    }
}

/// `base64url(SHA-256(salt || JCS(document)))`: the `nonce` of the signing login and the token's `consent_commitment`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Commitment(String);

impl Commitment {
    /// Commits to a document in canonical JSON.
    #[must_use]
    pub fn to(document: &str, salt: &Salt) -> Self {
        let mut bytes = salt.0.to_vec();
        bytes.extend_from_slice(document.as_bytes());
        Self(b64url(&sha256(&bytes)))
    }

    /// A commitment in its text form.
    #[must_use]
    pub const fn from_text(text: String) -> Self {
        Self(text)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `base64url(SHA-256(text))`: how receipts refer to a text or a document.
#[must_use]
pub(crate) fn digest(text: &str) -> String {
    b64url(&sha256(text.as_bytes()))
}

/// A party as shown to the resident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Entity identifier.
    pub id: String,
    /// Name as shown.
    pub name: String,
}

/// A field as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownField {
    /// Its path in the record.
    pub name: FieldPath,
    /// Its label as shown.
    pub(crate) label: String,
    /// Whether the resident could leave it out.
    pub optional: bool,
}

/// A person whose records are covered, as shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownPerson {
    /// As the recipient knows the person.
    pub id: PairwisePerson,
    /// The person's name as shown.
    pub name: String,
    /// The records allowed; all of the person's, later ones too, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<Vec<ShownRecord>>,
}

/// A record that is covered, as shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownRecord {
    /// As the recipient knows the record.
    pub id: PairwiseRecord,
    /// How the page named it.
    pub label: String,
}

impl ShownPerson {
    /// What the terms say of the person.
    #[must_use]
    pub(crate) fn covered(&self) -> CoveredPerson {
        let records = self.records.as_ref().map(|records| records.iter().map(|record| record.id).collect());
        CoveredPerson { id: self.id, records }
    }
}

impl std::fmt::Debug for ShownPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShownPerson").field("id", &self.id).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ShownRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShownRecord").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A contact as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownContact {
    /// Name as shown.
    pub name: String,
    /// E-mail address.
    pub email: String,
}

/// What the resident saw and decided. Contains no national identifier, and of the data only what names the persons and
/// records that were chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConsentDocument {
    /// [`DOCUMENT_VERSION`].
    pub version: String,
    /// The consent.
    pub consent: ConsentId,
    /// The resident's subject for this recipient.
    pub subject: PairwiseSubject,
    /// The language of the texts.
    pub language: Language,
    /// The holder.
    pub holder: Party,
    /// The recipient.
    pub recipient: Party,
    /// The service, as shown.
    pub service: String,
    /// The purpose in one sentence, as shown.
    pub(crate) purpose_text: String,
    /// Title of the dataset, as shown.
    pub(crate) dataset_title: String,
    /// The fields allowed, as shown.
    pub fields: Vec<ShownField>,
    /// The persons whose records were allowed, as shown; those of the terms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub persons: Vec<ShownPerson>,
    /// The terms as decided.
    pub terms: Terms,
    /// Legal basis, a DPV term.
    pub(crate) legal_basis: String,
    /// Further recipients of the data.
    pub(crate) onward_sharing: String,
    /// What "no" would have meant, as shown.
    pub(crate) otherwise: String,
    /// The controller at the recipient.
    pub(crate) controller: ShownContact,
    /// The recipient's data protection officer.
    pub data_protection_officer: ShownContact,
    pub(crate) until: Day,
    /// When the resident pressed Allow, RFC 3339.
    pub(crate) decided_at: String,
    /// The login that decided, as [`Salt::signer`] names it; absent in an offer, which nobody has signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// Thumbprints of the resident's passkeys, one of which must sign the same commitment; empty if the dataset
    /// requires none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passkeys: Vec<Thumbprint>,
}

/// The parts of a document.
#[derive(Debug, Clone)]
pub struct DocumentParts<'a> {
    /// The consent.
    pub consent: ConsentId,
    /// The resident's subject for the recipient.
    pub subject: &'a PairwiseSubject,
    /// The page's language.
    pub language: Language,
    /// The holder's name as shown.
    pub(crate) holder_name: &'a str,
    /// The recipient's name as shown.
    pub(crate) recipient_name: &'a str,
    /// The declared use as shown.
    pub declared_use: &'a DeclaredUse,
    /// The dataset as shown.
    pub dataset: &'a Dataset,
    /// The terms: as offered for the offer's hash, as decided for the document to be signed.
    pub terms: &'a Terms,
    /// The persons chosen; empty for an offer.
    pub persons: Vec<ShownPerson>,
    pub(crate) decided_at: Timestamp,
    /// The login that decided; `None` for an offer.
    pub signer: Option<String>,
    /// Passkeys of which one must sign; empty for an offer.
    pub passkeys: Vec<Thumbprint>,
}

impl ConsentDocument {
    /// Composes the document.
    #[must_use]
    pub fn new(parts: &DocumentParts<'_>) -> Self {
        let language = parts.language;
        let declared = parts.declared_use;
        let shown = |contact: &Contact| ShownContact {
            name: contact.name.get(language).to_owned(),
            email: contact.email.clone(),
        };
        let fields = parts
            .terms
            .fields
            .iter()
            .map(|name| ShownField {
                name: name.clone(),
                label: parts
                    .dataset
                    .leaf(name)
                    .map_or_else(|| name.to_string(), |leaf| leaf.label().get(language).to_owned()),
                optional: !declared.required_fields.contains(name),
            })
            .collect();
        Self {
            version: DOCUMENT_VERSION.to_owned(),
            consent: parts.consent,
            subject: parts.subject.clone(),
            language,
            holder: Party { id: parts.terms.holder.to_string(), name: parts.holder_name.to_owned() },
            recipient: Party { id: parts.terms.recipient.to_string(), name: parts.recipient_name.to_owned() },
            service: declared.service_name.get(language).to_owned(),
            purpose_text: declared.purpose_text.get(language).to_owned(),
            dataset_title: parts.dataset.title.get(language).to_owned(),
            fields,
            persons: parts.persons.clone(),
            terms: parts.terms.clone(),
            legal_basis: declared.legal_basis.clone(),
            onward_sharing: "none".to_owned(),
            otherwise: declared.otherwise.get(language).to_owned(),
            controller: shown(&declared.controller),
            data_protection_officer: shown(&declared.data_protection_officer),
            until: parts.terms.until,
            decided_at: parts.decided_at.rfc3339(),
            signer: parts.signer.clone(),
            passkeys: parts.passkeys.clone(),
        }
    }

    /// The document in canonical JSON (RFC 8785).
    ///
    /// # Errors
    /// Never for a valid document; the serialiser's error otherwise.
    pub fn canonical(&self) -> Result<String, serde_json::Error> {
        serde_json_canonicalizer::to_string(self)
    }

    /// Whether it is of this version, names who decides, and shows what its terms say.
    #[must_use]
    pub fn is_coherent(&self) -> bool {
        let terms = &self.terms;
        let decided: Option<Timestamp> = self.decided_at.parse().ok();
        self.version == DOCUMENT_VERSION
            && self.signer.is_some()
            && decided.is_some_and(|moment| moment.rfc3339() == self.decided_at)
            && self.holder.id == terms.holder.as_str()
            && self.recipient.id == terms.recipient.as_str()
            && self.until == terms.until
            && self.fields.iter().map(|field| &field.name).eq(&terms.fields)
            && self.shows_the_persons_of(terms)
    }

    fn shows_the_persons_of(&self, terms: &Terms) -> bool {
        let covered = terms.persons.iter().flat_map(|persons| &persons.0).cloned();
        self.persons.iter().map(ShownPerson::covered).eq(covered)
    }

    /// Digest of every text as shown, with its language: detects a changed translation.
    ///
    /// # Errors
    /// As [`Self::canonical`].
    pub(crate) fn texts_digest(&self) -> Result<String, serde_json::Error> {
        let mut labels: Vec<&str> = self.fields.iter().map(|field| field.label.as_str()).collect();
        for person in &self.persons {
            labels.push(&person.name);
            labels.extend(person.records.iter().flatten().map(|record| record.label.as_str()));
        }
        let texts = serde_json_canonicalizer::to_string(&(
            self.language,
            [&self.holder.name, &self.recipient.name, &self.service, &self.purpose_text, &self.dataset_title],
            labels,
            [
                &self.onward_sharing,
                &self.otherwise,
                &self.controller.name,
                &self.data_protection_officer.name,
            ],
        ))?;
        Ok(digest(&texts))
    }
}
