//! `/health/live` and `/health/ready`, for load balancers and monitoring.

use std::time::Duration;

use actix_web::{HttpResponse, web};

use super::App;
use super::problem::HttpProblem;
use super::routes::routes;
use crate::node::{Problem, ProblemKind};
use crate::ports::StopSignal;

/// How long a database may take before it counts as unavailable: less than a load balancer waits.
const DEADLINE: Duration = Duration::from_secs(1);

/// Readiness of a server other than a node.
#[async_trait::async_trait]
pub(crate) trait Readiness: Send + Sync {
    /// Queries the database.
    ///
    /// # Errors
    /// The database's error.
    async fn ping(&self) -> Result<(), Problem>;
}

routes! {
    pub(crate) fn configure, HEALTH {
        "/health/live" => { get live }
        "/health/ready" => { get ready }
    }
}

async fn live() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// Ready: the process is not stopping, and its database answers within [`DEADLINE`].
async fn ready(
    node: Option<web::Data<App>>,
    other: Option<web::Data<dyn Readiness>>,
    stop: Option<web::Data<StopSignal>>,
) -> Result<HttpResponse, HttpProblem> {
    let stopping = node.as_ref().is_some_and(|app| app.stop.is_stopping())
        || stop.is_some_and(|stop| stop.is_stopping());
    if stopping {
        return Err(Problem::because(ProblemKind::Unavailable, "the process stops").into());
    }
    let asked = async {
        match (&node, &other) {
            (Some(app), _) => Ok(app.node.store.ping().await?),
            (None, Some(other)) => other.ping().await,
            (None, None) => Ok(()),
        }
    };
    match tokio::time::timeout(DEADLINE, asked).await {
        Ok(Ok(())) => Ok(HttpResponse::NoContent().finish()),
        Ok(Err(problem)) => Err(problem.into()),
        Err(_) => {
            Err(Problem::because(ProblemKind::Unavailable, "the database does not answer in time").into())
        }
    }
}
