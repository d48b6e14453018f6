//! Attributes, times, identity.

use crate::support::*;
use wasip2::clocks::wall_clock::{Datetime, now};

pub const CASES: &[Case] = &[
    ("stat", stat),
    ("stat-trailing-slash", stat_trailing_slash),
    ("stat-errors", stat_errors),
    ("times", times),
    ("times-of-links", times_of_links),
    ("times-errors", times_errors),
    ("times-advance", times_advance),
    ("same-object", same_object),
    ("metadata-hash", metadata_hash),
];

fn stat() {
    let dir = work();
    let opened = file(&dir, "f", b"hello");
    ok!(dir.create_directory_at("d"));
    ok!(dir.symlink_at("f", "l"));
    let stat = ok!(opened.stat());
    check!(stat.type_ == Type::RegularFile);
    check_eq!((stat.size, stat.link_count), (5, 1));
    let stat = ok!(dir.stat_at(NO_FOLLOW, "f"));
    check!(stat.type_ == Type::RegularFile && stat.size == 5);
    let stat = ok!(dir.stat_at(NO_FOLLOW, "l"));
    check!(stat.type_ == Type::SymbolicLink);
    check_eq!(stat.size, 1);
    let stat = ok!(dir.stat_at(FOLLOW, "l"));
    check!(stat.type_ == Type::RegularFile && stat.size == 5);
    check!(ok!(dir.stat_at(FOLLOW, "d")).type_ == Type::Directory);
    check!(ok!(dir.stat_at(FOLLOW, "d/")).type_ == Type::Directory);
    check!(ok!(dir.stat_at(FOLLOW, ".")).type_ == Type::Directory);
    check!(ok!(dir.stat()).type_ == Type::Directory);
    for time in [stat.data_access_timestamp, stat.data_modification_timestamp, stat.status_change_timestamp].iter().flatten() {
        check!(time.nanoseconds < 1_000_000_000);
    }
}

fn stat_trailing_slash() {
    let dir = work();
    ok!(dir.create_directory_at("d"));
    ok!(dir.symlink_at("d", "l"));
    file(&dir, "f", b"");
    ok!(dir.symlink_at("f", "m"));
    // A slash at the end follows the link, whatever the flags say.
    check!(ok!(dir.stat_at(NO_FOLLOW, "l")).type_ == Type::SymbolicLink);
    check!(ok!(dir.stat_at(NO_FOLLOW, "l/")).type_ == Type::Directory);
    check!(ok!(dir.stat_at(NO_FOLLOW, "l/.")).type_ == Type::Directory);
    check!(ok!(dir.stat_at(FOLLOW, "l/")).type_ == Type::Directory);
    check_err!(dir.stat_at(NO_FOLLOW, "m/"), E::NotDirectory);
    check_err!(dir.stat_at(NO_FOLLOW, "f/"), E::NotDirectory);
}

fn stat_errors() {
    let dir = work();
    file(&dir, "f", b"");
    ok!(dir.symlink_at("nowhere", "l"));
    check_err!(dir.stat_at(NO_FOLLOW, "x"), E::NoEntry);
    check_err!(dir.stat_at(FOLLOW, "l"), E::NoEntry);
    check_err!(dir.stat_at(FOLLOW, "f/x"), E::NotDirectory);
    check_err!(dir.stat_at(FOLLOW, "f/"), E::NotDirectory);
    check_err!(dir.metadata_hash_at(NO_FOLLOW, "x"), E::NoEntry);
}

fn at(seconds: u64, nanoseconds: u32) -> NewTimestamp {
    NewTimestamp::Timestamp(Datetime { seconds, nanoseconds })
}

/// Access and modification, in seconds.
fn seconds(file: &Descriptor) -> (u64, u64) {
    let stat = ok!(file.stat());
    let secs = |time: Option<Datetime>| time.map_or(0, |t| t.seconds);
    (secs(stat.data_access_timestamp), secs(stat.data_modification_timestamp))
}

fn times() {
    let dir = work();
    let file = file(&dir, "f", b"");
    ok!(file.set_times(at(1000, 500), at(2000, 999_999_999)));
    check_eq!(seconds(&file), (1000, 2000));
    ok!(file.set_times(NewTimestamp::NoChange, at(3000, 0)));
    check_eq!(seconds(&file), (1000, 3000));
    ok!(file.set_times(at(4000, 0), NewTimestamp::NoChange));
    check_eq!(seconds(&file), (4000, 3000));
    ok!(file.set_times(NewTimestamp::NoChange, NewTimestamp::NoChange));
    check_eq!(seconds(&file), (4000, 3000));
    ok!(file.set_times(at(0, 0), NewTimestamp::Now));
    let (accessed, modified) = seconds(&file);
    check_eq!(accessed, 0);
    check!(modified.abs_diff(now().seconds) < 100);
    ok!(dir.set_times_at(NO_FOLLOW, "f", at(5000, 0), at(6000, 0)));
    check_eq!(seconds(&file), (5000, 6000));
    ok!(dir.create_directory_at("d"));
    let sub = open_dir(&dir, "d");
    ok!(sub.set_times(at(7000, 0), at(8000, 0)));
    check_eq!(seconds(&sub), (7000, 8000));
    ok!(dir.set_times_at(NO_FOLLOW, "d", at(9000, 0), NewTimestamp::NoChange));
    check_eq!(seconds(&sub), (9000, 8000));
}

fn times_of_links() {
    let dir = work();
    let target = file(&dir, "f", b"");
    ok!(target.set_times(at(1000, 0), at(1000, 0)));
    ok!(dir.symlink_at("f", "l"));
    ok!(dir.set_times_at(NO_FOLLOW, "l", at(5000, 0), at(6000, 0)));
    check_eq!(seconds(&target), (1000, 1000));
    let modified = ok!(dir.stat_at(NO_FOLLOW, "l")).data_modification_timestamp;
    check_eq!(modified.map(|t| t.seconds), Some(6000));
    ok!(dir.set_times_at(FOLLOW, "l", at(7000, 0), at(8000, 0)));
    check_eq!(seconds(&target), (7000, 8000));
}

fn times_errors() {
    let dir = work();
    let file = file(&dir, "f", b"");
    ok!(file.set_times(at(1000, 0), at(1000, 0)));
    check_err!(file.set_times(at(1, 1_000_000_000), at(1, 0)), E::Invalid);
    check_err!(file.set_times(at(1, 0), at(1, u32::MAX)), E::Invalid);
    check_err!(dir.set_times_at(FOLLOW, "x", at(1, 0), at(1, 0)), E::NoEntry);
    check_err!(dir.set_times_at(FOLLOW, "f/x", at(1, 0), at(1, 0)), E::NotDirectory);
    check_eq!(seconds(&file), (1000, 1000));
}

fn times_advance() {
    let dir = work();
    let file = file(&dir, "f", b"");
    ok!(file.set_times(at(1000, 0), at(1000, 0)));
    check_eq!(ok!(file.write(b"x", 0)), 1);
    check!(seconds(&file).1 > 1000);
    ok!(dir.create_directory_at("d"));
    let sub = open_dir(&dir, "d");
    ok!(sub.set_times(at(1000, 0), at(1000, 0)));
    ok!(sub.create_directory_at("x"));
    check!(seconds(&sub).1 > 1000);
}

fn same_object() {
    let dir = work();
    let one = file(&dir, "a", b"same");
    let other = file(&dir, "b", b"same");
    check!(one.is_same_object(&one));
    check!(one.is_same_object(&ok!(open(&dir, "a"))));
    check!(!one.is_same_object(&other));
    check!(!one.is_same_object(&dir));
    ok!(dir.rename_at("a", &dir, "c"));
    check!(one.is_same_object(&ok!(open(&dir, "c"))));
    ok!(dir.symlink_at("c", "l"));
    check!(one.is_same_object(&ok!(dir.open_at(FOLLOW, "l", O::empty(), D::READ))));
    check!(work().is_same_object(&dir));
}

fn metadata_hash() {
    let dir = work();
    let one = file(&dir, "a", b"same");
    file(&dir, "b", b"same");
    ok!(dir.symlink_at("a", "l"));
    let pair = |hash: wasip2::filesystem::types::MetadataHashValue| (hash.lower, hash.upper);
    let hash = pair(ok!(one.metadata_hash()));
    check_eq!(pair(ok!(one.metadata_hash())), hash);
    check_eq!(pair(ok!(dir.metadata_hash_at(NO_FOLLOW, "a"))), hash);
    check_eq!(pair(ok!(dir.metadata_hash_at(FOLLOW, "l"))), hash);
    check!(pair(ok!(dir.metadata_hash_at(NO_FOLLOW, "l"))) != hash);
    check!(pair(ok!(dir.metadata_hash_at(NO_FOLLOW, "b"))) != hash);
    check!(pair(ok!(dir.metadata_hash())) != hash);
    check_eq!(content(&one), b"same");
    check_eq!(pair(ok!(one.metadata_hash())), hash);
}
