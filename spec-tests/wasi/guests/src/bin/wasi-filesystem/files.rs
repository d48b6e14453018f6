//! Functions of descriptors of files.

use crate::support::*;

pub const CASES: &[Case] = &[
    ("read", read),
    ("read-bounds", read_bounds),
    ("write", write),
    ("write-bounds", write_bounds),
    ("write-large", write_large),
    ("set-size", set_size),
    ("advise", advise),
    ("sync", sync),
    ("file-functions-of-a-directory", of_a_directory),
    ("unlinked-while-open", unlinked),
    ("descriptors-are-independent", independent),
];

fn read() {
    let dir = work();
    let file = file(&dir, "a", b"hello world");
    check_eq!(ok!(file.read(5, 0)).0, b"hello");
    check_eq!(ok!(file.read(5, 6)).0, b"world");
    // No position is kept.
    check_eq!(ok!(file.read(5, 0)).0, b"hello");
    check!(!ok!(file.read(5, 0)).1);
    let (bytes, _) = ok!(file.read(100, 6));
    check_eq!(bytes, b"world");
    check_eq!(ok!(file.read(1, 11)), (Vec::new(), true));
    check_eq!(ok!(file.read(100, 1000)), (Vec::new(), true));
    check_eq!(content(&file), b"hello world");
}

fn read_bounds() {
    let dir = work();
    let file = file(&dir, "a", b"hello");
    check_eq!(ok!(file.read(0, 0)).0, b"");
    check_eq!(ok!(file.read(0, 100)).0, b"");
    // More than can be given: as much as there is.
    check_eq!(ok!(file.read(u64::MAX, 0)).0, b"hello");
    check_eq!(ok!(file.read(u64::MAX, 3)).0, b"lo");
    check_eq!(ok!(file.read(1, 1 << 62)), (Vec::new(), true));
    // At and beyond what the system can name, that is either the end or no argument.
    for offset in [i64::MAX as u64, u64::MAX] {
        match file.read(1, offset) {
            Ok((bytes, end)) => check!(bytes.is_empty() && end),
            Err(e) => check!(matches!(e, E::Invalid | E::Overflow)),
        }
    }
}

fn write() {
    let dir = work();
    let file = file(&dir, "a", b"");
    check_eq!(ok!(file.write(b"hello", 0)), 5);
    check_eq!(ok!(file.write(b"J", 0)), 1);
    check_eq!(content(&file), b"Jello");
    // What lies between is zeros.
    check_eq!(ok!(file.write(b"end", 8)), 3);
    check_eq!(content(&file), b"Jello\0\0\0end");
    check_eq!(ok!(file.write(b"", 100)), 0);
    check_eq!(ok!(file.stat()).size, 11);
}

fn write_bounds() {
    let dir = work();
    let file = file(&dir, "a", b"x");
    check_err!(file.write(b"y", u64::MAX), E::Invalid | E::Overflow | E::FileTooLarge);
    check_err!(file.write(b"y", i64::MAX as u64), E::Invalid | E::Overflow | E::FileTooLarge);
    check_eq!(content(&file), b"x");
}

fn write_large() {
    let dir = work();
    let data: Vec<u8> = (0..3_000_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let file = file(&dir, "a", &data);
    check_eq!(ok!(file.stat()).size, data.len() as u64);
    check!(content(&file) == data);
}

fn set_size() {
    let dir = work();
    let file = file(&dir, "a", b"hello");
    ok!(file.set_size(2));
    check_eq!(content(&file), b"he");
    ok!(file.set_size(5));
    check_eq!(content(&file), b"he\0\0\0");
    ok!(file.set_size(0));
    check_eq!(ok!(file.stat()).size, 0);
    ok!(file.set_size(1 << 32));
    check_eq!(ok!(file.stat()).size, 1 << 32);
    check_eq!(ok!(file.read(2, (1 << 32) - 2)).0, [0, 0]);
    check_err!(file.set_size(u64::MAX), E::Invalid | E::Overflow | E::FileTooLarge);
    check_eq!(ok!(file.stat()).size, 1 << 32);
}

fn advise() {
    let dir = work();
    let file = file(&dir, "a", b"hello");
    for advice in [
        Advice::Normal, Advice::Sequential, Advice::Random, Advice::WillNeed, Advice::DontNeed, Advice::NoReuse,
    ] {
        ok!(file.advise(0, 5, advice));
        ok!(file.advise(0, 0, advice));
        ok!(file.advise(3, 1 << 20, advice));
    }
    check_eq!(content(&file), b"hello");
}

fn sync() {
    let dir = work();
    let writable = file(&dir, "a", b"hello");
    ok!(writable.sync());
    ok!(writable.sync_data());
    let readable = ok!(open(&dir, "a"));
    ok!(readable.sync());
    ok!(readable.sync_data());
    ok!(dir.sync());
    ok!(dir.sync_data());
}

fn of_a_directory() {
    let dir = work();
    check_err!(dir.read(1, 0), E::BadDescriptor | E::IsDirectory);
    check_err!(dir.write(b"x", 0), E::BadDescriptor | E::IsDirectory);
    check_err!(dir.read_via_stream(0), E::BadDescriptor | E::IsDirectory);
    check_err!(dir.write_via_stream(0), E::BadDescriptor | E::IsDirectory);
    check_err!(dir.append_via_stream(), E::BadDescriptor | E::IsDirectory);
    check_err!(dir.set_size(0), E::BadDescriptor | E::IsDirectory | E::Invalid);
    check_err!(dir.advise(0, 0, Advice::Normal), E::BadDescriptor | E::IsDirectory | E::Invalid);
}

fn unlinked() {
    let dir = work();
    let opened = file(&dir, "a", b"hello");
    ok!(dir.unlink_file_at("a"));
    check_eq!(content(&opened), b"hello");
    check_eq!(ok!(opened.write(b"J", 0)), 1);
    check_eq!(content(&opened), b"Jello");
    check_eq!(ok!(opened.stat()).link_count, 0);
    let other = file(&dir, "a", b"other");
    check!(!opened.is_same_object(&other));
}

fn independent() {
    let dir = work();
    let one = file(&dir, "a", b"hello");
    let two = ok!(open(&dir, "a"));
    check_eq!(ok!(one.write(b"J", 0)), 1);
    check_eq!(content(&two), b"Jello");
    drop(one);
    check_eq!(content(&two), b"Jello");
    ok!(dir.rename_at("a", &dir, "b"));
    check_eq!(content(&two), b"Jello");
}
