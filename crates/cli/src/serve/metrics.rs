//! Numbers about the server, in the text form of Prometheus.

use std::fmt::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use super::record::End;

/// Upper bounds of the classes of durations, in milliseconds.
const BOUNDS: [u64; 12] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 5000, 30_000];

/// Everything that is counted.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Answers by the first digit of their status, and those that were broken off.
    statuses: [AtomicU64; 6],
    /// How requests ended.
    ends: [AtomicU64; End::ALL.len()],
    durations: [AtomicU64; BOUNDS.len() + 1],
    duration_micros: AtomicU64,
    pub in_flight: AtomicI64,
    pub connections: AtomicI64,
    /// Guests that work on a request, or have more to do after it.
    pub guests: AtomicI64,
    pub connection_errors: AtomicU64,
    pub rejected: AtomicU64,
    pub traps: AtomicU64,
    pub timeouts: AtomicU64,
    pub instances: AtomicU64,
    pub reloads: AtomicU64,
    pub failed_reloads: AtomicU64,
    pub bytes_received: AtomicU64,
    pub bytes_sent: AtomicU64,
}

/// Adds one.
pub fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Metrics {
    /// Counts a request that is done with. Status 0 stands for none.
    pub fn done(&self, status: u16, end: End, duration: Duration) {
        for (_, counter) in End::ALL.iter().zip(&self.ends).filter(|(one, _)| **one == end) {
            count(counter);
        }
        let class = usize::from(status / 100).min(5);
        if let Some(counter) = self.statuses.get(class) {
            count(counter);
        }
        let millis = duration.as_millis();
        let class = BOUNDS
            .iter()
            .position(|bound| millis < u128::from(*bound))
            .unwrap_or(BOUNDS.len());
        if let Some(counter) = self.durations.get(class) {
            count(counter);
        }
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.duration_micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Counts requests that have no line of their own in the log: that of their connection tells how many they are. Status 0 stands for
    /// such as were not taken, others for such as were refused. None of them took any time.
    pub fn more_untaken(&self, status: u16, number: u64) {
        let end = match status {
            0 => End::Abandoned,
            _ => End::Refused,
        };
        let ends = End::ALL.iter().zip(&self.ends);
        let ended = ends.filter(|(one, _)| **one == end).map(|(_, counter)| counter);
        let status = self.statuses.get(usize::from(status / 100).min(5));
        for counter in ended.chain(status).chain(self.durations.first()) {
            counter.fetch_add(number, Ordering::Relaxed);
        }
    }

    /// All numbers: those that are counted here, how many requests wait, and how many spans were sent and lost.
    pub fn render(&self, waiting: usize, spans: Option<(u64, u64)>) -> String {
        let mut out = String::new();
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        out.push_str("# TYPE wharf_http_requests_total counter\n");
        let names = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];
        for (name, counter) in names.iter().zip(&self.statuses) {
            let _ = writeln!(
                out,
                "wharf_http_requests_total{{status=\"{name}\"}} {}",
                get(counter)
            );
        }
        out.push_str("# TYPE wharf_http_requests_ended_total counter\n");
        for (end, counter) in End::ALL.iter().zip(&self.ends) {
            let _ = writeln!(
                out,
                "wharf_http_requests_ended_total{{end=\"{}\"}} {}",
                end.name(),
                get(counter)
            );
        }
        out.push_str("# TYPE wharf_http_request_duration_seconds histogram\n");
        let mut total = 0;
        for (i, counter) in self.durations.iter().enumerate() {
            total += get(counter);
            let bound = match BOUNDS.get(i) {
                Some(millis) => format!("{}", *millis as f64 / 1000.0),
                None => "+Inf".to_owned(),
            };
            let _ = writeln!(
                out,
                "wharf_http_request_duration_seconds_bucket{{le=\"{bound}\"}} {total}"
            );
        }
        let seconds = get(&self.duration_micros) as f64 / 1e6;
        let _ = writeln!(out, "wharf_http_request_duration_seconds_sum {seconds}");
        let _ = writeln!(out, "wharf_http_request_duration_seconds_count {total}");
        let gauges = [
            (
                "wharf_http_requests_in_flight",
                self.in_flight.load(Ordering::Relaxed),
            ),
            (
                "wharf_http_requests_waiting",
                i64::try_from(waiting).unwrap_or(i64::MAX),
            ),
            ("wharf_http_connections", self.connections.load(Ordering::Relaxed)),
            ("wharf_guests_running", self.guests.load(Ordering::Relaxed)),
        ];
        for (name, value) in gauges {
            let _ = writeln!(out, "# TYPE {name} gauge\n{name} {value}");
        }
        let counters = [
            ("wharf_http_connection_errors_total", &self.connection_errors),
            ("wharf_http_requests_rejected_total", &self.rejected),
            ("wharf_http_received_bytes_total", &self.bytes_received),
            ("wharf_http_sent_bytes_total", &self.bytes_sent),
            ("wharf_guest_traps_total", &self.traps),
            ("wharf_guest_timeouts_total", &self.timeouts),
            ("wharf_guest_instances_total", &self.instances),
            ("wharf_reloads_total", &self.reloads),
            ("wharf_reloads_failed_total", &self.failed_reloads),
        ];
        for (name, counter) in counters {
            let _ = writeln!(out, "# TYPE {name} counter\n{name} {}", get(counter));
        }
        if let Some((sent, lost)) = spans {
            for (name, value) in [("wharf_spans_sent_total", sent), ("wharf_spans_lost_total", lost)] {
                let _ = writeln!(out, "# TYPE {name} counter\n{name} {value}");
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form() {
        let metrics = Metrics::default();
        metrics.done(200, End::Answered, Duration::from_micros(1500));
        metrics.done(503, End::Refused, Duration::from_secs(60));
        metrics.done(0, End::Abandoned, Duration::ZERO);
        metrics.more_untaken(400, 3);
        metrics.more_untaken(0, 4);
        let text = metrics.render(3, Some((5, 1)));
        for line in [
            "wharf_http_requests_total{status=\"2xx\"} 1",
            "wharf_http_requests_total{status=\"5xx\"} 1",
            "wharf_http_requests_total{status=\"4xx\"} 3",
            "wharf_http_requests_total{status=\"none\"} 5",
            "wharf_http_requests_ended_total{end=\"refused\"} 4",
            "wharf_http_requests_ended_total{end=\"abandoned\"} 5",
            "wharf_http_requests_ended_total{end=\"broken-off\"} 0",
            "wharf_http_request_duration_seconds_bucket{le=\"0.001\"} 8",
            "wharf_http_request_duration_seconds_bucket{le=\"0.002\"} 9",
            "wharf_http_request_duration_seconds_bucket{le=\"+Inf\"} 10",
            "wharf_http_request_duration_seconds_count 10",
            "wharf_http_request_duration_seconds_sum 60.0015",
            "wharf_http_requests_waiting 3",
            "wharf_guests_running 0",
            "wharf_spans_sent_total 5",
            "wharf_spans_lost_total 1",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
        }
    }
}
