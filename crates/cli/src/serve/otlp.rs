//! Spans for an OpenTelemetry collector: OTLP over HTTP, in its binary form.
//!
//! A thread of the OpenTelemetry SDK collects spans and sends them in batches. Who gives it a span never waits: what does not fit
//! into the queue is lost, and counted.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, Key, KeyValue};
use opentelemetry_http::HttpError;
use opentelemetry_otlp::{Protocol, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SpanData, SpanEvents, SpanExporter, SpanLinks, SpanProcessor,
};
use tokio::runtime::Handle;
use wharf_wasi::async_trait;
use wharf_wasi_http::{HttpClient, HttpPolicy, OutgoingRequestConfig};

use super::log;
use super::metrics::count;
use super::trace::TraceContext;
use crate::failure::Failure;

/// Spans that wait to be sent; more are lost.
const MAX_QUEUED: usize = 4096;

/// Spans of one message.
const MAX_BATCH: usize = 512;

/// How long spans are collected.
const INTERVAL: Duration = Duration::from_millis(500);

/// How long a message may take, and all attempts to send it together.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long the last messages may take when the server ends.
const FLUSH: Duration = Duration::from_secs(5);

/// The longest answer of a collector.
const MAX_ANSWER: usize = 64 << 10;

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

impl Span {
    /// The same for the SDK. `None` if it has no valid ids.
    fn data(self, scope: &InstrumentationScope) -> Option<SpanData> {
        let trace_id = TraceId::from_hex(&self.trace.trace_id).ok()?;
        let span_id = SpanId::from_hex(&self.trace.span_id).ok()?;
        let parent = self
            .trace
            .parent_id
            .as_deref()
            .and_then(|id| SpanId::from_hex(id).ok());
        let (path, query) = match self.target.split_once('?') {
            Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
            None => (self.target, None),
        };
        let mut attributes = vec![
            KeyValue::new("http.request.method", self.method.clone()),
            KeyValue::new("url.path", path),
            KeyValue::new("url.scheme", "http"),
            KeyValue::new("http.response.status_code", i64::from(self.status)),
        ];
        attributes.extend(query.map(|query| KeyValue::new("url.query", query)));
        let failed = self.status >= 500 || self.error.is_some();
        Some(SpanData {
            span_context: SpanContext::new(
                trace_id,
                span_id,
                TraceFlags::SAMPLED,
                false,
                TraceState::default(),
            ),
            parent_span_id: parent.unwrap_or(SpanId::INVALID),
            parent_span_is_remote: parent.is_some(),
            span_kind: SpanKind::Server,
            name: self.method.into(),
            start_time: self.start,
            end_time: self.start + self.duration,
            attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: match failed {
                true => Status::error(self.error.unwrap_or_default()),
                false => Status::Unset,
            },
            instrumentation_scope: scope.clone(),
        })
    }
}

/// What became of spans.
#[derive(Debug, Default)]
struct Counts {
    queued: AtomicUsize,
    sent: AtomicU64,
    lost: AtomicU64,
}

/// Where spans are given to.
pub struct Exporter {
    processor: BatchSpanProcessor,
    scope: InstrumentationScope,
    counts: Arc<Counts>,
}

impl Exporter {
    /// An exporter to the collector at this URL, whose requests are made on `runtime`.
    ///
    /// # Errors
    /// When that is not a URL, or the environment has settings for OpenTelemetry that can't be followed.
    pub fn new(endpoint: &str, runtime: Handle) -> Result<Exporter, Failure> {
        let failure = |reason: String| Failure::new(format!("--otlp {endpoint}: {reason}"));
        let (uri, rule) = target(endpoint).ok_or_else(|| failure("not a URL".to_owned()))?;
        let policy = HttpPolicy::new()
            .allow(&rule)
            .map_err(|e| failure(e.to_string()))?;
        let client = HttpClient::builder()
            .policy(policy)
            .max_connections(2)
            .build()
            .map_err(|e| failure(e.to_string()))?;
        let inner = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(Client {
                client,
                runtime,
                failing: AtomicBool::new(false),
            })
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(uri.to_string())
            .with_timeout(TIMEOUT)
            .build()
            .map_err(|e| failure(e.to_string()))?;
        let counts = Arc::new(Counts::default());
        let exporter = Counting {
            inner,
            counts: counts.clone(),
        };
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(MAX_QUEUED)
            .with_max_export_batch_size(MAX_BATCH)
            .with_scheduled_delay(INTERVAL)
            .build();
        let mut processor = BatchSpanProcessor::new(exporter, config);
        processor.set_resource(&resource());
        Ok(Exporter {
            processor,
            scope: InstrumentationScope::builder("wharf")
                .with_version(env!("CARGO_PKG_VERSION"))
                .build(),
            counts,
        })
    }

    /// Takes a span, or loses it when there are too many.
    pub fn send(&self, span: Span) {
        let Some(data) = span.data(&self.scope) else {
            return;
        };
        if self.counts.queued.fetch_add(1, Ordering::Relaxed) >= MAX_QUEUED {
            self.counts.queued.fetch_sub(1, Ordering::Relaxed);
            count(&self.counts.lost);
            return;
        }
        self.processor.on_end(data);
    }

    /// How many spans the collector took, and how many were lost.
    pub fn counts(&self) -> (u64, u64) {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (get(&self.counts.sent), get(&self.counts.lost))
    }

    /// Sends what is there, within a few seconds. Blocks meanwhile.
    pub fn shutdown(&self) {
        let flushed = self.processor.shutdown_with_timeout(FLUSH).is_ok();
        let (_, mut lost) = self.counts();
        if !flushed {
            lost += self.counts.queued.load(Ordering::Relaxed) as u64;
        }
        if lost > 0 {
            log::message(format_args!("{lost} spans were not sent"));
        }
    }
}

/// The URL for spans at a collector, and the rule that allows requests to it, wherever it is.
fn target(endpoint: &str) -> Option<(Uri, String)> {
    let base = endpoint.trim_end_matches('/');
    let full = match base.ends_with("/v1/traces") {
        true => base.to_owned(),
        false => format!("{base}/v1/traces"),
    };
    let uri: Uri = full.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let mut rule = format!("{scheme}://{authority}::private");
    if authority.host() == "localhost" {
        rule.truncate(rule.len() - "::private".len());
    }
    Some((uri, rule))
}

/// What all spans have in common: what the environment says (`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`), and a name.
fn resource() -> Resource {
    let resource = Resource::builder().build();
    let name = resource.get(&Key::from_static_str("service.name"));
    // The SDK puts that in where nothing is said.
    match name.is_none_or(|name| name.as_str().starts_with("unknown_service")) {
        true => Resource::builder().with_service_name("wharf").build(),
        false => resource,
    }
}

/// Counts what is sent.
#[derive(Debug)]
struct Counting {
    inner: opentelemetry_otlp::SpanExporter,
    counts: Arc<Counts>,
}

impl SpanExporter for Counting {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let number = batch.len();
        let result = self.inner.export(batch).await;
        self.counts.queued.fetch_sub(number, Ordering::Relaxed);
        let counter = match result {
            Ok(()) => &self.counts.sent,
            Err(_) => &self.counts.lost,
        };
        counter.fetch_add(number as u64, Ordering::Relaxed);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

/// Makes the requests of the SDK with the client that guests' requests go through, too.
struct Client {
    client: HttpClient,
    runtime: Handle,
    /// The last request failed, which was told.
    failing: AtomicBool,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

#[async_trait]
impl opentelemetry_http::HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        // The SDK's thread has no runtime.
        let sent = self.runtime.spawn(post(self.client.clone(), request)).await;
        let answer = sent.unwrap_or_else(|e| Err(e.to_string()));
        let error = match &answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(answer.status().to_string()),
            Err(error) => Some(error.clone()),
        };
        let failing = self.failing.swap(error.is_some(), Ordering::Relaxed);
        if let (Some(error), false) = (error, failing) {
            log::message(format_args!("spans can't be sent: {error}"));
        }
        Ok(answer.unwrap_or_else(|_| {
            // The SDK tries again after some statuses, but not where there was no answer.
            let mut answer = Response::new(Bytes::new());
            *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            answer
        }))
    }
}

async fn post(client: HttpClient, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
    let mut request = request.map(|body| Full::new(body).map_err(|e| match e {}).boxed_unsync());
    let host = request.uri().authority().map_or("", |a| a.as_str());
    let host = HeaderValue::from_str(host).map_err(|e| e.to_string())?;
    request.headers_mut().insert(header::HOST, host);
    let use_tls = request.uri().scheme_str() == Some("https");
    let answering = async {
        let config = OutgoingRequestConfig::new(use_tls, TIMEOUT);
        let answer = client
            .send(request, config)
            .await
            .map_err(|code| format!("{code:?}"))?;
        let (parts, body) = answer.resp.into_parts();
        let body = Limited::new(body, MAX_ANSWER)
            .collect()
            .await
            .map_err(|e| e.to_string())?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    };
    tokio::time::timeout(TIMEOUT, answering)
        .await
        .unwrap_or_else(|_| Err("the collector takes too long".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    fn span() -> Span {
        Span {
            trace: TraceContext {
                trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
                span_id: "b7ad6b7169203331".to_owned(),
                parent_id: None,
                sampled: true,
            },
            method: "GET".to_owned(),
            target: "/x?y".to_owned(),
            status: 504,
            error: Some("slow".to_owned()),
            start: UNIX_EPOCH + Duration::from_secs(1),
            duration: Duration::from_millis(2),
        }
    }

    #[test]
    fn a_span_for_the_sdk() {
        let data = span().data(&InstrumentationScope::default()).unwrap();
        assert_eq!(data.end_time, UNIX_EPOCH + Duration::from_millis(1002));
        assert_eq!(data.status, Status::error("slow"));
        assert_eq!(data.parent_span_id, SpanId::INVALID);
        for (key, value) in [
            ("url.path", "/x"),
            ("url.query", "y"),
            ("http.response.status_code", "504"),
        ] {
            let found = data.attributes.iter().find(|a| a.key.as_str() == key);
            assert_eq!(
                found.map(|a| a.value.as_str().into_owned()).as_deref(),
                Some(value)
            );
        }
    }

    #[test]
    fn endpoints() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let exporter = |endpoint| Exporter::new(endpoint, runtime.handle().clone());
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

    #[test]
    fn who_gives_a_span_never_waits() {
        // Takes connections and never answers.
        let collector = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", collector.local_addr().unwrap());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let exporter = Exporter::new(&endpoint, runtime.handle().clone()).unwrap();
        for _ in 0..MAX_QUEUED + 10 {
            exporter.send(span());
        }
        assert_eq!(exporter.counts(), (0, 10));
    }
}
