//! Spans for an OpenTelemetry collector: OTLP over HTTP, in its JSON form.

use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::{BodyExt, Full};
use tokio::sync::mpsc;
use wharf_wasi_http::{HttpClient, HttpPolicy, OutgoingRequestConfig};

use super::log::{self, json_string};
use super::trace::TraceContext;
use crate::failure::Failure;

/// Spans that wait to be sent; more are lost.
const MAX_QUEUED: usize = 4096;

/// Spans of one message.
const MAX_BATCH: usize = 512;

/// How long spans are collected.
const INTERVAL: Duration = Duration::from_millis(500);

/// A request, as the server saw it.
pub struct Span {
    pub trace: TraceContext,
    pub method: String,
    pub target: String,
    pub status: u16,
    pub error: Option<String>,
    pub start: SystemTime,
    pub duration: Duration,
}

/// Where spans are given to.
pub struct Exporter(mpsc::Sender<Span>);

impl Exporter {
    /// Takes a span, or loses it when there are too many.
    pub fn send(&self, span: Span) {
        let _ = self.0.try_send(span);
    }
}

/// Sends what the exporter takes.
pub struct Sender {
    spans: mpsc::Receiver<Span>,
    client: HttpClient,
    endpoint: Uri,
}

/// Both ends, for the collector at this URL.
///
/// # Errors
/// When that is not one.
pub fn exporter(endpoint: &str) -> Result<(Exporter, Sender), Failure> {
    let failure = |reason: String| Failure::new(format!("--otlp {endpoint}: {reason}"));
    let base = endpoint.trim_end_matches('/');
    let full = match base.ends_with("/v1/traces") {
        true => base.to_owned(),
        false => format!("{base}/v1/traces"),
    };
    let uri: Uri = full.parse().map_err(|_| failure("not a URL".to_owned()))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(failure("not a URL".to_owned()));
    };
    // Only there, wherever that is.
    let mut rule = format!("{scheme}://{authority}::private");
    if authority.host() == "localhost" {
        rule.truncate(rule.len() - "::private".len());
    }
    let policy = HttpPolicy::new()
        .allow(&rule)
        .map_err(|e| failure(e.to_string()))?;
    let client = HttpClient::builder()
        .policy(policy)
        .max_connections(2)
        .build()
        .map_err(|e| failure(e.to_string()))?;
    let (sender, spans) = mpsc::channel(MAX_QUEUED);
    Ok((
        Exporter(sender),
        Sender {
            spans,
            client,
            endpoint: uri,
        },
    ))
}

impl Sender {
    /// Sends spans until there is no exporter any more.
    pub async fn run(mut self) {
        let mut failing = false;
        let mut batch = Vec::new();
        while self.spans.recv_many(&mut batch, MAX_BATCH).await > 0 {
            let failed = self.post(&batch).await.err();
            if let (Some(error), false) = (&failed, failing) {
                log::message(format_args!("spans can't be sent: {error}"));
            }
            failing = failed.is_some();
            batch.clear();
            tokio::time::sleep(INTERVAL).await;
        }
    }

    async fn post(&self, spans: &[Span]) -> Result<(), String> {
        let body = Full::new(Bytes::from(document(spans)))
            .map_err(|e| match e {})
            .boxed_unsync();
        let host = self.endpoint.authority().map_or("", |a| a.as_str());
        let request = Request::post(self.endpoint.clone())
            .header(header::HOST, host)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
            .map_err(|e| e.to_string())?;
        let use_tls = self.endpoint.scheme_str() == Some("https");
        let config = OutgoingRequestConfig::new(use_tls, Duration::from_secs(10));
        let response = self
            .client
            .send(request, config)
            .await
            .map_err(|code| format!("{code:?}"))?;
        match response.resp.status() {
            status if status.is_success() => Ok(()),
            status => Err(status.to_string()),
        }
    }
}

/// The message for the collector.
fn document(spans: &[Span]) -> String {
    let mut out = String::from(
        "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"wharf\"}}]},\
         \"scopeSpans\":[{\"scope\":{\"name\":\"wharf\"},\"spans\":[",
    );
    for (i, span) in spans.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        span.write(&mut out);
    }
    out.push_str("]}]}]}");
    out
}

impl Span {
    fn write(&self, out: &mut String) {
        let start = self.start.duration_since(UNIX_EPOCH).unwrap_or_default();
        let end = start + self.duration;
        let _ = write!(
            out,
            "{{\"traceId\":\"{}\",\"spanId\":\"{}\"",
            self.trace.trace_id, self.trace.span_id
        );
        if let Some(parent) = &self.trace.parent_id {
            let _ = write!(out, ",\"parentSpanId\":\"{parent}\"");
        }
        out.push_str(",\"name\":");
        json_string(out, &self.method);
        // Kind 2 is that of servers.
        let _ = write!(
            out,
            ",\"kind\":2,\"startTimeUnixNano\":\"{}\",\"endTimeUnixNano\":\"{}\",\"attributes\":[",
            start.as_nanos(),
            end.as_nanos()
        );
        for (name, value) in [("http.request.method", &self.method), ("url.path", &self.target)] {
            let _ = write!(out, "{{\"key\":\"{name}\",\"value\":{{\"stringValue\":");
            json_string(out, value);
            out.push_str("}},");
        }
        let _ = write!(
            out,
            "{{\"key\":\"http.response.status_code\",\"value\":{{\"intValue\":\"{}\"}}}}]",
            self.status
        );
        if self.status >= 500 || self.error.is_some() {
            out.push_str(",\"status\":{\"code\":2,\"message\":");
            json_string(out, self.error.as_deref().unwrap_or_default());
            out.push('}');
        }
        out.push('}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message() {
        let span = Span {
            trace: TraceContext {
                trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
                span_id: "b7ad6b7169203331".to_owned(),
                parent_id: None,
                sampled: true,
            },
            method: "GET".to_owned(),
            target: "/\"x".to_owned(),
            status: 504,
            error: Some("slow".to_owned()),
            start: UNIX_EPOCH + Duration::from_secs(1),
            duration: Duration::from_millis(2),
        };
        let text = document(&[span]);
        assert!(
            text.contains(r#""traceId":"0af7651916cd43dd8448eb211c80319c""#),
            "{text}"
        );
        assert!(text.contains(r#""endTimeUnixNano":"1002000000""#), "{text}");
        assert!(text.contains(r#""stringValue":"/\"x""#), "{text}");
        assert!(text.contains(r#""status":{"code":2,"message":"slow"}"#), "{text}");
        assert_eq!(text.matches('{').count(), text.matches('}').count());
    }

    #[test]
    fn endpoints() {
        for good in [
            "http://127.0.0.1:4318",
            "https://collector.corp/",
            "http://localhost:4318/v1/traces",
        ] {
            assert!(exporter(good).is_ok(), "{good}");
        }
        for bad in ["", "127.0.0.1:4318", "ftp://a", "/x"] {
            assert!(exporter(bad).is_err(), "{bad}");
        }
    }
}
