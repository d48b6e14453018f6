//! A granted directory that may only be read: what would change something is `read-only`. The manifest put `f` with the text
//! `fixed` in it, an empty directory `d` and a link `l` to `f`.

use crate::support::*;

pub const CASES: &[Case] = &[
    ("read-only-reading", reading),
    ("read-only-opening", opening),
    ("read-only-changing", changing),
    ("read-only-files", files),
    ("read-only-moving-out", moving_out),
];

fn reading() {
    let dir = granted("fixed");
    check!(!ok!(dir.get_flags()).intersects(D::WRITE | D::MUTATE_DIRECTORY));
    check_eq!(content_at(&dir, "f"), b"fixed");
    check_eq!(entries(&dir).len(), 3);
    check_eq!(ok!(dir.readlink_at("l")), "f");
    check_eq!(ok!(dir.stat_at(FOLLOW, "l")).size, 5);
    let sub = ok!(dir.open_at(NO_FOLLOW, "d", O::DIRECTORY, D::READ));
    check!(!ok!(sub.get_flags()).contains(D::MUTATE_DIRECTORY));
    check!(entries(&sub).is_empty());
}

fn opening() {
    let dir = granted("fixed");
    check_err!(dir.open_at(NO_FOLLOW, "f", O::empty(), D::WRITE), E::ReadOnly);
    check_err!(dir.open_at(NO_FOLLOW, "f", O::empty(), D::READ | D::WRITE), E::ReadOnly);
    check_err!(dir.open_at(NO_FOLLOW, "f", O::TRUNCATE, D::READ), E::ReadOnly);
    check_err!(dir.open_at(NO_FOLLOW, "x", O::CREATE, D::READ), E::ReadOnly);
    check_err!(dir.open_at(NO_FOLLOW, "x", O::CREATE | O::EXCLUSIVE, D::WRITE), E::ReadOnly);
    check_err!(dir.open_at(NO_FOLLOW, "d", O::DIRECTORY, D::READ | D::MUTATE_DIRECTORY), E::ReadOnly);
    let sub = ok!(dir.open_at(NO_FOLLOW, "d", O::DIRECTORY, D::READ));
    check_err!(sub.open_at(NO_FOLLOW, "x", O::CREATE, D::WRITE), E::ReadOnly);
    check_eq!(content_at(&dir, "f"), b"fixed");
}

fn changing() {
    let dir = granted("fixed");
    check_err!(dir.create_directory_at("x"), E::ReadOnly);
    check_err!(dir.remove_directory_at("d"), E::ReadOnly);
    check_err!(dir.unlink_file_at("f"), E::ReadOnly);
    check_err!(dir.rename_at("f", &dir, "x"), E::ReadOnly);
    check_err!(dir.link_at(NO_FOLLOW, "f", &dir, "x"), E::ReadOnly);
    check_err!(dir.symlink_at("f", "x"), E::ReadOnly);
    check_err!(dir.set_times_at(FOLLOW, "f", NewTimestamp::Now, NewTimestamp::Now), E::ReadOnly);
    check_eq!(entries(&dir).len(), 3);
}

fn files() {
    let dir = granted("fixed");
    let file = ok!(open(&dir, "f"));
    check!(!ok!(file.get_flags()).contains(D::WRITE));
    check_err!(file.write(b"x", 0), E::BadDescriptor);
    check_err!(file.write_via_stream(0), E::BadDescriptor);
    check_err!(file.append_via_stream(), E::BadDescriptor);
    check_err!(file.set_size(0), E::BadDescriptor | E::Invalid | E::ReadOnly);
    check_err!(file.set_times(NewTimestamp::Now, NewTimestamp::Now), E::NotPermitted | E::BadDescriptor | E::ReadOnly);
    ok!(file.sync());
    check_eq!(content(&file), b"fixed");
}

fn moving_out() {
    let (fixed, work) = (granted("fixed"), work());
    file(&work, "w", b"");
    // Neither may what can't be changed become changeable, nor anything be put in.
    check_err!(fixed.rename_at("f", &work, "x"), E::ReadOnly);
    check_err!(fixed.link_at(NO_FOLLOW, "f", &work, "x"), E::ReadOnly | E::NotPermitted | E::CrossDevice);
    check_err!(work.rename_at("w", &fixed, "x"), E::ReadOnly);
    check_err!(work.link_at(NO_FOLLOW, "w", &fixed, "x"), E::ReadOnly);
    check_eq!(content_at(&fixed, "f"), b"fixed");
    check!(exists(&work, "w") && !exists(&work, "x"));
}
