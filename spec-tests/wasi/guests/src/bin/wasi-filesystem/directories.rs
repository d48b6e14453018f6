//! Directories and the names in them.

use crate::support::*;

pub const CASES: &[Case] = &[
    ("preopens", preopens),
    ("preopens-none", preopens_none),
    ("create-directory", create),
    ("remove-directory", remove),
    ("unlink-file", unlink),
    ("rename-files", rename_files),
    ("rename-one-file", rename_one_file),
    ("rename-directories", rename_directories),
    ("rename-between-directories", rename_between),
    ("removed-while-open", removed),
    ("read-directory", read),
    ("read-directory-streams", read_streams),
    ("read-directory-large", read_large),
    ("read-directory-while-changing", read_changing),
    ("directory-functions-of-a-file", of_a_file),
];

fn preopens() {
    let list = wasip2::filesystem::preopens::get_directories();
    let mut names: Vec<_> = list.iter().map(|(_, name)| name.as_str()).collect();
    names.sort_unstable();
    check_eq!(names, ["fixed", "work"]);
    for (dir, _) in &list {
        check!(ok!(dir.get_type()) == Type::Directory);
        check!(ok!(dir.get_flags()).contains(D::READ));
    }
    // Again, with descriptors of their own.
    drop(list);
    check_eq!(wasip2::filesystem::preopens::get_directories().len(), 2);
    check!(ok!(work().get_flags()).contains(D::MUTATE_DIRECTORY));
    check!(!granted("work").is_same_object(&granted("fixed")));
}

fn preopens_none() {
    check!(wasip2::filesystem::preopens::get_directories().is_empty());
}

fn create() {
    let dir = work();
    ok!(dir.create_directory_at("d"));
    check!(ok!(dir.stat_at(NO_FOLLOW, "d")).type_ == Type::Directory);
    ok!(dir.create_directory_at("d/e"));
    ok!(dir.create_directory_at("slash/"));
    file(&dir, "f", b"");
    ok!(dir.symlink_at("nowhere", "l"));
    check_err!(dir.create_directory_at("d"), E::Exist);
    check_err!(dir.create_directory_at("d/"), E::Exist);
    check_err!(dir.create_directory_at("f"), E::Exist);
    check_err!(dir.create_directory_at("l"), E::Exist);
    check_err!(dir.create_directory_at("."), E::Exist);
    check_err!(dir.create_directory_at("x/y"), E::NoEntry);
    check_err!(dir.create_directory_at("f/y"), E::NotDirectory);
}

fn remove() {
    let dir = work();
    ok!(dir.create_directory_at("d"));
    ok!(dir.create_directory_at("e"));
    file(&dir, "d/f", b"");
    check_err!(dir.remove_directory_at("d"), E::NotEmpty);
    check_err!(dir.remove_directory_at("d/f"), E::NotDirectory);
    check_err!(dir.remove_directory_at("x"), E::NoEntry);
    check_err!(dir.remove_directory_at("d/f/x"), E::NotDirectory);
    ok!(dir.symlink_at("e", "l"));
    check_err!(dir.remove_directory_at("l"), E::NotDirectory);
    check_err!(dir.remove_directory_at("e/."), E::Invalid | E::NotPermitted | E::Busy);
    ok!(dir.remove_directory_at("e/"));
    check!(!exists(&dir, "e"));
    ok!(dir.unlink_file_at("d/f"));
    ok!(dir.remove_directory_at("d"));
    check!(!exists(&dir, "d"));
}

fn unlink() {
    let dir = work();
    file(&dir, "f", b"");
    ok!(dir.create_directory_at("d"));
    ok!(dir.symlink_at("f", "l"));
    ok!(dir.symlink_at("d", "m"));
    check_err!(dir.unlink_file_at("d"), E::IsDirectory);
    check_err!(dir.unlink_file_at("d/"), E::IsDirectory | E::NotDirectory);
    check_err!(dir.unlink_file_at("."), E::IsDirectory);
    check_err!(dir.unlink_file_at("x"), E::NoEntry);
    check_err!(dir.unlink_file_at("f/x"), E::NotDirectory);
    check_err!(dir.unlink_file_at("f/"), E::NotDirectory);
    check!(exists(&dir, "f") && exists(&dir, "d"));
    // Of a link, the link goes.
    ok!(dir.unlink_file_at("l"));
    ok!(dir.unlink_file_at("m"));
    check!(exists(&dir, "f") && exists(&dir, "d") && !exists(&dir, "l") && !exists(&dir, "m"));
    ok!(dir.unlink_file_at("f"));
    check_err!(dir.unlink_file_at("f"), E::NoEntry);
}

fn rename_files() {
    let dir = work();
    file(&dir, "a", b"one");
    file(&dir, "b", b"two");
    ok!(dir.create_directory_at("d"));
    ok!(dir.rename_at("a", &dir, "b"));
    check_eq!(content_at(&dir, "b"), b"one");
    check!(!exists(&dir, "a"));
    ok!(dir.rename_at("b", &dir, "b"));
    check_eq!(content_at(&dir, "b"), b"one");
    check_err!(dir.rename_at("x", &dir, "y"), E::NoEntry);
    check_err!(dir.rename_at("b", &dir, "x/y"), E::NoEntry);
    check_err!(dir.rename_at("b", &dir, "d"), E::IsDirectory);
    check_err!(dir.rename_at("b", &dir, "y/"), E::NotDirectory);
    check_err!(dir.rename_at("b/", &dir, "y"), E::NotDirectory);
    check_err!(dir.rename_at("b/x", &dir, "y"), E::NotDirectory);
    check_err!(dir.rename_at(".", &dir, "y"), E::Busy | E::Invalid | E::NotPermitted);
    check_err!(dir.rename_at("b", &dir, "."), E::Busy | E::Invalid | E::NotPermitted | E::IsDirectory);
    ok!(dir.symlink_at("b", "l"));
    ok!(dir.rename_at("l", &dir, "m"));
    check_eq!(ok!(dir.readlink_at("m")), "b");
}

fn rename_one_file() {
    let dir = work();
    file(&dir, "a", b"one");
    ok!(dir.link_at(NO_FOLLOW, "a", &dir, "b"));
    // Both names are the same file's, so that there is nothing to do.
    ok!(dir.rename_at("a", &dir, "b"));
    check_eq!(content_at(&dir, "a"), b"one");
    check_eq!(content_at(&dir, "b"), b"one");
}

fn removed() {
    let dir = work();
    ok!(dir.create_directory_at("d"));
    let sub = open_dir(&dir, "d");
    ok!(dir.remove_directory_at("d"));
    check_err!(sub.create_directory_at("x"), E::NoEntry);
    check_err!(sub.open_at(NO_FOLLOW, "x", O::CREATE, D::WRITE), E::NoEntry);
    check_err!(open(&sub, "x"), E::NoEntry);
    check!(ok!(sub.get_type()) == Type::Directory);
    // Another one of that name is not the same.
    ok!(dir.create_directory_at("d"));
    check!(!sub.is_same_object(&open_dir(&dir, "d")));
}

fn rename_directories() {
    let dir = work();
    for path in ["d", "d/sub", "empty", "full", "full/x"] {
        ok!(dir.create_directory_at(path));
    }
    file(&dir, "f", b"");
    check_err!(dir.rename_at("d", &dir, "full"), E::NotEmpty | E::Exist);
    check_err!(dir.rename_at("d", &dir, "f"), E::NotDirectory);
    check_err!(dir.rename_at("d", &dir, "d/sub/inner"), E::Invalid);
    ok!(dir.rename_at("d", &dir, "empty"));
    check!(exists(&dir, "empty/sub") && !exists(&dir, "d"));
    ok!(dir.rename_at("empty/", &dir, "new/"));
    check!(exists(&dir, "new/sub"));
}

fn rename_between() {
    let dir = work();
    ok!(dir.create_directory_at("one"));
    ok!(dir.create_directory_at("two"));
    let (one, two) = (open_dir(&dir, "one"), open_dir(&dir, "two"));
    file(&one, "f", b"moved");
    ok!(one.rename_at("f", &two, "g"));
    check_eq!(content_at(&dir, "two/g"), b"moved");
    check!(entries(&one).is_empty());
    check_err!(one.rename_at("f", &two, "g"), E::NoEntry);
    check_eq!(content_at(&two, "g"), b"moved");
}

fn read() {
    let dir = work();
    check!(entries(&dir).is_empty());
    file(&dir, "f", b"");
    ok!(dir.create_directory_at("d"));
    file(&dir, "d/inner", b"");
    ok!(dir.symlink_at("f", "l"));
    let all = entries(&dir);
    let names: Vec<_> = all.iter().map(|(name, _)| name.as_str()).collect();
    check_eq!(names, ["d", "f", "l"]);
    for ((_, found), expected) in all.iter().zip([Type::Directory, Type::RegularFile, Type::SymbolicLink]) {
        check!(*found == expected);
    }
    check_eq!(entries(&open_dir(&dir, "d")).len(), 1);
}

fn read_streams() {
    let dir = work();
    for name in ["a", "b", "c"] {
        file(&dir, name, b"");
    }
    let (one, two) = (ok!(dir.read_directory()), ok!(dir.read_directory()));
    let mut counts = (0, 0);
    for _ in 0..3 {
        counts.0 += usize::from(ok!(one.read_directory_entry()).is_some());
    }
    while ok!(two.read_directory_entry()).is_some() {
        counts.1 += 1;
    }
    check_eq!(counts, (3, 3));
    check!(ok!(one.read_directory_entry()).is_none());
    check!(ok!(one.read_directory_entry()).is_none());
    // A stream needs the descriptor no longer.
    let stream = ok!(open_dir(&dir, ".").read_directory());
    check!(ok!(stream.read_directory_entry()).is_some());
}

fn read_large() {
    let dir = work();
    for i in 0..700 {
        file(&dir, &format!("file-with-a-somewhat-longer-name-{i:04}"), b"");
    }
    let names = entries(&dir);
    check_eq!(names.len(), 700);
    for (i, (name, _)) in names.iter().enumerate() {
        check_eq!(*name, format!("file-with-a-somewhat-longer-name-{i:04}"));
    }
}

fn read_changing() {
    let dir = work();
    for i in 0..50 {
        file(&dir, &format!("{i}"), b"");
    }
    // Removing what was listed loses nothing and lists nothing twice.
    let stream = ok!(dir.read_directory());
    let mut removed = 0;
    while let Some(entry) = ok!(stream.read_directory_entry()) {
        ok!(dir.unlink_file_at(&entry.name));
        removed += 1;
    }
    check_eq!(removed, 50);
    check!(entries(&dir).is_empty());
}

fn of_a_file() {
    let dir = work();
    let file = file(&dir, "f", b"");
    check_err!(file.read_directory(), E::NotDirectory | E::BadDescriptor);
    check_err!(open(&file, "x"), E::NotDirectory | E::BadDescriptor);
    check_err!(file.create_directory_at("x"), E::NotDirectory | E::BadDescriptor);
    check_err!(file.stat_at(NO_FOLLOW, "x"), E::NotDirectory | E::BadDescriptor);
    check_err!(file.set_times_at(FOLLOW, "x", NewTimestamp::Now, NewTimestamp::Now), E::NotDirectory | E::BadDescriptor);
    check_err!(file.link_at(NO_FOLLOW, "x", &dir, "y"), E::NotDirectory | E::BadDescriptor);
    check_err!(dir.link_at(NO_FOLLOW, "f", &file, "y"), E::NotDirectory | E::BadDescriptor);
    check_err!(file.readlink_at("x"), E::NotDirectory | E::BadDescriptor);
    check_err!(file.remove_directory_at("x"), E::NotDirectory | E::BadDescriptor);
    check_err!(file.rename_at("x", &dir, "y"), E::NotDirectory | E::BadDescriptor);
    check_err!(dir.rename_at("f", &file, "y"), E::NotDirectory | E::BadDescriptor);
    check_err!(file.symlink_at("x", "y"), E::NotDirectory | E::BadDescriptor);
    check_err!(file.unlink_file_at("x"), E::NotDirectory | E::BadDescriptor);
    check_err!(file.metadata_hash_at(FOLLOW, "x"), E::NotDirectory | E::BadDescriptor);
}
