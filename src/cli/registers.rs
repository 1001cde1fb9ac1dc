//! `omadata registers`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Subcommand;
use serde_json::Value;

use super::process::{Failure, say};
use crate::config::Config;
use crate::domain::ids::{DatasetId, NationalIdentifier, RegisterId};
use crate::operator::{draft_dataset, registers};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Ask the registers for nobody and say which would not answer, and why
    ///
    /// Connects as the node does, runs each dataset's query or reads its file, and shows no record. The cause may quote what
    /// stands in a register. Data trackers are asked whether they work. Exits with 1 when any does not answer.
    ///
    /// With --resident: reads one person's records as an exchange would, and shows which column becomes which field, how long it
    /// takes, whether each record is the person's own, and what would be released; of values their type and length alone.
    ///
    /// With --init: writes a [[datasets]] section for a table, view or file of a register, for you to complete.
    Test {
        /// This dataset alone
        dataset: Option<DatasetId>,
        /// The node's configuration file
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Read this person's records; "-" takes the identifier from standard input, where no other user sees it
        #[arg(long, value_name = "IDENTIFIER", requires = "dataset", allow_hyphen_values = true)]
        resident: Option<String>,
        /// Read the fields of this declared use (`[[uses]] id`) and not all
        #[arg(long = "use", value_name = "USE", requires = "resident")]
        declared_use: Option<String>,
        /// Show the values themselves, which are personal data
        #[arg(long, requires = "resident")]
        show_values: bool,
        /// Write a [[datasets]] section for this table or view (SCHEMA.TABLE), or this .csv or .json file
        #[arg(long, value_name = "TABLE|FILE", requires = "register", conflicts_with_all = ["dataset", "resident"])]
        init: Option<String>,
        /// The register that holds it (`[[registers]] id`)
        #[arg(long, value_name = "ID", requires = "init")]
        register: Option<RegisterId>,
        /// The column or member that says whose record it is; guessed when absent
        #[arg(long, value_name = "COLUMN", requires = "init")]
        subject_column: Option<String>,
    },
}

pub(super) async fn run(command: Command) -> Result<(), Failure> {
    let Command::Test {
        dataset,
        config,
        resident,
        declared_use,
        show_values,
        init,
        register,
        subject_column,
    } = command;
    match (dataset, resident, init, register) {
        (_, _, Some(what), Some(register)) => {
            let section =
                draft_dataset::draft(&Config::load(&config)?, &register, &what, subject_column).await?;
            say!("{}", section.trim_end());
            Ok(())
        }
        (Some(dataset), Some(resident), ..) => {
            test_resident(&config, &dataset, &resident, declared_use.as_deref(), show_values).await
        }
        (dataset, ..) => test_all(&config, dataset.as_ref()).await,
    }
}

async fn test_all(config: &Path, dataset: Option<&DatasetId>) -> Result<(), Failure> {
    let config = Config::load(config)?;
    let checks = registers::check(&config, dataset).await?;
    let trackers = match dataset {
        Some(_) => Vec::new(),
        None => registers::check_trackers(&config).await?,
    };
    let mut failed = 0_usize;
    for check in &checks {
        match &check.outcome {
            Ok(()) => say!("pass  {} (register {})", check.dataset, check.register),
            Err(cause) => {
                failed = failed.saturating_add(1);
                say!("FAIL  {} (register {}): {cause}", check.dataset, check.register);
            }
        }
    }
    let is_read =
        |register: &RegisterId| config.datasets.iter().any(|held| held.source.register == *register);
    for register in config.registers.iter().filter(|register| dataset.is_none() && !is_read(&register.id)) {
        say!("note  register {}: no dataset reads it, so it was not asked", register.id);
    }
    let mut silent = 0_usize;
    for (tracker, outcome) in &trackers {
        match outcome {
            Ok(()) => say!("pass  data tracker {tracker}"),
            Err(cause) => {
                silent = silent.saturating_add(1);
                say!("FAIL  data tracker {tracker}: {cause}");
            }
        }
    }
    match (failed, silent) {
        (0, 0) => Ok(()),
        (0, _) => Err(format!("{silent} of {} data trackers do not work", trackers.len()).into()),
        (_, 0) => Err(format!("{failed} of {} datasets cannot be read", checks.len()).into()),
        _ => Err(format!(
            "{failed} of {} datasets cannot be read, {silent} of {} data trackers do not work",
            checks.len(),
            trackers.len()
        )
        .into()),
    }
}

async fn test_resident(
    config: &Path,
    dataset: &DatasetId,
    resident: &str,
    declared_use: Option<&str>,
    show_values: bool,
) -> Result<(), Failure> {
    let resident = match resident {
        "-" => {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line)?;
            NationalIdentifier::new(&line)?
        }
        given => NationalIdentifier::new(given)?,
    };
    let config = Config::load(config)?;
    let check = registers::check_resident(&config, dataset, &resident, declared_use).await?;
    let source = &check.held.source;
    say!("dataset {dataset}, register {}", source.register);
    if let Some(from) = &source.subject_from {
        say!("asked by: {} of dataset {}", from.field, from.dataset);
    }
    match source.subject_column.as_str() {
        "" => say!("the subject: the answer names nobody, the register alone is responsible"),
        column => say!("the subject: {column}, never released"),
    }
    for leaf in check.held.dataset.leaves() {
        let path = &leaf.path;
        let fate = if check.released.contains(path) {
            "released"
        } else if check.read.contains(path) {
            "read, not released"
        } else {
            "not read"
        };
        say!("  {} -> {path} ({}): {fate}", source.column_of(path), leaf.field.kind.as_str());
    }
    say!("first question, for nobody, with connecting: {}", milliseconds(check.first));
    say!("this resident's records: {}", milliseconds(check.own));
    let records = match check.outcome {
        Ok(records) => records,
        Err(fault) => {
            say!("FAIL  {}: {}", fault.side, if show_values { fault.cause } else { fault.loggable });
            return Err(format!("{dataset} cannot be read for this resident").into());
        }
    };
    if show_values {
        say!("what follows is personal data of this resident");
    }
    say!("records: {}", records.len());
    let mut foreign = 0_usize;
    for (number, record) in (1_usize..).zip(&records) {
        if record.subject != resident {
            foreign = foreign.saturating_add(1);
            say!(
                "FAIL  record {number}: somebody else's; nothing is released while the register answers with it"
            );
            continue;
        }
        say!("pass  record {number}: this resident's");
        if let Some(from) = record.marks.available_from {
            say!("  not given before {}", from.rfc3339());
        }
        let is_released = |name: &str| check.released.iter().any(|path| path.names().next() == Some(name));
        for (name, value) in record.values.iter().filter(|(name, _)| is_released(name.as_str())) {
            match show_values {
                true => say!("  {name}: {value}"),
                false => say!("  {name}: {}", masked(value)),
            }
        }
    }
    if foreign > 0 {
        return Err(format!("{foreign} of {} records are somebody else's", records.len()).into());
    }
    Ok(())
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// The shape of a value without the value.
fn masked(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) => "yes or no".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::String(text) => format!("a text of {} characters", text.chars().count()),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(masked).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{name}: {}", masked(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_value_tells_its_shape_and_nothing_of_it() {
        let value =
            serde_json::json!({"name": "Satakieli", "fee": 28.5, "left": null, "children": [{"ok": true}]});
        let shape = masked(&value);
        assert_eq!(
            shape,
            "{name: a text of 9 characters, fee: a number, left: nothing, children: [{ok: yes or no}]}"
        );
    }
}
