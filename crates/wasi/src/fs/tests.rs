//! Tests of the file operations on real directories.

use super::*;
use crate::stream::{InputStream, OutputStream, StreamError};
use bytes::Bytes;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn grant(path: &Path, perms: DirPerms, file_perms: FilePerms) -> Dir {
    let dir = cap_std::fs::Dir::open_ambient_dir(path, cap_std::ambient_authority()).unwrap();
    Dir::preopened(dir, perms, file_perms)
}

/// A directory `inside` that is granted, next to a file `secret` that is not.
fn sandbox() -> (TempDir, Dir) {
    let temp = TempDir::new().unwrap();
    fs::create_dir(temp.path().join("inside")).unwrap();
    fs::write(temp.path().join("secret"), "secret").unwrap();
    fs::write(temp.path().join("inside/file"), "contents").unwrap();
    let dir = grant(&temp.path().join("inside"), DirPerms::all(), FilePerms::all());
    (temp, dir)
}

fn at(path: &str) -> PathTarget<'_> {
    PathTarget { path, follow: true }
}

fn link(path: &str) -> PathTarget<'_> {
    PathTarget { path, follow: false }
}

const READ: DescriptorFlags = DescriptorFlags::READ;
const WRITE: DescriptorFlags = DescriptorFlags::WRITE;

fn open(dir: &Dir, path: &str, open: OpenFlags, flags: DescriptorFlags) -> FsResult<Descriptor> {
    dir.open_at(at(path), open, flags)
}

fn create(dir: &Dir, path: &str) -> File {
    open(dir, path, OpenFlags::CREATE, READ | WRITE)
        .unwrap()
        .file()
        .unwrap()
        .clone()
}

#[test]
fn read_write_and_sizes() {
    let (_temp, dir) = sandbox();
    let file = create(&dir, "new");
    assert_eq!(file.write(b"hello", 0).unwrap(), 5);
    assert_eq!(file.write(b"!", 7).unwrap(), 1);
    assert_eq!(file.read(100, 0).unwrap(), (b"hello\0\0!".to_vec(), false));
    assert_eq!(file.read(2, 1).unwrap(), (b"el".to_vec(), false));
    assert_eq!(file.read(10, 8).unwrap(), (vec![], true));
    assert_eq!(file.read(0, 0).unwrap(), (vec![], false));
    assert_eq!(file.append(b"end").unwrap(), 3);
    file.set_size(9).unwrap();
    let mut buf = [0; 4];
    assert_eq!(file.read_into(&mut buf, 7).unwrap(), 2);
    assert_eq!(&buf, b"!e\0\0");
    let stat = Descriptor::File(file.clone()).stat().unwrap();
    assert_eq!(
        (stat.kind, stat.size, stat.link_count),
        (DescriptorType::RegularFile, 9, 1)
    );
    file.sync().unwrap();
    file.sync_data().unwrap();
    file.advise(0, 0, Advice::Sequential).unwrap();
    assert_eq!(file.read(1, u64::MAX), Err(ErrorCode::Invalid));
    assert!(file.write(b"x", u64::MAX).is_err());
    assert!(file.set_size(u64::MAX).is_err());
}

#[cfg(target_os = "linux")]
#[test]
fn nobody_waits_for_a_pipe_that_should_be_a_directory() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let (temp, dir) = sandbox();
    let pipe = temp.path().join("inside/pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RWXU, 0).unwrap();
    for flags in [READ, DescriptorFlags::empty()] {
        let opened = open(&dir, "pipe", OpenFlags::DIRECTORY, flags);
        assert_eq!(opened.err(), Some(ErrorCode::NotDirectory));
    }
    fs::create_dir(temp.path().join("inside/sub")).unwrap();
    assert!(open(&dir, "sub", OpenFlags::DIRECTORY, READ).is_ok());
}

#[test]
fn a_read_never_takes_more_memory_than_its_bound() {
    let (temp, dir) = sandbox();
    fs::write(temp.path().join("inside/large"), vec![1; os::MAX_READ * 2]).unwrap();
    let file = open(&dir, "large", OpenFlags::empty(), READ).unwrap();
    assert_eq!(
        file.file().unwrap().read(u64::MAX, 0).unwrap().0.len(),
        os::MAX_READ
    );
}

#[test]
fn open_flags() {
    let (_temp, dir) = sandbox();
    let none = OpenFlags::empty();
    assert_eq!(open(&dir, "absent", none, READ).unwrap_err(), ErrorCode::NoEntry);
    assert_eq!(open(&dir, "", none, READ).unwrap_err(), ErrorCode::NoEntry);
    let exclusive = OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
    assert_eq!(
        open(&dir, "file", exclusive, WRITE).unwrap_err(),
        ErrorCode::Exist
    );
    open(&dir, "fresh", exclusive, READ).unwrap();
    open(&dir, "empty", OpenFlags::CREATE, READ).unwrap();
    assert_eq!(dir.stat_at(at("empty")).unwrap().size, 0);
    open(&dir, "file", OpenFlags::TRUNCATE, WRITE).unwrap();
    assert_eq!(dir.stat_at(at("file")).unwrap().size, 0);
    assert_eq!(
        open(&dir, "file", OpenFlags::DIRECTORY, READ).unwrap_err(),
        ErrorCode::NotDirectory
    );
    assert_eq!(
        open(&dir, "x", OpenFlags::DIRECTORY | OpenFlags::CREATE, READ).unwrap_err(),
        ErrorCode::Invalid
    );
    assert_eq!(
        open(&dir, ".", none, READ | WRITE).unwrap_err(),
        ErrorCode::IsDirectory
    );
    let this = open(&dir, ".", OpenFlags::DIRECTORY, READ).unwrap();
    assert!(this.is_same_object(&Descriptor::Dir(dir.clone())).unwrap());
    assert_eq!(this.flags(), READ | DescriptorFlags::MUTATE_DIRECTORY);
    assert_eq!(this.file().unwrap_err(), ErrorCode::BadDescriptor);
    assert_eq!(open(&dir, "file\0", none, READ).unwrap_err(), ErrorCode::Invalid);
    assert_eq!(
        open(&dir, "file/", none, READ).unwrap_err(),
        ErrorCode::NotDirectory
    );
    assert_eq!(
        open(&dir, &"a".repeat(5000), none, READ).unwrap_err(),
        ErrorCode::NameTooLong
    );
}

#[test]
fn a_descriptor_does_what_it_was_opened_for() {
    let (_temp, dir) = sandbox();
    let reader = open(&dir, "file", OpenFlags::empty(), READ).unwrap();
    let reader = reader.file().unwrap();
    assert_eq!(reader.write(b"x", 0), Err(ErrorCode::BadDescriptor));
    assert_eq!(reader.append(b"x"), Err(ErrorCode::BadDescriptor));
    assert_eq!(reader.set_size(0), Err(ErrorCode::BadDescriptor));
    reader.sync().unwrap();
    let writer = open(&dir, "file", OpenFlags::empty(), WRITE).unwrap();
    let writer = writer.file().unwrap();
    assert_eq!(writer.read(1, 0), Err(ErrorCode::BadDescriptor));
    // Creating needs write access of the host, which is not passed on.
    let created = open(&dir, "created", OpenFlags::CREATE, READ).unwrap();
    assert_eq!(
        created.file().unwrap().write(b"x", 0),
        Err(ErrorCode::BadDescriptor)
    );
}

#[test]
#[cfg(unix)]
fn no_path_leads_out() {
    use std::os::unix::fs::symlink;
    let (temp, dir) = sandbox();
    let inside = temp.path().join("inside");
    symlink("../secret", inside.join("relative")).unwrap();
    symlink(temp.path().join("secret"), inside.join("absolute")).unwrap();
    symlink("..", inside.join("up")).unwrap();
    symlink("/", inside.join("root")).unwrap();
    fs::create_dir(inside.join("sub")).unwrap();
    let absolute = temp.path().join("secret").to_str().unwrap().to_owned();
    let attempts = [
        "../secret",
        "sub/../../secret",
        "relative",
        "absolute",
        "up/secret",
        "root/etc",
        "/",
        "..",
        "sub/../..",
        "/etc/passwd",
        &absolute,
        "./.././secret",
        "up/inside/file",
    ];
    for path in attempts {
        for flags in [READ, READ | WRITE] {
            for how in [OpenFlags::empty(), OpenFlags::CREATE, OpenFlags::DIRECTORY] {
                let result = open(&dir, path, how, flags);
                assert_eq!(
                    result.map(drop),
                    Err(ErrorCode::NotPermitted),
                    "opening {path} {how:?} {flags:?}"
                );
            }
        }
        assert_eq!(dir.stat_at(at(path)), Err(ErrorCode::NotPermitted), "stat {path}");
        assert_eq!(
            dir.metadata_hash_at(at(path)),
            Err(ErrorCode::NotPermitted),
            "hash {path}"
        );
        let times = dir.set_times_at(at(path), NewTimestamp::Now, NewTimestamp::Now);
        assert_eq!(times, Err(ErrorCode::NotPermitted), "set-times {path}");
    }
    for path in ["../new", "up/new", "/tmp/new", "root/new"] {
        assert_eq!(
            dir.create_directory_at(path),
            Err(ErrorCode::NotPermitted),
            "mkdir {path}"
        );
        assert_eq!(
            dir.symlink_at("file", path),
            Err(ErrorCode::NotPermitted),
            "symlink {path}"
        );
        assert_eq!(
            dir.rename_at("file", &dir, path),
            Err(ErrorCode::NotPermitted),
            "rename to {path}"
        );
        assert_eq!(
            dir.link_at(link("file"), &dir, path),
            Err(ErrorCode::NotPermitted),
            "link to {path}"
        );
    }
    for path in ["../secret", "up/secret", &absolute] {
        assert_eq!(
            dir.unlink_file_at(path),
            Err(ErrorCode::NotPermitted),
            "unlink {path}"
        );
        assert_eq!(
            dir.rename_at(path, &dir, "x"),
            Err(ErrorCode::NotPermitted),
            "rename {path}"
        );
        assert_eq!(
            dir.link_at(link(path), &dir, "x"),
            Err(ErrorCode::NotPermitted),
            "link {path}"
        );
        assert_eq!(
            dir.readlink_at(path),
            Err(ErrorCode::NotPermitted),
            "readlink {path}"
        );
    }
    assert_eq!(dir.remove_directory_at("../inside"), Err(ErrorCode::NotPermitted));
    assert_eq!(dir.readlink_at("absolute"), Err(ErrorCode::NotPermitted));
    assert_eq!(dir.symlink_at("/etc", "etc"), Err(ErrorCode::NotPermitted));
    // A link that the guest makes leads out just as little.
    dir.symlink_at("../secret", "mine").unwrap();
    assert_eq!(
        open(&dir, "mine", OpenFlags::empty(), READ).unwrap_err(),
        ErrorCode::NotPermitted
    );
    // Nor does a directory opened below, though its own `..` is inside.
    let sub = open(&dir, "sub", OpenFlags::DIRECTORY, READ).unwrap();
    assert_eq!(
        open(sub.dir().unwrap(), "../file", OpenFlags::empty(), READ).unwrap_err(),
        ErrorCode::NotPermitted
    );
    assert_eq!(fs::read(temp.path().join("secret")).unwrap(), b"secret");
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 2);
}

#[test]
fn links_are_followed_inside_when_asked() {
    let (_temp, dir) = sandbox();
    dir.symlink_at("file", "link").unwrap();
    assert_eq!(dir.readlink_at("link").unwrap(), "file");
    assert_eq!(dir.readlink_at("file"), Err(ErrorCode::Invalid));
    assert_eq!(
        dir.stat_at(link("link")).unwrap().kind,
        DescriptorType::SymbolicLink
    );
    assert_eq!(dir.stat_at(at("link")).unwrap().kind, DescriptorType::RegularFile);
    assert!(open(&dir, "link", OpenFlags::empty(), READ).is_ok());
    assert_eq!(
        dir.open_at(link("link"), OpenFlags::empty(), READ).unwrap_err(),
        ErrorCode::Loop
    );
    dir.symlink_at("loop", "loop").unwrap();
    assert_eq!(dir.stat_at(at("loop")), Err(ErrorCode::Loop));
    dir.symlink_at("absent", "dangling").unwrap();
    assert_eq!(dir.stat_at(at("dangling")), Err(ErrorCode::NoEntry));
    dir.unlink_file_at("dangling").unwrap();
}

#[test]
fn making_moving_and_removing() {
    let (_temp, dir) = sandbox();
    dir.create_directory_at("d").unwrap();
    assert_eq!(dir.create_directory_at("d"), Err(ErrorCode::Exist));
    let sub = open(&dir, "d", OpenFlags::DIRECTORY, READ).unwrap();
    let sub = sub.dir().unwrap();
    dir.rename_at("file", sub, "moved").unwrap();
    assert_eq!(dir.stat_at(at("file")), Err(ErrorCode::NoEntry));
    sub.link_at(link("moved"), &dir, "second").unwrap();
    assert_eq!(dir.stat_at(at("second")).unwrap().link_count, 2);
    assert_eq!(sub.link_at(link("moved"), &dir, "second"), Err(ErrorCode::Exist));
    let (a, b) = (
        open(&dir, "second", OpenFlags::empty(), READ).unwrap(),
        open(&dir, "d/moved", OpenFlags::empty(), READ).unwrap(),
    );
    assert!(a.is_same_object(&b).unwrap());
    assert_eq!(
        dir.metadata_hash_at(at("second")),
        sub.metadata_hash_at(at("moved"))
    );
    assert_ne!(dir.metadata_hash_at(at("second")), dir.metadata_hash_at(at("d")));
    assert_eq!(dir.remove_directory_at("d"), Err(ErrorCode::NotEmpty));
    assert_eq!(dir.unlink_file_at("d"), Err(ErrorCode::IsDirectory));
    assert_eq!(dir.remove_directory_at("second"), Err(ErrorCode::NotDirectory));
    sub.unlink_file_at("moved").unwrap();
    dir.remove_directory_at("d").unwrap();
    assert_eq!(dir.remove_directory_at("d"), Err(ErrorCode::NoEntry));
    Descriptor::Dir(dir.clone()).sync().unwrap();
    Descriptor::Dir(dir).sync_data().unwrap();
}

#[test]
fn hard_links_follow_links_when_asked() {
    let (_temp, dir) = sandbox();
    dir.create_directory_at("d").unwrap();
    dir.symlink_at("../file", "d/inner").unwrap();
    dir.symlink_at("d/inner", "outer").unwrap();
    dir.link_at(at("outer"), &dir, "followed").unwrap();
    assert_eq!(
        dir.stat_at(link("followed")).unwrap().kind,
        DescriptorType::RegularFile
    );
    dir.link_at(at("file"), &dir, "plain").unwrap();
    assert_eq!(dir.stat_at(at("file")).unwrap().link_count, 3);
    dir.link_at(link("outer"), &dir, "itself").unwrap();
    assert_eq!(dir.readlink_at("itself").unwrap(), "d/inner");
    for (name, target, expected) in [
        ("dangling", "absent", ErrorCode::NoEntry),
        ("loop", "loop", ErrorCode::Loop),
        ("directory", "d", ErrorCode::NotPermitted),
        ("out", "../secret", ErrorCode::NotPermitted),
    ] {
        dir.symlink_at(target, name).unwrap();
        assert_eq!(dir.link_at(at(name), &dir, "x"), Err(expected), "{name}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/etc/passwd", _temp.path().join("inside/absolute")).unwrap();
        assert_eq!(
            dir.link_at(at("absolute"), &dir, "x"),
            Err(ErrorCode::NotPermitted)
        );
    }
}

#[test]
fn slashes_at_the_end_name_directories() {
    let (_temp, dir) = sandbox();
    dir.create_directory_at("d/").unwrap();
    dir.create_directory_at("e").unwrap();
    dir.symlink_at("e", "link").unwrap();
    let not_directory = Err(ErrorCode::NotDirectory);
    assert_eq!(dir.rename_at("file", &dir, "new/"), not_directory);
    assert_eq!(dir.rename_at("file/", &dir, "new"), not_directory);
    assert_eq!(dir.rename_at("link/", &dir, "new"), not_directory);
    assert_eq!(dir.rename_at("absent/", &dir, "new"), Err(ErrorCode::NoEntry));
    assert_eq!(dir.remove_directory_at("file/"), not_directory);
    assert_eq!(dir.remove_directory_at("link/"), not_directory);
    assert_eq!(
        dir.stat_at(link("link/")).unwrap().kind,
        DescriptorType::Directory
    );
    assert_eq!(dir.stat_at(link("file/")), Err(ErrorCode::NotDirectory));
    for path in ["/", "//"] {
        assert_eq!(dir.remove_directory_at(path), Err(ErrorCode::NotPermitted));
        assert_eq!(dir.rename_at("d", &dir, path), Err(ErrorCode::NotPermitted));
    }
    dir.rename_at("d/", &dir, "moved//").unwrap();
    dir.remove_directory_at("moved/").unwrap();
    dir.remove_directory_at("e//").unwrap();
    assert_eq!(dir.stat_at(at("e")), Err(ErrorCode::NoEntry));
}

#[test]
fn entries_are_listed_without_dots() {
    let (_temp, dir) = sandbox();
    dir.create_directory_at("d").unwrap();
    dir.symlink_at("file", "l").unwrap();
    let mut entries = dir.entries().unwrap();
    let mut found = Vec::new();
    while let Some(entry) = entries.next_entry(true).unwrap() {
        assert_eq!(entry.inode, dir.metadata_hash_at(link(&entry.name)).unwrap().0);
        found.push((entry.name, entry.kind));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [
        ("d".to_owned(), DescriptorType::Directory),
        ("file".to_owned(), DescriptorType::RegularFile),
        ("l".to_owned(), DescriptorType::SymbolicLink),
    ];
    assert_eq!(found, expected);
    let mut again = dir.entries().unwrap();
    assert_eq!(again.next_entry(false).unwrap().unwrap().inode, 0);
}

#[test]
#[cfg(target_os = "linux")]
fn a_name_that_is_not_unicode_is_an_error() {
    use std::os::unix::ffi::OsStrExt as _;
    let temp = TempDir::new().unwrap();
    fs::write(temp.path().join(std::ffi::OsStr::from_bytes(b"\xff")), "").unwrap();
    let dir = grant(temp.path(), DirPerms::all(), FilePerms::all());
    let mut entries = dir.entries().unwrap();
    assert_eq!(
        entries.next_entry(false).unwrap_err(),
        ErrorCode::IllegalByteSequence
    );
    assert!(entries.next_entry(false).unwrap().is_none());
}

#[test]
fn times() {
    let (_temp, dir) = sandbox();
    let stamp = |seconds| {
        NewTimestamp::Timestamp(Datetime {
            seconds,
            nanoseconds: 5,
        })
    };
    dir.set_times_at(at("file"), stamp(100), stamp(200)).unwrap();
    let stat = dir.stat_at(at("file")).unwrap();
    assert_eq!(
        stat.accessed,
        Some(Datetime {
            seconds: 100,
            nanoseconds: 5
        })
    );
    assert_eq!(
        stat.modified,
        Some(Datetime {
            seconds: 200,
            nanoseconds: 5
        })
    );
    let file = open(&dir, "file", OpenFlags::empty(), READ | WRITE).unwrap();
    file.set_times(NewTimestamp::NoChange, stamp(300)).unwrap();
    let stat = file.stat().unwrap();
    assert_eq!(stat.accessed.unwrap().seconds, 100);
    assert_eq!(stat.modified.unwrap().seconds, 300);
    assert!(stat.changed.unwrap().seconds > 1_500_000_000);
    file.set_times(NewTimestamp::Now, NewTimestamp::NoChange).unwrap();
    assert!(file.stat().unwrap().accessed.unwrap().seconds > 1_500_000_000);
    dir.symlink_at("absent", "l").unwrap();
    dir.set_times_at(link("l"), stamp(7), stamp(8)).unwrap();
    assert_eq!(dir.stat_at(link("l")).unwrap().modified.unwrap().seconds, 8);
    Descriptor::Dir(dir.clone())
        .set_times(stamp(1), stamp(2))
        .unwrap();
    assert_eq!(
        Descriptor::Dir(dir.clone())
            .stat()
            .unwrap()
            .modified
            .unwrap()
            .seconds,
        2
    );
    let bad = NewTimestamp::Timestamp(Datetime {
        seconds: 0,
        nanoseconds: u32::MAX,
    });
    assert_eq!(dir.set_times_at(at("file"), bad, bad), Err(ErrorCode::Invalid));
}

#[test]
fn a_read_only_grant_changes_nothing() {
    let (temp, all) = sandbox();
    all.create_directory_at("d").unwrap();
    let dir = grant(&temp.path().join("inside"), DirPerms::READ, FilePerms::READ);
    assert_eq!(dir.flags(), READ);
    let none = OpenFlags::empty();
    let ro = ErrorCode::ReadOnly;
    assert_eq!(open(&dir, "file", none, READ | WRITE).unwrap_err(), ro);
    assert_eq!(open(&dir, "file", OpenFlags::TRUNCATE, READ).unwrap_err(), ro);
    assert_eq!(open(&dir, "new", OpenFlags::CREATE, READ).unwrap_err(), ro);
    assert_eq!(
        open(&dir, "d", none, READ | DescriptorFlags::MUTATE_DIRECTORY).unwrap_err(),
        ro
    );
    assert_eq!(dir.create_directory_at("x"), Err(ro));
    assert_eq!(dir.unlink_file_at("file"), Err(ro));
    assert_eq!(dir.remove_directory_at("d"), Err(ro));
    assert_eq!(dir.rename_at("file", &dir, "x"), Err(ro));
    assert_eq!(dir.link_at(link("file"), &dir, "x"), Err(ro));
    assert_eq!(dir.symlink_at("file", "x"), Err(ro));
    assert_eq!(
        dir.set_times_at(at("file"), NewTimestamp::Now, NewTimestamp::Now),
        Err(ro)
    );
    assert_eq!(dir.set_times(NewTimestamp::Now, NewTimestamp::Now), Err(ro));
    let file = open(&dir, "file", none, READ).unwrap();
    assert_eq!(file.file().unwrap().read(100, 0).unwrap().0, b"contents");
    assert!(file.set_times(NewTimestamp::Now, NewTimestamp::Now).is_err());
    let below = open(&dir, "d", OpenFlags::DIRECTORY, READ).unwrap();
    assert_eq!(below.dir().unwrap().create_directory_at("x"), Err(ro));
    // Neither by moving it to where more is allowed.
    assert_eq!(dir.rename_at("file", &all, "x"), Err(ro));
    let mutate_only = grant(&temp.path().join("inside"), DirPerms::all(), FilePerms::READ);
    assert_eq!(
        mutate_only.rename_at("file", &all, "x"),
        Err(ErrorCode::NotPermitted)
    );
    assert_eq!(
        mutate_only.link_at(link("file"), &all, "x"),
        Err(ErrorCode::NotPermitted)
    );
    assert_eq!(open(&mutate_only, "file", none, WRITE).unwrap_err(), ro);
    open(&mutate_only, "touched", OpenFlags::CREATE, READ).unwrap();
}

/// What `f` gives, called on a fiber with a folder that has a pipe. It must not wait for the pipe.
#[cfg(unix)]
fn with_pipe<R: Send + 'static>(f: impl FnOnce(Dir) -> R + Send + 'static) -> R {
    let (temp, dir) = sandbox();
    let made = std::process::Command::new("mkfifo")
        .arg(temp.path().join("inside/pipe"))
        .status();
    assert!(made.unwrap().success());
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let fiber = wharf_core::suspend::on_fiber(1 << 20, move || f(dir));
        drop(done.send(crate::test_util::block_on(fiber).unwrap()));
    });
    ended
        .recv_timeout(std::time::Duration::from_secs(60))
        .expect("it does not wait")
}

#[cfg(unix)]
#[test]
fn pipes_hold_no_other_guests_up() {
    let none = OpenFlags::empty();
    let (nobody_reads, nobody_writes, nothing_there, there, kind) = with_pipe(move |dir| {
        let nobody_reads = open(&dir, "pipe", none, WRITE).map(|_| ());
        let reader = open(&dir, "pipe", none, READ).unwrap();
        let nobody_writes = reader.file().unwrap().read(9, 0);
        let writer = open(&dir, "pipe", none, WRITE).unwrap();
        let nothing_there = reader.file().unwrap().read(9, 0);
        writer.file().unwrap().write(b"hello", 0).unwrap();
        let there = reader.file().unwrap().read(9, 0);
        (nobody_reads, nobody_writes, nothing_there, there, reader.kind())
    });
    assert_eq!(nobody_reads.unwrap_err(), ErrorCode::NoSuchDevice);
    assert_eq!(nobody_writes, Ok((Vec::new(), true)));
    assert_eq!(nothing_there, Err(ErrorCode::WouldBlock));
    assert_eq!(there.unwrap().0, b"hello");
    assert_eq!(kind, Ok(DescriptorType::Fifo));
}

/// What a pipe has no room for waits in the stream, which permits nothing meanwhile.
#[cfg(unix)]
#[test]
fn streams_into_pipes_wait_for_room() {
    use crate::stream::OutputStream as _;
    let none = OpenFlags::empty();
    let read = with_pipe(move |dir| {
        let reader = open(&dir, "pipe", none, READ).unwrap();
        let writer = open(&dir, "pipe", none, WRITE).unwrap();
        let handle = writer.file().unwrap().handle().clone();
        let mut stream = FileOutputStream::new(handle, WriteMode::At(0));
        assert_eq!(stream.check_write().unwrap(), 1 << 20);
        stream.write(vec![7; 200_000].into()).unwrap();
        assert_eq!(stream.check_write().unwrap(), 0);
        stream.write(bytes::Bytes::new()).unwrap();
        assert!(stream.write(vec![7].into()).is_err());
        let mut read = 0;
        while read < 200_000 {
            read += reader.file().unwrap().read(1 << 20, 0).unwrap().0.len();
            stream.flush().unwrap();
        }
        assert_eq!(stream.check_write().unwrap(), 1 << 20);
        read
    });
    assert_eq!(read, 200_000);
}

#[test]
fn strict_directories_do_what_was_asked_for() {
    const MUTATE: DescriptorFlags = DescriptorFlags::MUTATE_DIRECTORY;
    let (_temp, root) = sandbox();
    root.create_directory_at("d").unwrap();
    let root = root.strict(true);
    let none = OpenFlags::empty();
    let ro = ErrorCode::ReadOnly;
    let open_dir = |flags| {
        let opened = open(&root, "d", none, flags).unwrap();
        opened.dir().unwrap().clone()
    };
    let view = open_dir(READ);
    assert_eq!(view.flags(), READ);
    assert_eq!(open_dir(MUTATE).flags(), MUTATE);
    open_dir(MUTATE).create_directory_at("made").unwrap();
    assert_eq!(view.create_directory_at("x"), Err(ro));
    assert_eq!(view.remove_directory_at("made"), Err(ro));
    assert_eq!(open(&view, "f", OpenFlags::CREATE, READ).unwrap_err(), ro);
    // No other handle gives back what this one does not have, at any depth.
    assert_eq!(open(&view, "made", none, MUTATE).unwrap_err(), ro);
    let below = open(&view, "made", none, READ).unwrap();
    assert_eq!(below.dir().unwrap().symlink_at("x", "y"), Err(ro));
    open(&open_dir(MUTATE), "f", OpenFlags::CREATE, WRITE).unwrap();
    assert_eq!(open(&view, "f", none, WRITE).unwrap_err(), ro);
    // Moving something out of a view would be a change of it; linking out of it would make its files writable.
    assert_eq!(view.rename_at("f", &root, "out"), Err(ro));
    assert_eq!(view.link_at(link("f"), &root, "out"), Err(ro));
}

#[test]
fn without_read_permission_nothing_is_seen() {
    let (temp, _) = sandbox();
    let dir = grant(&temp.path().join("inside"), DirPerms::MUTATE, FilePerms::WRITE);
    assert_eq!(dir.entries().err(), Some(ErrorCode::NotPermitted));
    assert_eq!(dir.stat_at(at("file")), Err(ErrorCode::NotPermitted));
    assert_eq!(
        open(&dir, "file", OpenFlags::empty(), READ).unwrap_err(),
        ErrorCode::NotPermitted
    );
    let no_files = grant(&temp.path().join("inside"), DirPerms::READ, FilePerms::empty());
    assert_eq!(
        open(&no_files, "file", OpenFlags::empty(), READ).unwrap_err(),
        ErrorCode::NotPermitted
    );
    assert!(open(&no_files, ".", OpenFlags::empty(), READ).is_ok());
}

#[test]
fn streams_keep_their_own_position() {
    let (temp, dir) = sandbox();
    let file = open(&dir, "file", OpenFlags::empty(), READ | WRITE).unwrap();
    let handle = file.file().unwrap().handle();
    let mut a = FileInputStream::new(handle.clone(), 0);
    let mut b = FileInputStream::new(handle.clone(), 4);
    assert_eq!(a.read(3).unwrap(), "con");
    assert_eq!(b.read(100).unwrap(), "ents");
    assert!(matches!(b.read(1), Err(StreamError::Closed)));
    assert_eq!(a.skip(2).unwrap(), 2);
    assert_eq!(a.read(1).unwrap(), "n");
    assert!(a.read(0).unwrap().is_empty());
    let mut out = FileOutputStream::new(handle.clone(), WriteMode::At(2));
    let mut end = FileOutputStream::new(handle.clone(), WriteMode::Append);
    out.write(Bytes::from_static(b"NT")).unwrap();
    end.write(Bytes::from_static(b"+")).unwrap();
    out.write(Bytes::from_static(b"E")).unwrap();
    end.write(Bytes::from_static(b"+")).unwrap();
    assert!(out.check_write().unwrap() > 0);
    assert_eq!(fs::read(temp.path().join("inside/file")).unwrap(), b"coNTEnts++");
}

#[test]
fn a_failed_stream_write_carries_its_error_and_closes() {
    let (_temp, dir) = sandbox();
    let file = open(&dir, "file", OpenFlags::empty(), READ).unwrap();
    // The stream of a read-only handle: the host refuses the write.
    let mut out = FileOutputStream::new(file.file().unwrap().handle().clone(), WriteMode::At(0));
    let Err(StreamError::LastOperationFailed(error)) = out.write(Bytes::from_static(b"x")) else {
        panic!()
    };
    assert_eq!(
        crate::fs::stream_error_code(&error),
        Some(ErrorCode::BadDescriptor)
    );
    assert!(matches!(out.check_write(), Err(StreamError::Closed)));
    assert_eq!(crate::fs::stream_error_code(&crate::Error::msg("other")), None);
}

#[test]
#[cfg(unix)]
fn files_without_a_position() {
    let temp = TempDir::new().unwrap();
    let dir = grant(Path::new("/dev"), DirPerms::all(), FilePerms::all());
    drop(temp);
    let zero = open(&dir, "zero", OpenFlags::empty(), READ).unwrap();
    assert_eq!(zero.kind().unwrap(), DescriptorType::CharacterDevice);
    assert_eq!(zero.file().unwrap().read(5, 100).unwrap().0, [0; 5]);
    let null = open(&dir, "null", OpenFlags::empty(), WRITE).unwrap();
    assert_eq!(null.file().unwrap().write(b"abc", 5).unwrap(), 3);
    assert_eq!(null.file().unwrap().append(b"abc").unwrap(), 3);
}
