//! A service in the tests, byte by byte: what it is asked is kept, and what it answers is the test's.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::ports::RegisterError;

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(other, _)| other == name);
        found.next().map(|(_, value)| value.as_str())
    }
}

/// What is sent back.
pub(crate) enum Answer {
    /// These bytes, and the end of the connection.
    Bytes(Vec<u8>),
    /// The first, then the second again and again.
    Endless(Vec<u8>, Vec<u8>),
    /// Nothing, on an open connection.
    Silence,
}

/// A response with a JSON body.
pub(crate) fn json(status: u16, body: &str) -> Answer {
    with_headers(status, "content-type: application/json\r\n", body)
}

pub(crate) fn with_headers(status: u16, headers: &str, body: &str) -> Answer {
    let length = body.len();
    Answer::Bytes(
        format!(
            "HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
        .into_bytes(),
    )
}

/// What stands before the body of a good answer that ends with the connection.
pub(crate) const HEAD: &str = "HTTP/1.1 200 X\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";

/// A good answer with these bytes.
pub(crate) fn whole(body: &[u8]) -> Answer {
    Answer::Bytes([HEAD.as_bytes(), body].concat())
}

/// A body that begins so and says that it has a gigabyte.
pub(crate) fn gigabyte(begin: &str) -> Answer {
    let head = "HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: 1073741824\r\n\r\n";
    Answer::Endless(format!("{head}{begin}").into_bytes(), vec![b'a'; 65_536])
}

/// How the tables of `tests/vectors/registers/` name an error.
pub(crate) const fn word(error: &RegisterError) -> &'static str {
    match error {
        RegisterError::Unavailable => "unavailable",
        RegisterError::Unfit(_) => "unfit",
        RegisterError::TooLarge => "too-large",
        RegisterError::AvailableFrom(_) => "later",
    }
}

/// A running service.
pub(crate) struct Server {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Serves on loopback over plain HTTP.
    pub(crate) fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        Self::over(Some, answer)
    }

    /// Serves over what is made of each connection; `None` ends it.
    pub(crate) fn over<S: Read + Write>(
        wrap: impl Fn(std::net::TcpStream) -> Option<S> + Send + Sync + 'static,
        answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let kept = Arc::clone(&asked);
        let both = Arc::new((wrap, answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (kept, both) = (Arc::clone(&kept), Arc::clone(&both));
                std::thread::spawn(move || {
                    let Some(mut stream) = both.0(stream) else { return };
                    let Some(request) = read(&mut stream) else { return };
                    kept.lock().unwrap().push(request.clone());
                    match both.1(&request) {
                        Answer::Bytes(bytes) => drop(stream.write_all(&bytes)),
                        Answer::Endless(first, more) => {
                            let mut sent = stream.write_all(&first);
                            while sent.is_ok() {
                                sent = stream.write_all(&more);
                            }
                        }
                        Answer::Silence => std::thread::sleep(std::time::Duration::from_secs(20)),
                    }
                });
            }
        });
        Self { port, asked }
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Its address over plain HTTP.
    pub(crate) fn url(&self) -> url::Url {
        format!("http://register.localhost:{}/api", self.port).parse().unwrap()
    }
}

fn read(stream: &mut impl Read) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { method, target, headers, body: String::from_utf8(body).unwrap() })
}
