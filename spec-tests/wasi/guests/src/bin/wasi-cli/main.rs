//! Cases of `wasi:cli`. What the manifest grants each of them stands there.

use std::process::ExitCode;
use wasi_conformance::{Case, check, check_eq, check_err, fail, ok};
use wasip2::cli::{environment, exit, stderr, stdin, stdout, terminal_stderr, terminal_stdin, terminal_stdout};
use wasip2::io::streams::StreamError;

const CASES: &[Case] = &[
    ("arguments", arguments),
    ("environment", env),
    ("environment-empty", env_empty),
    ("initial-cwd", cwd),
    ("exit-success", exit_success),
    ("exit-failure", exit_failure),
    ("exit-with-code", exit_code),
    ("exit-with-code-zero", exit_code_zero),
    ("exit-with-code-largest", exit_code_largest),
    ("exit-flushes-nothing-away", exit_after_output),
    ("run-fails", run_fails),
    ("stdin", input),
    ("stdin-empty", input_empty),
    ("stdin-shared", input_shared),
    ("stdout", output),
    ("stdout-large", output_large),
    ("stdout-shared", output_shared),
    ("stderr", error_output),
    ("terminals", terminals),
];

fn main() -> ExitCode {
    wasi_conformance::run(CASES)
}

fn arguments() {
    let args = environment::get_arguments();
    // The name of the program first, whatever it is.
    check_eq!(&args[1..], ["arguments", "", "two words", "größe 🦀", "--flag=x", "\"quoted\"", "a\nb"]);
    check_eq!(environment::get_arguments(), args);
}

fn env() {
    let mut env = environment::get_environment();
    env.sort();
    let expected = [("EMPTY", ""), ("EQUALS", "a=b=c"), ("KEY", "value"), ("UNICODE", "größe 🦀"), ("WORDS", "a b  c")];
    check_eq!(env, expected.map(|(name, value)| (name.to_string(), value.to_string())));
    let mut again = environment::get_environment();
    again.sort();
    check_eq!(again, env);
}

fn env_empty() {
    check_eq!(environment::get_environment(), []);
}

fn cwd() {
    // There may be none; nothing is granted by it.
    let cwd = environment::initial_cwd();
    check_eq!(environment::initial_cwd(), cwd);
}

fn exit_success() {
    exit::exit(Ok(()));
    fail(file!(), line!(), "exit came back");
}

fn exit_failure() {
    exit::exit(Err(()));
    fail(file!(), line!(), "exit came back");
}

fn exit_code() {
    exit::exit_with_code(42);
    fail(file!(), line!(), "exit-with-code came back");
}

fn exit_code_zero() {
    exit::exit_with_code(0);
    fail(file!(), line!(), "exit-with-code came back");
}

fn exit_code_largest() {
    exit::exit_with_code(255);
    fail(file!(), line!(), "exit-with-code came back");
}

fn exit_after_output() {
    let out = stdout::get_stdout();
    ok!(out.blocking_write_and_flush(b"before the end\n"));
    exit::exit(Ok(()));
}

fn run_fails() {
    // As the library's runner does it: the export `run` gives an error.
    std::process::exit(1);
}

fn input() {
    let stream = stdin::get_stdin();
    let mut all = Vec::new();
    loop {
        match stream.blocking_read(7) {
            Ok(bytes) => all.extend(bytes),
            Err(StreamError::Closed) => break,
            Err(e) => wasi_conformance::failed(file!(), line!(), "blocking-read", &e),
        }
    }
    check_eq!(String::from_utf8_lossy(&all), "first line\nsecond line, größe\n");
}

fn input_empty() {
    check_err!(stdin::get_stdin().blocking_read(1), StreamError::Closed);
}

fn input_shared() {
    let (one, two) = (stdin::get_stdin(), stdin::get_stdin());
    let mut all = Vec::new();
    let mut ended = [false; 2];
    // Each byte comes out of one of them.
    while ended != [true; 2] {
        for (stream, ended) in [&one, &two].into_iter().zip(&mut ended) {
            match stream.blocking_read(1) {
                Ok(bytes) => all.extend(bytes),
                Err(StreamError::Closed) => *ended = true,
                Err(e) => wasi_conformance::failed(file!(), line!(), "blocking-read", &e),
            }
        }
    }
    check_eq!(all, b"abcdefghij");
}

fn output() {
    let out = stdout::get_stdout();
    ok!(out.blocking_write_and_flush("größe\n".as_bytes()));
    while ok!(out.check_write()) < 4 {
        out.subscribe().block();
    }
    ok!(out.write(b"end\n"));
    ok!(out.blocking_flush());
}

fn output_large() {
    let out = stdout::get_stdout();
    // More than pipes hold, in writes that are cut elsewhere than the lines.
    let text = "abcdefghijklmnopqrstuvwxyz\n".repeat(5000);
    for part in text.as_bytes().chunks(4000) {
        ok!(out.blocking_write_and_flush(part));
    }
}

fn output_shared() {
    let (one, two) = (stdout::get_stdout(), stdout::get_stdout());
    ok!(one.blocking_write_and_flush(b"one "));
    ok!(two.blocking_write_and_flush(b"two "));
    drop(one);
    ok!(two.blocking_write_and_flush(b"three\n"));
    ok!(stdout::get_stdout().blocking_write_and_flush(b"four\n"));
}

fn error_output() {
    ok!(stderr::get_stderr().blocking_write_and_flush(b"to stderr\n"));
    ok!(stdout::get_stdout().blocking_write_and_flush(b"to stdout\n"));
}

fn terminals() {
    // The runner connects all three with pipes.
    check!(terminal_stdin::get_terminal_stdin().is_none());
    check!(terminal_stdout::get_terminal_stdout().is_none());
    check!(terminal_stderr::get_terminal_stderr().is_none());
}
