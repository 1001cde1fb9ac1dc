//! A stretch of network before a server, which a test can cut: for everyone, or for one neighbour alone.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How it is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// Not at all.
    Whole,
    /// The server is down: nobody gets an answer, and hears so at once.
    Down,
    /// One neighbour's packets are lost without a word.
    Lost(IpAddr),
}

/// Passes connections to one port on to another.
pub struct Wire(watch::Sender<Cut>);

impl Wire {
    /// Lays a wire, on a thread of its own so that it outlives the test that needed it first.
    pub fn lay(public: u16, behind: u16) -> Self {
        let (sender, cut) = watch::channel(Cut::Whole);
        let (ready, laid) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, public)).await.unwrap();
                ready.send(()).unwrap();
                loop {
                    let (stream, from) = listener.accept().await.unwrap();
                    tokio::spawn(pass_on(stream, from, behind, cut.clone()));
                }
            });
        });
        laid.recv().unwrap();
        Self(sender)
    }

    pub fn cut(&self, how: Cut) {
        self.0.send_replace(how);
    }

    pub fn restore(&self) {
        self.cut(Cut::Whole);
    }
}

async fn pass_on(mut near: TcpStream, from: SocketAddr, behind: u16, mut cut: watch::Receiver<Cut>) {
    let hits = |cut: &Cut| *cut == Cut::Down || *cut == Cut::Lost(from.ip());
    if !hits(&cut.borrow()) {
        let Ok(mut far) = TcpStream::connect((Ipv4Addr::LOCALHOST, behind)).await else { return };
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut near, &mut far) => return,
            _ = cut.wait_for(hits) => {}
        }
    }
    let how = *cut.borrow();
    if let Cut::Lost(_) = how {
        // Open and mute, until the wire is mended.
        let _ = cut.wait_for(|cut| !hits(cut)).await;
    }
    let _ = near.shutdown().await;
}
