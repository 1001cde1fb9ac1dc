//! `omadata consent`.

use std::path::PathBuf;

use clap::Subcommand;

use super::Failure;
use crate::app;
use crate::config::Config;
use crate::domain::ids::ConsentId;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Check the evidence of one decision again: document, commitment, the login provider's signature
    ///
    /// Works from the stored record alone and asks nobody. Exits with 1 when a link does not hold, and names it.
    Verify {
        /// The consent's identifier, as the portal's address shows it (/me/sharing/ID)
        id: String,
        /// The configuration file of the node that holds the data
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}

pub(super) async fn run(command: Command) -> Result<(), Failure> {
    let Command::Verify { id, config } = command;
    let id: ConsentId = id.parse()?;
    let (commitment, verified) = app::verify_consent(&Config::load(&config)?, id).await?;
    let document = &verified.document;
    println!("The evidence holds.");
    println!("commitment   {}", commitment.as_str());
    println!("signed       {}", crate::domain::clock::Timestamp::from_secs(verified.signed_at).rfc3339());
    println!("signed by    {}", verified.provider);
    println!("with key     {} (compare it with what the provider publishes)", verified.provider_key);
    println!("holder       {} ({})", document.holder.name, document.holder.id);
    println!("recipient    {} ({})", document.recipient.name, document.recipient.id);
    println!("purpose      {}", document.purpose_text);
    println!("data         {}", document.dataset_title);
    for field in &document.fields {
        println!("             - {}", field.label);
    }
    println!("times        {}", document.terms.max_exchanges);
    println!("until        {}", document.until);
    Ok(())
}
