//! What becomes of a guest's messages: [`WasiLoggingCtx`] and its builder.

use crate::level::Level;
use crate::sink::{Format, LogSink, Record, WriterSink};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How many messages may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// In the long run, in a second.
    pub per_second: u32,
    /// At once.
    pub burst: u32,
}

/// What becomes of a guest's messages. Made by [`WasiLoggingCtxBuilder`].
#[derive(Clone)]
pub struct WasiLoggingCtx {
    sink: Arc<dyn LogSink>,
    component: String,
    min_level: Level,
    max_message_bytes: usize,
    max_context_bytes: usize,
    rate: Option<Arc<Mutex<Rate>>>,
}

impl std::fmt::Debug for WasiLoggingCtx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WasiLoggingCtx")
            .field("component", &self.component)
            .field("min_level", &self.min_level)
            .finish_non_exhaustive()
    }
}

/// Makes a [`WasiLoggingCtx`]: unless told otherwise, one that writes messages of all levels to standard error, of each
/// at most 16 KiB, and 256 bytes of its context. What is built from clones shares the limit on the rate.
#[derive(Clone, Debug)]
pub struct WasiLoggingCtxBuilder {
    ctx: WasiLoggingCtx,
}

impl WasiLoggingCtx {
    /// A builder.
    pub fn builder() -> WasiLoggingCtxBuilder {
        WasiLoggingCtxBuilder {
            ctx: WasiLoggingCtx {
                sink: Arc::new(WriterSink::stderr(Format::Text)),
                component: String::new(),
                min_level: Level::Trace,
                max_message_bytes: 16 << 10,
                max_context_bytes: 256,
                rate: None,
            },
        }
    }

    pub(crate) fn log(&self, level: Level, context: &str, message: &str) {
        if level < self.min_level {
            return;
        }
        let dropped = match &self.rate {
            Some(rate) => {
                let mut rate = rate.lock().unwrap_or_else(PoisonError::into_inner);
                match rate.take(Instant::now()) {
                    Some(dropped) => dropped,
                    None => return,
                }
            }
            None => 0,
        };
        let short_context = head(context, self.max_context_bytes);
        let short = head(message, self.max_message_bytes);
        self.sink.log(&Record {
            time: SystemTime::now(),
            component: &self.component,
            level,
            context: short_context,
            message: short,
            truncated: short.len() < message.len() || short_context.len() < context.len(),
            dropped,
        });
    }
}

/// The first bytes of a text, and no part of a character.
fn head(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

impl WasiLoggingCtxBuilder {
    /// Where messages go.
    pub fn sink(mut self, sink: Arc<dyn LogSink>) -> Self {
        self.ctx.sink = sink;
        self
    }

    /// What messages are marked with, to tell components apart.
    pub fn component(mut self, name: impl Into<String>) -> Self {
        self.ctx.component = name.into();
        self
    }

    /// The level below which messages are thrown away.
    pub fn min_level(mut self, level: Level) -> Self {
        self.ctx.min_level = level;
        self
    }

    /// How much of a message is kept.
    pub fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.ctx.max_message_bytes = bytes;
        self
    }

    /// How much of a context is kept.
    pub fn max_context_bytes(mut self, bytes: usize) -> Self {
        self.ctx.max_context_bytes = bytes;
        self
    }

    /// How many messages are kept. How many were not is told with the next one.
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.ctx.rate = Some(Arc::new(Mutex::new(Rate::new(limit, Instant::now()))));
        self
    }

    /// The context.
    pub fn build(self) -> WasiLoggingCtx {
        self.ctx
    }
}

/// Counts what may still come.
struct Rate {
    limit: RateLimit,
    left: u32,
    /// The time up to which `left` is counted.
    counted: Instant,
    dropped: u64,
}

impl Rate {
    fn new(limit: RateLimit, now: Instant) -> Rate {
        Rate {
            limit,
            left: limit.burst,
            counted: now,
            dropped: 0,
        }
    }

    /// How many messages were dropped before this one; `None` if this one is, too.
    fn take(&mut self, now: Instant) -> Option<u64> {
        let each = Duration::from_secs(1).checked_div(self.limit.per_second);
        if let Some(each) = each.filter(|each| !each.is_zero()) {
            let since = now.saturating_duration_since(self.counted);
            let more = u32::try_from(since.as_nanos() / each.as_nanos()).unwrap_or(u32::MAX);
            let left = self.left.saturating_add(more);
            self.counted = match left >= self.limit.burst {
                true => now,
                false => self.counted + each * more,
            };
            self.left = left.min(self.limit.burst);
        }
        if self.left == 0 {
            self.dropped = self.dropped.saturating_add(1);
            return None;
        }
        self.left -= 1;
        Some(std::mem::take(&mut self.dropped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(head("abc", 5), "abc");
        assert_eq!(head("abc", 2), "ab");
        assert_eq!(head("aäb", 2), "a");
        assert_eq!(head("€", 0), "");
    }

    #[test]
    fn too_many_messages_are_counted() {
        let start = Instant::now();
        let limit = RateLimit {
            per_second: 10,
            burst: 2,
        };
        let mut rate = Rate::new(limit, start);
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(rate.take(at(0)), Some(0));
        assert_eq!(rate.take(at(1)), Some(0));
        assert_eq!(rate.take(at(2)), None);
        assert_eq!(rate.take(at(99)), None);
        assert_eq!(rate.take(at(101)), Some(2));
        assert_eq!(rate.take(at(102)), None);
        // No more than a burst is saved up.
        assert_eq!(rate.take(at(10_000)), Some(1));
        assert_eq!(rate.take(at(10_000)), Some(0));
        assert_eq!(rate.take(at(10_000)), None);
        let mut none = Rate::new(
            RateLimit {
                per_second: 0,
                burst: 1,
            },
            start,
        );
        assert_eq!(none.take(at(0)), Some(0));
        assert_eq!(none.take(at(100_000)), None);
    }
}
