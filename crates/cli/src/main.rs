//! The `wharf` command: runs WebAssembly components.
#![forbid(unsafe_code)]

mod args;
mod cloud;
mod compile;
mod denied;
mod engine;
mod failure;
mod folder_limits;
mod grants;
mod http;
mod inspect;
mod invoke;
mod limits;
mod load;
mod run;
mod say;
mod script;
mod serve;
mod signals;
mod wave;

use std::process::ExitCode;

use args::{Cli, Command};
use clap::Parser;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    signals::survive_file_size_limit();
    let ended = match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Compile(args) => compile::compile(&args),
        Command::Inspect(args) => inspect::inspect(&args),
        Command::Serve(args) => serve::serve(*args),
        Command::Wast(args) => script::run(&args),
    };
    match ended {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            if !failure.message.is_empty() {
                say::say(failure.message);
            }
            ExitCode::from(failure.status)
        }
    }
}
