//! The configuration of a trust anchor.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::checks;
use super::keys::{self, Keys};
use super::node::Profile;
use super::overlay::Overlay;
use super::problem::ConfigError;
use super::reader::{Document, Section};
use super::store::{self, Store};
use super::trust::{self, KnownEntity};
use crate::domain::ids::EntityId;

/// Everything that `omadata anchor` needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorConfig {
    /// `[anchor]`.
    pub anchor: Anchor,
    /// `[store]`.
    pub store: Store,
    /// `[keys]`.
    pub keys: Keys,
    /// `[[members]]`: the nodes that this anchor vouches for.
    pub members: Vec<KnownEntity>,
}

/// `[anchor]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Public address and entity identifier.
    pub entity_id: EntityId,
    /// Where the process listens.
    pub listen: SocketAddr,
    /// Demo or production.
    pub profile: Profile,
    /// Who runs it (`organization_name`).
    pub organization_name: String,
    /// Folder for everything that the anchor writes to disk.
    pub data_dir: PathBuf,
    /// Life of its entity configuration and of a statement about a member, in seconds: the longest that a member who was
    /// taken out is still trusted.
    pub statement_seconds: u32,
}

/// Life of a statement when the file does not say, in seconds.
const DEFAULT_STATEMENT_SECONDS: u32 = 3_600;

impl AnchorConfig {
    /// Reads and checks the file of a trust anchor, with the overlay of the process environment.
    ///
    /// # Errors
    /// [`ConfigError`] with every problem found.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = super::read_text(path)?;
        Self::parse(&path.display().to_string(), &text, super::folder_of(path), &Overlay::from_environment())
    }

    /// The same from text. `file` is how messages call it; relative folders count from `folder`.
    ///
    /// # Errors
    /// [`ConfigError`] with every problem found.
    pub fn parse(file: &str, text: &str, folder: &Path, overlay: &Overlay) -> Result<Self, ConfigError> {
        let (document, table) = Document::parse(file, text, overlay)?;
        let config = Self::read(document.root(table), folder);
        document.finish(config)
    }

    fn read(mut root: Section<'_, '_>, folder: &Path) -> Option<Self> {
        let anchor = root
            .required_table("anchor", "add [anchor]; for a city's node use `omadata serve`")
            .and_then(|section| read_anchor(section, folder));
        let data_dir = anchor.as_ref().map_or_else(|| folder.to_owned(), |anchor| anchor.data_dir.clone());
        let profile = anchor.as_ref().map_or(Profile::Demo, |anchor| anchor.profile);
        let store = root
            .required_table(
                "store",
                "add [store] with url = \"sqlite:anchor.sqlite\" or a PostgreSQL address",
            )
            .and_then(|section| store::read(section, &data_dir, profile));
        let keys = keys::read(root.table("keys"), &data_dir);
        let members = trust::read_known(root.tables("members"), &data_dir, profile);
        root.close();
        Some(Self { anchor: anchor?, store: store?, keys, members: members? })
    }
}

fn read_anchor(mut section: Section<'_, '_>, folder: &Path) -> Option<Anchor> {
    const SECONDS: &str = "write a number of seconds from 60 to 604800";
    let document = section.document();
    let entity_id = section
        .required::<EntityId>("entity_id", "write the anchor's public address without a slash at its end");
    let listen = section.required::<SocketAddr>(
        "listen",
        "write an address and port to listen at, such as \"127.0.0.1:8400\"",
    );
    let profile = section.required::<Profile>("profile", "write \"demo\" or \"production\"");
    let name = section.required::<String>("organization_name", "write who runs the anchor");
    let data_dir = section.required::<String>(
        "data_dir",
        "write the folder for the anchor's own files; a relative one counts from this file's folder",
    );
    let seconds = section.optional::<u32>("statement_seconds", SECONDS);
    section.close();
    if let (Some(entity_id), Some(profile)) = (&entity_id, &profile)
        && let Some(complaint) = checks::address(profile.value, entity_id.value.as_str())
    {
        document.problem(&entity_id.at, complaint, checks::address_mend(profile.value));
    }
    if let (Some(listen), Some(profile)) = (&listen, &profile)
        && profile.value == Profile::Demo
        && !listen.value.ip().is_loopback()
    {
        let complaint = "profile demo does not listen to other machines";
        document.problem(&listen.at, complaint, "write 127.0.0.1 and a port, or use profile production");
    }
    if let Some(seconds) = &seconds
        && !(60..=604_800).contains(&seconds.value)
    {
        document.problem(&seconds.at, "out of range", SECONDS);
    }
    if let Some(name) = &name
        && name.value.trim().is_empty()
    {
        document.problem(&name.at, "empty", "write who runs the anchor");
    }
    Some(Anchor {
        entity_id: entity_id?.value,
        listen: listen?.value,
        profile: profile?.value,
        organization_name: name?.value,
        data_dir: folder.join(data_dir?.value),
        statement_seconds: seconds.map_or(DEFAULT_STATEMENT_SECONDS, |found| found.value),
    })
}
