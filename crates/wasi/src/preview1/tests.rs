//! Calls as a guest makes them, on a memory of the test.

use super::types::Failure;
use super::*;
use crate::clocks::HostMonotonicClock;
use crate::fs::{DirPerms, FilePerms};
use crate::pipe::{MemoryInputPipe, MemoryOutputPipe};
use crate::random::Deterministic;
use crate::test_util::{block_on, now};
use std::fs;
use tempfile::TempDir;

/// A guest with a memory of one page.
struct Guest {
    cx: WasiP1Ctx,
    memory: Vec<u8>,
}

impl Guest {
    fn new(builder: &mut WasiCtxBuilder) -> Guest {
        Guest {
            cx: builder.build_p1(),
            memory: vec![0; 1 << 16],
        }
    }

    /// One with a granted directory.
    fn with_dir(temp: &TempDir) -> Guest {
        let mut builder = WasiCtxBuilder::new();
        builder
            .preopened_dir(temp.path(), "/data", DirPerms::all(), FilePerms::all())
            .unwrap();
        Guest::new(&mut builder)
    }

    fn call(&mut self) -> Call<'_> {
        Call::new(&mut self.cx, &mut self.memory)
    }

    fn put(&mut self, at: u32, bytes: &[u8]) -> (u32, u32) {
        self.memory[at as usize..at as usize + bytes.len()].copy_from_slice(bytes);
        (at, bytes.len() as u32)
    }

    fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.memory[at..at + 4].try_into().unwrap())
    }

    fn u64(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.memory[at..at + 8].try_into().unwrap())
    }

    fn open(&mut self, path: &str, how: u32, rights: u64, flags: u32) -> P1Result<u32> {
        let (ptr, len) = self.put(1000, path.as_bytes());
        self.call()
            .path_open(3, 1, ptr, len, how, rights, 0, flags, 900)?;
        Ok(self.u32(900))
    }

    fn write(&mut self, fd: u32, data: &[u8]) -> P1Result<u32> {
        let (ptr, len) = self.put(2000, data);
        self.put(800, &ptr.to_le_bytes());
        self.put(804, &len.to_le_bytes());
        now(self.call().fd_write(fd, 800, 1, 820))?;
        Ok(self.u32(820))
    }

    fn read(&mut self, fd: u32, len: u32) -> P1Result<Vec<u8>> {
        self.put(800, &3000u32.to_le_bytes());
        self.put(804, &len.to_le_bytes());
        now(self.call().fd_read(fd, 800, 1, 820))?;
        Ok(self.memory[3000..3000 + self.u32(820) as usize].to_vec())
    }
}

fn errno<T: fmt::Debug>(result: P1Result<T>) -> Errno {
    match result {
        Err(Failure::Errno(errno)) => errno,
        other => panic!("{other:?}"),
    }
}

const READ: u64 = types::rights::FD_READ;
const WRITE: u64 = types::rights::FD_WRITE;
const CREATE: u32 = 1;

#[test]
fn arguments_and_environment() {
    let mut builder = WasiCtxBuilder::new();
    builder.args(&["prog", "x"]).env("K", "v");
    let mut guest = Guest::new(&mut builder);
    guest.call().args_sizes_get(0, 4).unwrap();
    assert_eq!((guest.u32(0), guest.u32(4)), (2, 7));
    guest.call().args_get(8, 100).unwrap();
    assert_eq!((guest.u32(8), guest.u32(12)), (100, 105));
    assert_eq!(&guest.memory[100..107], b"prog\0x\0");
    guest.call().environ_sizes_get(0, 4).unwrap();
    assert_eq!((guest.u32(0), guest.u32(4)), (1, 4));
    guest.call().environ_get(8, 100).unwrap();
    assert_eq!(&guest.memory[100..104], b"K=v\0");
    assert_eq!(errno(guest.call().args_get(8, u32::MAX)), Errno::FAULT);
    assert_eq!(errno(guest.call().args_get(u32::MAX - 4, 100)), Errno::FAULT);
}

#[test]
fn standard_streams() {
    let out = MemoryOutputPipe::new(100);
    let mut builder = WasiCtxBuilder::new();
    builder.stdin(MemoryInputPipe::new("input")).stdout(out.clone());
    let mut guest = Guest::new(&mut builder);
    assert_eq!(guest.write(1, b"hello").unwrap(), 5);
    assert_eq!(guest.write(2, b"lost").unwrap(), 4);
    assert_eq!(out.contents(), "hello");
    assert_eq!(guest.read(0, 3).unwrap(), b"inp");
    assert_eq!(guest.read(0, 0).unwrap(), b"");
    assert_eq!(guest.read(0, 30).unwrap(), b"ut");
    assert_eq!(guest.read(0, 30).unwrap(), b"");
    assert_eq!(errno(guest.read(1, 1)), Errno::BADF);
    assert_eq!(errno(guest.write(0, b"x")), Errno::BADF);
    assert_eq!(errno(guest.write(99, b"x")), Errno::BADF);
    assert_eq!(errno(guest.call().fd_seek(0, 0, 0, 0)), Errno::SPIPE);
    guest.call().fd_fdstat_get(0, 0).unwrap();
    assert_eq!(guest.memory[0], types::filetype::UNKNOWN);
    guest.call().fd_filestat_get(1, 0).unwrap();
    guest.call().fd_close(1).unwrap();
    assert_eq!(errno(guest.call().fd_close(1)), Errno::BADF);
}

#[test]
fn granted_directories_have_names() {
    let temp = TempDir::new().unwrap();
    let mut guest = Guest::with_dir(&temp);
    guest.call().fd_prestat_get(3, 0).unwrap();
    assert_eq!((guest.memory[0], guest.u32(4)), (0, 5));
    guest.call().fd_prestat_dir_name(3, 50, 5).unwrap();
    assert_eq!(&guest.memory[50..55], b"/data");
    assert_eq!(
        errno(guest.call().fd_prestat_dir_name(3, 50, 4)),
        Errno::NAMETOOLONG
    );
    assert_eq!(errno(guest.call().fd_prestat_get(4, 0)), Errno::BADF);
    assert_eq!(errno(guest.call().fd_prestat_get(1, 0)), Errno::BADF);
}

#[test]
fn files_have_positions() {
    let temp = TempDir::new().unwrap();
    let mut guest = Guest::with_dir(&temp);
    let fd = guest.open("f", CREATE, READ | WRITE, 0).unwrap();
    assert_eq!(fd, 4);
    guest.write(fd, b"hello ").unwrap();
    guest.write(fd, b"world").unwrap();
    guest.call().fd_tell(fd, 0).unwrap();
    assert_eq!(guest.u64(0), 11);
    guest.call().fd_seek(fd, (-5i64).cast_unsigned(), 2, 0).unwrap();
    assert_eq!(guest.u64(0), 6);
    assert_eq!(guest.read(fd, 3).unwrap(), b"wor");
    assert_eq!(guest.read(fd, 30).unwrap(), b"ld");
    assert_eq!(guest.read(fd, 30).unwrap(), b"");
    assert_eq!(
        errno(guest.call().fd_seek(fd, (-1i64).cast_unsigned(), 0, 0)),
        Errno::INVAL
    );
    assert_eq!(
        errno(guest.call().fd_seek(fd, i64::MAX.cast_unsigned(), 1, 0)),
        Errno::INVAL
    );
    assert_eq!(errno(guest.call().fd_seek(fd, 0, 3, 0)), Errno::INVAL);
    guest.put(800, &3000u32.to_le_bytes());
    guest.put(804, &4u32.to_le_bytes());
    guest.call().fd_pread(fd, 800, 1, 1, 820).unwrap();
    assert_eq!(&guest.memory[3000..3004], b"ello");
    guest.call().fd_pwrite(fd, 800, 1, 0, 820).unwrap();
    guest.call().fd_filestat_set_size(fd, 5).unwrap();
    guest.call().fd_allocate(fd, 0, 7).unwrap();
    block_on(guest.call().fd_sync(fd)).unwrap();
    block_on(guest.call().fd_datasync(fd)).unwrap();
    guest.call().fd_advise(fd, 0, 0, 3).unwrap();
    assert_eq!(errno(guest.call().fd_advise(fd, 0, 0, 6)), Errno::INVAL);
    assert_eq!(fs::read(temp.path().join("f")).unwrap(), b"elloo\0\0");
    let second = guest.open("f", 0, READ | WRITE, 1).unwrap();
    guest.write(second, b"!").unwrap();
    assert_eq!(fs::read(temp.path().join("f")).unwrap(), b"elloo\0\0!");
    guest.call().fd_fdstat_get(second, 0).unwrap();
    assert_eq!(
        (guest.memory[0], guest.memory[2]),
        (types::filetype::REGULAR_FILE, 1)
    );
    assert_eq!(guest.u64(8) & (READ | WRITE), READ | WRITE);
    guest.call().fd_fdstat_set_flags(second, 0).unwrap();
    assert_eq!(errno(guest.call().fd_fdstat_set_flags(second, 2)), Errno::INVAL);
    guest.call().fd_renumber(second, fd).unwrap();
    assert_eq!(errno(guest.call().fd_close(second)), Errno::BADF);
    guest.call().fd_close(fd).unwrap();
}

#[test]
fn reads_and_writes_of_several_buffers() {
    let temp = TempDir::new().unwrap();
    let mut guest = Guest::with_dir(&temp);
    let fd = guest.open("f", CREATE, READ | WRITE, 0).unwrap();
    guest.put(2000, b"abcdef");
    for (i, (ptr, len)) in [(2000u32, 2u32), (2004, 2), (2002, 2)].into_iter().enumerate() {
        guest.put(800 + 8 * i as u32, &ptr.to_le_bytes());
        guest.put(804 + 8 * i as u32, &len.to_le_bytes());
    }
    now(guest.call().fd_write(fd, 800, 3, 820 + 8)).unwrap();
    assert_eq!(fs::read(temp.path().join("f")).unwrap(), b"abefcd");
    guest.call().fd_pread(fd, 800, 3, 1, 900).unwrap();
    assert_eq!(guest.u32(900), 5);
    assert_eq!(&guest.memory[2000..2006], b"beddfc"); // the last buffer got one byte
}

#[test]
fn directories_and_paths() {
    let temp = TempDir::new().unwrap();
    let mut guest = Guest::with_dir(&temp);
    let (d, dl) = guest.put(1000, b"d");
    guest.call().path_create_directory(3, d, dl).unwrap();
    assert_eq!(errno(guest.call().path_create_directory(3, d, dl)), Errno::EXIST);
    guest.open("d/f", CREATE, WRITE, 0).unwrap();
    let (f, fl) = guest.put(1000, b"d/f");
    let (g, gl) = guest.put(1100, b"g");
    guest.call().path_link(3, 0, f, fl, 3, g, gl).unwrap();
    guest.call().path_filestat_get(3, 1, g, gl, 0).unwrap();
    assert_eq!(
        (guest.memory[16], guest.u64(24)),
        (types::filetype::REGULAR_FILE, 2)
    );
    guest
        .call()
        .path_filestat_set_times(3, 0, g, gl, 5, 7, 5)
        .unwrap();
    guest.call().path_filestat_get(3, 1, f, fl, 0).unwrap();
    assert_eq!((guest.u64(40), guest.u64(48)), (5, 7));
    assert_eq!(
        errno(guest.call().path_filestat_set_times(3, 0, g, gl, 5, 7, 3)),
        Errno::INVAL
    );
    guest.call().path_unlink_file(3, f, fl).unwrap();
    let (l, ll) = guest.put(1200, b"l");
    guest.call().path_symlink(g, gl, 3, l, ll).unwrap();
    guest.call().path_readlink(3, l, ll, 2000, 10, 900).unwrap();
    assert_eq!((guest.u32(900), guest.memory[2000]), (1, b'g'));
    guest.call().path_rename(3, g, gl, 3, d + 200, 0).unwrap_err();
    let (h, hl) = guest.put(1300, b"h");
    guest.call().path_rename(3, g, gl, 3, h, hl).unwrap();
    guest.call().path_remove_directory(3, d, 1).unwrap();
    assert_eq!(errno(guest.open("../x", CREATE, WRITE, 0)), Errno::PERM);
    assert_eq!(errno(guest.open("/etc/passwd", 0, READ, 0)), Errno::PERM);
    assert_eq!(errno(guest.open("h", 2, READ, 0)), Errno::NOTDIR);
    assert_eq!(errno(guest.open("h", 16, READ, 0)), Errno::INVAL);
    assert_eq!(
        errno(guest.call().path_open(3, 0, 0, u32::MAX, 0, 0, 0, 0, 0)),
        Errno::FAULT
    );
    assert_eq!(
        errno(guest.call().path_open(1, 0, h, hl, 0, 0, 0, 0, 0)),
        Errno::NOTDIR
    );
    // A place for the result that is outside: nothing is created or left open.
    let (n, nl) = guest.put(1400, b"never");
    assert_eq!(
        errno(guest.call().path_open(3, 0, n, nl, 1, WRITE, 0, 0, u32::MAX)),
        Errno::FAULT
    );
    assert!(!temp.path().join("never").exists());
}

#[test]
fn listing_goes_on_where_it_stopped() {
    let temp = TempDir::new().unwrap();
    for name in ["one", "two", "three"] {
        fs::write(temp.path().join(name), "").unwrap();
    }
    let mut guest = Guest::with_dir(&temp);
    let (mut names, mut cookie) = (Vec::new(), 0);
    loop {
        // Room for one entry and a part of the next.
        guest.call().fd_readdir(3, 4000, 40, cookie, 900).unwrap();
        let used = guest.u32(900) as usize;
        if used < 24 {
            break;
        }
        let len = guest.u32(4016) as usize;
        names.push(String::from_utf8(guest.memory[4024..4024 + len].to_vec()).unwrap());
        cookie = guest.u64(4000);
    }
    names.sort();
    assert_eq!(names, [".", "..", "one", "three", "two"]);
    guest.call().fd_readdir(3, 4000, 1000, u64::MAX, 900).unwrap();
    assert_eq!(guest.u32(900), 0);
    assert_eq!(
        errno(guest.call().fd_readdir(1, 4000, 1000, 0, 900)),
        Errno::NOTDIR
    );
}

#[test]
fn clocks_random_and_the_rest() {
    struct Fixed;
    impl HostMonotonicClock for Fixed {
        fn resolution(&self) -> u64 {
            3
        }
        fn now(&self) -> u64 {
            77
        }
    }
    let mut builder = WasiCtxBuilder::new();
    builder
        .monotonic_clock(Fixed)
        .secure_random(Deterministic::new([9]));
    let mut guest = Guest::new(&mut builder);
    guest.call().clock_time_get(1, 0, 0).unwrap();
    guest.call().clock_res_get(1, 8).unwrap();
    guest.call().random_get(16, 2).unwrap();
    assert_eq!(
        (guest.u64(0), guest.u64(8), &guest.memory[16..19]),
        (77, 3, &[9, 9, 0][..])
    );
    guest.call().clock_time_get(0, 0, 0).unwrap();
    assert!(guest.u64(0) > 1_500_000_000_000_000_000);
    assert_eq!(errno(guest.call().clock_time_get(2, 0, 0)), Errno::INVAL);
    assert_eq!(errno(guest.call().random_get(0, u32::MAX)), Errno::FAULT);
    assert_eq!(errno(guest.call().proc_raise(9)), Errno::NOTSUP);
    assert_eq!(errno(guest.call().not_a_socket(0)), Errno::NOTSOCK);
    assert_eq!(errno(guest.call().not_a_socket(9)), Errno::BADF);
    guest.call().sched_yield().unwrap();
}

/// Stands still until someone waits for it.
struct Jumping(std::sync::atomic::AtomicU64);

impl HostMonotonicClock for Jumping {
    fn resolution(&self) -> u64 {
        1
    }
    fn now(&self) -> u64 {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }
    fn sleep_until(&self, deadline: u64) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        self.0.fetch_max(deadline, std::sync::atomic::Ordering::Relaxed);
        Box::pin(async {})
    }
}

#[test]
fn no_arguments_make_the_host_panic_or_wait_for_ever() {
    let temp = TempDir::new().unwrap();
    let mut builder = WasiCtxBuilder::new();
    builder
        .preopened_dir(temp.path(), "/", DirPerms::all(), FilePerms::all())
        .unwrap();
    builder
        .monotonic_clock(Jumping(0.into()))
        .secure_random(Deterministic::new([1, 2, 3]));
    builder
        .arg("a")
        .env("B", "c")
        .stdin(MemoryInputPipe::new(vec![b'x'; 10_000]));
    let mut guest = Guest::new(&mut builder);
    let mut state = 1u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 24
    };
    let interesting: [u32; 15] = [
        0,
        1,
        2,
        3,
        4,
        5,
        8,
        48,
        100,
        0xfff0,
        0xffff,
        0x1_0000,
        0x7fff_ffff,
        0xffff_fffe,
        0xffff_ffff,
    ];
    for round in 0..30_000u32 {
        if round % 16 == 0 {
            // Short names made of few letters, so that some calls get far.
            let at = (random() % 0xff00) as usize;
            for byte in &mut guest.memory[at..at + 64] {
                *byte = b"ab./\0\x01"[(random() % 6) as usize];
            }
        }
        let mut n = || interesting[(random() % interesting.len() as u64) as usize];
        let (a, b, c, d, e, f, g) = (n(), n(), n(), n(), n(), n(), n());
        let (long, which) = (u64::from(n()) << (n() % 33), random() % 42);
        let mut call = guest.call();
        let _ = match which {
            0 => call.args_get(a, b),
            1 => call.args_sizes_get(a, b),
            2 => call.environ_get(a, b),
            3 => call.environ_sizes_get(a, b),
            4 => call.clock_res_get(a, b),
            5 => call.clock_time_get(a, long, b),
            6 => call.fd_advise(a, long, long, b),
            7 => block_on(call.fd_datasync(a)),
            8 => call.fd_fdstat_get(a, b),
            9 => call.fd_fdstat_set_flags(a, b),
            10 => call.fd_fdstat_set_rights(a, long, long),
            11 => call.fd_filestat_get(a, b),
            12 => call.fd_filestat_set_size(a, long),
            13 => call.fd_filestat_set_times(a, long, long, b),
            14 => call.fd_pread(a, b, c, long, d),
            15 => call.fd_prestat_get(a, b),
            16 => call.fd_prestat_dir_name(a, b, c),
            17 => call.fd_pwrite(a, b, c, long % 0x1_0000, d),
            18 => block_on(call.fd_read(a, b, c, d)),
            19 => call.fd_readdir(a, b, c, long, d),
            20 => call.fd_seek(a, long, b, c),
            21 => block_on(call.fd_sync(a)),
            22 => call.fd_tell(a, b),
            23 => block_on(call.fd_write(a, b, c, d)),
            24 => call.path_create_directory(3, b, c % 9),
            25 => call.path_filestat_get(3, b, c, d % 9, e),
            26 => call.path_filestat_set_times(3, b, c, d % 9, long, long, e),
            27 => call.path_link(3, b, c, d % 9, 3, e, f % 9),
            28..=30 => call.path_open(3, a % 3, b, c % 9, d % 16, long, long, f % 32, g),
            31 => call.path_readlink(a, b, c % 9, d, e, f),
            32 => call.path_remove_directory(a, b, c % 9),
            33 => call.path_rename(3, b, c % 9, 3, e, f % 9),
            34 => call.path_symlink(a, b % 9, 3, d, e % 9),
            35 => call.path_unlink_file(3, b, c % 9),
            36 => block_on(call.poll_oneoff(a, b, c, d)),
            37 => call.random_get(a, b),
            38 if a > 3 => call.fd_close(a),
            39 if a > 3 && b > 3 => call.fd_renumber(a, b),
            40 => call.path_filestat_get(a, b, c, d, e),
            _ => call.not_a_socket(a),
        };
    }
    assert!(
        fs::read_dir(temp.path()).unwrap().next().is_some(),
        "nothing worked"
    );
}

/// Writes a subscription to a clock.
fn clock(guest: &mut Guest, at: u32, userdata: u64, nanos: u64) {
    guest.put(at, &[0; 48]);
    guest.put(at, &userdata.to_le_bytes());
    guest.put(at + 16, &1u32.to_le_bytes());
    guest.put(at + 24, &nanos.to_le_bytes());
}

/// Writes a subscription to a descriptor; `tag` is 1 for reading and 2 for writing.
fn stream(guest: &mut Guest, at: u32, userdata: u64, tag: u8, fd: u32) {
    guest.put(at, &[0; 48]);
    guest.put(at, &userdata.to_le_bytes());
    guest.put(at + 8, &[tag]);
    guest.put(at + 16, &fd.to_le_bytes());
}

#[test]
fn polling() {
    let temp = TempDir::new().unwrap();
    fs::write(temp.path().join("f"), "12345").unwrap();
    let mut guest = Guest::with_dir(&temp);
    let fd = guest.open("f", 0, READ, 0).unwrap();
    // A clock alone is waited for.
    clock(&mut guest, 0, 5, 1_000_000);
    block_on(guest.call().poll_oneoff(0, 4000, 1, 900)).unwrap();
    assert_eq!((guest.u32(900), guest.u64(4000), guest.memory[4010]), (1, 5, 0));
    // Streams are ready, the clock is not; a bad descriptor is an event of its own.
    clock(&mut guest, 0, 5, u64::MAX);
    stream(&mut guest, 48, 6, 1, fd);
    stream(&mut guest, 96, 7, 2, 1);
    stream(&mut guest, 144, 8, 1, 99);
    stream(&mut guest, 192, 9, 1, 0);
    block_on(guest.call().poll_oneoff(0, 4000, 5, 900)).unwrap();
    assert_eq!(guest.u32(900), 4);
    let events: Vec<(u64, u8, u8, u64)> = (0..4usize)
        .map(|i| 4000 + 32 * i)
        .map(|e| {
            (
                guest.u64(e),
                guest.memory[e + 8],
                guest.memory[e + 10],
                guest.u64(e + 16),
            )
        })
        .collect();
    assert_eq!(events, [(6, 0, 1, 5), (7, 0, 2, 1), (8, 8, 1, 0), (9, 0, 1, 1)]);
    assert_eq!(
        errno(block_on(guest.call().poll_oneoff(0, 4000, 0, 900))),
        Errno::INVAL
    );
    assert_eq!(
        errno(block_on(guest.call().poll_oneoff(0, 4000, 2000, 900))),
        Errno::FAULT
    );
    assert_eq!(
        errno(block_on(guest.call().poll_oneoff(0, 4000, u32::MAX, 900))),
        Errno::INVAL
    );
}

#[test]
fn listings_of_many_descriptors_are_bounded() {
    let memory = crate::fs::MemoryDir::new(crate::fs::MemoryDirLimits::default());
    for i in 0..9000 {
        memory.write_file(i.to_string(), "").unwrap();
    }
    let mut builder = WasiCtxBuilder::new();
    builder.preopened_memory(&memory, "/data", DirPerms::all(), FilePerms::all());
    let mut guest = Guest::new(&mut builder);
    let open: Vec<u32> = (0..30).map(|_| guest.open(".", 0, READ, 0).unwrap()).collect();
    for fd in &open {
        guest.call().fd_readdir(*fd, 4000, 1000, 0, 900).unwrap();
        assert_eq!(guest.u32(900), 1000);
    }
    let listings = guest.cx.fds.iter_mut().filter(|(_, fd)| match fd {
        fds::Fd::Dir(dir) => dir.listing.is_some(),
        _ => false,
    });
    assert!(listings.count() < 10);
    // One that was forgotten goes on where it was.
    let (first, cookie) = (open[0], 100);
    guest.call().fd_readdir(first, 4000, 24, cookie, 900).unwrap();
    assert_eq!(guest.u64(4000), cookie + 1);
}
