//! Published metadata of a node and an anchor (OpenID Federation 1.0 §5, RFC 8414, RFC 9728, RFC 7591).

use serde_json::{Map, Value, json};

use super::{EntityIds, EntityStatement};
use crate::domain::catalogue::{Language, Text};
use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;
use crate::domain::jose::{Algorithm, PublicKeys};

/// Signature algorithms that a node accepts, Ed25519 under both of its names.
const ALGORITHMS: [&str; 3] = Algorithm::NAMES;

/// The `type` of this product's `authorization_details` (RFC 9396).
const DETAILS_TYPE: &str = "omadata_dataset";

/// Content of a node's metadata.
#[derive(Debug, Clone)]
pub struct NodeDescription {
    /// Its entity identifier and base URL.
    pub id: EntityId,
    /// Display name of the organisation.
    pub name: Text,
    /// Home page of the organisation.
    pub organization_uri: Option<String>,
    /// E-mail addresses of its operator.
    pub contacts: Vec<String>,
    /// Its superiors.
    pub authority_hints: Vec<EntityId>,
    /// The trust anchors that it trusts.
    pub trust_anchors: Vec<EntityId>,
    /// The OAuth grant types of its token endpoint and its client.
    pub grant_types: Vec<String>,
    /// The levels of assurance of residents' logins, weakest first.
    pub acr_values: Vec<String>,
    /// Keys that sign its entity configuration.
    pub federation_keys: PublicKeys,
    /// Keys that sign its consent tokens and status lists.
    pub token_keys: PublicKeys,
    /// Keys that sign its receipts and events.
    pub receipt_keys: PublicKeys,
    /// Keys that sign its client assertions.
    pub client_keys: PublicKeys,
}

/// Content of a trust anchor's metadata.
#[derive(Debug, Clone)]
pub struct AnchorDescription {
    /// Its entity identifier and base URL.
    pub id: EntityId,
    /// What people call it.
    pub name: Text,
    /// E-mail addresses of its operator.
    pub contacts: Vec<String>,
    /// Keys that sign its statements.
    pub federation_keys: PublicKeys,
}

impl NodeDescription {
    /// The entity configuration as of `now`, valid for `lifetime` seconds.
    #[must_use]
    pub fn entity_configuration(&self, now: Timestamp, lifetime: i64) -> EntityStatement {
        let mut federation = federation_entity(&self.name, &self.contacts);
        let history = self.at("/federation/historical-keys");
        federation.insert("federation_historical_keys_endpoint".into(), json!(history));
        federation.insert("information_uri".into(), json!(self.at("/")));
        federation.insert("policy_uri".into(), json!(self.at("/catalogue")));
        if let Some(uri) = &self.organization_uri {
            federation.insert("organization_uri".into(), json!(uri));
        }
        let mut metadata = Map::new();
        metadata.insert("federation_entity".into(), Value::Object(federation));
        metadata.insert("oauth_authorization_server".into(), self.authorization_server());
        metadata.insert("oauth_resource".into(), self.protected_resource());
        metadata.insert("oauth_client".into(), self.client());
        EntityStatement {
            authority_hints: Some(self.authority_hints.clone().into()),
            trust_anchor_hints: Some(self.trust_anchors.clone().into())
                .filter(|hints: &EntityIds| !hints.is_empty()),
            metadata: Some(metadata),
            ..EntityStatement::new(&self.id, &self.id, &self.federation_keys, now, lifetime)
        }
    }

    /// Authorization server metadata (RFC 8414), also served at `/.well-known/oauth-authorization-server`.
    #[must_use]
    pub fn authorization_server(&self) -> Value {
        json!({
            "issuer": self.id,
            "authorization_endpoint": self.at("/oauth/authorize"),
            "pushed_authorization_request_endpoint": self.at("/oauth/par"),
            "require_pushed_authorization_requests": true,
            "token_endpoint": self.at("/oauth/token"),
            "revocation_endpoint": self.at("/oauth/revoke"),
            "introspection_endpoint": self.at("/oauth/introspect"),
            "status_list_aggregation_endpoint": self.at("/oauth/status-lists"),
            "jwks_uri": self.at("/oauth/jwks"),
            "jwks": self.token_keys.to_jwks(),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": self.grant_types,
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
            "revocation_endpoint_auth_methods_supported": ["private_key_jwt"],
            "revocation_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
            "introspection_endpoint_auth_methods_supported": ["private_key_jwt"],
            "introspection_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
            "code_challenge_methods_supported": ["S256"],
            // A refresh token ends with the permission (draft-ietf-oauth-refresh-token-expiration §7).
            "refresh_token_expiration_types_supported": ["authorization"],
            "dpop_signing_alg_values_supported": ALGORITHMS,
            "authorization_details_types_supported": [DETAILS_TYPE],
            "authorization_response_iss_parameter_supported": true,
            "scopes_supported": ["grant_management_query", "grant_management_revoke"],
            "grant_management_endpoint": self.at("/oauth/grants"),
            "grant_management_actions_supported": ["query", "revoke", "create", "merge", "replace"],
            "grant_management_action_required": false,
            "acr_values_supported": self.acr_values,
            "protected_resources": [self.id],
            "client_registration_types_supported": ["automatic"],
            "ui_locales_supported": ["fi", "sv", "en"],
            "service_documentation": self.at("/catalogue"),
        })
    }

    /// Protected resource metadata (RFC 9728), also served at `/.well-known/oauth-protected-resource`.
    #[must_use]
    pub(crate) fn protected_resource(&self) -> Value {
        let mut metadata = json!({
            "resource": self.id,
            "authorization_servers": [self.id],
            "jwks": self.receipt_keys.to_jwks(),
            "resource_signing_alg_values_supported": ALGORITHMS,
            "authorization_details_types_supported": [DETAILS_TYPE],
            "dpop_signing_alg_values_supported": ALGORITHMS,
            "dpop_bound_access_tokens_required": true,
            "omadata_events_endpoint": self.at("/events"),
            "omadata_former_keys_endpoint": self.at("/federation/former-keys"),
            "omadata_catalogue": self.at("/catalogue"),
            "resource_documentation": self.at("/catalogue"),
        });
        // RFC 9728 §2.1: a text, and its translations beside it.
        add_name(&mut metadata, "resource_name", &self.name);
        metadata
    }

    /// Client metadata (RFC 7591).
    #[must_use]
    pub fn client(&self) -> Value {
        let mut metadata = json!({
            "client_uri": self.at("/"),
            "client_registration_types": ["automatic"],
            "redirect_uris": [self.at("/oauth/callback")],
            "response_types": ["code"],
            "grant_types": self.grant_types,
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
            "dpop_bound_access_tokens": true,
            "require_pushed_authorization_requests": true,
            "authorization_details_types": [DETAILS_TYPE],
            "jwks": self.client_keys.to_jwks(),
            "omadata_receipt_jwks": self.receipt_keys.to_jwks(),
            "omadata_events_endpoint": self.at("/events"),
            "omadata_declared_uses": self.at("/catalogue/uses"),
        });
        // RFC 7591 §2.2: a text, and its translations beside it.
        add_name(&mut metadata, "client_name", &self.name);
        metadata
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.id)
    }
}

impl AnchorDescription {
    /// The entity configuration as of `now`, valid for `lifetime` seconds.
    #[must_use]
    pub fn entity_configuration(&self, now: Timestamp, lifetime: i64) -> EntityStatement {
        let mut federation = federation_entity(&self.name, &self.contacts);
        for (name, path) in [
            ("federation_fetch_endpoint", "/federation/fetch"),
            ("federation_list_endpoint", "/federation/list"),
            ("federation_resolve_endpoint", "/federation/resolve"),
            ("federation_trust_mark_endpoint", "/federation/trust-mark"),
            ("federation_trust_mark_list_endpoint", "/federation/trust-mark-list"),
            ("federation_trust_mark_status_endpoint", "/federation/trust-mark-status"),
            ("federation_historical_keys_endpoint", "/federation/historical-keys"),
        ] {
            federation.insert(name.into(), json!(format!("{}{path}", self.id)));
        }
        let mut metadata = Map::new();
        metadata.insert("federation_entity".into(), Value::Object(federation));
        EntityStatement {
            metadata: Some(metadata),
            ..EntityStatement::new(&self.id, &self.id, &self.federation_keys, now, lifetime)
        }
    }
}

/// A subordinate statement about a member with these keys, valid for `lifetime` seconds from `now`.
#[must_use]
pub fn subordinate_statement(
    superior: &EntityId,
    member: &EntityId,
    member_keys: &PublicKeys,
    now: Timestamp,
    lifetime: i64,
) -> EntityStatement {
    EntityStatement::new(superior, member, member_keys, now, lifetime)
}

/// A name in metadata: in English, and in each language under the tagged name.
pub(super) fn named(parameter: &str, name: &Text) -> impl Iterator<Item = (String, Value)> {
    let tagged =
        Language::ALL.map(|language| (format!("{parameter}#{}", language.tag()), json!(name.get(language))));
    std::iter::once((parameter.to_owned(), json!(name.en))).chain(tagged)
}

fn add_name(metadata: &mut Value, parameter: &str, name: &Text) {
    if let Some(members) = metadata.as_object_mut() {
        members.extend(named(parameter, name));
    }
}

fn federation_entity(name: &Text, contacts: &[String]) -> Map<String, Value> {
    let mut members: Map<String, Value> = named("organization_name", name).collect();
    members.extend(named("display_name", name));
    if !contacts.is_empty() {
        members.insert("contacts".into(), json!(contacts));
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::jose::SigningKey;

    fn node() -> NodeDescription {
        let keys = PublicKeys::single(SigningKey::generate().unwrap().public().clone());
        NodeDescription {
            id: EntityId::new("https://mydata.espoo.example").unwrap(),
            name: Text { fi: "Espoo".into(), sv: "Esbo".into(), en: "City of Espoo".into() },
            organization_uri: None,
            contacts: Vec::new(),
            authority_hints: Vec::new(),
            trust_anchors: Vec::new(),
            grant_types: vec!["authorization_code".into()],
            acr_values: Vec::new(),
            federation_keys: keys.clone(),
            token_keys: keys.clone(),
            receipt_keys: keys.clone(),
            client_keys: keys,
        }
    }

    #[test]
    fn every_list_of_algorithms_has_ed25519_under_both_of_its_names() {
        let node = node();
        let metadata = [node.authorization_server(), node.protected_resource()];
        let lists: Vec<(&String, &Value)> = metadata
            .iter()
            .filter_map(Value::as_object)
            .flatten()
            .filter(|(name, _)| name.ends_with("_alg_values_supported"))
            .collect();
        assert!(lists.len() >= 4, "{lists:?}");
        for (name, algorithms) in lists {
            assert_eq!(*algorithms, json!(["ES256", "EdDSA", "Ed25519"]), "{name}");
        }
    }

    #[test]
    fn names_are_texts_with_their_translations_beside_them() {
        let node = node();
        for (metadata, name) in [(node.protected_resource(), "resource_name"), (node.client(), "client_name")]
        {
            assert_eq!(metadata[name], "City of Espoo");
            for (language, text) in [("fi", "Espoo"), ("sv", "Esbo"), ("en", "City of Espoo")] {
                assert_eq!(metadata[format!("{name}#{language}")], text, "{name}#{language}");
            }
        }
    }
}
