//! What the guests of the suite share: choosing a case by the first argument, and checks.
//!
//! A case that passes prints nothing and ends with success. A check that fails prints where it is and what it found, and ends the
//! program with failure at once.

pub mod net;

use std::fmt::Debug;
use std::process::ExitCode;

/// A case and its name.
pub type Case = (&'static str, fn());

/// Runs the case that the first argument names; `--list` prints all names.
pub fn run(cases: &[Case]) -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    if wanted == "--list" {
        for (name, _) in cases {
            println!("{name}");
        }
        return ExitCode::SUCCESS;
    }
    match cases.iter().find(|(name, _)| *name == wanted) {
        Some((_, case)) => {
            case();
            ExitCode::SUCCESS
        }
        None => {
            println!("no such case: {wanted:?}");
            ExitCode::FAILURE
        }
    }
}

/// Reports a failed check and ends the program.
#[cold]
pub fn fail(file: &str, line: u32, what: &str) -> ! {
    println!("{file}:{line}: {what}");
    std::process::exit(1)
}

/// Reports that two values differ and ends the program.
#[cold]
pub fn differ(file: &str, line: u32, what: &str, got: &dyn Debug, expected: &dyn Debug) -> ! {
    fail(file, line, &format!("{what} is {got:?}, expected {expected:?}"))
}

/// Reports another error than was expected, or none, and ends the program.
#[cold]
pub fn unexpected(file: &str, line: u32, what: &str, got: Option<&dyn Debug>, expected: &str) -> ! {
    match got {
        Some(error) => fail(file, line, &format!("{what} failed with {error:?}, expected {expected}")),
        None => fail(file, line, &format!("{what} succeeded, expected {expected}")),
    }
}

/// Reports an error where none was expected and ends the program.
#[cold]
pub fn failed(file: &str, line: u32, what: &str, error: &dyn Debug) -> ! {
    fail(file, line, &format!("{what} failed: {error:?}"))
}

/// Checks a condition.
#[macro_export]
macro_rules! check {
    ($cond:expr) => {
        if !$cond {
            $crate::fail(file!(), line!(), concat!("not true: ", stringify!($cond)));
        }
    };
}

/// Checks that two values are equal.
#[macro_export]
macro_rules! check_eq {
    ($got:expr, $expected:expr) => {
        match (&$got, &$expected) {
            (got, expected) => {
                if *got != *expected {
                    $crate::differ(file!(), line!(), stringify!($got), got, expected);
                }
            }
        }
    };
}

/// The value of a result that must be one.
#[macro_export]
macro_rules! ok {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => $crate::failed(file!(), line!(), stringify!($result), &error),
        }
    };
}

/// Checks that a result is an error that matches the pattern.
#[macro_export]
macro_rules! check_err {
    ($result:expr, $pattern:pat) => {
        match $result {
            Err($pattern) => {}
            #[allow(unreachable_patterns)]
            Err(error) => $crate::unexpected(file!(), line!(), stringify!($result), Some(&error), stringify!($pattern)),
            Ok(_) => $crate::unexpected(file!(), line!(), stringify!($result), None, stringify!($pattern)),
        }
    };
}

/// For cases that must trap: tells that the call is about to be made, so that a trap anywhere else is no pass, makes it, and fails
/// if it comes back.
#[macro_export]
macro_rules! check_traps {
    ($call:expr) => {{
        println!("about to trap");
        let _ = $call;
        $crate::fail(file!(), line!(), concat!("no trap: ", stringify!($call)));
    }};
}
