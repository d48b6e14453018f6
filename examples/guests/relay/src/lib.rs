//! A component that imports the interface `values` and exports it, passing each call on. Alone, it shows a host's implementation of
//! the interface; composed with `rust-library`, calls from component to component with every kind of value.

mod check;

use exports::wharf::guests::values::{
    Access, Color, Counter, CounterBorrow, Guest as Values, GuestCounter, Letters, Mixed, Point, Shape,
};
use wharf::guests::{values as there, work};

wit_bindgen::generate!({ path: "../rust-library/wit/values.wit", world: "relay", merge_structurally_equal_types: true, additional_derives: [PartialEq, Clone] });

struct Relay;
export!(Relay);

/// A counter of this component: a handle of one on the other side.
struct Wrapped(there::Counter);

fn wrap(inner: there::Counter) -> Counter {
    Counter::new(Wrapped(inner))
}

impl GuestCounter for Wrapped {
    fn new(start: i32) -> Self {
        Wrapped(there::Counter::new(start))
    }

    fn add(&self, by: i32) -> i32 {
        self.0.add(by)
    }

    fn value(&self) -> i32 {
        self.0.value()
    }

    fn sum(a: CounterBorrow<'_>, b: CounterBorrow<'_>) -> Counter {
        wrap(there::Counter::sum(&a.get::<Wrapped>().0, &b.get::<Wrapped>().0))
    }

    fn finish(c: Counter) -> i32 {
        there::Counter::finish(c.into_inner::<Wrapped>().0)
    }
}

/// Functions whose parameter the other side only borrows take a reference.
macro_rules! pass {
    (owned: $($name:ident: $type:ty,)* ; borrowed: $($borrowing:ident: $borrowed:ty,)*) => {
        $(fn $name(v: $type) -> $type { there::$name(v) })*
        $(fn $borrowing(v: $borrowed) -> $borrowed { there::$borrowing(&v) })*
    };
}

impl Values for Relay {
    type Counter = Wrapped;

    pass! {
        owned:
        echo_bool: bool, echo_u8: u8, echo_u16: u16, echo_u32: u32, echo_u64: u64, echo_s8: i8, echo_s16: i16, echo_s32: i32,
        echo_s64: i64, echo_f32: f32, echo_f64: f64, echo_char: char, echo_point: Point,
        echo_color: Color, echo_access: Access, echo_letters: Letters,
        echo_option: Option<u32>, echo_option_option: Option<Option<u8>>, echo_result_ok: Result<u64, ()>, echo_result_empty: Result<(), ()>,;
        borrowed:
        echo_string: String, echo_bytes: Vec<u8>, echo_numbers: Vec<i64>, echo_floats: Vec<f64>, echo_strings: Vec<String>,
        echo_nested: Vec<Vec<String>>, echo_tuples: Vec<(String, u64)>, echo_mixed: Mixed, echo_shape: Shape, echo_shapes: Vec<Shape>,
    }

    fn echo_tuple(v: (u8, String, f32)) -> (u8, String, f32) {
        there::echo_tuple((v.0, &v.1, v.2))
    }

    fn echo_option_string(v: Option<String>) -> Option<String> {
        there::echo_option_string(v.as_deref())
    }

    fn echo_result(v: Result<String, u32>) -> Result<String, u32> {
        there::echo_result(v.as_deref().map_err(|&code| code))
    }

    fn echo_result_err(v: Result<(), String>) -> Result<(), String> {
        there::echo_result_err(v.as_ref().map(|()| ()).map_err(String::as_str))
    }

    fn many(
        a: u8, b: u16, c: u32, d: u64, e: i8, f: i16, g: i32, h: i64, i: f32, j: f64, k: char, l: bool, m: String, n: Vec<u8>, o: Point,
        p: Option<u8>,
    ) -> String {
        there::many(a, b, c, d, e, f, g, h, i, j, k, l, &m, &n, o, p)
    }

    fn nothing() {
        there::nothing();
    }

    fn calls() -> u32 {
        there::calls()
    }

    fn echo_counter(v: Counter) -> Counter {
        wrap(there::echo_counter(v.into_inner::<Wrapped>().0))
    }

    fn peek(v: CounterBorrow<'_>) -> i32 {
        there::peek(&v.get::<Wrapped>().0)
    }

    fn counters(starts: Vec<i32>) -> Vec<Counter> {
        there::counters(&starts).into_iter().map(wrap).collect()
    }

    fn total(v: Vec<CounterBorrow<'_>>) -> i32 {
        there::total(&v.iter().map(|counter| &counter.get::<Wrapped>().0).collect::<Vec<_>>())
    }

    fn drain(v: Vec<Counter>) -> i32 {
        there::drain(v.into_iter().map(|counter| counter.into_inner::<Wrapped>().0).collect())
    }

    fn maybe_counter(start: Option<i32>) -> Option<Counter> {
        there::maybe_counter(start).map(wrap)
    }

    fn live() -> u32 {
        there::live()
    }
}

impl Guest for Relay {
    fn check() -> Result<u32, String> {
        check::all()
    }

    fn call_often(times: u32) -> u32 {
        (0..times).fold(0, |sum, n| sum.wrapping_add(there::echo_u32(n)))
    }

    fn send_bytes(size: u32, times: u32) -> u64 {
        let bytes: Vec<u8> = (0..size).map(|n| n as u8).collect();
        (0..times).map(|_| there::echo_bytes(&bytes).iter().map(|&byte| u64::from(byte)).sum::<u64>()).sum()
    }

    fn churn(times: u32) -> u32 {
        for n in 0..times {
            let counter = there::Counter::new(n as i32);
            counter.add(1);
        }
        there::live()
    }

    fn trap_there(message: String) {
        work::trap(&message);
    }
}
