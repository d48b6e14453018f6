//! What is neither a file, nor a directory, nor a link; and names that are no Unicode. The manifest put a pipe `pipe`, a socket
//! `socket` and a file `f` in `work`, or a file whose name is no Unicode beside `a` and `b`.

use crate::support::*;

pub const CASES: &[Case] = &[
    ("special-types", types),
    ("special-names", names),
    ("special-socket", socket),
    ("names-not-unicode", not_unicode),
];

fn types() {
    let dir = work();
    // That they are no files has to be told, if not what they are.
    check!(matches!(ok!(dir.stat_at(NO_FOLLOW, "pipe")).type_, Type::Fifo | Type::Unknown));
    check!(matches!(ok!(dir.stat_at(FOLLOW, "socket")).type_, Type::Socket | Type::Unknown));
    for (name, found) in entries(&dir) {
        let expected = match name.as_str() {
            "pipe" => Type::Fifo,
            "socket" => Type::Socket,
            _ => Type::RegularFile,
        };
        check!(found == expected || found == Type::Unknown);
    }
    check_eq!(entries(&dir).len(), 3);
}

fn names() {
    let dir = work();
    check_err!(dir.create_directory_at("pipe"), E::Exist);
    check_err!(dir.open_at(NO_FOLLOW, "socket", O::CREATE | O::EXCLUSIVE, D::WRITE), E::Exist);
    check_err!(dir.open_at(NO_FOLLOW, "pipe", O::DIRECTORY, D::READ), E::NotDirectory);
    check_err!(dir.stat_at(NO_FOLLOW, "pipe/x"), E::NotDirectory);
    check_err!(dir.remove_directory_at("pipe"), E::NotDirectory);
    check_err!(dir.readlink_at("socket"), E::Invalid);
    ok!(dir.set_times_at(NO_FOLLOW, "pipe", NewTimestamp::Now, NewTimestamp::Now));
    ok!(dir.rename_at("pipe", &dir, "moved"));
    check!(matches!(ok!(dir.stat_at(NO_FOLLOW, "moved")).type_, Type::Fifo | Type::Unknown));
    ok!(dir.rename_at("f", &dir, "socket"));
    check!(ok!(dir.stat_at(NO_FOLLOW, "socket")).type_ == Type::RegularFile);
    ok!(dir.unlink_file_at("moved"));
    check_eq!(entries(&dir).len(), 1);
}

fn socket() {
    let dir = work();
    // It can't be opened as a file.
    check_err!(open(&dir, "socket"), E::NoSuchDevice | E::Unsupported | E::Invalid | E::NotPermitted);
    check_err!(
        dir.open_at(NO_FOLLOW, "socket", O::CREATE, D::WRITE),
        E::NoSuchDevice | E::Unsupported | E::Invalid | E::NotPermitted
    );
    ok!(dir.unlink_file_at("socket"));
}

fn not_unicode() {
    let dir = work();
    let stream = ok!(dir.read_directory());
    let mut seen = Vec::new();
    // The name has no form here: it is left out, or an error in its place; the others are there.
    for _ in 0..10 {
        match stream.read_directory_entry() {
            Ok(Some(entry)) => seen.push(entry.name),
            Ok(None) => break,
            Err(error) => check!(matches!(error, E::IllegalByteSequence)),
        }
    }
    seen.sort();
    check_eq!(seen, ["a", "b"]);
}
