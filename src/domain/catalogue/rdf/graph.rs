//! Writes triples in a fixed order, so that equal catalogues serialise to equal bytes.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use oxrdf::{Literal, NamedNode, Term, Triple};
use oxrdfio::{JsonLdProfileSet, RdfFormat, RdfSerializer, WriterQuadSerializer};

use super::vocabulary::PREFIXES;
use super::{Format, RdfError};
use crate::domain::catalogue::{Language, Text};

/// Triples, written as they come. A large catalogue has millions: only their hashes are kept.
pub(super) struct Graph {
    writer: WriterQuadSerializer<Vec<u8>>,
    /// What was written: a law or the publisher is described again with every dataset.
    written: HashSet<(u64, u64)>,
}

/// The node of an IRI.
pub(super) fn iri(text: impl Into<String>) -> Result<NamedNode, RdfError> {
    NamedNode::new(text).map_err(|_| RdfError::Iri)
}

/// The term of a short name such as `dct:title`.
pub(super) fn term(short: &str) -> Result<NamedNode, RdfError> {
    let (prefix, name) = short.split_once(':').ok_or(RdfError::Iri)?;
    let (_, space) = PREFIXES.iter().find(|known| known.0 == prefix).ok_or(RdfError::Iri)?;
    iri(format!("{space}{name}"))
}

impl Graph {
    /// An empty graph.
    ///
    /// # Errors
    /// [`RdfError::Iri`] when a prefix is not one.
    pub(super) fn new(format: Format) -> Result<Self, RdfError> {
        let format = match format {
            Format::JsonLd => RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() },
            Format::Turtle => RdfFormat::Turtle,
            Format::RdfXml => RdfFormat::RdfXml,
        };
        let mut serializer = RdfSerializer::from_format(format);
        for (prefix, space) in PREFIXES {
            serializer = serializer.with_prefix(prefix, space).map_err(|_| RdfError::Iri)?;
        }
        Ok(Self { writer: serializer.for_writer(Vec::new()), written: HashSet::new() })
    }

    /// The whole as text.
    ///
    /// # Errors
    /// [`RdfError::Serialise`].
    pub(super) fn finish(self) -> Result<Vec<u8>, RdfError> {
        self.writer.finish().map_err(|_| RdfError::Serialise)
    }

    /// Adds a property of a node by its short name.
    pub(super) fn say(
        &mut self,
        subject: &NamedNode,
        predicate: &str,
        object: impl Into<Term>,
    ) -> Result<(), RdfError> {
        let triple = Triple::new(subject.clone(), term(predicate)?, object);
        if self.written.insert((hash(0, &triple), hash(1, &triple))) {
            self.writer.serialize_triple(&triple).map_err(|_| RdfError::Serialise)?;
        }
        Ok(())
    }

    /// Adds a node's type.
    pub(super) fn is_a(&mut self, subject: &NamedNode, class: &str) -> Result<(), RdfError> {
        self.say(subject, "rdf:type", term(class)?)
    }

    /// Adds a text in all languages.
    pub(super) fn text(&mut self, subject: &NamedNode, predicate: &str, text: &Text) -> Result<(), RdfError> {
        for language in Language::ALL {
            self.in_language(subject, predicate, text.get(language), language)?;
        }
        Ok(())
    }

    /// Adds a text in one language.
    pub(super) fn in_language(
        &mut self,
        subject: &NamedNode,
        predicate: &str,
        text: &str,
        language: Language,
    ) -> Result<(), RdfError> {
        let literal =
            Literal::new_language_tagged_literal(text, language.tag()).map_err(|_| RdfError::Iri)?;
        self.say(subject, predicate, literal)
    }

    /// Adds a typed value.
    pub(super) fn typed(
        &mut self,
        subject: &NamedNode,
        predicate: &str,
        value: impl Into<String>,
        datatype: &str,
    ) -> Result<(), RdfError> {
        self.say(subject, predicate, Literal::new_typed_literal(value, term(datatype)?))
    }
}

/// Half of a triple's hash: 128 bits never meet by chance.
fn hash(half: u8, triple: &Triple) -> u64 {
    let mut hasher = DefaultHasher::new();
    (half, triple).hash(&mut hasher);
    hasher.finish()
}
