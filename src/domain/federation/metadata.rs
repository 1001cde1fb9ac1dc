//! Metadata of a chain's leaf, strictly parsed into what a node uses (OpenID Federation 1.0 §5).

use serde_json::{Map, Value};
use url::Url;

use super::endpoint::same_origin_endpoint;
use super::names::is_proper_name;
use super::resolved_metadata::CLIENT_TYPES;
use super::{
    AuthorizationServer, Client, EntityStatement, HeldMark, Resource, Role, TrustError, TrustFault,
    TrustedPeer, VerifiedChain,
};
use crate::domain::catalogue::{Language, Text};
use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;
use crate::domain::jose::PublicKeys;

type Members = Map<String, Value>;

/// The metadata of one type, with its entity.
struct Typed<'a> {
    id: &'a EntityId,
    members: &'a Members,
}

impl TrustedPeer {
    /// The subject of a verified chain as a peer, with the roles of these marks. Marks of other subjects have no
    /// effect. Its display name is the one that its superior set; a name of its own is unchecked, and its host is shown
    /// in its place.
    ///
    /// # Errors
    /// [`TrustError::NotTrusted`] when its metadata lacks what a node needs.
    pub(crate) fn from_chain(chain: &VerifiedChain, marks: Vec<HeldMark>) -> Result<Self, TrustError> {
        trusted_peer(chain, marks)
    }
}

fn trusted_peer(chain: &VerifiedChain, marks: Vec<HeldMark>) -> Result<TrustedPeer, TrustError> {
    let id = chain.subject();
    let typed = |kind: &str| match chain.metadata().get(kind) {
        None => Ok(None),
        Some(Value::Object(members)) => Ok(Some(Typed { id, members })),
        Some(_) => Err(TrustError::NotTrusted(TrustFault::MalformedMetadata)),
    };
    let name = typed("federation_entity")?
        .and_then(|entity| entity.name())
        .ok_or(TrustError::NotTrusted(TrustFault::NoOrganizationName))?;
    let name = if chain.is_named_by_superior() { name } else { Text::same(id.host()) };
    let mut client = None;
    for kind in CLIENT_TYPES {
        let found = typed(kind)?;
        if client.is_none() {
            client = found.map(|typed| typed.client()).transpose()?;
        }
    }
    let marks: Vec<HeldMark> = marks.into_iter().filter(|held| is_own(held, chain)).collect();
    let ends = marks.iter().filter_map(|held| held.mark().exp).map(Timestamp::from_secs);
    Ok(TrustedPeer {
        name,
        expires_at: ends.fold(chain.expires_at(), Timestamp::min),
        issued_at: chain.issued_at(),
        anchor: chain.anchor().clone(),
        superiors: chain.superiors().to_vec(),
        federation_keys: chain.keys_of(id).cloned().unwrap_or_default(),
        statements: chain.statements().to_vec(),
        roles: marks.iter().map(HeldMark::role).collect(),
        authorization_server: typed("oauth_authorization_server")?
            .map(|typed| typed.authorization_server())
            .transpose()?,
        resource: typed("oauth_resource")?.map(|typed| typed.resource()).transpose()?,
        client,
        id: id.clone(),
        marks,
    })
}

/// The entity's name in its own statement.
pub(super) fn organization_name(statement: &EntityStatement) -> Option<Text> {
    let members = statement.metadata.as_ref()?.get("federation_entity")?.as_object()?;
    Typed { id: &statement.sub, members }.name()
}

/// Whether a mark is this subject's, in the federation of its chain's anchor.
fn is_own(held: &HeldMark, chain: &VerifiedChain) -> bool {
    held.mark().sub == *chain.subject()
        && Role::of_mark(&held.mark().trust_mark_type, chain.anchor()) == Some(held.role())
}

impl Typed<'_> {
    /// `organization_name` with its translations (OpenID Federation 1.0 §5.2.2).
    fn name(&self) -> Option<Text> {
        let proper = |name: &&str| is_proper_name(name);
        let plain = self.text("organization_name").filter(proper)?;
        let of = |language: Language| {
            let tagged = self.text(&format!("organization_name#{}", language.tag()));
            tagged.filter(proper).unwrap_or(plain).to_owned()
        };
        Some(Text { fi: of(Language::Fi), sv: of(Language::Sv), en: of(Language::En) })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }

    /// An endpoint, which must have the entity's own origin.
    fn endpoint(&self, name: &str) -> Result<Option<Url>, TrustError> {
        same_origin_endpoint(self.id, self.members, name).map_err(TrustError::NotTrusted)
    }

    fn required_endpoint(&self, name: &str) -> Result<Url, TrustError> {
        self.endpoint(name)?.ok_or(TrustError::NotTrusted(TrustFault::NoEndpoint))
    }

    fn keys(&self, name: &str) -> Result<Option<PublicKeys>, TrustError> {
        match self.members.get(name).map(PublicKeys::from_jwks) {
            None => Ok(None),
            Some(Ok(keys)) if !keys.is_empty() => Ok(Some(keys)),
            Some(_) => Err(TrustError::NotTrusted(TrustFault::MalformedKeySet)),
        }
    }

    fn required_keys(&self) -> Result<PublicKeys, TrustError> {
        self.keys("jwks")?.ok_or(TrustError::NotTrusted(TrustFault::NoKeys))
    }

    fn authorization_server(&self) -> Result<AuthorizationServer, TrustError> {
        if self.text("issuer") != Some(self.id.as_str()) {
            return Err(TrustError::NotTrusted(TrustFault::IssuerNotEntity));
        }
        // Not used, and refused all the same when it is at another origin.
        self.endpoint("revocation_endpoint")?;
        Ok(AuthorizationServer {
            authorization_endpoint: self.required_endpoint("authorization_endpoint")?,
            pushed_authorization_request_endpoint: self
                .required_endpoint("pushed_authorization_request_endpoint")?,
            token_endpoint: self.required_endpoint("token_endpoint")?,
            grant_management_endpoint: self.endpoint("grant_management_endpoint")?,
            token_keys: self.required_keys()?,
        })
    }

    fn resource(&self) -> Result<Resource, TrustError> {
        if self.text("resource") != Some(self.id.as_str()) {
            return Err(TrustError::NotTrusted(TrustFault::ResourceNotEntity));
        }
        Ok(Resource {
            resource: self.id.as_str().to_owned(),
            receipt_keys: self.required_keys()?,
            events_endpoint: self.endpoint("omadata_events_endpoint")?,
            former_keys_endpoint: self.endpoint("omadata_former_keys_endpoint")?,
        })
    }

    fn client(&self) -> Result<Client, TrustError> {
        let method = self.members.get("token_endpoint_auth_method");
        if method.is_some_and(|method| method != "private_key_jwt") {
            return Err(TrustError::NotTrusted(TrustFault::ClientAuthentication));
        }
        let uris = self.members.get("redirect_uris").and_then(Value::as_array);
        let redirect_uris = uris
            .into_iter()
            .flatten()
            .map(|uri| uri.as_str().filter(|uri| is_redirect_uri(uri)).map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .filter(|uris| !uris.is_empty())
            .ok_or(TrustError::NotTrusted(TrustFault::NoRedirectUris))?;
        let client_keys = self.required_keys()?;
        Ok(Client {
            redirect_uris,
            receipt_keys: self.keys("omadata_receipt_jwks")?.unwrap_or_else(|| client_keys.clone()),
            client_keys,
            events_endpoint: self.endpoint("omadata_events_endpoint")?,
        })
    }
}

/// An absolute web address without fragment (RFC 6749 §3.1.2).
fn is_redirect_uri(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "https" | "http") && url.has_host() && url.fragment().is_none()
    })
}
