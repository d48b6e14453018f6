//! Telling on standard error what a guest was denied, and which flag would allow it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::say::say;

/// How many different messages there are at most: guests make them.
const MAX_TOLD: usize = 16;

/// Says it, unless it was said before.
pub fn tell(message: String) {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if told.len() < MAX_TOLD && !told.contains(&message) {
        say(format_args!("denied: {message}"));
        told.insert(message);
    }
}

/// Text that a shell takes as it is, with nothing in it that does something to a terminal.
pub fn quoted(text: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.,:/@%+=".contains(c);
    match text.chars().all(plain) {
        true => text.into(),
        false => {
            let text: String = text
                .chars()
                .filter(|c| !c.is_control())
                .map(|c| if c == '\'' { '?' } else { c })
                .collect();
            format!("'{text}'").into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn what_a_shell_would_read_is_quoted() {
        assert_eq!(quoted("tcp-connect:127.0.0.1:80"), "tcp-connect:127.0.0.1:80");
        assert_eq!(quoted("tcp-listen:[::1]:0"), "'tcp-listen:[::1]:0'");
        assert_eq!(quoted("a b'\u{1b}[2J"), "'a b?[2J'");
    }
}
