//! The configuration of a trust anchor or intermediate.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::checks;
use super::federation::{self, Federation};
use super::keys::{self, KeyFiles, Keys};
use super::members::{self, ConfiguredMember};
use super::outbound::{self, Outbound};
use super::overlay::Overlay;
use super::profile::Profile;
use super::reader::{Document, Section};
use super::store::{self, Store};
use super::trust::{self, KnownEntity};
use super::trust_marks::{self, TrustMarks};
use crate::config::error::{ConfigError, ConfigProblem};
use crate::domain::federation::StatementRules;
use crate::domain::ids::EntityId;

/// Everything that `omadata anchor` needs.
#[derive(Debug, Clone, PartialEq)]
pub struct AnchorConfig {
    /// `[anchor]`.
    pub anchor: Anchor,
    /// `[store]`.
    pub store: Store,
    /// `[keys]`.
    pub keys: Keys,
    /// `[[superiors]]`: an intermediate has some, a trust anchor none.
    pub superiors: Vec<EntityId>,
    /// `[[trust_anchors]]`: the anchors to which an intermediate resolves chains, in addition to itself.
    pub trust_anchors: Vec<KnownEntity>,
    /// `[federation] private_networks`: non-public networks that connections may go to.
    pub(crate) private_networks: Vec<ipnet::IpNet>,
    /// `[outbound]`.
    pub outbound: Outbound,
    /// `[subordinates]`: rules for the statements about every member.
    pub subordinates: StatementRules,
    /// `[trust_marks]` and related sections.
    pub trust_marks: TrustMarks,
    /// `[[members]]` here and in `members_file`.
    pub members: Vec<ConfiguredMember>,
    /// The file that this was read from, to read it again when it changes.
    pub file: Option<PathBuf>,
    /// Warnings for the operator: allowed but unwise.
    pub(crate) warnings: Vec<ConfigProblem>,
}

/// `[anchor]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Public base URL, which is the entity identifier.
    pub entity_id: EntityId,
    /// The address that the process listens on.
    pub listen: SocketAddr,
    pub(crate) profile: Profile,
    /// Who runs it (`organization_name`).
    pub(crate) organization_name: String,
    /// Directory for everything that the anchor writes to disk.
    pub data_dir: PathBuf,
    /// Lifetime of its entity configuration and of statements about members, in seconds: the longest time that a
    /// removed member is still trusted.
    pub statement_seconds: u32,
    /// Interval after which a member's keys are fetched again, in seconds.
    pub member_refresh_seconds: u32,
    /// A file with more `[[members]]`.
    pub(crate) members_file: Option<PathBuf>,
    /// How long the process stays reachable after `/health/ready` has said no, in milliseconds; none for the profile's own.
    pub(crate) drain_ms: Option<u32>,
}

/// Default lifetime of a statement, in seconds.
const DEFAULT_STATEMENT_SECONDS: u32 = 3_600;

/// Default lead time of a trust anchor's next key, in seconds: a week. No superior publishes the key, so a node that
/// was offline for the whole lead time no longer knows the anchor.
const TRUST_ANCHOR_LEAD_SECONDS: u32 = 604_800;

/// Default interval after which a member's keys are fetched again, in seconds.
const DEFAULT_REFRESH_SECONDS: u32 = 60;

impl AnchorConfig {
    /// Reads and checks the file of a trust anchor, with the overlay of the process environment.
    ///
    /// # Errors
    /// [`ConfigError`] with every fault found.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = super::read_text(path)?;
        let overlay = Overlay::from_environment();
        let config = Self::parse(&path.display().to_string(), &text, super::folder_of(path), &overlay)?;
        Ok(Self { file: Some(path.to_owned()), ..config })
    }

    /// The same from text. `file` is its name in messages; relative directories start at `folder`.
    ///
    /// # Errors
    /// [`ConfigError`] with every fault found.
    pub fn parse(file: &str, text: &str, folder: &Path, overlay: &Overlay) -> Result<Self, ConfigError> {
        let (document, table) = Document::parse(file, text, overlay)?;
        let config = Self::read(document.root(table), folder);
        let (mut config, warnings) = document.finish(config)?;
        config.warnings = warnings;
        if let Some(file) = &config.anchor.members_file {
            let anchor = &config.anchor;
            let more = members::load(file, &anchor.data_dir, anchor.profile, &config.members)?;
            config.members.extend(more);
        }
        Ok(config)
    }

    /// Reads only what is needed to open an anchor's keys.
    ///
    /// # Errors
    /// [`ConfigError`] with every fault found in that.
    pub(crate) fn load_key_files(path: &Path) -> Result<KeyFiles, ConfigError> {
        let text = super::read_text(path)?;
        let overlay = Overlay::from_environment();
        let (document, table) = Document::parse(&path.display().to_string(), &text, &overlay)?;
        let files = Self::read_key_files(document.root(table), super::folder_of(path));
        document.finish(files).map(|(files, _)| files)
    }

    fn read_key_files(mut root: Section<'_, '_>, folder: &Path) -> Option<KeyFiles> {
        let anchor = root
            .required_table("anchor", "add [anchor]; for a city's node leave --anchor out")
            .and_then(|section| read_anchor(section, folder, Files::LeftAlone))?;
        let mut keys = keys::read(root.table("keys"), &anchor.data_dir);
        fill_lead(&mut keys, root.tables("superiors").is_empty());
        let store = root
            .required_table("store", STORE)
            .and_then(|section| store::read(section, &anchor.data_dir, anchor.profile))?;
        root.skip_rest();
        Some(KeyFiles { id: anchor.entity_id, store, keys })
    }

    /// Every file that names members: when one of them changes, the configuration is read again.
    #[must_use]
    pub(crate) fn member_files(&self) -> Vec<&Path> {
        let own = self.file.iter().chain(&self.anchor.members_file);
        let keys = self.members.iter().filter_map(|member| member.known.jwks_file.as_ref());
        own.chain(keys).map(PathBuf::as_path).collect()
    }

    fn read(mut root: Section<'_, '_>, folder: &Path) -> Option<Self> {
        let anchor = root
            .required_table("anchor", "add [anchor]; for a city's node use `omadata serve`")
            .and_then(|section| read_anchor(section, folder, Files::MustBeThere));
        let data_dir = anchor.as_ref().map_or_else(|| folder.to_owned(), |anchor| anchor.data_dir.clone());
        let profile = anchor.as_ref().map_or(Profile::Demo, |anchor| anchor.profile);
        let store =
            root.required_table("store", STORE).and_then(|section| store::read(section, &data_dir, profile));
        let mut keys = keys::read(root.table("keys"), &data_dir);
        let superiors = trust::read_superiors(root.tables("superiors"), profile);
        fill_lead(&mut keys, superiors.as_ref().is_some_and(Vec::is_empty));
        let trust_anchors = trust::read_known(root.tables("trust_anchors"), &data_dir, profile);
        let private_networks = federation::read_of_anchor(root.table("federation"), profile);
        let outbound = outbound::read(root.table("outbound"), &data_dir, profile);
        let subordinates = root.table("subordinates").map(members::read_rules_section);
        let marks = trust_marks::Sections {
            marks: root.table("trust_marks"),
            issuers: root.tables("trust_mark_issuers"),
            owners: root.tables("trust_mark_owners"),
        };
        let members = members::read(root.tables("members"), &data_dir, profile, &[]);
        root.close();

        let (anchor, superiors) = (anchor?, superiors?);
        let own = superiors.first().unwrap_or(&anchor.entity_id);
        let trust_marks = trust_marks::read(marks, own, &data_dir, profile);
        Some(Self {
            trust_marks: trust_marks?,
            anchor,
            store: store?,
            keys,
            superiors,
            trust_anchors: trust_anchors?,
            private_networks,
            outbound,
            subordinates: subordinates.unwrap_or_default(),
            members: members?,
            file: None,
            warnings: Vec::new(),
        })
    }
}

const STORE: &str = "add [store] with url = \"sqlite:anchor.sqlite\" or a PostgreSQL address";

fn fill_lead(keys: &mut Keys, is_trust_anchor: bool) {
    if is_trust_anchor {
        keys.lead_seconds.get_or_insert(TRUST_ANCHOR_LEAD_SECONDS);
    }
    // Members may use any chain age; this is what they use unless their files set another.
    keys.fill_lead(Federation::default().chain_age_seconds);
}

/// Whether the files that `[anchor]` names are checked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Files {
    MustBeThere,
    LeftAlone,
}

fn read_anchor(mut section: Section<'_, '_>, folder: &Path, files: Files) -> Option<Anchor> {
    const SECONDS: &str = "write a number of seconds from 60 to 604800";
    const REFRESH: &str = "write a number of seconds from 1 to 86400";
    const MEMBERS_FILE: &str = "write the path of a file with [[members]], or take the line out";
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
    let refresh = section.optional::<u32>("member_refresh_seconds", REFRESH);
    let members_file = section.optional::<String>("members_file", MEMBERS_FILE);
    let drain_ms = checks::drain_ms(&mut section);
    section.close();
    if let (Some(entity_id), Some(profile)) = (&entity_id, &profile)
        && let Some(complaint) = checks::address(profile.value, entity_id.value.as_str())
    {
        document.problem(&entity_id.at, complaint, checks::address_remedy(profile.value));
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
    if let Some(refresh) = &refresh
        && !(1..=86_400).contains(&refresh.value)
    {
        document.problem(&refresh.at, "out of range", REFRESH);
    }
    if let Some(name) = &name
        && name.value.trim().is_empty()
    {
        document.problem(&name.at, "empty", "write who runs the anchor");
    }
    let data_dir = folder.join(data_dir?.value);
    let members_file = members_file.map(|found| {
        let path = checks::path(&data_dir, &found.value);
        if files == Files::MustBeThere && !path.is_file() {
            document.problem(&found.at, "the file is not there", MEMBERS_FILE);
        }
        path
    });
    Some(Anchor {
        entity_id: entity_id?.value,
        listen: listen?.value,
        profile: profile?.value,
        organization_name: name?.value,
        data_dir,
        statement_seconds: seconds.map_or(DEFAULT_STATEMENT_SECONDS, |found| found.value),
        member_refresh_seconds: refresh.map_or(DEFAULT_REFRESH_SECONDS, |found| found.value),
        members_file,
        drain_ms,
    })
}
