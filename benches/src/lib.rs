//! The kernels of the benchmarks and the engines that run them.
#![forbid(unsafe_code)]

pub mod engines;
pub mod kernels;
