//! W3C trace context: which trace a request belongs to.

use http::HeaderMap;

/// The header that carries the context.
const TRACEPARENT: &str = "traceparent";

/// The context of one request. The guest gets it with the server's own span as the parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// The server's span: 16 hexadecimal digits.
    pub span_id: String,
    /// The span of whoever sent the request.
    pub parent_id: Option<String>,
    /// Whether the trace is recorded.
    pub sampled: bool,
}

impl TraceContext {
    /// Goes on with the trace that the request belongs to, or begins one.
    pub fn of(headers: &HeaderMap, sample_new: bool) -> TraceContext {
        let mut all = headers.get_all(TRACEPARENT).iter();
        let parent = match (all.next(), all.next()) {
            (Some(one), None) => one.to_str().ok().and_then(parse),
            _ => None,
        };
        match parent {
            Some((trace_id, parent_id, sampled)) => TraceContext {
                trace_id,
                span_id: hex(&random::<8>()),
                parent_id: Some(parent_id),
                sampled,
            },
            None => {
                let ids = random::<24>();
                let (trace, span) = ids.split_at(16);
                TraceContext {
                    trace_id: hex(trace),
                    span_id: hex(span),
                    parent_id: None,
                    sampled: sample_new,
                }
            }
        }
    }

    /// Sets the header for the guest.
    pub fn apply(&self, headers: &mut HeaderMap) {
        let flags = u8::from(self.sampled);
        let value = format!("00-{}-{}-{flags:02x}", self.trace_id, self.span_id);
        if let Ok(value) = value.parse() {
            headers.insert(TRACEPARENT, value);
        }
        if self.parent_id.is_none() {
            // The state of a trace that is not gone on with.
            headers.remove("tracestate");
        }
    }
}

/// Trace, parent, and whether it is sampled.
fn parse(value: &str) -> Option<(String, String, bool)> {
    let mut parts = value.split('-');
    let version = parts.next()?;
    let (trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, len: usize| {
        text.len() == len && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_id = |text: &str, len: usize| is_hex(text, len) && text.bytes().any(|b| b != b'0');
    // Later versions may have more parts.
    let valid = is_hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
    if !valid || !is_id(trace, 32) || !is_id(parent, 16) || !is_hex(flags, 2) {
        return None;
    }
    let flags = u8::from_str_radix(flags, 16).ok()?;
    Some((trace.to_owned(), parent.to_owned(), flags & 1 == 1))
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if getrandom::fill(&mut bytes).is_err() {
        // Only to be told apart.
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default()
            .as_nanos();
        let now = now.to_le_bytes();
        for (byte, time) in bytes.iter_mut().zip(now.iter().cycle()) {
            *byte = *time;
        }
    }
    bytes
}

/// Bytes in hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const PARENT: &str = "b7ad6b7169203331";

    #[test]
    fn a_valid_context_is_gone_on_with() {
        let parsed = parse(&format!("00-{TRACE}-{PARENT}-01"));
        assert_eq!(parsed, Some((TRACE.to_owned(), PARENT.to_owned(), true)));
        assert!(parse(&format!("01-{TRACE}-{PARENT}-00-more")).is_some());
    }

    #[test]
    fn others_are_not() {
        for value in [
            String::new(),
            format!("ff-{TRACE}-{PARENT}-01"),
            format!("00-{TRACE}-{PARENT}-01-more"),
            format!("00-{TRACE}-{PARENT}"),
            format!("00-{}-{PARENT}-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{PARENT}-0g"),
        ] {
            assert_eq!(parse(&value), None, "{value}");
        }
    }

    #[test]
    fn a_new_context_is_valid() {
        let context = TraceContext::of(&HeaderMap::new(), true);
        let mut headers = HeaderMap::new();
        headers.insert("tracestate", "a=b".parse().unwrap());
        context.apply(&mut headers);
        let value = headers["traceparent"].to_str().unwrap();
        assert_eq!(parse(value), Some((context.trace_id, context.span_id, true)));
        assert!(!headers.contains_key("tracestate"));
    }
}
