//! Tables, and where they are written.

use std::path::Path;
use std::time::Duration;

/// The middle one of some durations; of none, nothing.
pub fn median(mut times: Vec<Duration>) -> Option<Duration> {
    times.sort();
    times.get(times.len() / 2).copied()
}

/// A duration in milliseconds.
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The ratio of two durations, of which each may be missing.
pub fn ratio(a: Option<Duration>, b: Option<Duration>) -> Option<f64> {
    let (a, b) = (a?.as_secs_f64(), b?.as_secs_f64());
    (a > 0.0 && b > 0.0).then(|| a / b)
}

/// The geometric mean of those that are there.
pub fn geometric_mean(ratios: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let logs: Vec<f64> = ratios.flatten().map(f64::ln).collect();
    (!logs.is_empty()).then(|| (logs.iter().sum::<f64>() / logs.len() as f64).exp())
}

/// A number with some digits after the point, or a dash.
pub fn cell(number: Option<f64>, digits: usize) -> String {
    number.map_or("–".to_owned(), |n| format!("{n:.digits$}"))
}

/// Puts `table` between the markers `begin` and `end` of a file in the repository; without markers, at its end.
///
/// # Errors
/// When the file can't be written.
pub fn write_between(file: &str, begin: &str, end: &str, table: &str) -> std::io::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    std::fs::write(&path, replace(&text, begin, end, table))
}

fn replace(text: &str, begin: &str, end: &str, table: &str) -> String {
    let found = text.find(begin).map(|at| at + begin.len());
    match found.and_then(|from| Some((from, from + text[from..].find(end)?))) {
        Some((from, to)) => format!("{}\n{table}{}", &text[..from], &text[to..]),
        None => format!("{text}\n{begin}\n{table}{end}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_replace_tables() {
        let text = "a\n<b>\nold\n<e>\nz\n";
        assert_eq!(replace(text, "<b>", "<e>", "new\n"), "a\n<b>\nnew\n<e>\nz\n");
        assert_eq!(replace("a\n", "<b>", "<e>", "new\n"), "a\n\n<b>\nnew\n<e>\n");
    }

    #[test]
    fn means_leave_out_what_is_missing() {
        let mean = geometric_mean([Some(2.0), None, Some(8.0)].into_iter());
        assert_eq!(cell(mean, 2), "4.00");
        assert_eq!(cell(geometric_mean([None].into_iter()), 2), "–");
    }
}
