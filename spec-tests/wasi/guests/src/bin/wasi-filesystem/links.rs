//! Hard and symbolic links.

use crate::support::*;

pub const CASES: &[Case] = &[
    ("link", link),
    ("link-errors", link_errors),
    ("link-of-a-symlink", link_of_a_symlink),
    ("link-following", link_following),
    ("link-between-directories", link_between),
    ("symlink", symlink),
    ("symlink-errors", symlink_errors),
    ("readlink-errors", readlink_errors),
];

fn link() {
    let dir = work();
    let one = file(&dir, "a", b"hello");
    check_eq!(ok!(one.stat()).link_count, 1);
    ok!(dir.link_at(NO_FOLLOW, "a", &dir, "b"));
    let two = ok!(open(&dir, "b"));
    check!(one.is_same_object(&two));
    check_eq!(ok!(one.stat()).link_count, 2);
    check_eq!(ok!(one.write(b"J", 0)), 1);
    check_eq!(content(&two), b"Jello");
    ok!(dir.unlink_file_at("a"));
    check_eq!(ok!(two.stat()).link_count, 1);
    check_eq!(content_at(&dir, "b"), b"Jello");
}

fn link_errors() {
    let dir = work();
    file(&dir, "a", b"");
    file(&dir, "b", b"");
    ok!(dir.create_directory_at("d"));
    check_err!(dir.link_at(NO_FOLLOW, "x", &dir, "y"), E::NoEntry);
    check_err!(dir.link_at(NO_FOLLOW, "a", &dir, "b"), E::Exist);
    check_err!(dir.link_at(NO_FOLLOW, "a", &dir, "a"), E::Exist);
    check_err!(dir.link_at(NO_FOLLOW, "a", &dir, "d"), E::Exist);
    check_err!(dir.link_at(NO_FOLLOW, "d", &dir, "y"), E::NotPermitted);
    check_err!(dir.link_at(NO_FOLLOW, "a", &dir, "x/y"), E::NoEntry);
    check_err!(dir.link_at(NO_FOLLOW, "a", &dir, "b/y"), E::NotDirectory);
    check_err!(dir.link_at(NO_FOLLOW, "a/", &dir, "y"), E::NotDirectory);
    check_err!(dir.link_at(NO_FOLLOW, "a", &dir, "y/"), E::NotDirectory | E::NoEntry);
    check!(!exists(&dir, "y"));
}

fn link_of_a_symlink() {
    let dir = work();
    file(&dir, "a", b"");
    ok!(dir.symlink_at("a", "l"));
    ok!(dir.link_at(NO_FOLLOW, "l", &dir, "m"));
    check!(ok!(dir.stat_at(NO_FOLLOW, "m")).type_ == Type::SymbolicLink);
    check_eq!(ok!(dir.readlink_at("m")), "a");
}

fn link_following() {
    let dir = work();
    ok!(dir.create_directory_at("d"));
    let target = file(&dir, "d/a", b"hello");
    ok!(dir.symlink_at("a", "d/l"));
    ok!(dir.symlink_at("d/l", "l"));
    ok!(dir.link_at(FOLLOW, "d/a", &dir, "plain"));
    ok!(dir.link_at(FOLLOW, "l", &dir, "m"));
    check!(ok!(dir.stat_at(NO_FOLLOW, "m")).type_ == Type::RegularFile);
    check!(ok!(open(&dir, "m")).is_same_object(&target));
    check_eq!(ok!(target.stat()).link_count, 3);
    ok!(dir.symlink_at("nowhere", "dangling"));
    check_err!(dir.link_at(FOLLOW, "dangling", &dir, "x"), E::NoEntry);
    ok!(dir.symlink_at("loop", "loop"));
    check_err!(dir.link_at(FOLLOW, "loop", &dir, "x"), E::Loop);
    ok!(dir.symlink_at("d", "to-dir"));
    check_err!(dir.link_at(FOLLOW, "to-dir", &dir, "x"), E::NotPermitted);
    ok!(dir.symlink_at("../x", "out"));
    check_err!(dir.link_at(FOLLOW, "out", &dir, "x"), E::NotPermitted);
    check!(!exists(&dir, "x"));
}

fn link_between() {
    let dir = work();
    ok!(dir.create_directory_at("d"));
    let sub = open_dir(&dir, "d");
    let one = file(&dir, "a", b"");
    ok!(dir.link_at(NO_FOLLOW, "a", &sub, "b"));
    check!(ok!(open(&sub, "b")).is_same_object(&one));
}

fn symlink() {
    let dir = work();
    ok!(dir.create_directory_at("d"));
    file(&dir, "d/f", b"found");
    ok!(dir.symlink_at("d/f", "l"));
    check_eq!(ok!(dir.readlink_at("l")), "d/f");
    ok!(dir.symlink_at("f", "d/l"));
    check_eq!(content(&ok!(dir.open_at(FOLLOW, "d/l", O::empty(), D::READ))), b"found");
    // Where it leads need not be there, and what it says is kept as it is.
    for target in ["nowhere", "./a/../b//c/", "größe", "."] {
        ok!(dir.symlink_at(target, "t"));
        check_eq!(ok!(dir.readlink_at("t")), target);
        ok!(dir.unlink_file_at("t"));
    }
    let long = "x/".repeat(400) + "x";
    ok!(dir.symlink_at(&long, "t"));
    check_eq!(ok!(dir.readlink_at("t")), long);
    check_eq!(ok!(dir.stat_at(NO_FOLLOW, "t")).size, long.len() as u64);
}

fn symlink_errors() {
    let dir = work();
    file(&dir, "f", b"");
    check_err!(dir.symlink_at("x", "f"), E::Exist);
    ok!(dir.symlink_at("x", "l"));
    check_err!(dir.symlink_at("y", "l"), E::Exist);
    check_err!(dir.symlink_at("x", "missing/l"), E::NoEntry);
    check_err!(dir.symlink_at("x", "f/l"), E::NotDirectory);
    check_err!(dir.symlink_at("", "e"), E::NoEntry | E::Invalid);
    check_eq!(ok!(dir.readlink_at("l")), "x");
}

fn readlink_errors() {
    let dir = work();
    file(&dir, "f", b"");
    ok!(dir.create_directory_at("d"));
    check_err!(dir.readlink_at("f"), E::Invalid);
    check_err!(dir.readlink_at("d"), E::Invalid);
    check_err!(dir.readlink_at("x"), E::NoEntry);
    check_err!(dir.readlink_at("f/x"), E::NotDirectory);
}
