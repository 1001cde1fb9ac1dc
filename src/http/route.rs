//! The route of outgoing requests: source address, proxy, certificate authorities.

use std::net::IpAddr;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::error::GuardError;

/// An HTTP proxy (`CONNECT`, RFC 9110 §9.3.6). It resolves the target names itself, so the address policy cannot check
/// them.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    /// Its address, `http://host:port` or `https://host:port`.
    pub(crate) url: Url,
    /// User name and password, if it demands them.
    pub(crate) credentials: Option<(String, SecretString)>,
    /// Hosts that bypass it; a leading dot matches all subdomains.
    pub(crate) except: Vec<String>,
}

/// The route of outgoing requests. Default: any source address, no proxy, the system's certificate authorities, no
/// certificate of its own.
#[derive(Debug, Clone, Default)]
pub struct Route {
    /// Source address; chosen by the system when absent.
    pub(crate) local_address: Option<IpAddr>,
    /// The proxy for all requests.
    pub(crate) proxy: Option<Proxy>,
    /// Certificate authorities that are trusted in addition to the system's, PEM.
    pub(crate) ca_pem: Option<Vec<u8>>,
    /// The certificate that this node shows to servers that demand one, and its key, PEM.
    pub(crate) identity_pem: Option<SecretString>,
}

impl Route {
    /// Configures a client builder for this route. Proxy variables of the environment are not read.
    ///
    /// # Errors
    /// [`GuardError::Malformed`] when the proxy's address or the certificates cannot be used.
    pub fn apply(&self, builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, GuardError> {
        let malformed = |_| GuardError::Malformed;
        let mut builder = builder.no_proxy().local_address(self.local_address);
        if let Some(proxy) = &self.proxy {
            let except = reqwest::NoProxy::from_string(&proxy.except.join(","));
            let mut configured = reqwest::Proxy::all(proxy.url.clone()).map_err(malformed)?.no_proxy(except);
            if let Some((user, password)) = &proxy.credentials {
                configured = configured.basic_auth(user, password.expose_secret());
            }
            builder = builder.proxy(configured);
        }
        if let Some(pem) = &self.ca_pem {
            builder = builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(pem).map_err(malformed)?);
        }
        if let Some(pem) = &self.identity_pem {
            let identity = reqwest::Identity::from_pem(pem.expose_secret().as_bytes()).map_err(malformed)?;
            builder = builder.identity(identity);
        }
        Ok(builder)
    }

    /// The address of the proxy, for messages.
    pub(crate) fn proxy_origin(&self) -> Option<String> {
        self.proxy.as_ref().map(|proxy| proxy.url.origin().ascii_serialization())
    }

    /// The host of the proxy, where it is a name.
    pub(crate) fn proxy_host(&self) -> Option<String> {
        self.proxy.as_ref().and_then(|proxy| proxy.url.domain()).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests;
