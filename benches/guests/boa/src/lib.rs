//! The JavaScript engine Boa, running a script.

use boa_engine::{Context, Source, context::time::FixedClock};
use std::rc::Rc;
use support::Sum;

/// Random numbers come from a fixed seed, as the program has no imports.
#[unsafe(no_mangle)]
unsafe extern "Rust" fn __getrandom_v03_custom(dest: *mut u8, len: usize) -> Result<(), getrandom::Error> {
    // SAFETY: the crate `getrandom` passes a buffer of that length.
    unsafe { dest.write_bytes(0x5a, len) };
    Ok(())
}

#[unsafe(no_mangle)]
pub extern "C" fn run(n: i32) -> i64 {
    let mut sum = Sum::default();
    let Ok(mut context) = Context::builder().clock(Rc::new(FixedClock::from_millis(0))).build() else { return 0 };
    if context.eval(Source::from_bytes(include_str!("../../scripts/work.js"))).is_err() {
        return 0;
    }
    for _ in 0..n.max(0) {
        match context.eval(Source::from_bytes("work()")).map(|v| v.as_number()) {
            Ok(Some(result)) => sum.number(result as u64),
            _ => return 0,
        }
    }
    sum.value()
}
