//! Lines of text and JSON.

use crate::sink::Record;
use std::fmt::Write as _;
use std::time::SystemTime;

/// Whether a character would end a line, move the cursor, or change the order in which others are shown.
fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Appends text without such characters. A backslash is doubled, so that it is clear what was there.
fn escape(out: &mut String, text: &str, end: Option<char>) {
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if Some(c) == end => out.extend(['\\', c]),
            c if is_treacherous(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
}

pub(crate) fn text_line(record: &Record<'_>) -> String {
    let mut line = String::with_capacity(record.message.len() + 64);
    if record.dropped > 0 {
        let _ = writeln!(
            line,
            "{} ({} messages were dropped)",
            timestamp(record.time),
            record.dropped
        );
    }
    let _ = write!(
        line,
        "{} {:8} ",
        timestamp(record.time),
        record.level.name().to_uppercase()
    );
    if !record.component.is_empty() {
        line.push('{');
        escape(&mut line, record.component, Some('}'));
        line.push_str("} ");
    }
    if !record.context.is_empty() {
        line.push('[');
        escape(&mut line, record.context, Some(']'));
        line.push_str("] ");
    }
    escape(&mut line, record.message, None);
    if record.truncated {
        line.push_str(" ...");
    }
    line.push('\n');
    line
}

/// Appends a text to a JSON document, in quotes. What would end a line, move a terminal's cursor or change the order in which
/// characters are shown is escaped.
pub fn json_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_treacherous(c) => {
                // All of them are below U+10000.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

pub(crate) fn json_line(record: &Record<'_>) -> String {
    let mut line = format!(
        "{{\"time\":\"{}\",\"level\":\"{}\"",
        timestamp(record.time),
        record.level
    );
    for (name, text) in [
        ("component", record.component),
        ("context", record.context),
        ("message", record.message),
    ] {
        if name == "message" || !text.is_empty() {
            let _ = write!(line, ",\"{name}\":");
            json_string(&mut line, text);
        }
    }
    if record.truncated {
        line.push_str(",\"truncated\":true");
    }
    if record.dropped > 0 {
        let _ = write!(line, ",\"dropped\":{}", record.dropped);
    }
    line.push_str("}\n");
    line
}

/// A time as RFC 3339 has it, in UTC with milliseconds. What is before 1970 is 1970.
pub fn timestamp(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86400, since.as_secs() % 86400);
    let (year, month, day) = date(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        second / 3600,
        second / 60 % 60,
        second % 60,
        since.subsec_millis()
    )
}

/// The date that is a number of days after 1970-01-01. Years begin in March here, so that leap days are at their end.
fn date(days: u64) -> (u64, u64, u64) {
    // Days since 0000-03-01, in eras of 400 years.
    let days = days.saturating_add(719_468);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + later, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Level;
    use std::time::Duration;

    fn record<'a>(context: &'a str, message: &'a str) -> Record<'a> {
        Record {
            time: SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123),
            component: "",
            level: Level::Warn,
            context,
            message,
            truncated: false,
            dropped: 0,
        }
    }

    #[test]
    fn times() {
        let at = |seconds| timestamp(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(at(951_782_399), "2000-02-28T23:59:59.000Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00.000Z");
        assert_eq!(at(951_868_800), "2000-03-01T00:00:00.000Z");
        assert_eq!(at(1_709_164_800), "2024-02-29T00:00:00.000Z");
        assert_eq!(at(4_107_542_400), "2100-03-01T00:00:00.000Z");
        assert_eq!(at(1_735_689_599), "2024-12-31T23:59:59.000Z");
        assert_eq!(timestamp(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), at(0));
    }

    #[test]
    fn a_message_is_one_line() {
        let line = text_line(&record("net", "ok"));
        assert_eq!(line, "2023-11-14T22:13:20.123Z WARN     [net] ok\n");
        let nasty = "a\nb\r\x1b[2J\\n\u{85}\u{2028}\u{202e}\0ä";
        let line = text_line(&record("x] \n", nasty));
        assert_eq!(
            line,
            "2023-11-14T22:13:20.123Z WARN     [x\\] \\n] a\\nb\\r\\u{1b}[2J\\\\n\\u{85}\\u{2028}\\u{202e}\\u{0}ä\n"
        );
        let json = json_line(&record("x\" \n", nasty));
        assert_eq!(
            json,
            "{\"time\":\"2023-11-14T22:13:20.123Z\",\"level\":\"warn\",\"context\":\"x\\\" \\n\",\"message\":\"a\\nb\\r\\u001b[2J\\\\n\\u0085\\u2028\\u202e\\u0000ä\"}\n"
        );
        for c in ('\0'..='\u{ffff}').filter(|c| is_treacherous(*c)) {
            let text = c.to_string();
            for line in [text_line(&record(&text, &text)), json_line(&record(&text, &text))] {
                assert!(!line.trim_end_matches('\n').contains(c), "{c:?}");
                assert_eq!(line.lines().count(), 1, "{c:?}");
            }
        }
    }

    #[test]
    fn what_is_missing_is_told() {
        let record = Record {
            component: "c",
            truncated: true,
            dropped: 3,
            ..record("", "m")
        };
        assert_eq!(
            text_line(&record),
            "2023-11-14T22:13:20.123Z (3 messages were dropped)\n2023-11-14T22:13:20.123Z WARN     {c} m ...\n"
        );
        assert!(
            json_line(&record)
                .ends_with(",\"component\":\"c\",\"message\":\"m\",\"truncated\":true,\"dropped\":3}\n")
        );
    }
}
