//! A resident's browser without the browser: cookies, redirects and forms, and the request headers that a browser adds by
//! itself. It runs no script, which is also how the portal must work.

use std::collections::BTreeMap;

use reqwest::header::{CONTENT_SECURITY_POLICY, HeaderMap, LOCATION, REFERRER_POLICY, SET_COOKIE};
use url::Url;

/// One page as received.
#[derive(Debug)]
pub struct Page {
    pub url: Url,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

/// A form as it stands on a page.
#[derive(Debug, Clone)]
pub struct Form {
    pub action: Url,
    pub fields: Vec<(String, String)>,
}

impl Page {
    fn broken(url: Url) -> Self {
        Self { url, status: 0, headers: HeaderMap::new(), body: String::new() }
    }

    /// Where a redirect leads.
    pub fn leads_to(&self) -> Url {
        let location =
            self.headers.get(LOCATION).unwrap_or_else(|| panic!("leads nowhere: {}", self.describe()));
        self.url.join(location.to_str().unwrap()).unwrap()
    }

    /// Status, address and heading: enough to see where a journey went wrong.
    pub fn describe(&self) -> String {
        let heading = self.body.split("<h1").nth(1).and_then(|rest| rest.split("</h1>").next()).unwrap_or("");
        format!("{} {} {}", self.status, self.url, heading)
    }

    /// What a person reads, without the markup.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut inside = false;
        for c in self.body.chars() {
            match c {
                '<' => inside = true,
                '>' => inside = false,
                _ if !inside => text.push(c),
                _ => {}
            }
        }
        unescape(&text)
    }

    /// Whether there is a form whose address begins like this.
    pub fn has_form(&self, action: &str) -> bool {
        self.body.contains(&format!("action=\"{action}"))
    }

    /// The form whose address begins like this, as a browser would send it without any button.
    pub fn form(&self, action: &str) -> Form {
        for rest in self.body.split("<form").skip(1) {
            let (tag, rest) = rest.split_once('>').unwrap();
            let address = attributes(tag).remove("action").unwrap_or_default();
            if !address.starts_with(action) {
                continue;
            }
            let inside = rest.split("</form>").next().unwrap();
            let mut fields = Vec::new();
            for input in inside.split("<input").skip(1) {
                let attributes = attributes(input.split('>').next().unwrap());
                let kind = attributes.get("type").map_or("text", String::as_str);
                let chosen = !matches!(kind, "checkbox" | "radio") || attributes.contains_key("checked");
                if let (Some(name), true) = (attributes.get("name"), chosen) {
                    fields.push((name.clone(), attributes.get("value").cloned().unwrap_or_default()));
                }
            }
            return Form { action: self.url.join(&address).unwrap(), fields };
        }
        panic!("no form to {action} on {}", self.describe());
    }

    /// Whether the page lets its forms lead to an address (Content Security Policy Level 3, `form-action`): the address
    /// of the form itself and of every redirect after it.
    fn forms_may_lead_to(&self, address: &Url) -> bool {
        let policy = self
            .headers
            .get(CONTENT_SECURITY_POLICY)
            .map_or("", |policy| policy.to_str().unwrap())
            .to_owned();
        let Some(sources) = policy.split(';').find_map(|part| part.trim().strip_prefix("form-action "))
        else {
            return true;
        };
        sources.split(' ').any(|source| match source {
            "'self'" => address.origin() == self.url.origin(),
            "https:" => address.scheme() == "https",
            "http://*.localhost:*" => {
                address.scheme() == "http"
                    && address.host_str().is_some_and(|host| host.ends_with(".localhost"))
            }
            exact => exact == address.origin().ascii_serialization(),
        })
    }

    /// What a browser says of where a form of this page comes from (Fetch, "append a request `Origin` header").
    fn origin_of_its_forms(&self) -> String {
        match self.headers.get(REFERRER_POLICY) {
            Some(policy) if policy == "no-referrer" => "null".to_owned(),
            _ => self.url.origin().ascii_serialization(),
        }
    }

    /// Where a link or a redirect of this page leads that contains these words.
    pub fn link(&self, words: &str) -> Url {
        let found = self.body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let found = found.map(unescape).find(|href| href.contains(words));
        self.url
            .join(&found.unwrap_or_else(|| panic!("no link with {words} on {}", self.describe())))
            .unwrap()
    }
}

fn attributes(tag: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = tag.trim().trim_end_matches('/');
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        rest = &rest[end..];
        let mut value = String::new();
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let (inside, after) = quoted.split_once('"').unwrap();
            value = unescape(inside);
            rest = after;
        }
        found.insert(name, value);
        rest = rest.trim_start();
    }
    found
}

fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let Some((name, after)) = after.split_once(';').filter(|(name, _)| name.len() <= 8) else {
            plain.push('&');
            rest = after;
            continue;
        };
        match name.strip_prefix('#').and_then(|code| code.parse().ok()).and_then(char::from_u32) {
            Some(c) => plain.push(c),
            None => plain.push_str(match name {
                "amp" => "&",
                "lt" => "<",
                "gt" => ">",
                "quot" => "\"",
                "nbsp" => " ",
                _ => "'",
            }),
        }
        rest = after;
    }
    plain.push_str(rest);
    plain
}

/// One person's browser.
pub struct Browser {
    http: reqwest::Client,
    /// By host, then name.
    pub cookies: BTreeMap<String, BTreeMap<String, String>>,
    /// Every address that it asked, in order.
    pub visited: Vec<Url>,
    /// A path at which it follows no further: the redirect that leads there is what it shows.
    pub stop_before: Option<&'static str>,
    /// Whether a connection that breaks is a page of status 0, as where servers are killed, and not the end of the test.
    pub survives_breaks: bool,
}

impl Browser {
    pub fn new() -> Self {
        Self {
            http: super::client(),
            cookies: BTreeMap::new(),
            visited: Vec::new(),
            stop_before: None,
            survives_breaks: false,
        }
    }

    /// Opens an address and follows where it leads.
    pub async fn open(&mut self, url: &str) -> Page {
        self.follow(Url::parse(url).unwrap(), None, &[]).await
    }

    /// Opens an address and stays there, whatever it answers.
    pub async fn look(&mut self, url: &str) -> Page {
        self.look_with(url, &[]).await
    }

    /// As [`Self::look`], with these headers.
    pub async fn look_with(&mut self, url: &str, headers: &[(&str, &str)]) -> Page {
        self.request(Url::parse(url).unwrap(), None, headers).await
    }

    /// Sends a form. `changes` replace fields (`None` leaves them out). Fails where the page's own policy would keep a
    /// browser from going the whole way.
    pub async fn submit(&mut self, page: &Page, form: &Form, changes: &[(&str, Option<&str>)]) -> Page {
        let origin = page.origin_of_its_forms();
        let before = self.visited.len();
        let headers = [("origin", origin.as_str()), ("sec-fetch-site", "same-origin")];
        let answer = self.submit_from(form, changes, &headers).await;
        for passed in &self.visited[before..] {
            assert!(
                page.forms_may_lead_to(passed),
                "the form on {} may not lead to {passed}",
                page.describe()
            );
        }
        answer
    }

    /// Sends a form with these headers, as another page could make a browser do.
    pub async fn submit_from(
        &mut self,
        form: &Form,
        changes: &[(&str, Option<&str>)],
        headers: &[(&str, &str)],
    ) -> Page {
        let mut fields = form.fields.clone();
        fields.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        let added =
            changes.iter().filter_map(|(name, value)| Some(((*name).to_owned(), (*value)?.to_owned())));
        fields.extend(added);
        self.follow(form.action.clone(), Some(fields), headers).await
    }

    async fn follow(
        &mut self,
        url: Url,
        form: Option<Vec<(String, String)>>,
        headers: &[(&str, &str)],
    ) -> Page {
        let mut page = self.request(url, form, headers).await;
        for _ in 0..20 {
            let location = page.headers.get(LOCATION).and_then(|value| value.to_str().ok());
            let Some(next) = location.filter(|_| (300..400).contains(&page.status)) else { return page };
            let next = page.url.join(next).unwrap();
            if self.stop_before == Some(next.path()) {
                return page;
            }
            page = self.request(next, None, &[]).await;
        }
        panic!("more than 20 redirects, last {}", page.describe());
    }

    async fn request(
        &mut self,
        url: Url,
        form: Option<Vec<(String, String)>>,
        headers: &[(&str, &str)],
    ) -> Page {
        let mut request = match &form {
            Some(form) => self.http.post(url.clone()).form(form),
            None => self.http.get(url.clone()),
        };
        request = request.header("accept", "text/html").header("accept-language", "en");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let host = url.host_str().unwrap().to_owned();
        let jar = self.cookies.entry(host).or_default();
        if !jar.is_empty() {
            let cookies: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("cookie", cookies.join("; "));
        }
        let answer = match request.send().await {
            Err(_) if self.survives_breaks => return Page::broken(url),
            sent => sent.unwrap_or_else(|error| panic!("{url}: {error}")),
        };
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() || cookie.contains("Max-Age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
        self.visited.push(url.clone());
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        match answer.text().await {
            Err(_) if self.survives_breaks => Page::broken(url),
            body => Page { url, status, headers, body: body.unwrap() },
        }
    }
}
