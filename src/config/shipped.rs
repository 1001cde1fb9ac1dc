//! The configuration files of `federation-config/`, compiled in for `omadata demo`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Config;
use super::anchor::AnchorConfig;
use super::overlay::Overlay;
use crate::config::error::ConfigError;

/// A city of the demo federation.
#[allow(missing_docs, reason = "the names say it")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum City {
    Helsinki,
    Espoo,
    Turku,
    Oulu,
}

impl City {
    /// All cities, in the order of their ports.
    pub const ALL: [Self; 4] = [Self::Helsinki, Self::Espoo, Self::Turku, Self::Oulu];

    /// Its name in paths and hosts.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Helsinki => "helsinki",
            Self::Espoo => "espoo",
            Self::Turku => "turku",
            Self::Oulu => "oulu",
        }
    }

    /// Its configuration file as shipped.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Helsinki => include_str!("../../federation-config/helsinki.toml"),
            Self::Espoo => include_str!("../../federation-config/espoo.toml"),
            Self::Turku => include_str!("../../federation-config/turku.toml"),
            Self::Oulu => include_str!("../../federation-config/oulu.toml"),
        }
    }
}

/// The trust anchor's configuration file as shipped.
pub const ANCHOR: &str = include_str!("../../federation-config/anchor.toml");

/// The ports of the demo federation, all on loopback.
#[allow(missing_docs, reason = "the names say it")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    pub anchor: u16,
    pub helsinki: u16,
    pub espoo: u16,
    pub turku: u16,
    pub oulu: u16,
    /// The city systems that are asked over HTTP.
    pub systems: u16,
    /// Demo login provider.
    pub login: u16,
    /// The page that plays the city service.
    pub service: u16,
}

impl Default for Ports {
    fn default() -> Self {
        Self {
            anchor: 8400,
            helsinki: 8401,
            espoo: 8402,
            turku: 8403,
            oulu: 8404,
            systems: 8405,
            login: 8409,
            service: 8410,
        }
    }
}

impl Ports {
    /// The port of a city.
    #[must_use]
    pub const fn of(&self, city: City) -> u16 {
        match city {
            City::Helsinki => self.helsinki,
            City::Espoo => self.espoo,
            City::Turku => self.turku,
            City::Oulu => self.oulu,
        }
    }

    /// The address of a city's node.
    #[must_use]
    pub(crate) fn base_url(&self, city: City) -> String {
        format!("http://{}.localhost:{}", city.slug(), self.of(city))
    }

    /// The demo login provider's issuer.
    #[must_use]
    pub(crate) fn login_issuer(&self) -> String {
        format!("http://login.localhost:{}", self.login)
    }

    /// The address of the city systems that are asked over HTTP.
    #[must_use]
    pub(crate) fn systems_url(&self) -> String {
        format!("http://systems.localhost:{}", self.systems)
    }

    /// The address of the page that plays the city service.
    #[must_use]
    pub(crate) fn service_url(&self) -> String {
        format!("http://service.localhost:{}", self.service)
    }

    fn pairs(&self) -> [(u16, u16); 8] {
        let shipped = Self::default();
        [
            (shipped.anchor, self.anchor),
            (shipped.helsinki, self.helsinki),
            (shipped.espoo, self.espoo),
            (shipped.turku, self.turku),
            (shipped.oulu, self.oulu),
            (shipped.systems, self.systems),
            (shipped.login, self.login),
            (shipped.service, self.service),
        ]
    }

    /// The text with every shipped port replaced, in one pass, without changing line numbers.
    fn replace_in(&self, text: &str) -> String {
        let replacements: BTreeMap<String, String> =
            self.pairs().into_iter().map(|(from, to)| (from.to_string(), to.to_string())).collect();
        let mut parts = text.split(':');
        let mut replaced = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            let (port, rest) = part.split_at_checked(digits).unwrap_or(("", part));
            replaced.push(':');
            replaced.push_str(replacements.get(port).map_or(port, String::as_str));
            replaced.push_str(rest);
        }
        replaced
    }
}

/// Differences from the shipped files when the demo or a test runs them.
#[derive(Debug, Clone)]
pub struct Overrides {
    /// Directory below which the anchor and every city have a data directory (`<folder>/espoo`).
    pub folder: PathBuf,
    /// The ports.
    pub ports: Ports,
}

impl Overrides {
    /// The shipped ports and SQLite below a directory.
    #[must_use]
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), ports: Ports::default() }
    }

    fn overlay(&self, section: &str, slug: &str) -> Result<Overlay, ConfigError> {
        let Some(folder) = self.folder.join(slug).to_str().map(ToOwned::to_owned) else {
            let message = "the path of the data folder is not UTF-8";
            return Err(ConfigError::of_file(slug, message, "choose another folder"));
        };
        Ok(Overlay::none().with(section, "data_dir", folder))
    }
}

/// The configuration of a city in the demo federation.
///
/// # Errors
/// [`ConfigError`] when an override is not valid.
pub fn node(city: City, overrides: &Overrides) -> Result<Config, ConfigError> {
    let text = overrides.ports.replace_in(city.text());
    let file = format!("federation-config/{}.toml", city.slug());
    Config::parse(&file, &text, Path::new("."), &overrides.overlay("node", city.slug())?)
}

/// The configuration file of a city in the demo federation, for commands beside a running demo; relative paths start at
/// the folder of the overrides.
#[must_use]
pub fn node_text(city: City, overrides: &Overrides) -> String {
    let slug = city.slug();
    let text = overrides.ports.replace_in(city.text());
    text.replace(&format!("data_dir = \"../data/{slug}\""), &format!("data_dir = \"{slug}\""))
}

/// The configuration of the anchor in the demo federation.
///
/// # Errors
/// [`ConfigError`] when an override is not valid.
pub(crate) fn anchor(overrides: &Overrides) -> Result<AnchorConfig, ConfigError> {
    let text = overrides.ports.replace_in(ANCHOR);
    AnchorConfig::parse(
        "federation-config/anchor.toml",
        &text,
        Path::new("."),
        &overrides.overlay("anchor", "anchor")?,
    )
}
