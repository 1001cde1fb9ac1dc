//! `omadata uses`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::process::{Failure, say};
use crate::config::Config;
use crate::domain::uses::objection::{Objection, ObjectionAnswer};
use crate::operator::uses;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the objections that wait for an answer
    ///
    /// Shows when each was made and to which use, and nothing about the resident.
    Objections {
        /// Those that were answered too
        #[arg(long)]
        all: bool,
        /// The node's configuration file
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Show one objection, with its grounds and the identifier of whoever made it
    Objection {
        /// The objection's identifier, as the list shows it
        #[arg(allow_hyphen_values = true)]
        id: String,
        /// The node's configuration file
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Answer an objection; the resident reads the answer in the portal
    Answer {
        /// The objection's identifier, as the list shows it
        #[arg(allow_hyphen_values = true)]
        id: String,
        /// What the city decided
        #[arg(value_enum)]
        answer: Answer,
        /// The node's configuration file
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Import a Logboek dataverwerkingen (Logius): one JSON document a line, OTLP or the standard's own form
    ///
    /// `dpl.core.processing_activity_id` must be the address of an activity of the record of processing. Operations that
    /// failed or name nobody by this node's identifiers are left out. A line that is refused stops the import before
    /// anything is recorded; an import can be repeated.
    ImportLog {
        /// The log
        file: PathBuf,
        /// The `dpl.core.data_subject_id_type` of national identifiers
        #[arg(long, value_name = "TYPE", default_value = "HETU")]
        subject_type: String,
        /// The node's configuration file
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}

/// The answer to an objection.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Answer {
    /// The city stops using the data in this way
    Upheld,
    /// The city has compelling grounds to go on
    Rejected,
}

pub(super) async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Objections { all, config } => {
            for objection in uses::objections(&Config::load(&config)?, all).await? {
                say!("{}", line(&objection));
            }
        }
        Command::Objection { id, config } => {
            let (objection, person) = uses::objection(&Config::load(&config)?, id.parse()?).await?;
            say!("{}", line(&objection));
            say!("made by {}", person.reveal());
            say!("{}", objection.statement.as_deref().unwrap_or("no grounds were written"));
        }
        Command::Answer { id, answer, config } => {
            let answer = match answer {
                Answer::Upheld => ObjectionAnswer::Upheld,
                Answer::Rejected => ObjectionAnswer::Rejected,
            };
            uses::answer(&Config::load(&config)?, id.parse()?, answer).await?;
            say!("The resident reads the answer in the portal.");
        }
        Command::ImportLog { file, subject_type, config } => {
            let log = std::io::BufReader::new(std::fs::File::open(&file)?);
            let done = uses::import_log(&Config::load(&config)?, log, &subject_type).await?;
            say!(
                "{} recorded, {} known before, {} left out, {} older than their retention",
                done.recorded,
                done.known,
                done.left_out,
                done.expired
            );
            if done.contradicting > 0 {
                return Err(format!(
                    "{} operations were imported before with another person, activity or period; they stay as they were",
                    done.contradicting
                )
                .into());
            }
        }
    }
    Ok(())
}

fn line(objection: &Objection) -> String {
    let state =
        objection.answer.map_or("waits".to_owned(), |(answer, at)| format!("{answer} {}", at.rfc3339()));
    format!("{}  {}  {}  {state}", objection.id, objection.made_at.rfc3339(), objection.activity)
}
