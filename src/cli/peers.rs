//! `omadata peers`.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::process::{Failure, say};
use crate::config::Config;
use crate::domain::clock::Timestamp;
use crate::domain::federation::{ExpiryWarning, PeerReport, Role, TrustedPeer, Verdict};
use crate::domain::ids::{EntityId, KeyId};
use crate::domain::jose::PublicKeys;
use crate::operator::peers::FederationInspector;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Every member: who vouches for it, its roles, until when; what is wrong with a broken one, and what ends soon here
    List(View),
    /// Look at one entity step by step, member or not, of this program or another, and say whose side a fault is on
    Test(Test),
}

#[derive(clap::Args)]
pub(super) struct View {
    /// The node's configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub(super) struct Test {
    /// Its entity identifier, which is its address
    #[arg(value_name = "URL")]
    entity: EntityId,
    #[command(flatten)]
    view: View,
}

pub(super) async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::List(view) => list(&view).await,
        Command::Test(test) => examine(&test).await,
    }
}

async fn list(view: &View) -> Result<(), Failure> {
    let lookout = FederationInspector::open(&Config::load(&view.config)?).await?;
    let (reports, unknown) = match lookout.members().await {
        Ok(reports) => (reports, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    let warnings = lookout.warnings().await?;
    if view.json {
        let members: Vec<Value> = reports.iter().map(as_json).collect();
        let warnings: Vec<Value> = warnings.iter().map(warning_as_json).collect();
        let error = unknown.as_ref().map(ToString::to_string);
        print_json(&json!({ "members": members, "warnings": warnings, "error": error }))?;
    } else {
        print_list(&reports, &warnings);
    }
    if let Some(error) = unknown {
        return Err(format!("nobody can tell who the members are: {error}").into());
    }
    let broken = reports.iter().filter(|report| report.verdict() == Verdict::Fail).count();
    match broken {
        0 => Ok(()),
        broken => Err(format!("{broken} of {} members broken", reports.len()).into()),
    }
}

async fn examine(test: &Test) -> Result<(), Failure> {
    let lookout = FederationInspector::open(&Config::load(&test.view.config)?).await?;
    let report = lookout.test(&test.entity).await;
    let refused = lookout.refused_address(&test.entity);
    let failed = lookout.failed_connection(&test.entity);
    if test.view.json {
        let mut json = as_json(&report);
        if let Some(members) = json.as_object_mut() {
            if let Some(refused) = &refused {
                members.insert("address".to_owned(), refused.to_string().into());
            }
            if let Some(failed) = &failed {
                members.insert("connection".to_owned(), failed.as_str().into());
            }
        }
        print_json(&json)?;
    } else {
        print_findings(&report);
        if let Some(refused) = &refused {
            say!("      address: {refused}");
        }
        if let Some(failed) = &failed {
            say!("      connection: {failed}");
        }
        if let Some(peer) = &report.peer {
            print_peer(peer);
        }
    }
    match (report.verdict(), report.listed) {
        (Verdict::Pass | Verdict::Warn, _) => Ok(()),
        (Verdict::Fail, true) => Err("a member, and broken".into()),
        (Verdict::Fail, false) => Err("not a member".into()),
    }
}

fn print_json(value: &Value) -> Result<(), Failure> {
    say!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Warn => "warn",
        Verdict::Fail => "FAIL",
    }
}

fn print_list(reports: &[PeerReport], warnings: &[ExpiryWarning]) {
    for report in reports {
        say!("{:<5} {}", word(report.verdict()), report.subject);
        match &report.peer {
            Some(peer) => print_peer(peer),
            None => print_findings(report),
        }
    }
    for warning in warnings {
        let ExpiryWarning { expiry, threshold } = warning;
        say!(
            "warn  {} {}: {}, {}",
            expiry.kind.name(),
            expiry.name,
            threshold.name(),
            expiry.ends_at.rfc3339()
        );
        say!("      remedy: {}", expiry.kind.remedy());
    }
}

fn print_findings(report: &PeerReport) {
    for finding in &report.findings {
        say!(
            "{:<5} {:<13} {}: {}",
            word(finding.verdict),
            finding.step.name(),
            finding.about,
            finding.message
        );
        if let Some(side) = finding.side {
            say!("      side: {}", side.name());
        }
        if let Some(remedy) = finding.remedy {
            say!("      remedy: {remedy}");
        }
    }
}

fn print_peer(peer: &TrustedPeer) {
    say!("      {}; {}", peer.name.en, roles(peer).join(", "));
    for link in peer.links() {
        say!(
            "      {} about {}: {} to {}, keys {}",
            link.issuer,
            link.subject,
            link.issued_at.rfc3339(),
            link.expires_at.rfc3339(),
            kids(link.keys.iter())
        );
    }
    for held in peer.marks() {
        let until =
            held.mark().exp.map_or_else(|| "revoked".to_owned(), |exp| Timestamp::from_secs(exp).rfc3339());
        say!("      mark {} by {} until {until}", held.role(), held.mark().iss);
    }
    say!("      holds until {}", peer.expires_at.rfc3339());
}

fn roles(peer: &TrustedPeer) -> Vec<&'static str> {
    peer.roles().into_iter().map(Role::name).collect()
}

fn kids<'a>(keys: impl Iterator<Item = &'a KeyId>) -> String {
    keys.map(KeyId::as_str).collect::<Vec<_>>().join(", ")
}

fn as_json(report: &PeerReport) -> Value {
    json!({
        "entity": report.subject,
        "at": report.at.rfc3339(),
        "verdict": report.verdict(),
        "listed": report.listed,
        "anchor": report.anchor,
        "findings": report.findings,
        "member": report.peer.as_deref().map(peer_as_json),
    })
}

fn peer_as_json(peer: &TrustedPeer) -> Value {
    let names = |keys: &PublicKeys| keys.iter().filter_map(|key| key.kid().cloned()).collect::<Vec<_>>();
    let links: Vec<Value> = peer
        .links()
        .into_iter()
        .map(|link| {
            json!({
                "issuer": link.issuer,
                "subject": link.subject,
                "issued": link.issued_at.rfc3339(),
                "expires": link.expires_at.rfc3339(),
                "keys": link.keys,
            })
        })
        .collect();
    let marks: Vec<Value> = peer
        .marks()
        .iter()
        .map(|held| {
            json!({
                "role": held.role().name(),
                "type": held.mark().trust_mark_type,
                "issuer": held.mark().iss,
                "expires": held.mark().exp.map(|exp| Timestamp::from_secs(exp).rfc3339()),
            })
        })
        .collect();
    json!({
        "name": peer.name,
        "roles": roles(peer),
        "anchor": peer.anchor,
        "superiors": peer.superiors,
        "until": peer.expires_at.rfc3339(),
        "chain": links,
        "marks": marks,
        "keys": {
            "federation": names(&peer.federation_keys),
            "token": peer.consent_issuer().ok().map(|issuer| names(&issuer.authorization_server().token_keys)),
            "receipt": peer.holder().ok().map(|holder| names(&holder.resource().receipt_keys)),
            "client": peer.recipient().ok().map(|recipient| names(&recipient.client().client_keys)),
        },
    })
}

fn warning_as_json(warning: &ExpiryWarning) -> Value {
    let ExpiryWarning { expiry, threshold } = warning;
    json!({
        "kind": expiry.kind.name(),
        "name": expiry.name,
        "near": threshold.name(),
        "ends": expiry.ends_at.rfc3339(),
        "remedy": expiry.kind.remedy(),
    })
}
