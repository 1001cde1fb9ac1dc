//! A running node or anchor: its server and its background tasks, until it is stopped.

use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use tokio::task::JoinHandle;

use super::member_requests::MemberRequests;
use super::tasks::Tasks;
use crate::domain::ids::EntityId;
use crate::node::Node;

/// How long background tasks may take to end, counted from the end of the server.
const TASKS_BOUND: Duration = Duration::from_secs(10);

/// A running node or anchor.
pub struct Running {
    /// Its base URL.
    pub id: EntityId,
    node: Option<(Arc<Node>, Arc<MemberRequests>)>,
    server: JoinHandle<std::io::Result<()>>,
    handle: ServerHandle,
    tasks: Tasks,
    drain: Duration,
}

impl Running {
    /// `drain` is the time between "not ready" and the closing of the listening socket, in which a load balancer can
    /// notice.
    pub(super) fn new(
        id: EntityId,
        node: Option<(Arc<Node>, Arc<MemberRequests>)>,
        server: Server,
        tasks: Tasks,
        drain: Duration,
    ) -> Self {
        let handle = server.handle();
        Self { id, node, server: tokio::spawn(server), handle, tasks, drain }
    }

    /// The node's context; `None` for an anchor.
    #[must_use]
    pub fn node(&self) -> Option<&Arc<Node>> {
        self.node.as_ref().map(|(node, _)| node)
    }

    /// Stops: `/health/ready` answers 503 at once, the socket is closed after the drain time, requests in progress are
    /// finished, and the background tasks end after their current iteration. Each step has a time limit.
    pub async fn stop(self) {
        self.tasks.stop_signal().stop();
        tokio::time::sleep(self.drain).await;
        self.handle.stop(true).await;
        let _ = self.server.await;
        self.tasks.join(TASKS_BOUND).await;
        if let Some((_, requests)) = &self.node {
            requests.close();
        }
    }
}
