//! `omadata members`.

use std::path::PathBuf;

use clap::Subcommand;

use super::process::{Failure, say};
use crate::app::{self, SystemClock};
use crate::config::{AnchorConfig, Profile, member_rules};
use crate::domain::catalogue::{Language, Text};
use crate::domain::federation::{Member, MemberState, Role, StatementRules};
use crate::domain::ids::EntityId;
use crate::domain::jose::{PublicKeys, parse_strict_json};
use crate::node::federation::members::{Amendment, Decision, Described, Membership};
use crate::ports::Clock;

/// Running anchors over the same database go by a change with their next answer; nothing is restarted.
#[derive(Subcommand)]
pub(super) enum Command {
    /// List the members: state, roles, keys
    List {
        #[command(flatten)]
        whose: Whose,
        /// Every change instead: when, what, who, why
        #[arg(long)]
        history: bool,
        /// This member alone
        entity_id: Option<EntityId>,
    },
    /// Make an entity a member
    Add {
        #[command(flatten)]
        target: Target,
        /// Its federation keys as a JWK Set, received over a way that you trust. In profile demo it may be left out: then
        /// the keys that it shows at first sight are taken
        #[arg(long, value_name = "FILE")]
        jwks: Option<PathBuf>,
        /// What it may do: consent-issuer, data-holder or data-recipient (repeat for several; none for an intermediate)
        #[arg(long = "role", value_name = "ROLE", value_parser = role)]
        roles: Vec<Role>,
        /// A JSON document with metadata, metadata_policy, constraints for the statements about it
        #[arg(long, value_name = "FILE")]
        rules: Option<PathBuf>,
        #[command(flatten)]
        name: Name,
    },
    /// Change a member's keys, roles, rules or name; what is not named stays
    Change {
        #[command(flatten)]
        target: Target,
        /// Other federation keys, in place of all that it has. For a rotation this is not needed: the anchor follows
        #[arg(long, value_name = "FILE")]
        jwks: Option<PathBuf>,
        /// Other roles, in place of all that it has
        #[arg(long = "role", value_name = "ROLE", value_parser = role, conflicts_with = "no_roles")]
        roles: Vec<Role>,
        /// Take all roles away
        #[arg(long)]
        no_roles: bool,
        /// Another JSON document with metadata, metadata_policy, constraints
        #[arg(long, value_name = "FILE")]
        rules: Option<PathBuf>,
        #[command(flatten)]
        name: Name,
    },
    /// Stop vouching for a member for now, and revoke its trust marks
    Suspend(Target),
    /// Vouch for a suspended member again
    Resume(Target),
    /// End a membership, and revoke the member's trust marks
    Remove(Target),
}

/// What others call the member. No two members of one superior may have names that one could take for each other.
#[derive(clap::Args)]
pub(super) struct Name {
    /// The name under which every member shows it, in all languages unless --name-fi, --name-sv or --name-en say otherwise.
    /// Without it a new member bears the name that it calls itself when it is first met, where no other has it
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Its name in Finnish
    #[arg(long, value_name = "NAME", requires = "name")]
    name_fi: Option<String>,
    /// Its name in Swedish
    #[arg(long, value_name = "NAME", requires = "name")]
    name_sv: Option<String>,
    /// Its name in English
    #[arg(long, value_name = "NAME", requires = "name")]
    name_en: Option<String>,
}

impl Name {
    fn into_text(self) -> Option<Text> {
        let name = self.name?;
        let or_name = |translated: Option<String>| translated.unwrap_or_else(|| name.clone());
        Some(Text { fi: or_name(self.name_fi), sv: or_name(self.name_sv), en: or_name(self.name_en) })
    }
}

/// The anchor that is meant.
#[derive(clap::Args)]
pub(super) struct Whose {
    /// The anchor's configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// The member that is meant, and who decides.
#[derive(clap::Args)]
pub(super) struct Target {
    /// Its entity identifier: its base URL
    entity_id: EntityId,
    #[command(flatten)]
    whose: Whose,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Who decides, for the history
    #[arg(long, value_name = "NAME", env = "USER", default_value = "an operator")]
    by: String,
}

impl Target {
    fn decision(&self) -> Decision {
        Decision { actor: self.by.clone(), reason: self.reason.clone(), now: SystemClock.now() }
    }
}

fn role(name: &str) -> Result<Role, String> {
    Role::from_name(name).ok_or_else(|| "write consent-issuer, data-holder or data-recipient".to_owned())
}

pub(super) async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::List { whose, history, entity_id } => {
            let members = open(&whose).await?.1;
            if history { print_history(&members, entity_id).await } else { print(&members, entity_id).await }
        }
        Command::Add { target, jwks, roles, rules, name } => {
            let (config, members) = open(&target.whose).await?;
            if jwks.is_none() && config.anchor.profile == Profile::Production {
                return Err("--jwks is missing, which only profile demo allows".into());
            }
            let mut rules = rules.map(read_rules).transpose()?.unwrap_or_default();
            rules.name = name.into_text().or(rules.name);
            let keys = jwks.map(read_keys).transpose()?;
            let described = Described { id: target.entity_id.clone(), keys, roles, rules };
            members.add(described, target.decision()).await?;
            done(&target, "is a member")
        }
        Command::Change { target, jwks, roles, no_roles, rules, name } => {
            let members = open(&target.whose).await?.1;
            let amendment = Amendment {
                keys: jwks.map(read_keys).transpose()?,
                roles: (no_roles || !roles.is_empty()).then_some(roles),
                rules: rules.map(read_rules).transpose()?,
                name: name.into_text(),
            };
            members.change(target.entity_id.clone(), amendment, target.decision()).await?;
            done(&target, "is changed")
        }
        Command::Suspend(target) => {
            let members = open(&target.whose).await?.1;
            members.suspend(target.entity_id.clone(), target.decision()).await?;
            done(&target, "is suspended; others notice within their chain age, a minute by default")
        }
        Command::Resume(target) => {
            let members = open(&target.whose).await?.1;
            members.resume(target.entity_id.clone(), target.decision()).await?;
            done(&target, "is a member again")
        }
        Command::Remove(target) => {
            let members = open(&target.whose).await?.1;
            members.remove(target.entity_id.clone(), target.decision()).await?;
            done(&target, "is no member; others notice within their chain age, a minute by default")
        }
    }
}

async fn open(whose: &Whose) -> Result<(AnchorConfig, Membership), Failure> {
    let config = AnchorConfig::load(&whose.config)?;
    let members = app::membership(&config).await?;
    Ok((config, members))
}

fn read_keys(path: PathBuf) -> Result<PublicKeys, Failure> {
    let unfit = || app::StartError::Jwks(path.display().to_string());
    let jwks = parse_strict_json(&std::fs::read(&path).map_err(app::StartError::of_file(&path))?)
        .map_err(|_| unfit())?;
    let keys = PublicKeys::from_jwks(&jwks).map_err(|_| unfit())?;
    if keys.is_empty() { Err(unfit().into()) } else { Ok(keys) }
}

fn read_rules(path: PathBuf) -> Result<StatementRules, Failure> {
    let text = std::fs::read_to_string(&path).map_err(app::StartError::of_file(&path))?;
    member_rules(&text).map_err(|complaint| format!("{}: {complaint}", path.display()).into())
}

fn done(target: &Target, what: &str) -> Result<(), Failure> {
    say!("{} {what}.", target.entity_id);
    Ok(())
}

const fn word(state: MemberState) -> &'static str {
    match state {
        MemberState::Active => "active",
        MemberState::Suspended => "suspended",
        MemberState::Removed => "removed",
    }
}

async fn print(members: &Membership, only: Option<EntityId>) -> Result<(), Failure> {
    let all = members.list().await?;
    say!("{:<44} {:<10} {:<42} {:<21} keys", "member", "state", "roles", "changed");
    for member in all.iter().filter(|member| only.as_ref().is_none_or(|id| *id == member.id)) {
        say!(
            "{:<44} {:<10} {:<42} {:<21} {}",
            member.id.as_str(),
            word(member.state),
            roles(member),
            member.changed_at.rfc3339(),
            keys(member)
        );
        if let Some(name) = &member.rules.name {
            say!("  name: {}", name.get(Language::En).escape_debug());
        }
        if let Some(reason) = &member.reason {
            say!("  why: {}", reason.escape_debug());
        }
    }
    Ok(())
}

fn roles(member: &Member) -> String {
    let names: Vec<&str> = member.roles.iter().map(|role| role.name()).collect();
    match (names.is_empty(), member.intermediate) {
        (true, true) => "intermediate".to_owned(),
        (true, false) => "none".to_owned(),
        (false, _) => names.join(","),
    }
}

fn keys(member: &Member) -> String {
    let Some(keys) = &member.keys else { return "not met yet".to_owned() };
    keys.iter().filter_map(|key| key.kid()).map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

async fn print_history(members: &Membership, only: Option<EntityId>) -> Result<(), Failure> {
    for change in members.history(only).await? {
        let why = change.reason.map(|reason| format!(": {}", reason.escape_debug())).unwrap_or_default();
        say!(
            "{} {} {} by {}{why}",
            change.at.rfc3339(),
            change.member,
            change.change,
            change.actor.escape_debug()
        );
    }
    Ok(())
}
