//! The node's HTTP interface. A handler parses a request, calls one use case and writes the response.

mod access;
pub(crate) mod api;
pub(crate) mod client_address;
pub(crate) mod connections;
pub(crate) mod events;
pub(crate) mod exchange;
pub(crate) mod extract;
pub mod federation;
pub(crate) mod health;
pub(crate) mod html;
pub(crate) mod made_once;
mod negotiate;
pub(crate) mod oauth;
pub(crate) mod own_routes;
pub(crate) mod portal;
pub(crate) mod problem;
mod public_document;
pub(crate) mod representation;
mod routes;
pub mod server;
pub(crate) mod session;
pub(crate) mod trace;

use std::sync::Arc;

pub use client_address::TrustedProxies;

use crate::domain::catalogue::{Contact, Text};
use crate::node::Node;
use crate::ports::StopSignal;
use html::assets::{CSS, city_css};
use made_once::MadeOnce;
use representation::Representation;

/// The shared data of the handlers.
pub(crate) struct App {
    /// The use cases' context.
    pub(crate) node: Arc<Node>,
    /// Set when the process stops: then it is not ready for further requests.
    pub(crate) stop: StopSignal,
    /// Names and attributes of the cookies.
    pub(crate) cookies: Cookies,
    /// The reverse proxies whose word on where a request comes from counts.
    pub(crate) trusted_proxies: TrustedProxies,
    /// The city's look.
    pub(crate) brand: Brand,
    /// Whether this is a demonstration with made-up people.
    pub(crate) demo: bool,
    /// The catalogue's pages and documents.
    pub(crate) catalogue: MadeOnce,
}

/// The portal's branding and contacts.
pub(crate) struct Brand {
    /// What the portal is called.
    pub(crate) name: Text,
    /// The city's own stylesheet.
    pub(crate) css: Representation,
    /// The city's logo.
    pub(crate) logo: Option<Representation>,
    /// The contact for residents.
    pub(crate) contact: Contact,
}

impl Brand {
    /// The branding from the configured name and main colour (`#rrggbb`), and the logo's media type and bytes.
    ///
    /// # Errors
    /// [`html::assets::ColourError`].
    pub(crate) fn new(
        name: Text,
        colour: &str,
        logo: Option<(&'static str, Vec<u8>)>,
        contact: Contact,
    ) -> Result<Self, html::assets::ColourError> {
        let css = Representation::new(CSS, city_css(colour)?);
        let logo = logo.map(|(media_type, bytes)| Representation::new(media_type, bytes));
        Ok(Self { name, css, logo, contact })
    }
}

/// Names and attributes of the cookies: `__Host-` and `Secure` if the node is reached over https.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cookies {
    /// Whether the node is reached over https.
    pub(crate) secure: bool,
}

impl Cookies {
    /// The cookie of the portal's session.
    #[must_use]
    pub(crate) const fn session_name(self) -> &'static str {
        if self.secure { "__Host-omadata" } else { "omadata" }
    }

    /// The cookie that binds a service's request to the browser that started it.
    #[must_use]
    pub(crate) const fn binding_name(self) -> &'static str {
        if self.secure { "__Host-omadata-request" } else { "omadata-request" }
    }
}
