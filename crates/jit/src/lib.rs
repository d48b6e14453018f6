//! The compiler tier of Wharf: WebAssembly functions to machine code with Cranelift.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
