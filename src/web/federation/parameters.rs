//! The parameters of a federation request, from its query or form.

use super::Refusal;
use crate::domain::ids::EntityId;

/// Maximum number of parameters of one request.
const MAX_PARAMETERS: usize = 32;

/// Maximum number of trust anchors of one resolution.
const MAX_ANCHORS: usize = 8;

/// Parameters as sent, including repeated ones.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn new(sent: Vec<(String, String)>) -> Result<Self, Refusal> {
        if sent.len() > MAX_PARAMETERS {
            return Err(Refusal::InvalidRequest("too many parameters"));
        }
        Ok(Self(sent))
    }

    /// Whether every parameter is one of these.
    pub(super) fn are_all_of(&self, names: &[&str]) -> bool {
        self.0.iter().all(|(name, _)| names.contains(&name.as_str()))
    }

    /// All values of a parameter.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        self.values(name).map(str::to_owned).collect()
    }

    /// An optional parameter that may not be repeated.
    pub(super) fn optional<'a>(&'a self, name: &str) -> Result<Option<&'a str>, Refusal> {
        let mut values = self.values(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(Refusal::InvalidRequest("a parameter is repeated")),
        }
    }

    pub(super) fn required<'a>(&'a self, name: &str) -> Result<&'a str, Refusal> {
        self.optional(name)?.ok_or(Refusal::InvalidRequest("a parameter is missing"))
    }

    /// `true` or `false`; absent is `false`.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.optional(name)? {
            Some("true") => Ok(true),
            Some("false") | None => Ok(false),
            Some(_) => Err(Refusal::InvalidRequest("a flag is neither true nor false")),
        }
    }

    /// `sub`.
    pub(super) fn subject(&self) -> Result<EntityId, Refusal> {
        EntityId::new(self.required("sub")?)
            .map_err(|_| Refusal::InvalidRequest("sub is not an entity identifier"))
    }

    /// `trust_anchor`, at least once.
    pub(super) fn anchors(&self) -> Result<Vec<EntityId>, Refusal> {
        let anchors: Vec<EntityId> = self
            .values("trust_anchor")
            .map(|value| {
                EntityId::new(value)
                    .map_err(|_| Refusal::InvalidRequest("trust_anchor is not an entity identifier"))
            })
            .collect::<Result<_, _>>()?;
        match anchors.len() {
            0 => Err(Refusal::InvalidRequest("trust_anchor is missing")),
            1..=MAX_ANCHORS => Ok(anchors),
            _ => Err(Refusal::InvalidRequest("too many trust anchors")),
        }
    }

    fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}
