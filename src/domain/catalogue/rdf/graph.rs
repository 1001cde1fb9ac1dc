//! Builds triples in a fixed order, so that equal catalogues serialise to equal bytes.

use oxrdf::{Literal, NamedNode, Term, Triple};

use super::RdfError;
use super::vocabulary::PREFIXES;
use crate::domain::catalogue::{Language, Text};

/// Triples in the order in which they are written.
#[derive(Debug, Default)]
pub(super) struct Graph(Vec<Triple>);

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
    /// Adds a property of a node by its short name.
    pub(super) fn say(
        &mut self,
        subject: &NamedNode,
        predicate: &str,
        object: impl Into<Term>,
    ) -> Result<(), RdfError> {
        let triple = Triple::new(subject.clone(), term(predicate)?, object);
        if !self.0.contains(&triple) {
            self.0.push(triple);
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

    pub(super) fn triples(&self) -> &[Triple] {
        &self.0
    }
}
