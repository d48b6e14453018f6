//! The kernels and programs of the benchmarks, the engines that run them, and how they are measured.
#![forbid(unsafe_code)]

pub mod components;
pub mod engines;
pub mod instance;
pub mod kernels;
mod modules;
pub mod once;
pub mod programs;
pub mod report;
pub mod steady;
pub mod wasm3;
mod wasmtime_engine;
