//! `open-at`.

use crate::support::*;
use wasip2::io::streams::StreamError;

pub const CASES: &[Case] = &[
    ("open-existing", existing),
    ("open-missing", missing),
    ("open-create", create),
    ("open-exclusive", exclusive),
    ("open-truncate", truncate),
    ("open-directory", directory),
    ("open-directory-for-writing", directory_for_writing),
    ("open-below-a-file", below_a_file),
    ("open-trailing-slash", trailing_slash),
    ("open-links", through_links),
    ("open-create-through-links", create_through_links),
    ("open-link-loop", link_loop),
    ("open-long-names", long_names),
    ("open-empty-path", empty_path),
    ("open-nul", nul),
    ("open-dots", dots),
    ("open-unicode", unicode),
    ("open-without-rights", without_rights),
    ("open-sync-flags", sync_flags),
    ("open-mutate-directory", mutate_directory),
    ("open-many", many),
];

fn existing() {
    let dir = work();
    file(&dir, "a", b"hello");
    let opened = ok!(open(&dir, "a"));
    check!(ok!(opened.get_flags()).contains(D::READ));
    check!(!ok!(opened.get_flags()).intersects(D::WRITE | D::MUTATE_DIRECTORY));
    check!(ok!(opened.get_type()) == Type::RegularFile);
    check_eq!(content(&opened), b"hello");
    let both = ok!(dir.open_at(NO_FOLLOW, "a", O::empty(), D::READ | D::WRITE));
    check!(ok!(both.get_flags()).contains(D::READ | D::WRITE));
    check_eq!(content(&both), b"hello");
}

fn missing() {
    let dir = work();
    check_err!(open(&dir, "a"), E::NoEntry);
    check_err!(open(&dir, "a/b"), E::NoEntry);
    check_err!(dir.open_at(NO_FOLLOW, "a", O::TRUNCATE, D::WRITE), E::NoEntry);
    check_err!(dir.open_at(NO_FOLLOW, "a", O::DIRECTORY, D::READ), E::NoEntry);
    check_err!(dir.open_at(NO_FOLLOW, "a/b", O::CREATE, D::WRITE), E::NoEntry);
    check!(!exists(&dir, "a"));
}

fn create() {
    let dir = work();
    let made = ok!(dir.open_at(NO_FOLLOW, "a", O::CREATE, D::READ | D::WRITE));
    check_eq!(ok!(made.stat()).size, 0);
    check_eq!(ok!(made.write(b"kept", 0)), 4);
    let again = ok!(dir.open_at(NO_FOLLOW, "a", O::CREATE, D::READ | D::WRITE));
    check_eq!(content(&again), b"kept");
    // Creating needs no right to write the file itself.
    let readable = ok!(dir.open_at(NO_FOLLOW, "b", O::CREATE, D::READ));
    check_eq!(content(&readable), b"");
    check_err!(readable.write(b"x", 0), E::BadDescriptor);
}

fn exclusive() {
    let dir = work();
    let flags = O::CREATE | O::EXCLUSIVE;
    ok!(dir.open_at(NO_FOLLOW, "a", flags, D::WRITE));
    check_err!(dir.open_at(NO_FOLLOW, "a", flags, D::WRITE), E::Exist);
    check_err!(dir.open_at(NO_FOLLOW, "a", flags, D::READ), E::Exist);
    ok!(dir.create_directory_at("d"));
    check_err!(dir.open_at(NO_FOLLOW, "d", flags, D::WRITE), E::Exist);
    // A link is there, wherever it leads.
    ok!(dir.symlink_at("nowhere", "link"));
    check_err!(dir.open_at(NO_FOLLOW, "link", flags, D::WRITE), E::Exist);
    check!(!exists(&dir, "nowhere"));
}

fn truncate() {
    let dir = work();
    file(&dir, "a", b"hello");
    let cut = ok!(dir.open_at(NO_FOLLOW, "a", O::TRUNCATE, D::READ | D::WRITE));
    check_eq!(content(&cut), b"");
    ok!(dir.open_at(NO_FOLLOW, "b", O::CREATE | O::TRUNCATE, D::WRITE));
    check!(exists(&dir, "b"));
    // What fails for another reason cuts nothing.
    file(&dir, "c", b"hello");
    check_err!(dir.open_at(NO_FOLLOW, "c", O::CREATE | O::EXCLUSIVE | O::TRUNCATE, D::WRITE), E::Exist);
    check_eq!(content_at(&dir, "c"), b"hello");
}

fn directory() {
    let dir = work();
    ok!(dir.create_directory_at("d"));
    file(&dir, "f", b"");
    let opened = ok!(dir.open_at(NO_FOLLOW, "d", O::DIRECTORY, D::READ));
    check!(ok!(opened.get_type()) == Type::Directory);
    check!(ok!(opened.get_flags()).contains(D::READ));
    check!(ok!(ok!(open(&dir, "d")).get_type()) == Type::Directory);
    check_err!(dir.open_at(NO_FOLLOW, "f", O::DIRECTORY, D::READ), E::NotDirectory);
    check!(ok!(open_dir(&dir, "d").get_flags()).contains(D::MUTATE_DIRECTORY));
}

fn directory_for_writing() {
    let dir = work();
    ok!(dir.create_directory_at("d"));
    check_err!(dir.open_at(NO_FOLLOW, "d", O::empty(), D::READ | D::WRITE), E::IsDirectory);
    check_err!(dir.open_at(NO_FOLLOW, "d", O::empty(), D::WRITE), E::IsDirectory);
    check_err!(dir.open_at(NO_FOLLOW, "d", O::CREATE, D::WRITE), E::IsDirectory);
    check_err!(dir.open_at(NO_FOLLOW, "d", O::TRUNCATE, D::WRITE), E::IsDirectory);
}

fn below_a_file() {
    let dir = work();
    file(&dir, "f", b"");
    check_err!(open(&dir, "f/x"), E::NotDirectory);
    check_err!(open(&dir, "f/."), E::NotDirectory);
    check_err!(open(&dir, "f/.."), E::NotDirectory);
    check_err!(dir.open_at(NO_FOLLOW, "f/x", O::CREATE, D::WRITE), E::NotDirectory);
}

fn trailing_slash() {
    let dir = work();
    file(&dir, "f", b"");
    ok!(dir.create_directory_at("d"));
    check_err!(open(&dir, "f/"), E::NotDirectory);
    check!(ok!(ok!(open(&dir, "d/")).get_type()) == Type::Directory);
    check!(ok!(ok!(open(&dir, "d//")).get_type()) == Type::Directory);
    check_err!(open(&dir, "x/"), E::NoEntry);
    // A file can't be made under a directory's name.
    check_err!(dir.open_at(NO_FOLLOW, "x/", O::CREATE, D::WRITE), E::IsDirectory | E::NoEntry | E::NotDirectory);
    check!(!exists(&dir, "x"));
}

fn through_links() {
    let dir = work();
    ok!(dir.create_directory_at("d"));
    file(&dir, "d/f", b"found");
    ok!(dir.symlink_at("d/f", "to-file"));
    ok!(dir.symlink_at("d", "to-dir"));
    ok!(dir.symlink_at("missing", "dangling"));
    check_eq!(content(&ok!(dir.open_at(FOLLOW, "to-file", O::empty(), D::READ))), b"found");
    check_err!(open(&dir, "to-file"), E::Loop);
    // Links before the last part are always followed.
    check_eq!(content_at(&dir, "to-dir/f"), b"found");
    check!(ok!(ok!(dir.open_at(FOLLOW, "to-dir", O::DIRECTORY, D::READ)).get_type()) == Type::Directory);
    check_err!(dir.open_at(NO_FOLLOW, "to-dir", O::DIRECTORY, D::READ), E::NotDirectory | E::Loop);
    check_err!(dir.open_at(FOLLOW, "dangling", O::empty(), D::READ), E::NoEntry);
    // Up and down again, within what is granted.
    ok!(dir.symlink_at("../d/f", "d/up"));
    check_eq!(content(&ok!(dir.open_at(FOLLOW, "d/up", O::empty(), D::READ))), b"found");
}

fn create_through_links() {
    let dir = work();
    ok!(dir.symlink_at("target", "link"));
    check_err!(dir.open_at(NO_FOLLOW, "link", O::CREATE, D::WRITE), E::Loop);
    check!(!exists(&dir, "target"));
    let made = ok!(dir.open_at(FOLLOW, "link", O::CREATE, D::READ | D::WRITE));
    check_eq!(ok!(made.write(b"kept", 0)), 4);
    check_eq!(content_at(&dir, "target"), b"kept");
    check_err!(dir.open_at(NO_FOLLOW, "link", O::TRUNCATE, D::WRITE), E::Loop);
    check_eq!(content_at(&dir, "target"), b"kept");
    ok!(dir.open_at(FOLLOW, "link", O::TRUNCATE, D::WRITE));
    check_eq!(content_at(&dir, "target"), b"");
    check!(ok!(dir.stat_at(NO_FOLLOW, "link")).type_ == Type::SymbolicLink);
}

fn link_loop() {
    let dir = work();
    ok!(dir.symlink_at("b", "a"));
    ok!(dir.symlink_at("a", "b"));
    ok!(dir.symlink_at("self", "self"));
    check_err!(dir.open_at(FOLLOW, "a", O::empty(), D::READ), E::Loop);
    check_err!(dir.open_at(FOLLOW, "self", O::empty(), D::READ), E::Loop);
    check_err!(open(&dir, "a/x"), E::Loop);
    check_err!(dir.stat_at(FOLLOW, "a"), E::Loop);
    check_err!(dir.create_directory_at("self/x"), E::Loop);
}

fn long_names() {
    let dir = work();
    let name = "n".repeat(255);
    file(&dir, &name, b"long");
    check_eq!(content_at(&dir, &name), b"long");
    let longer = "n".repeat(300);
    check_err!(open(&dir, &longer), E::NameTooLong);
    check_err!(dir.open_at(NO_FOLLOW, &longer, O::CREATE, D::WRITE), E::NameTooLong);
    check_err!(dir.create_directory_at(&longer), E::NameTooLong);
    check_err!(dir.stat_at(NO_FOLLOW, &longer), E::NameTooLong);
    check_err!(dir.symlink_at("x", &longer), E::NameTooLong);
    check_err!(dir.rename_at(&name, &dir, &longer), E::NameTooLong);
    check!(exists(&dir, &name));
}

fn empty_path() {
    let dir = work();
    check_err!(open(&dir, ""), E::NoEntry);
    check_err!(dir.open_at(NO_FOLLOW, "", O::CREATE, D::WRITE), E::NoEntry);
    check_err!(dir.stat_at(NO_FOLLOW, ""), E::NoEntry);
    check_err!(dir.stat_at(FOLLOW, ""), E::NoEntry);
    check_err!(dir.create_directory_at(""), E::NoEntry);
    check_err!(dir.remove_directory_at(""), E::NoEntry);
    check_err!(dir.unlink_file_at(""), E::NoEntry);
    check_err!(dir.readlink_at(""), E::NoEntry);
    check_err!(dir.symlink_at("x", ""), E::NoEntry);
    check_err!(dir.set_times_at(FOLLOW, "", NewTimestamp::Now, NewTimestamp::Now), E::NoEntry);
    check_err!(dir.metadata_hash_at(FOLLOW, ""), E::NoEntry);
    file(&dir, "a", b"");
    check_err!(dir.rename_at("a", &dir, ""), E::NoEntry);
    check_err!(dir.rename_at("", &dir, "b"), E::NoEntry);
    check_err!(dir.link_at(NO_FOLLOW, "a", &dir, ""), E::NoEntry);
    check_err!(dir.link_at(NO_FOLLOW, "", &dir, "b"), E::NoEntry);
}

fn nul() {
    let dir = work();
    // No system has such names, and the part before must not be taken for the whole.
    file(&dir, "a", b"");
    check_err!(open(&dir, "a\0b"), E::Invalid | E::IllegalByteSequence | E::NoEntry);
    check_err!(dir.open_at(NO_FOLLOW, "c\0d", O::CREATE, D::WRITE), E::Invalid | E::IllegalByteSequence | E::NoEntry);
    check_err!(dir.create_directory_at("c\0d"), E::Invalid | E::IllegalByteSequence | E::NoEntry);
    check_err!(dir.unlink_file_at("a\0"), E::Invalid | E::IllegalByteSequence | E::NoEntry);
    check_err!(dir.symlink_at("a\0", "l"), E::Invalid | E::IllegalByteSequence | E::NoEntry);
    check_eq!(entries(&dir).len(), 1);
}

fn dots() {
    let dir = work();
    ok!(dir.create_directory_at("d"));
    ok!(dir.create_directory_at("d/e"));
    file(&dir, "f", b"here");
    for path in [".", "./", "d/..", "d/../.", "./d/e/../..", "d/./..", "d//.."] {
        let same = ok!(dir.open_at(NO_FOLLOW, path, O::DIRECTORY, D::READ));
        check!(same.is_same_object(&dir));
    }
    check_eq!(content_at(&dir, "d/e/../../f"), b"here");
    // Every descriptor is a boundary of its own.
    let sub = open_dir(&dir, "d");
    check!(ok!(open(&sub, "e/..")).is_same_object(&sub));
    check_err!(open(&sub, "e/../../f"), E::NotPermitted);
}

fn unicode() {
    let dir = work();
    let names = ["größe", "文字", "🦀", "a b", "-", "new\nline", "back\\slash", "..."];
    for name in names {
        file(&dir, name, name.as_bytes());
    }
    for name in names {
        check_eq!(content_at(&dir, name), name.as_bytes());
    }
    check_eq!(entries(&dir).len(), names.len());
}

fn without_rights() {
    let dir = work();
    file(&dir, "a", b"hello");
    let write_only = ok!(dir.open_at(NO_FOLLOW, "a", O::empty(), D::WRITE));
    check!(!ok!(write_only.get_flags()).contains(D::READ));
    check_err!(write_only.read(1, 0), E::BadDescriptor);
    match write_only.read_via_stream(0) {
        Err(E::BadDescriptor) => {}
        // The stream may be the one who tells.
        stream => check_err!(ok!(stream).blocking_read(1), StreamError::LastOperationFailed(_)),
    }
    check_eq!(ok!(write_only.write(b"J", 0)), 1);
    let read_only = ok!(open(&dir, "a"));
    check_err!(read_only.write(b"x", 0), E::BadDescriptor);
    for stream in [read_only.write_via_stream(0), read_only.append_via_stream()] {
        match stream {
            Err(E::BadDescriptor) => {}
            stream => check_err!(ok!(stream).blocking_write_and_flush(b"x"), StreamError::LastOperationFailed(_)),
        }
    }
    check_err!(read_only.set_size(0), E::BadDescriptor | E::Invalid);
    check_eq!(content(&read_only), b"Jello");
}

fn sync_flags() {
    let dir = work();
    for (name, sync) in [("a", D::FILE_INTEGRITY_SYNC), ("b", D::DATA_INTEGRITY_SYNC), ("c", D::REQUESTED_WRITE_SYNC)] {
        let file = match dir.open_at(NO_FOLLOW, name, O::CREATE, D::READ | D::WRITE | sync) {
            // They are requests.
            Err(E::Unsupported) => continue,
            opened => ok!(opened),
        };
        check_eq!(ok!(file.write(b"data", 0)), 4);
        check_eq!(content(&file), b"data");
    }
}

fn mutate_directory() {
    let dir = work();
    ok!(dir.create_directory_at("d"));
    file(&dir, "d/f", b"");
    let sub = ok!(dir.open_at(NO_FOLLOW, "d", O::DIRECTORY, D::READ));
    check!(!ok!(sub.get_flags()).contains(D::MUTATE_DIRECTORY));
    check_err!(sub.create_directory_at("x"), E::ReadOnly);
    check_err!(sub.unlink_file_at("f"), E::ReadOnly);
    check_err!(sub.symlink_at("f", "x"), E::ReadOnly);
    check_err!(sub.rename_at("f", &dir, "x"), E::ReadOnly);
    check_err!(sub.open_at(NO_FOLLOW, "f", O::empty(), D::WRITE), E::ReadOnly);
    check_err!(sub.open_at(NO_FOLLOW, "f", O::TRUNCATE, D::READ), E::ReadOnly);
    check_err!(sub.open_at(NO_FOLLOW, "x", O::CREATE, D::READ), E::ReadOnly);
    check_err!(sub.open_at(NO_FOLLOW, ".", O::DIRECTORY, D::MUTATE_DIRECTORY), E::ReadOnly);
    check!(exists(&dir, "d/f") && !exists(&dir, "d/x"));
}

fn many() {
    let dir = work();
    let files: Vec<_> = (0..200).map(|i| file(&dir, &format!("f{i}"), format!("{i}").as_bytes())).collect();
    for (i, file) in files.iter().enumerate() {
        check_eq!(content(file), format!("{i}").as_bytes());
    }
}
