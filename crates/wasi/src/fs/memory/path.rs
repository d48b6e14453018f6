//! From paths to nodes.

use super::tree::{Content, Id, Tree};
use crate::fs::{ErrorCode, FsResult};

/// The most bytes of a path, and of a name in it, as on Linux.
const MAX_PATH: usize = 4095;
const MAX_NAME: usize = 255;

/// How many symbolic links may be followed on the way.
const MAX_LINKS: usize = 40;

/// Where a path leads.
pub(super) struct Found {
    /// The directory that the last name of the path is in.
    pub(super) parent: Id,
    /// The last name; absent if the path ends in `.` or `..`.
    pub(super) name: Option<String>,
    /// What is there.
    pub(super) node: Option<Id>,
    /// The path can mean a directory only.
    pub(super) dir_only: bool,
}

/// Fails for what is no path at all.
pub(super) fn check(path: &str) -> FsResult<()> {
    if path.is_empty() {
        return Err(ErrorCode::NoEntry);
    }
    if path.contains('\0') {
        return Err(ErrorCode::Invalid);
    }
    match path.len() > MAX_PATH {
        true => Err(ErrorCode::NameTooLong),
        false => Ok(()),
    }
}

/// Puts the names of a path on top of those that are still to be walked, the first one last.
fn push(names: &mut Vec<String>, path: &str) {
    names.extend(
        path.rsplit('/')
            .filter(|name| !name.is_empty())
            .map(str::to_owned),
    );
}

/// Walks a path from a directory, which no path leaves.
pub(super) fn resolve(tree: &Tree, root: Id, path: &str, follow: bool) -> FsResult<Found> {
    check(path)?;
    if path.starts_with('/') {
        return Err(ErrorCode::NotPermitted);
    }
    let mut dir_only = path.ends_with('/');
    let (mut names, mut above, mut here, mut links) = (Vec::new(), Vec::new(), root, 0);
    push(&mut names, path);
    while let Some(name) = names.pop() {
        let entries = tree.entries(here)?;
        if name == "." {
            continue;
        }
        if name == ".." {
            here = above.pop().ok_or(ErrorCode::NotPermitted)?;
            continue;
        }
        if name.len() > MAX_NAME {
            return Err(ErrorCode::NameTooLong);
        }
        let last = names.is_empty();
        let node = entries.get(&name).copied();
        if let Some(id) = node
            && let Content::Link(target) = &tree.node(id)?.content
            && (!last || follow || dir_only)
        {
            links += 1;
            if links > MAX_LINKS {
                return Err(ErrorCode::Loop);
            }
            if target.starts_with('/') {
                return Err(ErrorCode::NotPermitted);
            }
            dir_only |= last && target.ends_with('/');
            push(&mut names, target);
            continue;
        }
        if last {
            let parent = here;
            if dir_only && let Some(id) = node {
                tree.entries(id)?;
            }
            return Ok(Found {
                parent,
                name: Some(name),
                node,
                dir_only,
            });
        }
        above.push(here);
        here = node.ok_or(ErrorCode::NoEntry)?;
    }
    tree.entries(here)?;
    Ok(Found {
        parent: above.last().copied().unwrap_or(here),
        name: None,
        node: Some(here),
        dir_only: true,
    })
}
