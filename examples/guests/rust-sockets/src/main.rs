//! A command that uses the network, with Rust's standard library where that has a way and with the WIT of `wasi:sockets` where it has none.
//! The first argument chooses what it does. What it prints depends on its arguments and its peers only; ports that the system chose are not
//! printed, except by `serve`.

mod attempts;
mod options;
mod polling;
mod standard;
mod states;
mod wit;

use std::io;
use std::process::ExitCode;

const USAGE: &str = "usage: rust-sockets MODE [ARG...]
  with the standard library:
    tcp-self ADDR | serve ADDR COUNT | fetch ADDR TEXT | flood ADDR BYTES | drain ADDR | udp-self ADDR | udp-ask ADDR TEXT
    lookup NAME | get NAME:PORT TEXT
  with the interfaces of WASI:
    options | states | datagrams | unpermitted | poll COUNT | attempts";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mode = args.first().map_or("help", String::as_str);
    match run(mode, args.get(1..).unwrap_or_default()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rust-sockets {mode}: {error} ({:?})", error.kind());
            ExitCode::FAILURE
        }
    }
}

fn run(mode: &str, args: &[String]) -> io::Result<()> {
    let arg = |at: usize| -> io::Result<&str> {
        args.get(at).map(String::as_str).ok_or_else(|| io::Error::other(format!("argument {} is missing\n{USAGE}", at + 1)))
    };
    let number = |at: usize| arg(at)?.parse::<usize>().map_err(io::Error::other);
    match mode {
        "tcp-self" => standard::tcp_self(arg(0)?),
        "serve" => standard::serve(arg(0)?, number(1)?),
        "fetch" | "get" => standard::fetch(arg(0)?, arg(1)?),
        "flood" => standard::flood(arg(0)?, number(1)?),
        "drain" => standard::drain(arg(0)?),
        "udp-self" => standard::udp_self(arg(0)?),
        "udp-ask" => standard::udp_ask(arg(0)?, arg(1)?),
        "lookup" => standard::lookup(arg(0)?),
        "options" => options::options().map_err(wit::io_error),
        "states" => states::states().map_err(wit::io_error),
        "datagrams" => polling::datagrams().map_err(wit::io_error),
        "unpermitted" => polling::unpermitted().map_err(wit::io_error),
        "poll" => polling::poll_many(number(0)?).map_err(wit::io_error),
        "attempts" => {
            attempts::attempts();
            Ok(())
        }
        _ => Err(io::Error::other(format!("no such mode\n{USAGE}"))),
    }
}
