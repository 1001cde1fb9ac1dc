//! A running node or anchor: its server and its background tasks.

use std::sync::Arc;

use actix_web::dev::{Server, ServerHandle};
use tokio::task::JoinHandle;

use crate::domain::ids::EntityId;
use crate::node::Node;

/// A running node or anchor.
pub struct Running {
    /// Its base URL.
    pub id: EntityId,
    node: Option<Arc<Node>>,
    server: JoinHandle<std::io::Result<()>>,
    handle: ServerHandle,
    background: Vec<JoinHandle<()>>,
}

impl Running {
    pub(super) fn new(
        id: EntityId,
        node: Option<Arc<Node>>,
        server: Server,
        background: Vec<JoinHandle<()>>,
    ) -> Self {
        let handle = server.handle();
        Self { id, node, server: tokio::spawn(server), handle, background }
    }

    /// The node behind it; none for an anchor.
    #[must_use]
    pub fn node(&self) -> Option<&Arc<Node>> {
        self.node.as_ref()
    }

    /// Lets requests under way finish, then stops.
    pub async fn stop(self) {
        self.handle.stop(true).await;
        for task in self.background {
            task.abort();
        }
        let _ = self.server.await;
    }
}
