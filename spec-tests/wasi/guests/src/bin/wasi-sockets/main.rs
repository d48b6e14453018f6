//! Cases of `wasi:sockets`. Peers are made by the guest itself, on the loopback interface.

mod any;
mod denied;
mod lookup;
mod options;
mod tcp_arguments;
mod tcp_data;
mod tcp_edges;
mod tcp_states;
mod udp;
mod udp_edges;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cases = [
        tcp_states::CASES,
        tcp_arguments::CASES,
        tcp_data::CASES,
        tcp_edges::CASES,
        udp::CASES,
        udp_edges::CASES,
        any::CASES,
        options::CASES,
        lookup::CASES,
        denied::CASES,
    ];
    wasi_conformance::run(&cases.concat())
}
