//! The server's limits on connections, tested with real sockets and short deadlines.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream as Socket};
use tokio::time::Instant as Watch;

use actix_web::HttpResponse;
use actix_web::dev::ServerHandle;

use super::*;
use crate::node::Problem;
use crate::web::extract::Body;

const SOON: Duration = Duration::from_millis(300);
const LATE: Duration = Duration::from_secs(5);

struct Running {
    address: SocketAddr,
    handle: ServerHandle,
}

async fn echo(Body(body): Body) -> HttpResponse {
    HttpResponse::Ok().body(body)
}

fn start(limits: Limits) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let bounds = Bounds {
        head: SOON,
        body: SOON,
        idle: SOON,
        limits: Some(limits),
        ..Bounds::new(1, Duration::from_secs(2), 1024 * 1024)
    };
    let routes = |config: &mut ServiceConfig| {
        config.route("/echo", web::post().to(echo));
        health::configure(config);
    };
    let server = serve(routes, listener, bounds).unwrap();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    Running { address, handle }
}

const AMPLE: Limits = Limits { total: 500, per_address: 500 };

fn connect(address: SocketAddr) -> Socket {
    let socket = Socket::connect(address).unwrap();
    socket.set_read_timeout(Some(LATE)).unwrap();
    socket.set_write_timeout(Some(LATE)).unwrap();
    socket
}

/// Reads the head of one response.
fn head(socket: &mut Socket) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        match socket.read(&mut byte) {
            Ok(1) => text.push(byte[0]),
            _ => break,
        }
    }
    String::from_utf8(text).unwrap()
}

/// How long it takes until the server closes a connection to which these pieces are sent one after the other.
fn closed_after(mut socket: Socket, pieces: impl IntoIterator<Item = &'static [u8]>) -> Duration {
    let start = Watch::now();
    let mut reader = socket.try_clone().unwrap();
    let ended = std::thread::spawn(move || {
        let mut rest = Vec::new();
        let closed = match reader.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        };
        assert!(closed, "the server keeps the connection");
        start.elapsed()
    });
    for piece in pieces {
        if ended.is_finished() || socket.write_all(piece).is_err() {
            break;
        }
        std::thread::sleep(SOON / 3);
    }
    ended.join().unwrap()
}

async fn blocking<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    web::block(act).await.unwrap()
}

/// A database that fails, or does not answer.
struct Away {
    silent: bool,
}

#[async_trait::async_trait]
impl Readiness for Away {
    async fn ping(&self) -> Result<(), Problem> {
        if self.silent {
            std::future::pending::<()>().await;
        }
        Err(Problem::new(ProblemKind::Unavailable))
    }
}

#[actix_web::test]
async fn a_server_without_its_database_is_not_ready_and_says_so_soon() {
    for silent in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let away: Arc<dyn Readiness> = Arc::new(Away { silent });
        let away: web::Data<dyn Readiness> = web::Data::from(away);
        let routes = move |config: &mut ServiceConfig| {
            config.app_data(away.clone());
            health::configure(config);
        };
        let server = serve(routes, listener, Bounds::new(1, LATE, 1024)).unwrap();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let (answers, took) = blocking(move || {
            let start = Watch::now();
            let answers = ["ready", "live"].map(|path| {
                let mut socket = connect(address);
                write!(socket, "GET /health/{path} HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
                head(&mut socket)
            });
            (answers, start.elapsed())
        })
        .await;
        let [ready, live] = answers;
        assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("retry-after"), "{ready}");
        assert!(live.starts_with("HTTP/1.1 204"), "{live}");
        assert!(took < LATE / 2, "{took:?}");
        handle.stop(false).await;
    }
}

const LIVE: &[u8] = b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n";

#[actix_web::test]
async fn a_first_head_that_trickles_in_is_not_waited_for() {
    let server = start(AMPLE);
    let took = blocking(move || {
        let pieces = [b"GET /health/live HTTP/1.1\r\n".as_slice()];
        closed_after(connect(server.address), pieces.into_iter().chain([b"x: 1\r\n".as_slice(); 40]))
    });
    assert!(took.await < LATE / 2);
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn a_later_head_of_a_kept_connection_has_a_deadline_too() {
    let server = start(AMPLE);
    let took = blocking(move || {
        let mut socket = connect(server.address);
        socket.write_all(LIVE).unwrap();
        assert!(head(&mut socket).starts_with("HTTP/1.1 204"));
        let pieces = [b"GET /health/live HTTP/1.1\r\n".as_slice()];
        closed_after(socket, pieces.into_iter().chain([b"x: 1\r\n".as_slice(); 40]))
    });
    assert!(took.await < LATE / 2);
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn a_body_has_a_deadline_whatever_its_encoding() {
    let server = start(AMPLE);
    for kind in ["content-length: 4000", "transfer-encoding: chunked"] {
        let took = blocking(move || {
            let mut socket = connect(server.address);
            write!(socket, "POST /echo HTTP/1.1\r\nhost: a\r\n{kind}\r\n\r\n").unwrap();
            let piece: &[u8] = if kind.contains("chunked") { b"1\r\na\r\n" } else { b"a" };
            closed_after(socket, [piece; 40])
        });
        assert!(took.await < LATE / 2, "{kind}");
    }
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn a_late_body_is_told_so_as_a_problem() {
    let server = start(AMPLE);
    let answer = blocking(move || {
        let mut socket = connect(server.address);
        socket.write_all(b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nab").unwrap();
        head(&mut socket)
    });
    let answer = answer.await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("application/problem+json"), "{answer}");
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn a_kept_connection_without_requests_is_closed() {
    let server = start(AMPLE);
    let took = blocking(move || {
        let mut socket = connect(server.address);
        socket.write_all(LIVE).unwrap();
        assert!(head(&mut socket).starts_with("HTTP/1.1 204"));
        closed_after(socket, [])
    });
    assert!(took.await < LATE / 2);
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn a_kept_connection_serves_requests_one_after_the_other() {
    let server = start(AMPLE);
    blocking(move || {
        let mut socket = connect(server.address);
        for _ in 0..5 {
            socket.write_all(LIVE).unwrap();
            assert!(head(&mut socket).starts_with("HTTP/1.1 204"));
            std::thread::sleep(SOON / 2);
        }
    })
    .await;
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn thousands_of_silent_sockets_lock_nobody_out() {
    let server = start(Limits { total: 100, per_address: 100 });
    blocking(move || {
        let mut silent = Vec::new();
        for number in 0..2000 {
            let socket = connect(server.address);
            // The closed connections are dropped here, so that the test itself needs few descriptors.
            silent.push(socket);
            if silent.len() > 200 {
                silent.remove(0);
            }
            if number % 200 == 199 {
                let mut honest = connect(server.address);
                honest.write_all(LIVE).unwrap();
                let answer = head(&mut honest);
                assert!(answer.starts_with("HTTP/1.1 204"), "after {number} silent sockets: {answer:?}");
            }
        }
    })
    .await;
    server.handle.stop(false).await;
}
