//! Requests, as checks put them together.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request};

/// A request.
#[derive(Clone)]
pub(super) struct TestRequest {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl TestRequest {
    /// Without headers and body.
    pub(super) fn new(method: Method, url: String) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: Vec::new() }
    }

    /// With a header, in the place of one of the same name.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        // What cannot be sent was refused with the command line, or is made here.
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// With a header beside those of the same name.
    pub(super) fn and(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// With a body as it is.
    pub(super) fn sending(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// Without the token, and what goes with it.
    pub(super) fn anonymous(self) -> Self {
        self.without("authorization").without("x-tenant")
    }

    pub(super) fn by(self, method: Method) -> Self {
        Self { method, ..self }
    }

    /// As it is sent.
    ///
    /// # Errors
    /// In a few words, why it cannot be.
    pub(super) fn request(&self) -> Result<Request<Vec<u8>>, String> {
        let Self { method, url, headers, body } = self.clone();
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = url.parse().map_err(|_| "the URL cannot be sent".to_owned())?;
        *request.headers_mut() = headers;
        Ok(request)
    }
}
