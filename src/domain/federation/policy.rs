//! Metadata policy: superiors' rules for the metadata of all entities below them (OpenID Federation 1.0 §6.1).
//!
//! [`MetadataPolicy::parse`] parses one statement's policy, [`MetadataPolicy::merge`] combines those of a superior and
//! of the one below, [`MetadataPolicy::apply`] changes and checks metadata. Every policy error of the standard refuses
//! the chain. Lists are sets: neither order nor repetition matters in comparisons.
//! error refuses the chain. Lists are sets: neither their order nor repetition matters when they are compared.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{TrustError, TrustFault};

/// Maximum number of values of one operator: comparing lists costs the product of their lengths.
const MAX_VALUES: usize = 256;

/// Maximum number of values of a metadata parameter that an operator works on.
const MAX_METADATA_VALUES: usize = 1024;

/// The one parameter that is a space-separated set (RFC 7591 §2, §6.1.3.1.8).
const SCOPE: &str = "scope";

/// Rules by entity type and by name of the metadata parameter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetadataPolicy(BTreeMap<String, BTreeMap<String, ParameterPolicy>>);

/// The operators for one metadata parameter.
#[derive(Debug, Clone, Default, PartialEq)]
struct ParameterPolicy {
    /// The parameter gets this value; `null` removes it.
    value: Option<Value>,
    /// The parameter gets these values too.
    add: Option<Vec<Value>>,
    /// The parameter gets this value when it is absent.
    default: Option<Value>,
    /// The parameter must be one of these.
    one_of: Option<Vec<Value>>,
    /// The parameter keeps of its values only these.
    subset_of: Option<Vec<Value>>,
    /// The parameter must have all of these.
    superset_of: Option<Vec<Value>>,
    /// Whether the parameter must be there.
    essential: Option<bool>,
}

type Outcome<T> = Result<T, TrustError>;

fn refuse<T>(fault: TrustFault) -> Outcome<T> {
    Err(TrustError::NotTrusted(fault))
}

impl MetadataPolicy {
    /// Parses the claim `metadata_policy` and checks that its operators may be combined. Unknown operators are ignored,
    /// as in §6.1.3.2; critical ones are checked with the statement.
    ///
    /// # Errors
    /// [`TrustError::NotTrusted`] for a policy error.
    pub fn parse(claim: &Map<String, Value>) -> Result<Self, TrustError> {
        let mut kinds = BTreeMap::new();
        for (kind, parameters) in claim {
            let Value::Object(parameters) = parameters else {
                return refuse(TrustFault::MalformedPolicy);
            };
            let mut rules = BTreeMap::new();
            for (name, operators) in parameters {
                let Value::Object(operators) = operators else {
                    return refuse(TrustFault::MalformedPolicy);
                };
                let policy = ParameterPolicy::parse(name, operators)?;
                policy.check()?;
                rules.insert(name.clone(), policy);
            }
            kinds.insert(kind.clone(), rules);
        }
        Ok(Self(kinds))
    }

    /// These rules merged with those of an entity further down (§6.1.4.1): never less strict than either.
    ///
    /// # Errors
    /// [`TrustError::NotTrusted`] when the two cannot be combined.
    pub fn merge(&self, subordinate: &Self) -> Result<Self, TrustError> {
        let mut merged = self.clone();
        for (kind, parameters) in &subordinate.0 {
            let rules = merged.0.entry(kind.clone()).or_default();
            for (name, policy) in parameters {
                let joined = match rules.get(name) {
                    None => policy.clone(),
                    Some(superior) => superior.merge(policy)?,
                };
                joined.check()?;
                rules.insert(name.clone(), joined);
            }
        }
        Ok(merged)
    }

    /// Applies the rules for one entity type to another type too, as strict as both.
    ///
    /// # Errors
    /// [`TrustError::NotTrusted`] when the two cannot be combined.
    pub(crate) fn extended(&self, from: &str, to: &str) -> Result<Self, TrustError> {
        let Some(rules) = self.0.get(from) else { return Ok(self.clone()) };
        self.merge(&Self(BTreeMap::from([(to.to_owned(), rules.clone())])))
    }

    /// Whether these rules set a parameter's value, whatever the entity claims.
    #[must_use]
    pub(crate) fn sets_value(&self, kind: &str, name: &str) -> bool {
        self.0.get(kind).and_then(|rules| rules.get(name)).is_some_and(|rules| rules.value.is_some())
    }

    /// Changes and checks metadata by these rules (§6.1.4.2). Rules for other entity types have no effect.
    ///
    /// # Errors
    /// [`TrustError::NotTrusted`] when the metadata violates them.
    pub fn apply(&self, metadata: &mut Map<String, Value>) -> Result<(), TrustError> {
        for (kind, parameters) in &self.0 {
            let Some(members) = metadata.get_mut(kind) else { continue };
            let Value::Object(members) = members else {
                return refuse(TrustFault::MalformedMetadata);
            };
            for (name, policy) in parameters {
                // A name set by a superior must not be contradicted by a translation of it (§5.2.2).
                if policy.settles() {
                    members.retain(|other, _| {
                        let of = other.split_once('#').map(|(base, _)| base);
                        of != Some(name.as_str()) || parameters.contains_key(other)
                    });
                }
                let before = members.remove(name).map(|value| to_set(name, value)).transpose()?;
                if let Some(after) = policy.apply(before)? {
                    members.insert(name.clone(), to_metadata(name, after)?);
                }
            }
        }
        Ok(())
    }
}

impl ParameterPolicy {
    fn parse(name: &str, operators: &Map<String, Value>) -> Outcome<Self> {
        let mut policy = Self::default();
        for (operator, value) in operators {
            match operator.as_str() {
                "value" => policy.value = Some(assigned(name, value, true)?),
                "add" => policy.add = Some(values(name, value)?),
                "default" => policy.default = Some(assigned(name, value, false)?),
                "one_of" => policy.one_of = Some(choices(name, value)?),
                "subset_of" => policy.subset_of = Some(values(name, value)?),
                "superset_of" => policy.superset_of = Some(values(name, value)?),
                "essential" => match value {
                    Value::Bool(essential) => policy.essential = Some(*essential),
                    _ => return refuse(TrustFault::PolicyOperatorValue),
                },
                _ => {}
            }
        }
        Ok(policy)
    }

    /// Whether it sets the parameter's value.
    const fn settles(&self) -> bool {
        self.value.is_some() || self.one_of.is_some() || self.subset_of.is_some()
    }

    /// Which operators may be combined, and under which condition (§6.1.3.1).
    fn check(&self) -> Outcome<()> {
        let lists = [&self.add, &self.subset_of, &self.superset_of];
        if self.one_of.is_some() && lists.iter().any(|list| list.is_some()) {
            return refuse(TrustFault::PolicyOperators);
        }
        if let Some(value) = &self.value {
            self.check_value(value)?;
        }
        let fits = match (&self.add, &self.subset_of, &self.superset_of) {
            (Some(add), Some(subset_of), _) if !is_subset(add, subset_of) => false,
            (_, Some(subset_of), Some(superset_of)) => is_subset(superset_of, subset_of),
            _ => true,
        };
        if fits { Ok(()) } else { refuse(TrustFault::PolicyOperators) }
    }

    /// Operators beside `value` must be fulfilled by it.
    fn check_value(&self, value: &Value) -> Outcome<()> {
        let removed_but_wanted = value.is_null() && (self.default.is_some() || self.essential == Some(true));
        let chosen = self.one_of.as_ref().is_none_or(|choices| contains(choices, value));
        let listed = |fits: fn(&[Value], &[Value]) -> bool, list: &Option<Vec<Value>>| match (list, value) {
            (None, _) => true,
            (Some(list), Value::Array(own)) => fits(list, own),
            (Some(_), _) => false,
        };
        let fits = !removed_but_wanted
            && chosen
            && listed(is_subset, &self.add)
            && listed(|list, own| is_subset(own, list), &self.subset_of)
            && listed(is_subset, &self.superset_of);
        if fits { Ok(()) } else { refuse(TrustFault::PolicyOperators) }
    }

    fn merge(&self, subordinate: &Self) -> Outcome<Self> {
        Ok(Self {
            value: either(&self.value, &subordinate.value, equal)?,
            add: either(&self.add, &subordinate.add, |one, other| Ok(union(one, other)))?,
            default: either(&self.default, &subordinate.default, equal)?,
            one_of: either(&self.one_of, &subordinate.one_of, |one, other| match intersection(one, other) {
                none if none.is_empty() => refuse(TrustFault::PolicyConflict),
                some => Ok(some),
            })?,
            subset_of: either(&self.subset_of, &subordinate.subset_of, |one, other| {
                Ok(intersection(one, other))
            })?,
            superset_of: either(&self.superset_of, &subordinate.superset_of, |one, other| {
                Ok(union(one, other))
            })?,
            essential: either(&self.essential, &subordinate.essential, |one, other| Ok(*one || *other))?,
        })
    }

    /// All operators on one parameter, in the standard's order; `None` is an absent parameter.
    fn apply(&self, mut parameter: Option<Value>) -> Outcome<Option<Value>> {
        if let Some(value) = &self.value {
            parameter = Some(value.clone()).filter(|value| !value.is_null());
        }
        if let Some(add) = &self.add {
            let own = parameter.map(into_list).transpose()?.unwrap_or_default();
            parameter = Some(Value::Array(union(&own, add)));
        }
        let Some(parameter) = parameter.or_else(|| self.default.clone()) else {
            return if self.essential == Some(true) { refuse(TrustFault::PolicyEssential) } else { Ok(None) };
        };
        if self.one_of.as_ref().is_some_and(|choices| !contains(choices, &parameter)) {
            return refuse(TrustFault::PolicyValue);
        }
        if self.subset_of.is_none() && self.superset_of.is_none() {
            return Ok(Some(parameter));
        }
        let mut list = into_list(parameter)?;
        if let Some(subset_of) = &self.subset_of {
            list = intersection(&list, subset_of);
        }
        if self.superset_of.as_ref().is_some_and(|superset_of| !is_subset(superset_of, &list)) {
            return refuse(TrustFault::PolicySuperset);
        }
        Ok(Some(Value::Array(list)))
    }
}

/// The value of `value` or `default`.
fn assigned(name: &str, value: &Value, null_allowed: bool) -> Outcome<Value> {
    let fits = match value {
        Value::Null => null_allowed,
        Value::Array(list) => list.len() <= MAX_VALUES,
        _ => true,
    };
    if fits { to_set(name, value.clone()) } else { refuse(TrustFault::PolicyOperatorValue) }
}

/// The values of `add`, `subset_of` or `superset_of`.
fn values(name: &str, value: &Value) -> Outcome<Vec<Value>> {
    match to_set(name, value.clone())? {
        Value::Array(list) if list.len() <= MAX_VALUES && list.iter().all(is_comparable) => {
            Ok(union(&[], &list))
        }
        _ => refuse(TrustFault::PolicyOperatorValue),
    }
}

/// The values of `one_of`; at least one.
fn choices(name: &str, value: &Value) -> Outcome<Vec<Value>> {
    match value {
        Value::Array(list) if (1..=MAX_VALUES).contains(&list.len()) && list.iter().all(is_comparable) => {
            list.iter().map(|choice| to_set(name, choice.clone())).collect()
        }
        _ => refuse(TrustFault::PolicyOperatorValue),
    }
}

/// Strings, and the optional types of the standard: numbers and objects.
const fn is_comparable(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Number(_) | Value::Object(_))
}

/// `scope` as the list that it is; every other parameter unchanged.
fn to_set(name: &str, value: Value) -> Outcome<Value> {
    match (name, value) {
        (SCOPE, Value::String(words)) => {
            let words: Vec<Value> =
                words.split(' ').filter(|word| !word.is_empty()).map(Value::from).collect();
            Ok(Value::Array(words))
        }
        (SCOPE, Value::Number(_) | Value::Bool(_) | Value::Object(_)) => {
            refuse(TrustFault::PolicyInapplicable)
        }
        (_, value) => Ok(value),
    }
}

/// The reverse of [`to_set`].
fn to_metadata(name: &str, value: Value) -> Outcome<Value> {
    let (SCOPE, Value::Array(words)) = (name, &value) else { return Ok(value) };
    let words: Option<Vec<&str>> = words.iter().map(Value::as_str).collect();
    match words {
        Some(words) => Ok(Value::String(words.join(" "))),
        None => refuse(TrustFault::PolicyInapplicable),
    }
}

fn into_list(value: Value) -> Outcome<Vec<Value>> {
    match value {
        Value::Array(list) if list.len() > MAX_METADATA_VALUES => refuse(TrustFault::PolicyValueCount),
        Value::Array(list) if list.iter().all(is_comparable) => Ok(list),
        _ => refuse(TrustFault::PolicyInapplicable),
    }
}

/// Merges one operator of two policies, either of which may lack it.
fn either<T: Clone>(
    one: &Option<T>,
    other: &Option<T>,
    join: impl Fn(&T, &T) -> Outcome<T>,
) -> Outcome<Option<T>> {
    match (one, other) {
        (Some(one), Some(other)) => join(one, other).map(Some),
        (one, other) => Ok(one.as_ref().or(other.as_ref()).cloned()),
    }
}

fn equal(one: &Value, other: &Value) -> Outcome<Value> {
    if is_same(one, other) { Ok(one.clone()) } else { refuse(TrustFault::PolicyConflict) }
}

/// Whether two values are equal, with lists as sets.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => is_subset(one, other) && is_subset(other, one),
        _ => one == other,
    }
}

fn contains(list: &[Value], value: &Value) -> bool {
    list.iter().any(|member| is_same(member, value))
}

fn is_subset(list: &[Value], of: &[Value]) -> bool {
    list.iter().all(|member| contains(of, member))
}

fn union(one: &[Value], other: &[Value]) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for value in one.iter().chain(other) {
        if !contains(&all, value) {
            all.push(value.clone());
        }
    }
    all
}

fn intersection(one: &[Value], other: &[Value]) -> Vec<Value> {
    one.iter().filter(|value| contains(other, value)).cloned().collect()
}
