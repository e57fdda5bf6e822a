//! A network between a client and a server, which can be cut.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What happens to what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    To(SocketAddr),
    /// Connections are closed.
    Cut,
    /// Connections stay, and nothing comes through.
    Silent,
}

/// A TCP proxy on a port of 127.0.0.1, in the runtime that has started it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    accepted: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Starts one to a server at this port of 127.0.0.1.
    pub async fn start(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (mode, changes) = watch::channel(Mode::To(([127, 0, 0, 1], port).into()));
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&accepted);
        let task = tokio::spawn(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else { continue };
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(forward(client, changes.clone()));
            }
        });
        Self { address, mode, accepted, task }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections it has accepted.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Closes all connections. New ones lead to the server at this port.
    pub fn lead_to(&self, port: u16) {
        self.cut();
        self.mode.send_replace(Mode::To(([127, 0, 0, 1], port).into()));
    }

    /// Closes all connections, and new ones at once.
    pub fn cut(&self) {
        self.mode.send_replace(Mode::Cut);
    }

    /// Lets nothing through, in either direction, as a network does that has lost its cable. Connections stay.
    pub fn silence(&self) {
        self.mode.send_replace(Mode::Silent);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
        self.task.abort();
    }
}

/// Forwards until the mode has changed. One that is silent stays so until the next change.
async fn forward(mut client: TcpStream, mut changes: watch::Receiver<Mode>) {
    let mode = *changes.borrow_and_update();
    let mut server = match mode {
        Mode::To(address) => match TcpStream::connect(address).await {
            Ok(server) => Some(server),
            Err(_) => return,
        },
        Mode::Cut => return,
        Mode::Silent => None,
    };
    if let Some(server) = &mut server {
        tokio::select! {
            _ = copy_bidirectional(&mut client, server) => return,
            changed = changes.changed() => if changed.is_err() { return },
        }
        if *changes.borrow_and_update() != Mode::Silent {
            return;
        }
    }
    let _ = changes.changed().await;
}
