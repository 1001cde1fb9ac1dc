//! Why a node or anchor does not start.

use crate::config;
use crate::store::StoreError;
use crate::web;

/// Why a node or anchor does not start; the text names what to fix.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration file is wrong.
    #[error(transparent)]
    Config(#[from] config::ConfigError),
    /// A secret file.
    #[error(transparent)]
    Secret(#[from] config::SecretError),
    /// A service's secret that is too short.
    #[error(
        "{path}: the secret of the service {service} is shorter than {least} characters: write a random one, such as from `openssl rand -base64 33`"
    )]
    ShortSecret {
        service: String,
        path: String,
        /// Minimum length in characters.
        least: usize,
    },
    /// The root key files.
    #[error(transparent)]
    RootKeys(#[from] crate::store::RootKeyError),
    /// The database cannot be opened or migrated.
    #[error(transparent)]
    Store(#[from] crate::store::OpenError),
    /// The database, after it was opened.
    #[error("the database cannot be used: {0}")]
    Rows(#[from] StoreError),
    /// A connector to a register cannot be made.
    #[error(transparent)]
    Register(#[from] crate::registers::RegisterConfigError),
    /// The login provider's settings.
    #[error(transparent)]
    Login(#[from] crate::outbound::openid::OpenIdSettingsError),
    /// The HTTP client or the anchors.
    #[error("the federation cannot be set up: {0}")]
    Federation(#[from] crate::http::GuardError),
    /// A file with an entity's keys.
    #[error("{0}: holds no JWK Set: put the entity's federation keys there, as it publishes them")]
    Jwks(String),
    /// A file with a trust mark.
    #[error("{0}: holds no trust mark of this node: put one there as its issuer signed it")]
    TrustMark(String),
    /// The configured colour.
    #[error("[node.brand] primary_colour: {0}")]
    Colour(#[from] web::html::assets::ColourError),
    /// The socket cannot be bound.
    #[error("cannot listen on {address}: {source}: is another process using the port?")]
    Listen {
        address: std::net::SocketAddr,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// A file that the configuration names.
    #[error("{}: {source}", path.display())]
    File {
        /// Its path, as the configuration names it.
        path: std::path::PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// Another error of the operating system.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl StartError {
    /// What the operating system says about a file, with its path.
    pub fn of_file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::File { path, source }
    }
}
