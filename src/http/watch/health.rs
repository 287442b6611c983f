//! `GET /healthz` and `GET /readyz`: for load balancers and supervisors. The answers say what is wrong in general words
//! and nothing about the installation, since anybody may ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use tokio::sync::Mutex;

use crate::domain::Stopwatch;
use crate::service::{App, Readiness};

/// How long one look at the database holds for all who ask, so that asking often is no load.
const FRESH: Duration = Duration::from_secs(1);

/// What is known of the server's state. Cheap to clone; all clones are the same.
#[derive(Clone, Default)]
pub(in crate::http) struct Health(Arc<HealthState>);

#[derive(Default)]
struct HealthState {
    stopping: AtomicBool,
    last: Mutex<Option<(Stopwatch, Readiness)>>,
}

impl Health {
    /// From now on the server is not ready: it has been asked to stop.
    pub(in crate::http) fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    async fn readiness(&self, app: &App) -> Readiness {
        // Who comes while somebody looks waits here and gets the same answer.
        let mut last = self.0.last.lock().await;
        match *last {
            Some((seen, readiness)) if seen.elapsed() < FRESH => readiness,
            _ => {
                let readiness = app.readiness().await;
                *last = Some((Stopwatch::start(), readiness));
                readiness
            }
        }
    }
}

/// `GET /healthz`: the process answers. Looks at nothing else, since a restart would not bring a database back.
pub(in crate::http) async fn alive() -> Response {
    answer(StatusCode::OK, &json!({ "status": "ok" }))
}

/// `GET /readyz`: requests can be answered, or 503.
pub(in crate::http) async fn ready(State(health): State<Health>, State(app): State<App>) -> Response {
    let Readiness { database, schema, writer } = health.readiness(&app).await;
    let serving = !health.0.stopping.load(Ordering::Relaxed);
    let word = |fine: bool| if fine { "ok" } else { "failed" };
    let is_ready = database && schema && writer && serving;
    let body = json!({
        "status": if is_ready { "ok" } else { "unavailable" },
        "checks": {
            "database": word(database),
            // Without a database nobody knows.
            "schema": if database { word(schema) } else { "unknown" },
            "writer": word(writer),
            "serving": if serving { "ok" } else { "stopping" },
        },
    });
    answer(if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &body)
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Response {
    (status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
