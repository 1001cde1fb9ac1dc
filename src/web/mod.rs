//! The node's HTTP interface. A handler parses a request, calls one use case and writes the response.

mod access;
pub mod api;
pub mod client_address;
pub mod connections;
pub mod events;
pub mod exchange;
pub mod extract;
pub mod federation;
pub mod health;
pub mod html;
mod negotiate;
pub mod oauth;
pub mod portal;
pub mod problem;
mod public_document;
mod routes;
pub mod server;
pub mod session;
pub mod trace;

use std::sync::Arc;

pub use client_address::TrustedProxies;

use crate::domain::catalogue::{Contact, Text};
use crate::node::Node;
use crate::ports::StopSignal;

/// The shared data of the handlers.
pub struct App {
    /// The use cases' context.
    pub node: Arc<Node>,
    /// Set when the process stops: then it is not ready for further requests.
    pub stop: StopSignal,
    /// Names and attributes of the cookies.
    pub cookies: Cookies,
    /// The reverse proxies whose word on where a request comes from counts.
    pub trusted_proxies: TrustedProxies,
    /// The city's look.
    pub brand: Brand,
    /// Whether this is a demonstration with made-up people.
    pub demo: bool,
}

/// The portal's branding and contacts.
pub struct Brand {
    /// What the portal is called.
    pub name: Text,
    /// The city's own stylesheet.
    pub css: String,
    /// The city's logo: media type and bytes.
    pub logo: Option<(&'static str, Vec<u8>)>,
    /// The contact for residents.
    pub contact: Contact,
}

impl Brand {
    /// The branding from the configured name and main colour (`#rrggbb`).
    ///
    /// # Errors
    /// [`html::assets::ColourError`].
    pub fn new(
        name: Text,
        colour: &str,
        logo: Option<(&'static str, Vec<u8>)>,
        contact: Contact,
    ) -> Result<Self, html::assets::ColourError> {
        Ok(Self { name, css: html::assets::city_css(colour)?, logo, contact })
    }
}

/// Names and attributes of the cookies: `__Host-` and `Secure` if the node is reached over https.
#[derive(Debug, Clone, Copy)]
pub struct Cookies {
    /// Whether the node is reached over https.
    pub secure: bool,
}

impl Cookies {
    /// The cookie of the portal's session.
    #[must_use]
    pub const fn session_name(self) -> &'static str {
        if self.secure { "__Host-omadata" } else { "omadata" }
    }

    /// The cookie that binds a service's request to the browser that started it.
    #[must_use]
    pub const fn binding_name(self) -> &'static str {
        if self.secure { "__Host-omadata-request" } else { "omadata-request" }
    }
}
