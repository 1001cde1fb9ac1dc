//! Apache with `libapache2-mod-oauth2` as Debian ships it: verifies token and DPoP proof and gives a static answer. It knows no
//! status, keeps no log and signs nothing, and remembers in shared memory which tokens it has verified unless told not to.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::config::DATASET;
use super::drive::Target;
use super::floor;
use super::http::Connection;
use super::jose::{self, Key};
use super::process::{self, Process};

const MODULES: &str = "/usr/lib/apache2/modules";
const PROGRAM: &str = "/usr/sbin/apache2";

/// Whether it is installed.
pub fn is_here() -> bool {
    Path::new(PROGRAM).exists() && Path::new(MODULES).join("mod_oauth2.so").exists()
}

fn configuration(folder: &str, port: u16, jwk: &str, options: &str) -> String {
    let jwk = jwk.replace('"', "\\\"");
    format!(
        r#"ServerRoot "{folder}"
ServerName floor.localhost
Listen 127.0.0.1:{port}
PidFile "{folder}/apache.pid"
Mutex file:{folder}
ErrorLog "{folder}/error.log"
LogLevel error
User www-data
Group www-data
LoadModule mpm_event_module {MODULES}/mod_mpm_event.so
LoadModule authn_core_module {MODULES}/mod_authn_core.so
LoadModule authz_core_module {MODULES}/mod_authz_core.so
LoadModule authz_user_module {MODULES}/mod_authz_user.so
LoadModule mime_module {MODULES}/mod_mime.so
LoadModule oauth2_module {MODULES}/mod_oauth2.so
TypesConfig /etc/mime.types
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
DocumentRoot "{folder}/www"
<Location "/exchange">
  AuthType oauth2
  OAuth2TokenVerify jwk "{jwk}" type=dpop&verify.iat=required&verify.iat.slack_before=86400&verify.exp=required{options}
  OAuth2AcceptTokenIn header name=Authorization&type=DPoP
  Require valid-user
  ForceType application/json
</Location>
"#
    )
}

/// Starts it with tokens for so many residents and a body to give. `cached`: as it comes, with its cache of verified tokens.
pub async fn start(
    folder: &Path,
    residents: usize,
    key: &Arc<Key>,
    body: &[u8],
    cached: bool,
) -> Result<(Process, Rc<Target>)> {
    let port = process::free_port()?;
    let token_key = Key::generate()?;
    let base = format!("http://floor.localhost:{port}");
    let served = folder.join("www/exchange/datasets");
    std::fs::create_dir_all(&served)?;
    std::fs::write(served.join(DATASET), body)?;
    std::fs::write(folder.join("www/ready"), "")?;
    // Its workers run as a user of their own.
    for directory in [folder, &folder.join("www"), &folder.join("www/exchange"), &served] {
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755))?;
    }
    let options = if cached { "" } else { "&expiry=0" };
    let text = configuration(
        folder.to_str().context("the folder's name is not UTF-8")?,
        port,
        &token_key.jwk().to_string(),
        options,
    );
    let file = folder.join("apache.conf");
    std::fs::write(&file, text)?;
    let mut command = Command::new(PROGRAM);
    command.arg("-f").arg(&file).arg("-DFOREGROUND");
    let process = Process::start(&mut command, port, "/ready", &folder.join("apache.log")).await?;
    let tokens = (0..residents)
        .map(|resident| floor::permission(resident, &floor::token(&token_key, &base, &key.kid, resident)?));
    let target = Target {
        ports: vec![port],
        url: format!("{base}/exchange/datasets/{DATASET}"),
        holder: base.clone(),
        recipient: floor::RECIPIENT.to_owned(),
        key: key.clone(),
        permissions: tokens.collect::<Result<_>>()?,
        receipts: None,
        served: std::cell::Cell::default(),
    };
    refuses_what_is_forged(port, &target).await?;
    Ok((process, Rc::new(target)))
}

/// A server that verifies nothing is nothing to compare with: it must refuse a token without a proof, and one whose proof was
/// signed with another key than it names.
async fn refuses_what_is_forged(port: u16, target: &Target) -> Result<()> {
    let url = url::Url::parse(&format!("http://127.0.0.1:{port}/exchange/datasets/{DATASET}"))?;
    let permission = target.permissions.first().context("no tokens")?;
    let token = format!("DPoP {}", permission.token);
    let claims = json!({
        "htm": "GET", "htu": target.url, "iat": jose::now(), "jti": jose::secret::<16>(), "ath": permission.token_hash,
    });
    let signed = |key: &Key| key.sign_parts(&target.key.proof_header(), claims.to_string().as_bytes());
    let (forged, right) = (signed(&Key::generate()?)?, signed(&target.key)?);
    let host = target.url.split('/').nth(2).context("no host")?;
    for (proof, expected) in [(None, 401), (Some(&forged), 401), (Some(&right), 200)] {
        let proof = proof.map(|proof| format!("DPoP: {proof}\r\n")).unwrap_or_default();
        let path = url.path();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\n{proof}\r\n");
        let answer = Connection::new(port).exchange(request.as_bytes()).await?;
        if answer.status != expected {
            bail!("Apache answers {} in place of {expected}", answer.status);
        }
    }
    Ok(())
}
