//! A resident's browser without the browser: cookies, redirects, forms, and the headers that a browser adds by itself.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use url::Url;

use super::http::{self, Answer};

const MAX_REDIRECTS: usize = 20;

/// A page as received.
pub struct Page {
    pub url: Url,
    pub status: u16,
    pub body: String,
}

/// What a browser would send of a form without any button.
pub struct Form {
    pub action: Url,
    pub fields: Vec<(String, String)>,
}

impl Page {
    /// Status, address and heading: enough to see where a journey went wrong.
    pub fn describe(&self) -> String {
        let heading = self.body.split("<h1").nth(1).and_then(|rest| rest.split("</h1>").next()).unwrap_or("");
        format!("{} {}{} {heading}", self.status, self.url.host_str().unwrap_or(""), self.url.path())
    }

    /// The form whose address begins like this.
    pub fn form(&self, action: &str) -> Result<Form> {
        for rest in self.body.split("<form").skip(1) {
            let (tag, rest) = rest.split_once('>').context("an open tag")?;
            let address = attributes(tag).remove("action").unwrap_or_default();
            if !address.starts_with(action) {
                continue;
            }
            let inside = rest.split("</form>").next().unwrap_or("");
            let mut fields = Vec::new();
            for input in inside.split("<input").skip(1) {
                let attributes = attributes(input.split('>').next().unwrap_or(""));
                let kind = attributes.get("type").map_or("text", String::as_str);
                let chosen = !matches!(kind, "checkbox" | "radio") || attributes.contains_key("checked");
                if let (Some(name), true) = (attributes.get("name"), chosen) {
                    fields.push((name.clone(), attributes.get("value").cloned().unwrap_or_default()));
                }
            }
            return Ok(Form { action: self.url.join(&address)?, fields });
        }
        bail!("no form to {action} on {}", self.describe())
    }

    /// The first address on the page that begins like this.
    pub fn address(&self, begin: &str) -> Result<String> {
        let found = self.body.split('"').find(|text| text.len() > begin.len() && text.starts_with(begin));
        Ok(found.with_context(|| format!("no {begin} on {}", self.describe()))?.to_owned())
    }

    /// The values of all checkboxes of that name.
    pub fn boxes(&self, name: &str) -> Vec<String> {
        let inputs =
            self.body.split("<input").skip(1).filter_map(|rest| rest.split('>').next()).map(attributes);
        inputs
            .filter(|found| found.get("type").is_some_and(|kind| kind == "checkbox"))
            .filter(|found| found.get("name").is_some_and(|known| known == name))
            .filter_map(|mut found| found.remove("value"))
            .collect()
    }
}

impl Form {
    /// Replaces a field; several values send it several times.
    pub fn set(&mut self, name: &str, values: &[&str]) {
        self.fields.retain(|(known, _)| known != name);
        self.fields.extend(values.iter().map(|value| (name.to_owned(), (*value).to_owned())));
    }

    fn body(&self) -> String {
        http::form(self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

fn attributes(tag: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = tag.trim().trim_end_matches('/');
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        rest = after;
        let mut value = String::new();
        if let Some((inside, after)) = rest.strip_prefix("=\"").and_then(|quoted| quoted.split_once('"')) {
            value = unescape(inside);
            rest = after;
        } else if let Some(after) = rest.strip_prefix('=') {
            rest = after;
        }
        found.insert(name.to_owned(), value);
        rest = rest.trim_start();
    }
    found
}

fn unescape(text: &str) -> String {
    let named =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'"), ("&#x27;", "'")];
    let plain = named.into_iter().fold(text.to_owned(), |text, (name, plain)| text.replace(name, plain));
    plain.replace("&#38;", "&").replace("&amp;", "&")
}

/// One person's browser.
#[derive(Default)]
pub struct Browser {
    /// By host, then name.
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

impl Browser {
    pub fn set_cookie(&mut self, host: &str, name: &str, value: &str) {
        self.cookies.entry(host.to_owned()).or_default().insert(name.to_owned(), value.to_owned());
    }

    /// The header `Cookie` for a host.
    pub fn cookies_for(&self, host: &str) -> String {
        let jar = self.cookies.get(host).into_iter().flatten();
        jar.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// Opens an address and follows where it leads.
    pub async fn open(&mut self, url: &Url) -> Result<Page> {
        self.follow(url.clone(), None).await
    }

    pub async fn submit(&mut self, page: &Page, form: &Form) -> Result<Page> {
        self.follow(form.action.clone(), Some((form.body(), page.url.origin().ascii_serialization()))).await
    }

    /// Sends a form and stays at the answer.
    pub async fn post(&mut self, page: &Page, form: &Form) -> Result<Answer> {
        self.request(&form.action, Some((form.body(), page.url.origin().ascii_serialization()))).await
    }

    async fn follow(&mut self, mut url: Url, mut form: Option<(String, String)>) -> Result<Page> {
        for _ in 0..MAX_REDIRECTS {
            let answer = self.request(&url, form.take()).await?;
            let Some(next) = answer.header("location").filter(|_| (300..400).contains(&answer.status)) else {
                return Ok(Page { url, status: answer.status, body: answer.text() });
            };
            url = url.join(next)?;
        }
        bail!("more than {MAX_REDIRECTS} redirects, the last to {}", url.path())
    }

    async fn request(&mut self, url: &Url, form: Option<(String, String)>) -> Result<Answer> {
        let host = url.host_str().unwrap_or("").to_owned();
        let cookies = self.cookies_for(&host);
        let mut headers = vec![("Accept", "text/html"), ("Accept-Language", "en")];
        if !cookies.is_empty() {
            headers.push(("Cookie", &cookies));
        }
        let answer = match &form {
            Some((body, origin)) => {
                headers.extend([("Origin", origin.as_str()), ("Sec-Fetch-Site", "same-origin")]);
                http::once("POST", url, &headers, Some(body)).await?
            }
            None => http::once("GET", url, &headers, None).await?,
        };
        let jar = self.cookies.entry(host).or_default();
        for line in answer.all("set-cookie") {
            let (name, value) =
                line.split(';').next().and_then(|pair| pair.split_once('=')).context("a cookie")?;
            if value.is_empty() || line.contains("Max-Age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(answer)
    }
}
