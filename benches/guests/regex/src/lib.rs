//! The crate `regex`: literals, classes, alternations and captures over prose with dates and addresses in it.

use regex::Regex;
use std::fmt::Write;
use support::{Rng, Sum};

const PATTERNS: &[&str] = &[
    r"\b\w+ing\b",
    r"(\d{4})-(\d{2})-(\d{2})",
    r"[a-z0-9._]+@[a-z0-9]+\.(?:org|net|example)",
    r"(?i)the\s+(harbour|ship|crane)\s+(\w+)",
    r"captain|lantern|compass|anchor",
    r"[A-Z][a-z]+ [a-z]+ (?:of|to|in) [a-z]+\.",
    r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)",
];

fn text(lines: u32) -> String {
    let mut rng = Rng::new(11);
    let mut text = String::new();
    for line in 0..lines {
        text.push_str(&support::prose(&mut rng, 90));
        let _ = match line % 4 {
            0 => write!(text, "{:04}-{:02}-{:02}", 1900 + rng.below(200), 1 + rng.below(12), 1 + rng.below(28)),
            1 => write!(text, "{}.{}@{}.example", support::word(&mut rng), rng.below(99), support::word(&mut rng)),
            2 => write!(text, "{}.{}.{}.{}", rng.below(300), rng.below(300), rng.below(300), rng.below(300)),
            _ => write!(text, "naïve café №{}", rng.below(1000)),
        };
        text.push('\n');
    }
    text
}

#[unsafe(no_mangle)]
pub extern "C" fn run(n: i32) -> i64 {
    let mut sum = Sum::default();
    let text = text(800);
    for _ in 0..n.max(0) {
        for pattern in PATTERNS {
            let Ok(regex) = Regex::new(pattern) else { return 0 };
            for found in regex.captures_iter(&text) {
                for group in found.iter().flatten() {
                    sum.number(group.start() as u64);
                    sum.number(group.end() as u64);
                }
            }
        }
        let Ok(date) = Regex::new(r"(\d{4})-(\d{2})-(\d{2})") else { return 0 };
        sum.bytes(date.replace_all(&text, "$3.$2.$1").as_bytes());
    }
    sum.value()
}
