//! Cases of `wasi:config`. The manifest says which settings there are.

use std::process::ExitCode;
use wasi_conformance::{Case, check, check_eq, ok};

wit_bindgen::generate!({
    path: "../../../../wit",
    inline: "
        package conformance:config;

        world cases {
            import wasi:config/store@0.2.0-rc.1;
        }
    ",
    generate_all,
});

use wasi::config::store;

const CASES: &[Case] = &[
    ("get", get),
    ("get-missing", missing),
    ("get-all", all),
    ("get-unchanged", unchanged),
];

fn main() -> ExitCode {
    wasi_conformance::run(CASES)
}

/// What the manifest gives.
const SETTINGS: [(&str, &str); 5] = [("a.b-c_d", "x"), ("empty", ""), ("equals", "a=b=c"), ("greeting", "hello, world"), ("größe", "🦀")];

fn get() {
    for (name, value) in SETTINGS {
        check_eq!(ok!(store::get(name)).as_deref(), Some(value));
    }
}

fn missing() {
    for name in ["", " ", "greet", "greeting ", "GREETING", "a", "a.b", "hello, world", "gr\0", "../greeting"] {
        check_eq!(ok!(store::get(name)), None);
    }
    check_eq!(ok!(store::get(&"n".repeat(100_000))), None);
}

fn all() {
    let mut all = ok!(store::get_all());
    all.sort();
    check_eq!(all, SETTINGS.map(|(name, value)| (name.to_string(), value.to_string())));
}

fn unchanged() {
    // They may change while a program runs, but nobody changes them here.
    for _ in 0..100 {
        check_eq!(ok!(store::get("greeting")).as_deref(), Some("hello, world"));
    }
    check!(ok!(store::get_all()).len() == SETTINGS.len());
}
