//! Registers of the kind `plugin`, a program of the city as a child process or behind HTTP, and their datasets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::checks;
use super::http_registers;
use super::profile::Profile;
use super::reader::{Document, Location, Section};
use crate::domain::catalogue::register::{Connection, Register};
use crate::domain::catalogue::service::PluginProcess;
use crate::domain::ids::RegisterId;

const COMMAND: &str = "write [\"/usr/lib/omadata/plugin\", \"argument\"], the program with its whole path first, or url for one behind HTTP";
const ENVIRONMENT: &str =
    "write { LANG = \"C.UTF-8\" }, everything that the program needs; it gets nothing else";
const FOLDER: &str = "write the folder that the program runs in";
const MEMORY: &str = "write a number of MiB from 16 to 65536";

/// Default number of questions at once.
const DEFAULT_AT_ONCE: u32 = 4;
/// More lines than these might not fit into the pipe to a program that does not read.
const MOST_AT_ONCE: u32 = 16;
/// Default size of the memory.
const DEFAULT_MEMORY_MIB: u32 = 512;

pub(super) fn read(section: &mut Section<'_, '_>, data_dir: &Path, profile: Profile) -> Option<Connection> {
    let document = section.document();
    if !section.has("command") && section.has("url") {
        let service = http_registers::read(section, data_dir, profile)?;
        if service.xroad.is_some() {
            section
                .problem("a plug-in is not asked through X-Road", "take xroad out, or write kind = \"http\"");
        }
        return Some(Connection::PluginService(Box::new(service)));
    }
    let command = section.required::<Vec<String>>("command", COMMAND)?;
    let environment = section.optional::<BTreeMap<String, String>>("environment", ENVIRONMENT);
    let folder = section.optional::<String>("working_directory", FOLDER);
    let memory = section.optional::<u32>("memory_mib", MEMORY);
    let at_once = http_registers::at_once(section, DEFAULT_AT_ONCE, MOST_AT_ONCE);
    let program = command.value.first().map(Path::new);
    if !program.is_some_and(|program| program.is_absolute() && program.is_file())
        || command.value.iter().any(|word| word.contains('\0'))
    {
        document.problem(
            &command.at,
            "the first word is not the whole path of a program that is there",
            COMMAND,
        );
    }
    let nameable = |name: &String| !name.is_empty() && !name.contains(['=', '\0']);
    if let Some(found) = &environment
        && !found.value.iter().all(|(name, value)| nameable(name) && !value.contains('\0'))
    {
        document.problem(&found.at, "not variables of an environment", ENVIRONMENT);
    }
    let working_directory = match &folder {
        Some(found) => {
            let path = checks::path(data_dir, &found.value);
            if !path.is_dir() {
                document.problem(&found.at, "the folder is not there", FOLDER);
            }
            path
        }
        None => PathBuf::from("/"),
    };
    if let Some(memory) = &memory
        && !(16..=65_536).contains(&memory.value)
    {
        document.problem(&memory.at, "out of range", MEMORY);
    }
    Some(Connection::Plugin(Box::new(PluginProcess {
        command: command.value,
        environment: environment.map(|found| found.value).unwrap_or_default(),
        working_directory,
        memory_mib: memory.map_or(DEFAULT_MEMORY_MIB, |found| found.value),
        at_once,
    })))
}

/// Whether a register is a plug-in.
pub(super) fn is_one(registers: &[Register], id: &RegisterId) -> bool {
    let register = registers.iter().find(|register| register.id == *id);
    register.is_some_and(|register| {
        matches!(register.connection, Connection::Plugin(_) | Connection::PluginService(_))
    })
}

/// Checks the keys of a plug-in's dataset: it needs none but the names of what a record says beside its values.
pub(super) fn check_dataset<'f>(
    document: &Document<'_>,
    needless: impl Iterator<Item = Location>,
    request: Option<Section<'_, '_>>,
    marks: impl Iterator<Item = (&'f Location, &'f String)>,
) {
    const BY_ID: &str = "a plug-in is asked by the dataset's id and names fields as the dataset does";
    for at in needless {
        document.problem(&at, BY_ID, "take it out");
    }
    if let Some(request) = request {
        request.problem(BY_ID, "take it out");
    }
    for (at, name) in marks {
        let is_name = !name.is_empty() && !name.contains(char::is_control);
        if !is_name || name == "subject" || name == "values" {
            let remedy = "write the name of a member that a record has beside subject and values";
            document.problem(at, "not the name of such a member", remedy);
        }
    }
}
