//! Sending answers and reading requests.

use wasip2::http::types::{
    ErrorCode, Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam, Trailers,
};
use wasip2::io::streams::{OutputStream, StreamError};

/// An answer whose body is being written.
pub struct Reply {
    // Dropped first: it is a child of the body.
    stream: OutputStream,
    body: OutgoingBody,
}

impl Reply {
    /// Sends status and headers.
    pub fn begin(out: ResponseOutparam, status: u16, headers: &[(&str, &[u8])]) -> Reply {
        let fields = Fields::new();
        for (name, value) in headers {
            fields.append(name, value).expect("valid header");
        }
        let response = OutgoingResponse::new(fields);
        response.set_status_code(status).expect("valid status");
        let body = response.body().expect("the first call");
        ResponseOutparam::set(out, Ok(response));
        let stream = body.write().expect("the first call");
        Reply { stream, body }
    }

    /// Writes all of it.
    pub fn write(&self, mut bytes: &[u8]) -> Result<(), StreamError> {
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at(bytes.len().min(4096));
            self.stream.blocking_write_and_flush(now)?;
            bytes = rest;
        }
        Ok(())
    }

    /// Ends the body.
    pub fn finish(self, trailers: Option<Trailers>) -> Result<(), ErrorCode> {
        drop(self.stream);
        OutgoingBody::finish(self.body, trailers)
    }
}

/// A whole answer.
pub fn text(out: ResponseOutparam, status: u16, content: &str) {
    let reply = Reply::begin(out, status, &[("content-type", b"text/plain; charset=utf-8")]);
    let _ = reply.write(content.as_bytes());
    let _ = reply.finish(None);
}

/// The whole body of a request.
pub fn read_all(request: &IncomingRequest) -> Result<Vec<u8>, Option<ErrorCode>> {
    let body = request.consume().map_err(|()| None)?;
    let input = body.stream().map_err(|()| None)?;
    let mut all = Vec::new();
    loop {
        match input.blocking_read(64 << 10) {
            Ok(bytes) => all.extend(bytes),
            Err(StreamError::Closed) => return Ok(all),
            Err(StreamError::LastOperationFailed(e)) => return Err(wasip2::http::types::http_error_code(&e)),
        }
    }
}
