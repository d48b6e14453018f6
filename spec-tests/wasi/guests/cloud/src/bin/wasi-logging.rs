//! Cases of `wasi:logging`. Where messages are to be seen is up to the host; here it is only looked at that taking them is no failure
//! and that they don't get into what the program itself prints.

use std::process::ExitCode;
use wasi_conformance::Case;

wit_bindgen::generate!({
    path: "../../../../wit",
    inline: "
        package conformance:logging;

        world cases {
            import wasi:logging/logging@0.1.0-draft;
        }
    ",
    generate_all,
});

use wasi::logging::logging::{Level, log};

const CASES: &[Case] = &[
    ("levels", levels),
    ("texts", texts),
    ("large", large),
    ("many", many),
    ("beside-output", beside_output),
];

fn main() -> ExitCode {
    wasi_conformance::run(CASES)
}

const LEVELS: [Level; 6] = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Critical];

fn levels() {
    for level in LEVELS {
        log(level, "conformance", "a message");
    }
}

fn texts() {
    for text in ["", " ", "größe 🦀", "two\nlines\r\n", "\0", "\x1b[2J", "\u{202e}", "{\"json\": true}", "%s %n {}"] {
        log(Level::Info, text, text);
        log(Level::Info, "", text);
    }
}

fn large() {
    log(Level::Info, "conformance", &"x".repeat(1 << 20));
    log(Level::Info, &"x".repeat(1 << 20), "");
}

fn many() {
    for i in 0..2000 {
        log(Level::Debug, "conformance", &i.to_string());
    }
}

fn beside_output() {
    println!("before");
    log(Level::Error, "conformance", "a message");
    println!("after");
}
