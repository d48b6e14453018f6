//! Telling processes that limit the same folder of each other: each counts by itself, so that their limits add up.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

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

/// A mark on a folder, and whether it is the only one.
fn mark(folder: &Path) -> Option<(File, bool)> {
    let opened = File::open(folder).ok()?;
    let alone = opened.try_lock().is_ok();
    if alone {
        opened.unlock().ok()?;
    }
    // This one stays, and others can have it as well.
    opened.try_lock_shared().ok()?;
    Some((opened, alone))
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
}
