//! `[outbound]`: the route of requests to other members and to the login provider.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::checks;
use super::profile::Profile;
use super::reader::Section;
use super::secret::{SecretError, SecretFile};

/// `[outbound]`. May be absent: then requests go out directly, with the system's certificate authorities.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outbound {
    /// A PEM file with certificate authorities that are trusted in addition to the system's.
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) proxy: Option<OutboundProxy>,
}

/// The HTTP proxy that requests go through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutboundProxy {
    /// `http://host:port` or `https://host:port`.
    pub(crate) url: url::Url,
    /// A file with `user:password`, if the proxy demands them.
    pub(crate) credentials_file: Option<PathBuf>,
    /// Hosts that bypass the proxy; a leading dot matches all subdomains.
    pub(crate) except: Vec<String>,
}

impl OutboundProxy {
    /// User and password from their file.
    ///
    /// # Errors
    /// [`SecretError`] when the file cannot be read or holds no colon.
    pub(crate) fn credentials(&self) -> Result<Option<(String, SecretString)>, SecretError> {
        let Some(path) = &self.credentials_file else { return Ok(None) };
        let secret = SecretFile::new(path.clone(), false).read(|| [0; 32])?;
        let (user, password) = secret
            .expose_secret()
            .split_once(':')
            .ok_or_else(|| SecretError::Malformed { path: path.clone(), expected: "user:password" })?;
        Ok(Some((user.to_owned(), SecretString::from(password))))
    }
}

/// Reads `[outbound]`.
pub(super) fn read(section: Option<Section<'_, '_>>, data_dir: &Path, profile: Profile) -> Outbound {
    const CA: &str =
        "write the path of a PEM file with the certificates of your own authorities, or take the line out";
    const PROXY: &str = "write the address of an HTTP proxy, such as \"http://proxy.city.example:3128\"";
    const CREDENTIALS: &str = "write the path of a file that holds user:password, beside proxy";
    const EXCEPT: &str = "write a list of host names, such as [\"login.city.example\", \".internal.city.example\"], beside proxy";
    let Some(mut section) = section else { return Outbound::default() };
    let document = section.document();
    let ca_file = section.optional::<String>("ca_file", CA);
    let proxy = section.optional::<String>("proxy", PROXY);
    let credentials = section.optional::<String>("proxy_credentials_file", CREDENTIALS);
    let except = section.optional::<Vec<String>>("no_proxy", EXCEPT);
    section.close();
    let ca_file = ca_file.map(|found| {
        let path = checks::path(data_dir, &found.value);
        if !checks::holds_certificates(&path) {
            document.problem(&found.at, "the file is not there or holds no PEM certificate", CA);
        }
        path
    });
    if profile == Profile::Demo
        && let Some(found) = &proxy
    {
        document.problem(
            &found.at,
            "profile demo reaches this machine only, without a proxy",
            "take the line out",
        );
    }
    if proxy.is_none() {
        for at in credentials.iter().map(|found| &found.at).chain(except.iter().map(|found| &found.at)) {
            document.problem(at, "there is no proxy", "add proxy, or take the line out");
        }
    }
    if let Some(found) = &except
        && !found.value.iter().all(|host| is_host(host))
    {
        document.problem(&found.at, "not a list of host names", EXCEPT);
    }
    let credentials_file =
        credentials.map(|found| checks::secret_file(document, data_dir, profile, &found, CREDENTIALS).0);
    let proxy = proxy.and_then(|found| match proxy_url(&found.value) {
        Ok(url) => Some(OutboundProxy {
            url,
            credentials_file,
            except: except.map(|found| found.value).unwrap_or_default(),
        }),
        Err(complaint) => {
            document.problem(&found.at, complaint, PROXY);
            None
        }
    });
    Outbound { ca_file, proxy }
}

fn proxy_url(text: &str) -> Result<url::Url, &'static str> {
    let url = url::Url::parse(text).map_err(|_| "not an address")?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err("not the address of an HTTP proxy");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("user and password do not belong into the address, but into proxy_credentials_file");
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("the address of a proxy has no path");
    }
    Ok(url)
}

fn is_host(text: &str) -> bool {
    let name = text.strip_prefix('.').unwrap_or(text);
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}
