//! The lists of what does not pass yet.
//!
//! One entry per line: `SCRIPT:LINE REASON` for one directive, or `SCRIPT COUNT REASON` for a script in which COUNT
//! directives do not pass for the same reason. Empty lines and lines that begin with `#` are for readers. A reason that
//! begins with `superseded:` means that a later version of the specification says otherwise.

use std::collections::{BTreeMap, HashMap};

/// The entries of a list.
#[derive(Debug, Default)]
pub struct List {
    files: HashMap<String, (usize, String)>,
    lines: HashMap<String, BTreeMap<usize, String>>,
}

/// How reasons begin for assertions that a later version of the specification has changed.
const SUPERSEDED: &str = "superseded:";

impl List {
    /// Reads a list.
    ///
    /// # Errors
    /// If an entry has no reason or stands there twice.
    pub fn parse(text: &str) -> Result<List, String> {
        let mut list = List::default();
        for (i, entry) in text.lines().enumerate() {
            let entry = entry.trim();
            if entry.is_empty() || entry.starts_with('#') {
                continue;
            }
            let Some((place, reason)) = entry.split_once(char::is_whitespace) else {
                return Err(format!("line {}: an entry needs a reason", i + 1));
            };
            let reason = reason.trim();
            let twice = match place.rsplit_once(':') {
                Some((file, line)) => {
                    let line = line
                        .parse()
                        .map_err(|_| format!("line {}: not a line number: {line}", i + 1))?;
                    let lines = list.lines.entry(file.to_string()).or_default();
                    lines.insert(line, reason.to_string()).is_some()
                }
                None => {
                    let entry = reason.split_once(char::is_whitespace);
                    let Some((Ok(count), reason)) = entry.map(|(count, rest)| (count.parse(), rest)) else {
                        return Err(format!("line {}: expected SCRIPT COUNT REASON", i + 1));
                    };
                    list.files
                        .insert(place.to_string(), (count, reason.trim().to_string()))
                        .is_some()
                }
            };
            if twice {
                return Err(format!("line {}: {place} is listed twice", i + 1));
            }
        }
        Ok(list)
    }

    /// How many directives of a script do not pass, when they are not listed one by one.
    pub fn count(&self, file: &str) -> Option<usize> {
        self.files.get(file).map(|(count, _)| *count)
    }

    /// How many directives of a script a later version of the specification has changed.
    pub fn superseded(&self, file: &str) -> usize {
        let lines = self.lines.get(file).into_iter().flat_map(|lines| lines.values());
        lines.filter(|reason| reason.starts_with(SUPERSEDED)).count()
    }

    /// Why the directive at `line` of a script does not pass.
    pub fn line(&self, file: &str, line: usize) -> Option<&str> {
        self.lines.get(file)?.get(&line).map(String::as_str)
    }

    /// The listed lines of a script.
    pub fn lines_of(&self, file: &str) -> impl Iterator<Item = usize> + '_ {
        self.lines
            .get(file)
            .into_iter()
            .flat_map(|lines| lines.keys().copied())
    }

    /// The names of all scripts with an entry.
    pub fn scripts(&self) -> impl Iterator<Item = &str> {
        self.files.keys().chain(self.lines.keys()).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_entries() {
        let list = List::parse(
            "# comment\n\nv3/a.wast:12  needs  GC\nv3/b.wast 7 whole\nv3/a.wast:13 superseded: x\n",
        )
        .unwrap();
        assert_eq!(list.line("v3/a.wast", 12), Some("needs  GC"));
        assert_eq!(list.line("v3/a.wast", 14), None);
        assert_eq!(list.count("v3/b.wast"), Some(7));
        assert_eq!(list.count("v3/a.wast"), None);
        assert_eq!(list.superseded("v3/a.wast"), 1);
    }

    #[test]
    fn refuses_entries_without_reason_and_repeated_ones() {
        assert!(List::parse("a.wast\n").is_err());
        assert!(List::parse("a.wast 7\n").is_err());
        assert!(List::parse("a.wast seven reasons\n").is_err());
        assert!(List::parse("a.wast:1 x\na.wast:1 y\n").is_err());
        assert!(List::parse("a.wast:x y\n").is_err());
    }
}
