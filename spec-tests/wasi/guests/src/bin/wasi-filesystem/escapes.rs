//! No path leads out of what is granted: `not-permitted`. In the granted directory `work` the manifest put `sub/`, and the links
//! `absolute` to `/`, `out` to `..`, `sub/out` to `../..` and `far` to `sub/../../secret`.

use crate::support::*;

pub const CASES: &[Case] = &[
    ("escape-open", open_at),
    ("escape-create", create),
    ("escape-stat", stat),
    ("escape-directories", directories),
    ("escape-rename", rename),
    ("escape-link", link),
    ("escape-symlink", symlink),
    ("escape-absolute-links", absolute_links),
];

/// Paths that lead out without a link at their end.
const OUT: [&str; 12] = [
    "..", "../", "../x", "../work", "sub/../..", "sub/../../x", "./../x", "/", "/x", "/work", "out/x", "sub/out/x",
];

/// Links that lead out.
const LINKS: [&str; 4] = ["out", "sub/out", "far", "absolute"];

fn open_at() {
    let dir = work();
    for path in OUT {
        check_err!(dir.open_at(NO_FOLLOW, path, O::empty(), D::READ), E::NotPermitted);
        check_err!(dir.open_at(FOLLOW, path, O::empty(), D::READ), E::NotPermitted);
        check_err!(dir.open_at(FOLLOW, path, O::DIRECTORY, D::READ), E::NotPermitted);
    }
    for path in LINKS {
        check_err!(dir.open_at(FOLLOW, path, O::empty(), D::READ), E::NotPermitted);
    }
    // A directory that was opened below is a boundary as well.
    let sub = open_dir(&dir, "sub");
    check_err!(open(&sub, ".."), E::NotPermitted);
    check_err!(sub.open_at(FOLLOW, "out", O::empty(), D::READ), E::NotPermitted);
    check_err!(sub.stat_at(NO_FOLLOW, "../sub"), E::NotPermitted);
}

fn create() {
    let dir = work();
    for path in ["../x", "/x", "sub/../../x", "out/x", "absolute/x"] {
        check_err!(dir.open_at(NO_FOLLOW, path, O::CREATE, D::WRITE), E::NotPermitted);
        check_err!(dir.create_directory_at(path), E::NotPermitted);
    }
    check_err!(dir.open_at(FOLLOW, "far", O::CREATE, D::WRITE), E::NotPermitted);
}

fn stat() {
    let dir = work();
    for path in OUT {
        check_err!(dir.stat_at(NO_FOLLOW, path), E::NotPermitted);
        check_err!(dir.metadata_hash_at(NO_FOLLOW, path), E::NotPermitted);
        check_err!(dir.set_times_at(NO_FOLLOW, path, NewTimestamp::Now, NewTimestamp::Now), E::NotPermitted);
    }
    for path in LINKS {
        check_err!(dir.stat_at(FOLLOW, path), E::NotPermitted);
        check_err!(dir.metadata_hash_at(FOLLOW, path), E::NotPermitted);
        check_err!(dir.set_times_at(FOLLOW, path, NewTimestamp::Now, NewTimestamp::Now), E::NotPermitted);
        // The links themselves are within.
        check!(ok!(dir.stat_at(NO_FOLLOW, path)).type_ == Type::SymbolicLink);
    }
}

fn directories() {
    let dir = work();
    for path in ["../x", "/x", "sub/../../x", "out/x", "absolute/x"] {
        check_err!(dir.remove_directory_at(path), E::NotPermitted);
        check_err!(dir.unlink_file_at(path), E::NotPermitted);
        check_err!(dir.readlink_at(path), E::NotPermitted);
    }
}

fn rename() {
    let dir = work();
    file(&dir, "a", b"");
    for path in ["../x", "/x", "sub/../../x", "out/x", "absolute/x"] {
        check_err!(dir.rename_at("a", &dir, path), E::NotPermitted);
        check_err!(dir.rename_at(path, &dir, "b"), E::NotPermitted);
    }
    check!(exists(&dir, "a") && !exists(&dir, "b"));
    // The link moves, not what it leads to.
    ok!(dir.rename_at("out", &dir, "moved"));
    check!(ok!(dir.stat_at(NO_FOLLOW, "moved")).type_ == Type::SymbolicLink);
}

fn link() {
    let dir = work();
    file(&dir, "a", b"");
    for path in ["../x", "/x", "sub/../../x", "out/x", "absolute/x"] {
        check_err!(dir.link_at(NO_FOLLOW, "a", &dir, path), E::NotPermitted);
        check_err!(dir.link_at(NO_FOLLOW, path, &dir, "b"), E::NotPermitted);
    }
    check!(!exists(&dir, "b"));
}

fn symlink() {
    let dir = work();
    check_err!(dir.symlink_at("/", "l"), E::NotPermitted);
    check_err!(dir.symlink_at("/etc/passwd", "l"), E::NotPermitted);
    for path in ["../x", "/x", "sub/../../x", "out/x", "absolute/x"] {
        check_err!(dir.symlink_at("sub", path), E::NotPermitted);
    }
    // A link may be made that leads out; it can't be followed.
    if dir.symlink_at("../x", "up").is_ok() {
        check_err!(dir.open_at(FOLLOW, "up", O::empty(), D::READ), E::NotPermitted);
        check_err!(dir.open_at(FOLLOW, "up", O::CREATE, D::WRITE), E::NotPermitted);
    }
}

fn absolute_links() {
    let dir = work();
    check_err!(dir.readlink_at("absolute"), E::NotPermitted);
    check_eq!(ok!(dir.readlink_at("out")), "..");
    check_eq!(ok!(dir.readlink_at("far")), "sub/../../secret");
}
