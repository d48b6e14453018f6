//! The ways in which a program fails that an engine has to survive.

use std::hint::black_box;

pub fn panic() -> ! {
    panic!("asked to panic")
}

/// Recursion without end, each call with a frame on the linear-memory stack too.
pub fn recurse() {
    println!("recursing");
    println!("came back with {}", deeper(black_box(1)));
}

#[inline(never)]
#[expect(unconditional_recursion)]
fn deeper(depth: u64) -> u64 {
    let next = deeper(black_box(depth + 1));
    next.wrapping_mul(3).wrapping_add(black_box(depth))
}

/// Allocation without end. The memory stays untouched, so that it costs the host address space rather than pages.
pub fn allocate() -> ! {
    println!("allocating");
    loop {
        std::mem::forget(black_box(Vec::<u8>::with_capacity(1 << 20)));
    }
}

/// An index out of bounds when there is no argument that says otherwise.
pub fn index(args: &[String]) {
    let table = black_box([1, 2, 3]);
    let at = args.first().and_then(|arg| arg.parse().ok()).unwrap_or(99);
    println!("{}", table[black_box::<usize>(at)]);
}
