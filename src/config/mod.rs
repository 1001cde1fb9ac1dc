//! The configuration: one file for a node or an anchor, read and checked as a whole, immutable afterwards.
//!
//! The only module that reads the environment and `federation-config/`. A value comes from the file or, for sections
//! that are one table, from `OMADATA_<SECTION>__<KEY>`, which takes precedence. Secrets are given as paths of files.
//! Every fault has file, line, key and remedy, and all faults are reported together.

mod anchor;
mod checks;
mod contact;
mod data_trackers;
mod datasets;
mod error;
mod federation;
mod fields;
mod hiding;
mod http_registers;
mod keys;
mod limits;
mod login;
mod members;
mod node;
mod outbound;
mod overlay;
mod plugins;
mod processing;
mod processing_file;
mod profile;
mod queries;
mod reader;
mod registers;
mod requests;
mod retention;
mod secret;
mod services;
pub mod shipped;
mod store;
mod subject_from;
#[cfg(test)]
mod tests;
mod trust;
mod trust_marks;
mod uses;

use std::path::Path;

pub(crate) use crate::config::error::{ConfigError, ConfigProblem};
pub use anchor::{Anchor, AnchorConfig};
pub use federation::Federation;
pub use keys::{KeyFiles, Keys, RotateDays};
pub(crate) use limits::Limits;
pub(crate) use login::{AssuranceRequest, ClientAuthentication, Login, SigningAlgorithm};
pub(crate) use members::{ConfiguredMember, member_rules};
pub(crate) use node::{Brand, Node};
pub(crate) use outbound::Outbound;
pub use overlay::Overlay;
pub(crate) use profile::Profile;
pub(crate) use retention::Retention;
pub use secret::{SecretError, SecretFile};
pub(crate) use services::{MIN_SECRET_CHARS, Service};
pub use store::Store;
pub(crate) use trust::KnownEntity;

pub use crate::domain::catalogue::register::{
    Connection, DataTracker, DatabaseUrl, DatasetSource, HeldDataset, Register, Selection,
};
pub(crate) use crate::domain::catalogue::{Contact, DeclaredUse, Processing};

use crate::domain::ids::EntityId;
use crate::domain::uses::hiding::HidingRules;
use reader::{Document, Section};

/// Everything that `omadata serve` needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `[node]`.
    pub node: Node,
    /// `[store]`.
    pub store: Store,
    /// `[keys]`.
    pub keys: Keys,
    /// `[[trust_anchors]]`; at least one.
    pub trust_anchors: Vec<KnownEntity>,
    /// `[[superiors]]`: this node's superiors, if they are not the trust anchors themselves.
    pub superiors: Vec<EntityId>,
    /// `[federation]`.
    pub federation: Federation,
    /// `[outbound]`.
    pub outbound: Outbound,
    /// `[login]`.
    pub login: Login,
    /// `[limits]`.
    pub limits: Limits,
    /// `[retention]`.
    pub(crate) retention: Retention,
    /// `[[registers]]`.
    pub registers: Vec<Register>,
    /// `[[data_trackers]]`.
    pub data_trackers: Vec<DataTracker>,
    /// `[[datasets]]`.
    pub datasets: Vec<HeldDataset>,
    /// `[[services]]`.
    pub services: Vec<Service>,
    /// `[[uses]]`.
    pub uses: Vec<DeclaredUse>,
    /// `[[processing]]` and the file of `[record_of_processing]`.
    pub processing: Vec<Processing>,
    /// `[hidden_uses]`: the rules for withholding a reported use.
    pub hiding: Option<HidingRules>,
    /// `[contact]`: the controller.
    pub contact: Contact,
    /// `[data_protection_officer]`.
    pub data_protection_officer: Contact,
    /// Warnings for the operator: allowed but unwise.
    pub(crate) warnings: Vec<ConfigProblem>,
}

impl Config {
    /// Reads and checks the file of a node, with the overlay of the process environment.
    ///
    /// # Errors
    /// [`ConfigError`] with every fault found.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = read_text(path)?;
        Self::parse(&path.display().to_string(), &text, folder_of(path), &Overlay::from_environment())
    }

    /// The same from text. `file` is its name in messages; a relative `data_dir` starts at `folder`.
    ///
    /// # Errors
    /// [`ConfigError`] with every fault found.
    pub fn parse(file: &str, text: &str, folder: &Path, overlay: &Overlay) -> Result<Self, ConfigError> {
        let (document, table) = Document::parse(file, text, overlay)?;
        let config = Self::read(document.root(table), folder);
        let (config, warnings) = document.finish(config)?;
        Ok(Self { warnings, ..config })
    }

    /// Reads only what is needed to open a node's keys.
    ///
    /// # Errors
    /// [`ConfigError`] with every fault found in that.
    pub(crate) fn load_key_files(path: &Path) -> Result<KeyFiles, ConfigError> {
        let text = read_text(path)?;
        let overlay = Overlay::from_environment();
        let (document, table) = Document::parse(&path.display().to_string(), &text, &overlay)?;
        let files = Self::read_key_files(document.root(table), folder_of(path));
        document.finish(files).map(|(files, _)| files)
    }

    fn read_key_files(mut root: Section<'_, '_>, folder: &Path) -> Option<KeyFiles> {
        let node = root
            .required_table("node", "add [node]; for a trust anchor use --anchor")
            .and_then(|section| node::read(section, folder))?;
        // Keys are exported before anybody gives this node a trust mark.
        let federation = federation::read(root.table("federation"), &node.data_dir, node.profile, None);
        let mut keys = keys::read(root.table("keys"), &node.data_dir);
        keys.fill_lead(federation.chain_age_seconds);
        let store = root
            .required_table("store", "add [store] with url = \"sqlite:node.sqlite\" or a PostgreSQL address")
            .and_then(|section| store::read(section, &node.data_dir, node.profile))?;
        root.skip_rest();
        Some(KeyFiles { id: node.base_url, store, keys })
    }

    fn read(mut root: Section<'_, '_>, folder: &Path) -> Option<Self> {
        let node = root
            .required_table("node", "add [node]; for a trust anchor use `omadata anchor`")
            .and_then(|section| node::read(section, folder));
        // The rest is read even when [node] has faults, so that all faults are reported together.
        let data_dir = node.as_ref().map_or_else(|| folder.to_owned(), |node| node.data_dir.clone());
        let profile = node.as_ref().map_or(Profile::Demo, |node| node.profile);
        let store = root
            .required_table("store", "add [store] with url = \"sqlite:node.sqlite\" or a PostgreSQL address")
            .and_then(|section| store::read(section, &data_dir, profile));
        let mut keys = keys::read(root.table("keys"), &data_dir);
        let anchors = root.tables("trust_anchors");
        if anchors.is_empty() {
            root.problem(
                "no trust anchor",
                "add [[trust_anchors]] with the entity_id of the federation's anchor",
            );
        }
        let trust_anchors = trust::read_known(anchors, &data_dir, profile);
        let superiors = trust::read_superiors(root.tables("superiors"), profile);
        let own = node.as_ref().map(|node| &node.base_url);
        let federation = federation::read(root.table("federation"), &data_dir, profile, own);
        keys.fill_lead(federation.chain_age_seconds);
        let outbound = outbound::read(root.table("outbound"), &data_dir, profile);
        let login = root
            .required_table("login", "add [login] with the city's OpenID provider")
            .and_then(|section| login::read(section, &data_dir, profile));
        let limits = limits::read(root.table("limits"));
        let retention = retention::read(root.table("retention"));
        let contact = root
            .required_table("contact", "add [contact] with name and email of the office that answers")
            .and_then(contact::read);
        let data_protection_officer = root
            .required_table("data_protection_officer", "add [data_protection_officer] with name and email")
            .and_then(contact::read);
        let registers = registers::read(root.tables("registers"), &data_dir, profile);
        let data_trackers = data_trackers::read(root.tables("data_trackers"), &registers, &data_dir, profile);
        let acr_values = login.as_ref().map_or_else(Vec::new, |login| login.acr_values.clone());
        let datasets = datasets::read(root.tables("datasets"), &registers, &acr_values);
        let services = services::read(root.tables("services"), &data_dir, profile);
        let uses = root.tables("uses");
        let processing = root.tables("processing");
        let processing_file = processing::read_file(root.table("record_of_processing"), &data_dir);
        let hiding = root.table("hidden_uses").and_then(|section| hiding::read(section, &services));
        let document = root.document();
        root.close();

        let (node, contact, data_protection_officer) = (node?, contact?, data_protection_officer?);
        let uses = uses::read(
            uses,
            &uses::Surroundings {
                base_url: &node.base_url,
                services: &services,
                datasets: &datasets,
                contact: &contact,
                data_protection_officer: &data_protection_officer,
            },
        );
        let around = processing::Surroundings { services: &services, datasets: &datasets, contact: &contact };
        let processing = processing::read(processing, &around, Vec::new());
        let processing = match processing_file {
            Some(found) => processing_file::read(document, &found, &around, processing),
            None => processing,
        };
        Some(Self {
            node,
            store: store?,
            keys,
            trust_anchors: trust_anchors?,
            superiors: superiors?,
            federation,
            outbound,
            login: login?,
            limits,
            retention,
            registers,
            data_trackers,
            datasets,
            services,
            uses,
            processing,
            hiding,
            contact,
            data_protection_officer,
            warnings: Vec::new(),
        })
    }
}

/// Maximum size of a configuration file in bytes.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

fn read_text(path: &Path) -> Result<String, ConfigError> {
    let file = path.display().to_string();
    let size = std::fs::metadata(path).map(|metadata| metadata.len());
    match size
        .and_then(|size| if size > MAX_BYTES { Ok(None) } else { std::fs::read_to_string(path).map(Some) })
    {
        Ok(Some(text)) => Ok(text),
        Ok(None) => Err(ConfigError::of_file(&file, "larger than 4 MiB", "name a configuration file")),
        Err(error) => Err(ConfigError::of_file(
            &file,
            format!("cannot be read ({error})"),
            "name a readable file; federation-config/ has examples",
        )),
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}
