//! `GET /healthz` and `GET /readyz`, for load balancers and supervisors. Anybody may request them, so the responses
//! name what fails only in general terms and reveal nothing about the installation.

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

/// How long the result of one check of the database is reused, so that frequent requests cause no load.
const MAX_AGE: Duration = Duration::from_secs(1);

/// The state of the server. Cheap to clone; all clones share the state.
#[derive(Clone, Default)]
pub(in crate::http) struct Health(Arc<HealthState>);

#[derive(Default)]
struct HealthState {
    stopping: AtomicBool,
    last_check: Mutex<Option<(Stopwatch, Readiness)>>,
}

impl Health {
    /// From now on the server reports that it is not ready, because a stop was requested.
    pub(in crate::http) fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    async fn readiness(&self, app: &App) -> Readiness {
        // Requests that arrive during a check wait here and get its result.
        let mut last = self.0.last_check.lock().await;
        match *last {
            Some((checked, readiness)) if checked.elapsed() < MAX_AGE => readiness,
            _ => {
                let readiness = app.readiness().await;
                *last = Some((Stopwatch::start(), readiness));
                readiness
            }
        }
    }
}

/// `GET /healthz`: 200 as long as the process can answer. Checks nothing else, because a restart would not bring a
/// database back.
pub(in crate::http) async fn alive() -> Response {
    answer(StatusCode::OK, &json!({ "status": "ok" }))
}

/// `GET /readyz`: 200 if requests can be executed, otherwise 503.
pub(in crate::http) async fn ready(State(health): State<Health>, State(app): State<App>) -> Response {
    let Readiness { database, schema, writer } = health.readiness(&app).await;
    let serving = !health.0.stopping.load(Ordering::Relaxed);
    let status = |ok: bool| if ok { "ok" } else { "failed" };
    let is_ready = database && schema && writer && serving;
    let body = json!({
        "status": if is_ready { "ok" } else { "unavailable" },
        "checks": {
            "database": status(database),
            // Cannot be checked without the database.
            "schema": if database { status(schema) } else { "unknown" },
            "writer": status(writer),
            "serving": if serving { "ok" } else { "stopping" },
        },
    });
    answer(if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &body)
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Response {
    (status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
