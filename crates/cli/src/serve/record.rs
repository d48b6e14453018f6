//! What the server keeps about a request until it is done with: for the log, the metrics and the trace.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};

use http::{HeaderMap, Request, Version};
use wharf_wasi_logging::{json_string, timestamp};

use super::args::AccessLog;
use super::body::BodyState;
use super::trace::TraceContext;
use super::{Server, log, otlp};

/// Longer targets are cut off in logs.
const MAX_TARGET: usize = 1024;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The client was given the whole answer.
    Answered,
    /// The same, but it is an answer of the server, for what it does not let a guest have.
    Refused,
    /// The guest broke its answer off.
    BrokenOff,
    /// The client went away, gave the request up or took nothing, before it was given the whole answer; or it came too late to be given
    /// one.
    Abandoned,
}

impl End {
    /// All of them.
    pub const ALL: [End; 4] = [End::Answered, End::Refused, End::BrokenOff, End::Abandoned];

    /// The name in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            End::Answered => "answered",
            End::Refused => "refused",
            End::BrokenOff => "broken-off",
            End::Abandoned => "abandoned",
        }
    }
}

/// A request. It is logged when this is dropped.
pub struct Record {
    server: Arc<Server>,
    pub trace: TraceContext,
    pub body: Arc<BodyState>,
    /// Zero until there is an answer.
    pub status: u16,
    pub sent: u64,
    /// Whether the server closed the connection before everything on it had come to its end.
    pub cut: Arc<AtomicBool>,
    end: End,
    error: Option<String>,
    remote: SocketAddr,
    method: String,
    target: String,
    version: &'static str,
    began: Instant,
    time: SystemTime,
}

impl Record {
    pub fn new<B>(server: &Arc<Server>, remote: SocketAddr, request: &Request<B>) -> Record {
        let target = request
            .uri()
            .path_and_query()
            .map_or("", |target| target.as_str());
        let trace = TraceContext::of(request.headers(), server.args.otlp.is_some());
        let mut record = Record::empty(server, remote, trace);
        record.method = request.method().as_str().chars().take(32).collect();
        record.target = target.chars().take(MAX_TARGET).collect();
        record.version = match request.version() {
            Version::HTTP_10 => "1.0",
            Version::HTTP_2 => "2",
            _ => "1.1",
        };
        record
    }

    /// Logs and counts what began as a request and did not become one.
    pub fn refused(
        server: &Arc<Server>,
        remote: SocketAddr,
        status: u16,
        version: &'static str,
        error: String,
    ) {
        // No trace: whose it would be is in the head that could not be read.
        let trace = TraceContext::of(&HeaderMap::new(), false);
        let mut record = Record::empty(server, remote, trace);
        record.status = status;
        record.version = version;
        record.fail(error);
        record.end(match status {
            0 => End::Abandoned,
            _ => End::Refused,
        });
    }

    fn empty(server: &Arc<Server>, remote: SocketAddr, trace: TraceContext) -> Record {
        server.metrics.in_flight.fetch_add(1, Ordering::Relaxed);
        Record {
            server: server.clone(),
            trace,
            body: Arc::default(),
            status: 0,
            sent: 0,
            cut: Arc::default(),
            end: End::Abandoned,
            error: None,
            remote,
            method: "-".to_owned(),
            target: String::new(),
            version: "1.1",
            began: Instant::now(),
            time: SystemTime::now(),
        }
    }

    /// The first thing that went wrong.
    pub fn fail(&mut self, error: String) {
        self.error.get_or_insert(error);
    }

    /// How it ended; [`End::Abandoned`] unless this is called.
    pub fn end(&mut self, end: End) {
        self.end = end;
    }

    fn json(&self, received: u64, micros: u128) -> String {
        let mut out = String::from("{\"time\":");
        json_string(&mut out, &timestamp(self.time));
        for (name, value) in [
            ("remote", self.remote.to_string().as_str()),
            ("method", &self.method),
            ("target", &self.target),
            ("version", self.version),
            ("trace_id", &self.trace.trace_id),
            ("span_id", &self.trace.span_id),
        ] {
            let _ = write!(out, ",\"{name}\":");
            json_string(&mut out, value);
        }
        let _ = write!(
            out,
            ",\"status\":{},\"end\":\"{}\",\"received\":{received},\"sent\":{},\"duration_us\":{micros}",
            self.status,
            self.end.name(),
            self.sent
        );
        if let Some(error) = &self.error {
            out.push_str(",\"error\":");
            json_string(&mut out, error);
        }
        out.push('}');
        out
    }

    fn text(&self, received: u64, micros: u128) -> String {
        let mut target = String::new();
        json_string(&mut target, &self.target);
        let mut out = format!(
            "{} {} {} {target} HTTP/{} {} {} {received} {} {micros}us {}",
            timestamp(self.time),
            self.remote,
            self.method,
            self.version,
            self.status,
            self.end.name(),
            self.sent,
            self.trace.trace_id,
        );
        if let Some(error) = &self.error {
            out.push(' ');
            json_string(&mut out, error);
        }
        out
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let server = &self.server;
        let elapsed = self.began.elapsed();
        let received = self.body.received.load(Ordering::Relaxed);
        if let Some(fault) = self.body.fault() {
            self.error.get_or_insert_with(|| fault.to_string());
        }
        if self.body.is_broken_off() {
            self.error
                .get_or_insert_with(|| "the body of the request broke off".to_owned());
        }
        if self.end == End::Abandoned {
            let why = match self.cut.load(Ordering::Relaxed) {
                true => "the server closed the connection",
                false => "the client is gone",
            };
            self.error.get_or_insert_with(|| why.to_owned());
        }
        server.metrics.in_flight.fetch_sub(1, Ordering::Relaxed);
        server
            .metrics
            .bytes_received
            .fetch_add(received, Ordering::Relaxed);
        server.metrics.bytes_sent.fetch_add(self.sent, Ordering::Relaxed);
        server.metrics.done(self.status, self.end, elapsed);
        match server.args.access_log {
            AccessLog::Off => {}
            AccessLog::Json => log::line(&self.json(received, elapsed.as_micros())),
            AccessLog::Text => log::line(&self.text(received, elapsed.as_micros())),
        }
        if let Some(exporter) = &server.spans
            && self.trace.sampled
        {
            exporter.send(otlp::Span {
                trace: self.trace.clone(),
                method: self.method.clone(),
                target: self.target.clone(),
                status: self.status,
                error: self.error.clone(),
                start: self.time,
                duration: elapsed,
            });
        }
    }
}
