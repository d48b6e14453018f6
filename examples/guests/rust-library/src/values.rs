//! The echoes and the resource of the interface `values`.

use std::sync::atomic::{AtomicI32, AtomicU32, Ordering::Relaxed};

use crate::exports::wharf::guests::values::{
    Access, Color, Counter, CounterBorrow, Guest, GuestCounter, Letters, Mixed, Point, Shape,
};

static CALLS: AtomicU32 = AtomicU32::new(0);
static LIVE: AtomicU32 = AtomicU32::new(0);

/// What is behind a handle of the resource `counter`.
pub struct CounterState(AtomicI32);

impl CounterState {
    fn new(start: i32) -> Self {
        LIVE.fetch_add(1, Relaxed);
        Self(AtomicI32::new(start))
    }

    fn get(&self) -> i32 {
        self.0.load(Relaxed)
    }
}

impl Drop for CounterState {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Relaxed);
    }
}

impl GuestCounter for CounterState {
    fn new(start: i32) -> Self {
        CounterState::new(start)
    }

    fn add(&self, by: i32) -> i32 {
        self.0.fetch_add(by, Relaxed).wrapping_add(by)
    }

    fn value(&self) -> i32 {
        self.get()
    }

    fn sum(a: CounterBorrow<'_>, b: CounterBorrow<'_>) -> Counter {
        let (a, b) = (a.get::<CounterState>().get(), b.get::<CounterState>().get());
        Counter::new(CounterState::new(a.wrapping_add(b)))
    }

    fn finish(c: Counter) -> i32 {
        c.get::<CounterState>().get()
    }
}

macro_rules! echoes {
    ($($name:ident: $type:ty,)*) => { $(fn $name(v: $type) -> $type { v })* };
}

impl Guest for crate::Library {
    type Counter = CounterState;

    echoes! {
        echo_bool: bool, echo_u8: u8, echo_u16: u16, echo_u32: u32, echo_u64: u64, echo_s8: i8, echo_s16: i16, echo_s32: i32,
        echo_s64: i64, echo_f32: f32, echo_f64: f64, echo_char: char, echo_string: String,
        echo_bytes: Vec<u8>, echo_numbers: Vec<i64>, echo_floats: Vec<f64>, echo_strings: Vec<String>, echo_nested: Vec<Vec<String>>,
        echo_tuple: (u8, String, f32), echo_tuples: Vec<(String, u64)>, echo_point: Point, echo_mixed: Mixed,
        echo_color: Color, echo_access: Access, echo_letters: Letters, echo_shape: Shape, echo_shapes: Vec<Shape>,
        echo_option: Option<u32>, echo_option_string: Option<String>, echo_option_option: Option<Option<u8>>,
        echo_result: Result<String, u32>, echo_result_ok: Result<u64, ()>, echo_result_err: Result<(), String>,
        echo_result_empty: Result<(), ()>, echo_counter: Counter,
    }

    fn many(
        a: u8, b: u16, c: u32, d: u64, e: i8, f: i16, g: i32, h: i64, i: f32, j: f64, k: char, l: bool, m: String, n: Vec<u8>, o: Point,
        p: Option<u8>,
    ) -> String {
        format!("{a} {b} {c} {d} {e} {f} {g} {h} {i} {j} {k} {l} {m:?} {n:?} ({}, {}) {p:?}", o.x, o.y)
    }

    fn nothing() {
        CALLS.fetch_add(1, Relaxed);
    }

    fn calls() -> u32 {
        CALLS.load(Relaxed)
    }

    fn peek(v: CounterBorrow<'_>) -> i32 {
        v.get::<CounterState>().get()
    }

    fn counters(starts: Vec<i32>) -> Vec<Counter> {
        starts.into_iter().map(|start| Counter::new(CounterState::new(start))).collect()
    }

    fn total(v: Vec<CounterBorrow<'_>>) -> i32 {
        v.iter().map(|counter| counter.get::<CounterState>().get()).sum()
    }

    fn drain(v: Vec<Counter>) -> i32 {
        v.iter().map(|counter| counter.get::<CounterState>().get()).sum()
    }

    fn maybe_counter(start: Option<i32>) -> Option<Counter> {
        start.map(|start| Counter::new(CounterState::new(start)))
    }

    fn live() -> u32 {
        LIVE.load(Relaxed)
    }
}
