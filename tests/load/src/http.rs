//! An HTTP/1.1 client of its own, over one kept connection, that costs little beside what it measures. All hosts are names of
//! loopback; a redirect is not followed.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

/// The longest that an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
const MAX_HEADERS: usize = 64;

/// One answer, whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All headers of that name.
    pub fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON of a success; status and body otherwise.
    pub fn json(&self) -> Result<serde_json::Value> {
        if !(200..300).contains(&self.status) {
            bail!("{} {}", self.status, self.text());
        }
        serde_json::from_slice(&self.body).context("the answer is no JSON")
    }
}

/// A connection to a port of loopback, opened when it is needed.
pub struct Connection {
    port: u16,
    stream: Option<TcpStream>,
    read: Vec<u8>,
}

impl Connection {
    pub fn new(port: u16) -> Self {
        Self { port, stream: None, read: Vec::with_capacity(8192) }
    }

    /// Opens the connection without asking anything.
    pub async fn open(&mut self) -> Result<&mut TcpStream> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))).await?;
            stream.set_nodelay(true)?;
            self.read.clear();
            self.stream = Some(stream);
        }
        self.stream.as_mut().ok_or_else(|| anyhow!("no connection"))
    }

    /// Sends a whole request and reads the whole answer. After an error the connection is closed.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Answer> {
        let answer = match tokio::time::timeout(PATIENCE, self.ask(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(anyhow!("no answer in {} s", PATIENCE.as_secs())),
        };
        let closes = answer.as_ref().map_or(true, |answer| {
            answer.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
        });
        if closes {
            self.stream = None;
        }
        answer
    }

    async fn ask(&mut self, request: &[u8]) -> Result<Answer> {
        self.open().await?.write_all(request).await?;
        let (mut answer, frame, used) = loop {
            if let Some(head) = parse_head(&self.read)? {
                break head;
            }
            self.fill().await?;
        };
        self.read.drain(..used);
        match frame {
            Frame::Length(length) => {
                while self.read.len() < length {
                    self.fill().await?;
                }
                answer.body = self.read.drain(..length).collect();
            }
            Frame::Chunked => {
                while let Some(size) = self.chunk_size().await? {
                    while self.read.len() < size + 2 {
                        self.fill().await?;
                    }
                    answer.body.extend_from_slice(&self.read[..size]);
                    self.read.drain(..size + 2);
                }
            }
        }
        Ok(answer)
    }

    /// The size of the next chunk; none after the last.
    async fn chunk_size(&mut self) -> Result<Option<usize>> {
        loop {
            if let Some(end) = self.read.windows(2).position(|pair| pair == b"\r\n") {
                let line = std::str::from_utf8(&self.read[..end])?;
                let size = usize::from_str_radix(line.split(';').next().unwrap_or("").trim(), 16)?;
                if size > 0 {
                    self.read.drain(..end + 2);
                    return Ok(Some(size));
                }
                while self.read.len() < end + 4 {
                    self.fill().await?;
                }
                self.read.drain(..end + 4);
                return Ok(None);
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Result<()> {
        let stream = self.stream.as_mut().ok_or_else(|| anyhow!("no connection"))?;
        match stream.read_buf(&mut self.read).await? {
            0 => bail!("the connection was closed before the answer"),
            _ => Ok(()),
        }
    }
}

enum Frame {
    Length(usize),
    Chunked,
}

fn parse_head(bytes: &[u8]) -> Result<Option<(Answer, Frame, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(used) = response.parse(bytes)? else { return Ok(None) };
    let status = response.code.unwrap_or_default();
    let headers = response
        .headers
        .iter()
        .map(|header| (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned()))
        .collect();
    let answer = Answer { status, headers, body: Vec::new() };
    let frame = match (answer.header("transfer-encoding"), answer.header("content-length")) {
        (Some(coding), _) if coding.eq_ignore_ascii_case("chunked") => Frame::Chunked,
        (_, Some(length)) => Frame::Length(length.parse()?),
        _ if status == 204 || status == 304 => Frame::Length(0),
        _ => bail!("the length of an answer with status {status} is unknown"),
    };
    Ok(Some((answer, frame, used)))
}

/// A request as bytes. Form bodies are urlencoded; JSON ones say so in `headers`.
pub fn request(method: &str, url: &Url, headers: &[(&str, &str)], body: Option<&str>) -> Vec<u8> {
    let mut text = format!("{method} {}", url.path());
    if let Some(query) = url.query() {
        text.push('?');
        text.push_str(query);
    }
    let host = url.host_str().unwrap_or("localhost");
    text.push_str(&format!(" HTTP/1.1\r\nHost: {host}:{}\r\n", port(url)));
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = body {
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            text.push_str("Content-Type: application/x-www-form-urlencoded\r\n");
        }
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body.unwrap_or(""));
    text.into_bytes()
}

pub fn port(url: &Url) -> u16 {
    url.port_or_known_default().unwrap_or(80)
}

/// One request over a connection of its own.
pub async fn once(method: &str, url: &Url, headers: &[(&str, &str)], body: Option<&str>) -> Result<Answer> {
    Connection::new(port(url))
        .exchange(&request(method, url, headers, body))
        .await
        .with_context(|| format!("{method} {}", url.path()))
}

pub async fn get(url: &str) -> Result<Answer> {
    once("GET", &Url::parse(url)?, &[], None).await
}

/// A form's body.
pub fn form<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
