//! Faults that are not of machine code end the process as before. The test binary runs itself as a child that faults.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

use wharf::{TrapCode, Val};

use crate::support::{Guest, Mode, assert_trap};

/// Names what a child does; without it these tests are parents.
const CHILD: &str = "WHARF_TEST_CHILD";

const SIGILL: i32 = 4;
const SIGABRT: i32 = 6;
const SIGSEGV: i32 = 11;

fn run_child(test: &str, what: &str) -> (ExitStatus, String) {
    let itself = std::env::current_exe().unwrap();
    // Under an emulator that Cargo was told of, the child needs it too.
    let emulator = match cfg!(target_arch = "aarch64") {
        true => std::env::var("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER").ok(),
        false => None,
    };
    let mut command = match &emulator {
        Some(emulator) => Command::new(emulator),
        None => Command::new(&itself),
    };
    let output = command
        .args(emulator.map(|_| &itself))
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, what)
        .output()
        .unwrap();
    let text =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    (output.status, text)
}

/// Runs machine code that traps by signal, so that the handlers are there and were in use.
fn use_machine_code() -> Guest {
    const WAT: &str = r#"(module (memory 1)
        (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
        (func (export "trap") (param i32) (result i32) (unreachable)))"#;
    let mut guest = Guest::new(Mode::Eager, WAT);
    assert_eq!(guest.i32("load", &[65532]).unwrap(), 0);
    assert_trap(guest.i32("load", &[-1]), TrapCode::MemoryOutOfBounds);
    assert_trap(guest.call("trap", &[Val::I32(0)]), TrapCode::Unreachable);
    guest
}

fn fault(what: &str) {
    let _guest = use_machine_code();
    match what {
        "null" => {
            let nowhere = std::hint::black_box(std::ptr::without_provenance::<u8>(16));
            // SAFETY: none; the fault is what is tested.
            let byte = unsafe { nowhere.read_volatile() };
            println!("read {byte}");
        }
        "illegal" => {
            // SAFETY: it ends the process.
            #[cfg(target_arch = "x86_64")]
            unsafe {
                std::arch::asm!("ud2")
            }
            // SAFETY: it ends the process.
            #[cfg(target_arch = "aarch64")]
            unsafe {
                std::arch::asm!("udf #0")
            }
        }
        "thread" => std::thread::spawn(|| fault("null")).join().unwrap(),
        "stack" => println!("{}", endless(std::hint::black_box(1))),
        "unused" => return,
        other => panic!("nothing is called {other}"),
    }
    println!("survived");
}

#[expect(unconditional_recursion, reason = "the overflow is what is tested")]
fn endless(n: u64) -> u64 {
    let page = std::hint::black_box([n; 64]);
    endless(page[3] + 1) + page[7]
}

#[test]
fn faults_of_others_are_not_swallowed() {
    if let Ok(what) = std::env::var(CHILD) {
        return fault(&what);
    }
    let test = "signals::faults_of_others_are_not_swallowed";
    for (what, signal) in [
        ("null", SIGSEGV),
        ("thread", SIGSEGV),
        ("illegal", SIGILL),
        ("stack", SIGABRT),
    ] {
        let (status, text) = run_child(test, what);
        assert_eq!(status.signal(), Some(signal), "{what}: {status} {text}");
        assert!(!text.contains("survived"), "{what}: {text}");
        if what == "stack" {
            // What the standard library's own handler says.
            assert!(text.contains("has overflowed its stack"), "{text}");
        }
    }
    let (status, text) = run_child(test, "unused");
    assert!(status.success(), "{text}");
}

/// How many mappings of the process are executable. (Its address space also has what the allocator keeps for threads that have ended.)
fn executable_mappings() -> usize {
    let text = std::fs::read_to_string("/proc/self/maps").unwrap();
    text.lines().filter(|line| line.contains(" r-xp ")).count()
}

#[test]
fn code_memory_is_freed_with_its_module() {
    // In a process of its own, where no other test takes and gives back memory.
    if std::env::var_os(CHILD).is_some() {
        let engine = Mode::Eager.engine();
        let mut before = 0;
        for round in 0..300 {
            if round == 20 {
                before = executable_mappings();
            }
            let wat = format!(
                r#"(module (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const {round}))))"#
            );
            let mut guest = Guest::with_imports(&engine, &wat, |_| Vec::new());
            assert_eq!(guest.i32("f", &[1]).unwrap(), round + 1);
        }
        assert_eq!(engine.tier_stats().compiled, 300);
        let more = executable_mappings().saturating_sub(before);
        assert!(more < 20, "{more} mappings are left over");
        println!("freed");
        return;
    }
    let (status, text) = run_child("signals::code_memory_is_freed_with_its_module", "code");
    assert!(status.success() && text.contains("freed"), "{text}");
}
