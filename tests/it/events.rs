//! Server-sent events as `graphql-sse` reads them.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use futures_util::StreamExt as _;
use serde_json::Value;

use crate::harness::Server;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stream of events.
pub struct Events {
    body: axum::body::BodyDataStream,
    text: String,
    /// Whether the stream has said that it is complete.
    pub complete: bool,
}

impl Events {
    /// Sends a request whose answer is to be a stream.
    pub async fn open(server: &Server, headers: &[(&str, &str)], request: &Value) -> Self {
        let mut post = Request::post("/graphql").header("content-type", "application/json");
        for (name, value) in [("accept", "text/event-stream")].iter().chain(headers) {
            post = post.header(*name, *value);
        }
        Self::of(server.send(post.body(Body::from(request.to_string())).unwrap()).await)
    }

    fn of(answer: Response<Body>) -> Self {
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert!(answer.headers().get_all("vary").iter().any(|vary| vary == "accept"), "{:?}", answer.headers());
        Self { body: answer.into_body().into_data_stream(), text: String::new(), complete: false }
    }

    /// The next result; `None` at the end.
    pub async fn next(&mut self) -> Option<Value> {
        tokio::time::timeout(PATIENCE, self.read()).await.expect("an event, or the end")
    }

    async fn read(&mut self) -> Option<Value> {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                let (name, data) = (field("event:"), field("data:").map(str::to_owned));
                let (name, rest) = (name.map(str::to_owned), rest.to_owned());
                self.text = rest;
                match name.as_deref() {
                    Some("next") => return Some(serde_json::from_str(&data.unwrap()).unwrap()),
                    Some("complete") => self.complete = true,
                    // A comment that keeps the connection alive.
                    None => {}
                    Some(other) => panic!("an event {other}"),
                }
            }
            let part = self.body.next().await?.unwrap();
            self.text += std::str::from_utf8(&part).unwrap();
        }
    }

    /// The next change, which must be there.
    pub async fn change(&mut self) -> Value {
        let mut event = self.next().await.expect("an event");
        assert!(event.get("errors").is_none(), "{event:#}");
        event["data"]["objectChanged"].take()
    }

    /// The code of the error that ends the stream.
    pub async fn refusal(&mut self) -> String {
        let event = self.next().await.expect("an event");
        let code = event["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("{event:#}")).to_owned();
        assert_eq!(self.next().await, None);
        assert!(self.complete);
        code
    }
}
