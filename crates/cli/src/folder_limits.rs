//! Telling processes that limit the same folder of each other: each counts by itself, so that their limits add up.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use wharf_policy::{DirSource, Policy};

use crate::grants::{Access, GrantArgs};
use crate::say::say;

/// Marks the folders that are limited for as long as the result lives, and says which of them others have marked.
pub fn share(grants: &GrantArgs, policy: &Policy) -> Vec<File> {
    let flags = grants.dirs.iter().filter_map(|dir| match dir.access {
        Access::Limited(_) => Some(dir.host.as_path()),
        _ => None,
    });
    let policies = policy.dirs.iter().filter_map(|dir| match &dir.source {
        DirSource::LimitedHost(host, _) => Some(host.as_path()),
        _ => None,
    });
    let folders: BTreeSet<PathBuf> = flags
        .chain(policies)
        .filter_map(|folder| std::fs::canonicalize(folder).ok())
        .collect();
    let mut marks = Vec::new();
    for folder in &folders {
        // Where folders can't be opened or locked, nobody can tell.
        let Some((mark, alone)) = mark(folder) else {
            continue;
        };
        if !alone {
            say(format_args!(
                "{}: another process limits what guests add to this folder, too; each counts by itself, so that the limits \
                 add up",
                folder.display()
            ));
        }
        marks.push(mark);
    }
    marks
}

/// How often, and with what pauses, a mark is tried: others hold theirs alone for a moment only.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(5);

/// A mark on a folder, and whether it is the only one. Of two that are made at the same time, at least one is not.
fn mark(folder: &Path) -> Option<(File, bool)> {
    let opened = File::open(folder).ok()?;
    let mut alone = opened.try_lock().is_ok();
    for _ in 0..TRIES {
        // This one stays, and others can have it as well. It takes the place of the first without a time in which there is none, and if
        // the system has one nevertheless, who came in between is found here.
        match opened.try_lock_shared() {
            Ok(()) => return Some((opened, alone)),
            Err(TryLockError::WouldBlock) => alone = false,
            Err(TryLockError::Error(_)) => return None,
        }
        std::thread::sleep(PAUSE);
    }
    None
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn marks_are_seen_while_they_last() {
        let folder = tempfile::tempdir().unwrap();
        let (first, alone) = mark(folder.path()).unwrap();
        assert!(alone);
        let (second, alone) = mark(folder.path()).unwrap();
        assert!(!alone);
        drop(first);
        // The second one is there still.
        let (third, alone) = mark(folder.path()).unwrap();
        assert!(!alone);
        drop((second, third));
        assert!(mark(folder.path()).unwrap().1);
        assert!(mark(&folder.path().join("none")).is_none());
    }

    #[test]
    fn of_two_at_the_same_time_one_is_not_alone() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..200 {
            let both = std::thread::scope(|scope| {
                let first = scope.spawn(|| mark(folder.path()));
                let second = mark(folder.path());
                [first.join().unwrap(), second]
            });
            let alone = both.iter().flatten().filter(|(_, alone)| *alone).count();
            assert_eq!(both.iter().flatten().count(), 2);
            assert!(alone <= 1, "{both:?}");
        }
    }
}
