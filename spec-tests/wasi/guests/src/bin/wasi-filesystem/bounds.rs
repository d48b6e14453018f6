//! Arguments at and beyond their bounds.

use crate::support::*;
use wasip2::clocks::wall_clock::{Datetime, now};
use wasip2::io::streams::StreamError;

pub const CASES: &[Case] = &[
    ("open-without-read-and-write", without_read_and_write),
    ("open-mutate-directory-of-a-file", mutate_directory_of_a_file),
    ("open-long-paths", long_paths),
    ("remove-dots", remove_dots),
    ("advise-bounds", advise_bounds),
    ("times-bounds", times_bounds),
    ("stat-status-change", status_change),
    ("read-via-stream-bounds", stream_bounds),
    ("write-nothing", write_nothing),
];

fn without_read_and_write() {
    let dir = work();
    file(&dir, "a", b"hello");
    // There may be no such descriptors; what neither may be read nor written is neither.
    let Ok(opened) = dir.open_at(NO_FOLLOW, "a", O::empty(), D::empty()) else { return };
    check!(!ok!(opened.get_flags()).intersects(D::READ | D::WRITE));
    check_err!(opened.read(1, 0), E::BadDescriptor | E::NotPermitted);
    check_err!(opened.write(b"x", 0), E::BadDescriptor | E::NotPermitted);
    check!(ok!(opened.get_type()) == Type::RegularFile);
    check_eq!(ok!(opened.stat()).size, 5);
    check_eq!(content_at(&dir, "a"), b"hello");
}

fn mutate_directory_of_a_file() {
    let dir = work();
    file(&dir, "a", b"hello");
    // The flag is for directories: it is an error, or it is not there.
    if let Ok(opened) = dir.open_at(NO_FOLLOW, "a", O::empty(), D::READ | D::MUTATE_DIRECTORY) {
        check!(!ok!(opened.get_flags()).contains(D::MUTATE_DIRECTORY));
        check_eq!(content(&opened), b"hello");
        check_err!(opened.create_directory_at("x"), E::NotDirectory | E::BadDescriptor);
    }
}

fn long_paths() {
    let dir = work();
    let name = "d".repeat(100);
    let mut inner = open_dir(&dir, ".");
    for _ in 0..60 {
        ok!(inner.create_directory_at(&name));
        inner = open_dir(&inner, &name);
    }
    file(&inner, "f", b"deep");
    // Every name is short enough, but all of them together may be too much for a call.
    let path = format!("{name}/").repeat(60) + "f";
    match open(&dir, &path) {
        Ok(opened) => check_eq!(content(&opened), b"deep"),
        Err(error) => check!(matches!(error, E::NameTooLong)),
    }
    check_err!(open(&dir, &(path + "x")), E::NoEntry | E::NameTooLong);
    let dots = "./".repeat(3000) + ".";
    match dir.open_at(NO_FOLLOW, &dots, O::DIRECTORY, D::READ) {
        Ok(opened) => check!(opened.is_same_object(&dir)),
        Err(error) => check!(matches!(error, E::NameTooLong)),
    }
}

fn remove_dots() {
    let dir = work();
    ok!(dir.create_directory_at("d"));
    ok!(dir.create_directory_at("d/e"));
    check_err!(dir.remove_directory_at(".."), E::NotPermitted);
    check_err!(dir.remove_directory_at("d/../.."), E::NotPermitted);
    check_err!(dir.remove_directory_at("."), E::Invalid | E::Busy | E::NotPermitted);
    check_err!(dir.remove_directory_at("d/e/.."), E::NotEmpty | E::Invalid | E::Busy | E::NotPermitted | E::Exist);
    check_err!(dir.unlink_file_at(".."), E::NotPermitted);
    check_err!(dir.create_directory_at(".."), E::NotPermitted);
    check_err!(dir.rename_at("..", &dir, "x"), E::NotPermitted);
    check_err!(dir.rename_at("d", &dir, ".."), E::NotPermitted);
    check!(exists(&dir, "d/e"));
}

fn advise_bounds() {
    let dir = work();
    let file = file(&dir, "a", b"hello");
    for (offset, length) in [(0, u64::MAX), (u64::MAX, 0), (u64::MAX, u64::MAX), (i64::MAX as u64, 1)] {
        if let Err(error) = file.advise(offset, length, Advice::WillNeed) {
            check!(matches!(error, E::Invalid | E::Overflow));
        }
    }
    check_eq!(content(&file), b"hello");
}

fn times_bounds() {
    let dir = work();
    let file = file(&dir, "a", b"");
    for seconds in [u64::MAX, i64::MAX as u64, i64::MAX as u64 + 1, 1 << 40] {
        let time = || NewTimestamp::Timestamp(Datetime { seconds, nanoseconds: 999_999_999 });
        // A time that the filesystem does not have is an error, or the last one that it has, but no time before today's.
        for set in [file.set_times(time(), time()), dir.set_times_at(NO_FOLLOW, "a", time(), time())] {
            match set {
                Ok(()) => check!(ok!(file.stat()).data_modification_timestamp.is_none_or(|time| time.seconds > 1 << 30)),
                Err(error) => check!(matches!(error, E::Invalid | E::Overflow)),
            }
        }
    }
}

fn status_change() {
    let dir = work();
    let file = file(&dir, "a", b"");
    let Some(before) = ok!(file.stat()).status_change_timestamp else { return };
    check!(before.seconds.abs_diff(now().seconds) < 100);
    // It tells when the attributes were set, not to what.
    let past = || NewTimestamp::Timestamp(Datetime { seconds: 1000, nanoseconds: 0 });
    ok!(file.set_times(past(), past()));
    let stat = ok!(file.stat());
    check_eq!(stat.data_modification_timestamp.map(|time| time.seconds), Some(1000));
    check!(stat.status_change_timestamp.is_some_and(|time| time.seconds >= before.seconds));
}

fn stream_bounds() {
    let dir = work();
    let file = file(&dir, "a", b"hello");
    // At and beyond what the system can name there is nothing, or that is no argument.
    for offset in [6, 1 << 62, i64::MAX as u64, u64::MAX] {
        match file.read_via_stream(offset) {
            Ok(stream) => check_err!(stream.blocking_read(1), StreamError::Closed | StreamError::LastOperationFailed(_)),
            Err(error) => check!(matches!(error, E::Invalid | E::Overflow)),
        }
    }
    let stream = ok!(file.read_via_stream(3));
    check_eq!(ok!(stream.blocking_read(u64::MAX)), b"lo");
    check_err!(stream.blocking_skip(u64::MAX), StreamError::Closed);
}

fn write_nothing() {
    let dir = work();
    let file = file(&dir, "a", b"hello");
    // Nothing is written by writing nothing, wherever.
    for offset in [0, 5, 1000] {
        check_eq!(ok!(file.write(b"", offset)), 0);
        ok!(ok!(file.write_via_stream(offset)).blocking_write_and_flush(b""));
        ok!(ok!(file.write_via_stream(offset)).blocking_write_zeroes_and_flush(0));
    }
    ok!(ok!(file.append_via_stream()).blocking_write_and_flush(b""));
    check_eq!(content(&file), b"hello");
}
