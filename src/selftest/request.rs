//! Requests, as the checks build them.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request};

/// A request to the server under test.
#[derive(Clone)]
pub(super) struct TestRequest {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl TestRequest {
    /// A request without headers or body.
    pub(super) fn new(method: Method, url: String) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: Vec::new() }
    }

    /// Sets a header, replacing one of the same name.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        // Values from the command line were checked there, and all others are valid.
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// Adds a header beside others of the same name.
    pub(super) fn with_duplicate(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// Sets the body.
    pub(super) fn with_body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// Removes the token and the tenant.
    pub(super) fn anonymous(self) -> Self {
        self.without("authorization").without("x-tenant")
    }

    pub(super) fn with_method(self, method: Method) -> Self {
        Self { method, ..self }
    }

    /// The HTTP request.
    ///
    /// # Errors
    /// In a few words, why it cannot be sent.
    pub(super) fn build(&self) -> Result<Request<Vec<u8>>, String> {
        let Self { method, url, headers, body } = self.clone();
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = url.parse().map_err(|_| "the URL cannot be sent".to_owned())?;
        *request.headers_mut() = headers;
        Ok(request)
    }
}
