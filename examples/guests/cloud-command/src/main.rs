//! A command that uses the interfaces of a cloud: `wasi:keyvalue`, `wasi:config` and `wasi:logging`.
//!
//! Each subcommand uses some of their functions and prints what came back, one line per call.

mod store;

use std::process::ExitCode;

mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        inline: "
            package guest:cloud;

            world command {
                import wasi:keyvalue/store@0.2.0-draft2;
                import wasi:keyvalue/atomics@0.2.0-draft2;
                import wasi:keyvalue/batch@0.2.0-draft2;
                import wasi:config/store@0.2.0-rc.1;
                import wasi:logging/logging@0.1.0-draft;
            }
        ",
        generate_all,
    });
}

use bindings::wasi::config::store as config;
use bindings::wasi::logging::logging::{self, Level};

const USAGE: &str = "usage: cloud-command config NAME... | config-all | log LEVEL CONTEXT MESSAGE | log-all \
    | open BUCKET | exercise BUCKET | read-only BUCKET | put BUCKET KEY VALUE | get BUCKET KEY | count BUCKET KEY DELTA \
    | cas BUCKET KEY TIMES | fill BUCKET NUMBER SIZE | keys BUCKET";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("cloud-command: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> Result<(), String> {
    match args {
        ["config", names @ ..] => {
            for name in names {
                match config::get(name).map_err(|e| format!("{e:?}"))? {
                    Some(value) => println!("{name}={value}"),
                    None => println!("{name} is not set"),
                }
            }
            Ok(())
        }
        ["config-all"] => {
            let mut all = config::get_all().map_err(|e| format!("{e:?}"))?;
            all.sort();
            for (name, value) in all {
                println!("{name}={value}");
            }
            Ok(())
        }
        ["log", level, context, message] => {
            let level = LEVELS.iter().find(|(name, _)| name == level);
            let (_, level) = level.ok_or("no such level")?;
            logging::log(*level, context, &message.replace("\\n", "\n").replace("\\e", "\x1b"));
            Ok(())
        }
        ["log-all"] => {
            for (name, level) in LEVELS {
                logging::log(level, "cloud-command", &format!("a message of level {name}"));
            }
            Ok(())
        }
        _ => match store::run(args) {
            Some(done) => done,
            None => Err(USAGE.to_owned()),
        },
    }
}

const LEVELS: [(&str, Level); 6] = [
    ("trace", Level::Trace),
    ("debug", Level::Debug),
    ("info", Level::Info),
    ("warn", Level::Warn),
    ("error", Level::Error),
    ("critical", Level::Critical),
];
