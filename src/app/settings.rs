//! Converts the checked configuration to the settings of each part.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use ipnet::IpNet;
use secrecy::ExposeSecret;

use super::StartError;
use crate::config::{self, AnchorConfig, Config, KnownEntity, MIN_SECRET_CHARS, Outbound, Profile};
use crate::domain::catalogue::Levels;
use crate::domain::clock::Timestamp;
use crate::domain::federation::{Expiry, ExpiryKind, TrustMark, TrustMarkEntry};
use crate::domain::ids::EntityId;
use crate::domain::jose::{LoginKey, PublicKeys, parse_strict_json, sha256};
use crate::domain::token::TokenPolicy;
use crate::domain::uses::tracker::Tracker;
use crate::http::{AddressPolicy, GuardedClient, Proxy, Route};
use crate::node::{
    KeyPolicy, KeyPurpose, KeyRing, Limits, LoginKeyPolicy, Quotas, Retention, Service, Settings,
};
use crate::outbound::AnchorSource;
use crate::outbound::openid::{
    AssuranceRequest, ClientAuthentication, ClientKey, ClientKeySource, MessageProtection, OpenIdProvider,
    OpenIdSettings, ProviderNetwork,
};
use crate::ports::{Clock, Entropy, random};

/// The key policy from `[keys]`.
pub(crate) fn key_policy(keys: &config::Keys) -> KeyPolicy {
    let days = &keys.rotate_days;
    KeyPolicy {
        lead_secs: keys.lead_seconds.map_or_else(|| KeyPolicy::default().lead_secs, i64::from),
        overlap_secs: keys.overlap_seconds.into(),
        rotate_days: KeyPurpose::ALL.map(|purpose| match purpose {
            KeyPurpose::Federation => days.federation,
            KeyPurpose::Token => days.token,
            KeyPurpose::Receipt => days.receipt,
            KeyPurpose::Client => days.client,
            KeyPurpose::Dpop => days.dpop,
            KeyPurpose::LoginSigning | KeyPurpose::LoginRsaDecryption | KeyPurpose::LoginEcDecryption => {
                days.login
            }
        }),
        login: LoginKeyPolicy::default(),
    }
}

/// The key policy of a node: as [`key_policy`], with the keys for its login provider.
pub(crate) fn node_key_policy(config: &Config) -> KeyPolicy {
    let login = &config.login;
    KeyPolicy {
        login: LoginKeyPolicy {
            rsa_signing: login.signing_algorithm == config::SigningAlgorithm::Rs256,
            decryption: login.encrypted_responses,
        },
        ..key_policy(&config.keys)
    }
}

/// The city's logo, read once at start.
pub(crate) fn logo(brand: &config::Brand) -> Result<Option<(&'static str, Vec<u8>)>, StartError> {
    let Some(path) = &brand.logo else { return Ok(None) };
    let svg = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("svg"));
    let bytes = std::fs::read(path).map_err(StartError::of_file(path))?;
    Ok(Some((if svg { "image/svg+xml" } else { "image/png" }, bytes)))
}

/// The address policy and the route for requests to other members.
pub(crate) fn guarded_client(
    profile: Profile,
    private_networks: &[IpNet],
    route: &Route,
) -> Result<GuardedClient, StartError> {
    let policy = match profile {
        Profile::Demo => AddressPolicy::Demo,
        Profile::Production => AddressPolicy::production(private_networks),
    };
    if let AddressPolicy::Allowed(networks) = &policy {
        let networks = networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        tracing::warn!(
            event = "private_networks_allowed",
            networks,
            "members may have addresses in these private networks: [federation] private_networks is for staging"
        );
    }
    Ok(GuardedClient::over(policy, route)?)
}

/// A node's HTTP client for other members.
pub(crate) fn node_client(config: &Config) -> Result<GuardedClient, StartError> {
    let route = route(&config.outbound, config.node.outbound_address)?;
    guarded_client(config.node.profile, &config.federation.private_networks, &route)
}

/// An anchor's HTTP client for members and superiors.
pub(crate) fn anchor_client(config: &AnchorConfig) -> Result<GuardedClient, StartError> {
    guarded_client(config.anchor.profile, &config.private_networks, &route(&config.outbound, None)?)
}

/// The route of outgoing requests, with certificates and proxy credentials read from their files.
pub(crate) fn route(outbound: &Outbound, local_address: Option<IpAddr>) -> Result<Route, StartError> {
    let proxy = match &outbound.proxy {
        Some(proxy) => Some(Proxy {
            url: proxy.url.clone(),
            credentials: proxy.credentials()?,
            except: proxy.except.clone(),
        }),
        None => None,
    };
    let read_ca = |path: &PathBuf| std::fs::read(path).map_err(StartError::of_file(path));
    let ca_pem = outbound.ca_file.as_ref().map(read_ca).transpose()?;
    Ok(Route { local_address, proxy, ca_pem, identity_pem: None })
}

pub(crate) fn anchor_source(known: &KnownEntity) -> Result<AnchorSource, StartError> {
    Ok(AnchorSource { id: known.entity_id.clone(), keys: read_jwks(known)? })
}

pub(crate) fn read_jwks(known: &KnownEntity) -> Result<Option<PublicKeys>, StartError> {
    let Some(path) = &known.jwks_file else { return Ok(None) };
    let unfit = || StartError::Jwks(path.display().to_string());
    let bytes = std::fs::read(path).map_err(StartError::of_file(path))?;
    let jwks = parse_strict_json(&bytes).map_err(|_| unfit())?;
    PublicKeys::from_jwks(&jwks).map(Some).map_err(|_| unfit())
}

/// The trust marks in the operator's files, which must be issued to this node. Whoever reads them verifies them.
fn read_trust_marks(config: &Config) -> Result<Vec<TrustMarkEntry>, StartError> {
    let read = |path: &std::path::PathBuf| {
        let unfit = || StartError::TrustMark(path.display().to_string());
        let text = std::fs::read_to_string(path).map_err(StartError::of_file(path))?;
        let claimed = TrustMark::claimed(text.trim()).map_err(|_| unfit())?;
        if claimed.sub != config.node.base_url {
            return Err(unfit());
        }
        let trust_mark = text.trim().to_owned();
        Ok(TrustMarkEntry { trust_mark_type: claimed.trust_mark_type, trust_mark })
    };
    config.federation.trust_mark_files.iter().map(read).collect()
}

pub(crate) fn settings(
    config: &Config,
    authority_hints: Vec<EntityId>,
    trust_anchors: Vec<EntityId>,
    entropy: &dyn Entropy,
) -> Result<Settings, StartError> {
    let mut services = Vec::new();
    for service in &config.services {
        let mut secret_hashes = Vec::new();
        for file in std::iter::once(&service.client_secret).chain(&service.next_client_secret) {
            let secret = file.read(|| random(entropy))?;
            if secret.expose_secret().chars().count() < MIN_SECRET_CHARS {
                let path = file.path().display().to_string();
                let service = service.id.to_string();
                return Err(StartError::ShortSecret { service, path, least: MIN_SECRET_CHARS });
            }
            secret_hashes.push(sha256(secret.expose_secret().as_bytes()));
        }
        services.push(Service {
            id: service.id.clone(),
            secret_hashes,
            return_url_prefixes: service.return_url_prefixes.clone(),
        });
    }
    let limits = &config.limits;
    Ok(Settings {
        id: config.node.base_url.clone(),
        name: config.node.city.clone(),
        contact: config.contact.clone(),
        data_protection_officer: config.data_protection_officer.clone(),
        authority_hints,
        trust_anchors,
        trust_marks: read_trust_marks(config)?,
        anchor_keys: anchor_key_expiries(&config.trust_anchors)?,
        login_client_id: config.login.client_id.clone(),
        levels: Levels::new(config.login.acr_values.clone()),
        datasets: config.datasets.iter().map(|held| held.dataset.clone()).collect(),
        uses: config.uses.clone(),
        processing: config.processing.clone(),
        hiding: config.hiding.clone(),
        trackers: config
            .data_trackers
            .iter()
            .map(|tracker| Tracker { id: tracker.id.clone(), title: tracker.title.clone() })
            .collect(),
        services,
        token_policy: TokenPolicy {
            holder: config.node.base_url.clone(),
            max_lifetime_secs: limits.token_max_seconds.into(),
        },
        limits: Limits {
            consent_max_days: limits.consent_max_days,
            request_uri_secs: limits.request_max_seconds.into(),
            decision_secs: limits.decision_max_seconds.into(),
            code_secs: limits.code_max_seconds.into(),
            pre_authorized_secs: limits.pre_authorized_code_max_seconds.into(),
            service_token_secs: limits.service_token_seconds.into(),
            status_list_secs: limits.status_list_seconds.into(),
            // No older than this node's own chain may be when others fetch it.
            trust_mark_refresh_secs: u64::from(config.federation.chain_age_seconds / 2).max(1),
            entity_configuration_secs: limits.entity_configuration_seconds.into(),
            proof_secs: limits.dpop_proof_max_seconds.into(),
            demand_dpop_nonce: limits.dpop_nonce,
            session_idle_secs: limits.session_idle_seconds.into(),
            session_max_secs: limits.session_max_seconds.into(),
            quotas: Quotas {
                given_per_hour: limits.given_per_hour,
                pushed_open: limits.pushed_open,
                pushed_open_per_person: limits.pushed_open_per_person,
                service_open: limits.service_open,
                resident_open: limits.resident_open,
            },
        },
        retention: Retention {
            consents_secs: config.retention.ended_consents_secs(),
            requests_secs: config.retention.requests_secs(),
        },
    })
}

pub(crate) fn identity_provider(
    config: &Config,
    keys: &KeyRing,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<OpenIdProvider, StartError> {
    let login = &config.login;
    let authentication = match &login.authentication {
        config::ClientAuthentication::Secret(file) => {
            ClientAuthentication::SecretBasic(file.read(|| random(&**entropy))?)
        }
        config::ClientAuthentication::PrivateKeyJwt => {
            ClientAuthentication::PrivateKeyJwt(Arc::new(RingKeys {
                ring: keys.clone(),
                rsa: login.signing_algorithm == config::SigningAlgorithm::Rs256,
                clock: Arc::clone(clock),
            }))
        }
    };
    let redirect = format!("{}/login/callback", config.node.base_url);
    let scopes = login.scopes.iter().filter(|scope| *scope != "openid").cloned().collect();
    let settings = OpenIdSettings {
        issuer: login.issuer.clone(),
        client_id: login.client_id.clone(),
        authentication,
        identifier_claim: login.identifier_claim.clone(),
        scopes,
        redirect_url: url::Url::parse(&redirect).map_err(|_| StartError::Jwks(redirect.clone()))?,
        network: match config.node.profile {
            Profile::Demo => ProviderNetwork::Demo,
            Profile::Production => ProviderNetwork::Production,
        },
        assurance_request: match login.assurance_request {
            config::AssuranceRequest::Claims => AssuranceRequest::EssentialClaim,
            config::AssuranceRequest::AcrValues => AssuranceRequest::AcrValues,
        },
        messages: MessageProtection {
            signed_requests: login.signed_requests,
            encrypted_responses: login.encrypted_responses,
        },
    };
    // The provider belongs to the city: the source address for requests to members does not apply to it.
    let route = route(&config.outbound, None)?;
    Ok(OpenIdProvider::over(settings, &route, Arc::clone(clock), Arc::clone(entropy))?)
}

/// The key ring, for the login client.
struct RingKeys {
    ring: KeyRing,
    rsa: bool,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl ClientKeySource for RingKeys {
    async fn active_client_key(&self) -> Option<ClientKey> {
        if self.rsa {
            return self.ring.login_signing_key().map(ClientKey::Rsa);
        }
        self.ring.active(KeyPurpose::Client).ok().map(ClientKey::Curve)
    }

    async fn decryption_keys(&self) -> Vec<LoginKey> {
        self.ring.decryption_keys(self.clock.now())
    }
}

/// The configured anchor keys that expire: JWKs with `exp`, as in a history of keys.
pub(crate) fn anchor_key_expiries(anchors: &[KnownEntity]) -> Result<Vec<Expiry>, StartError> {
    let mut expiries = Vec::new();
    for anchor in anchors {
        let Some(path) = &anchor.jwks_file else { continue };
        let jwks = parse_strict_json(&std::fs::read(path).map_err(StartError::of_file(path))?)
            .map_err(|_| StartError::Jwks(path.display().to_string()))?;
        for jwk in jwks.get("keys").and_then(serde_json::Value::as_array).into_iter().flatten() {
            let time =
                |name: &str| jwk.get(name).and_then(serde_json::Value::as_i64).map(Timestamp::from_secs);
            let Some(ends_at) = time("exp") else { continue };
            let kid = jwk.get("kid").and_then(serde_json::Value::as_str).unwrap_or("without kid");
            expiries.push(Expiry {
                kind: ExpiryKind::AnchorKey,
                name: format!("{kid} of {}", anchor.entity_id),
                // Without a start it counts as long-lived: every warning threshold applies.
                since: time("iat").unwrap_or(Timestamp::from_secs(0)),
                ends_at,
            });
        }
    }
    Ok(expiries)
}
