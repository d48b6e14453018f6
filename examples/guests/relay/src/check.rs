//! Calls with values that are easy to get wrong: the ends of each range, empty and long strings and lists, every case of a variant.

use crate::wharf::guests::values::*;
use crate::wharf::guests::work;

struct Checks(u32);

impl Checks {
    fn same<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, sent: T, got: T) -> Result<(), String> {
        if sent != got {
            return Err(format!("{what}: {got:?} instead of {sent:?}"));
        }
        self.0 += 1;
        Ok(())
    }
}

/// `name: value, value;` sends each value to `echo-name` and compares.
macro_rules! echo {
    ($checks:ident: $($function:ident($($value:expr),* $(,)?);)*) => {
        $($({
            let value = $value;
            $checks.same(stringify!($function), value.clone(), $function(value))?;
        })*)*
    };
}

pub fn all() -> Result<u32, String> {
    let mut checks = Checks(0);
    scalars(&mut checks)?;
    lists(&mut checks)?;
    compounds(&mut checks)?;
    resources(&mut checks)?;
    calculations(&mut checks)?;
    Ok(checks.0)
}

fn scalars(checks: &mut Checks) -> Result<(), String> {
    echo! { checks:
        echo_bool(true, false);
        echo_u8(0, 1, u8::MAX);
        echo_u16(0, u16::MAX);
        echo_u32(0, 1 << 31, u32::MAX);
        echo_u64(0, 1 << 63, u64::MAX);
        echo_s8(i8::MIN, -1, i8::MAX);
        echo_s16(i16::MIN, -1, i16::MAX);
        echo_s32(i32::MIN, -1, i32::MAX);
        echo_s64(i64::MIN, -1, i64::MAX);
        echo_f32(0.0, -1.5, f32::MAX, f32::MIN_POSITIVE, f32::INFINITY);
        echo_f64(0.0, -0.1, f64::MAX, f64::MIN_POSITIVE, f64::NEG_INFINITY);
        echo_char('a', '\0', '\u{d7ff}', '\u{e000}', '\u{10ffff}');
    }
    checks.same("f32 nan", true, echo_f32(f32::NAN).is_nan())?;
    checks.same("f64 nan", true, echo_f64(f64::NAN).is_nan())?;
    checks.same("negative zero", true, echo_f64(-0.0).is_sign_negative())
}

fn lists(checks: &mut Checks) -> Result<(), String> {
    for text in ["", "a", "Zürich 東京 🚢", &"0123456789".repeat(10_000), &"ß🚢".repeat(3000)] {
        checks.same("echo_string", text.to_owned(), echo_string(text))?;
    }
    for size in [0, 1, 255, 65_536, 300_000_u32] {
        let bytes: Vec<u8> = (0..size).map(|n| (n * 7) as u8).collect();
        checks.same("echo_bytes", echo_bytes(&bytes), bytes)?;
    }
    let numbers: Vec<i64> = (0..5000).map(|n| (n - 2500) * i64::from(i32::MAX)).collect();
    checks.same("echo_numbers", echo_numbers(&numbers), numbers)?;
    let floats = vec![0.5, f64::MIN, f64::INFINITY];
    checks.same("echo_floats", echo_floats(&floats), floats)?;
    let strings: Vec<String> = (0..300).map(|n| "x".repeat(n)).collect();
    checks.same("echo_strings", echo_strings(&strings), strings.clone())?;
    let nested = vec![strings, Vec::new(), vec![String::new()]];
    checks.same("echo_nested", echo_nested(&nested), nested)?;
    let tuples = vec![("one".to_owned(), 1), (String::new(), u64::MAX)];
    checks.same("echo_tuples", echo_tuples(&tuples), tuples)
}

fn compounds(checks: &mut Checks) -> Result<(), String> {
    checks.same("echo_tuple", (7, "seven".to_owned(), 7.5), echo_tuple((7, "seven", 7.5)))?;
    echo! { checks:
        echo_point(Point { x: i32::MIN, y: i32::MAX });
        echo_color(Color::Red, Color::Green, Color::Blue);
        echo_access(Access::empty(), Access::READ | Access::EXECUTE, Access::from_bits_retain(0b111));
        echo_letters(Letters::empty(), Letters::A | Letters::Q | Letters::T, Letters::from_bits_retain(0xf_ffff));
        echo_option(None, Some(0), Some(u32::MAX));
        echo_option_option(None, Some(None), Some(Some(255)));
        echo_result_ok(Ok(u64::MAX), Err(()));
        echo_result_empty(Ok(()), Err(()));
    }
    for note in [None, Some("noted".to_owned())] {
        let points = vec![Point { x: 1, y: 2 }, Point { x: 3, y: 4 }];
        let mixed = Mixed { flag: true, wide: u64::MAX, small: -5, name: "mixed".into(), origin: Point { x: -1, y: -2 }, rest: points, note };
        checks.same("echo_mixed", echo_mixed(&mixed), mixed)?;
    }
    let shapes = vec![
        Shape::Empty,
        Shape::Circle(f64::MAX),
        Shape::Polygon(vec![Point { x: 9, y: -9 }; 100]),
        Shape::Labelled(("label".into(), Color::Blue)),
        Shape::Count(u64::MAX),
    ];
    for shape in &shapes {
        checks.same("echo_shape", echo_shape(shape), shape.clone())?;
    }
    checks.same("echo_shapes", echo_shapes(&shapes), shapes)?;
    for text in [None, Some(""), Some("inside")] {
        checks.same("echo_option_string", echo_option_string(text), text.map(str::to_owned))?;
    }
    for result in [Ok("fine"), Err(404)] {
        checks.same("echo_result", echo_result(result), result.map(str::to_owned))?;
    }
    for result in [Ok(()), Err("no")] {
        checks.same("echo_result_err", echo_result_err(result), result.map_err(str::to_owned))?;
    }
    let many = many(1, 2, 3, 4, -5, -6, -7, -8, 9.5, 10.25, 'k', true, "m", &[14], Point { x: 15, y: -15 }, Some(16));
    checks.same("many", "1 2 3 4 -5 -6 -7 -8 9.5 10.25 k true \"m\" [14] (15, -15) Some(16)".to_owned(), many)?;
    let before = calls();
    nothing();
    nothing();
    checks.same("calls", before + 2, calls())
}

fn resources(checks: &mut Checks) -> Result<(), String> {
    let alive = live();
    {
        let (a, b) = (Counter::new(40), Counter::new(-2));
        checks.same("add", 41, a.add(1))?;
        checks.same("value", 41, a.value())?;
        let sum = Counter::sum(&a, &b);
        checks.same("sum", 39, peek(&sum))?;
        checks.same("live", alive + 3, live())?;
        checks.same("total", 78, total(&[&a, &b, &sum]))?;
        let a = echo_counter(a);
        checks.same("the same after an echo", 41, a.value())?;
        checks.same("finish", 41, Counter::finish(a))?;
        checks.same("live", alive + 2, live())?;
        let all = counters(&[1, 2, 3, 4]);
        checks.same("counters", 4, all.len())?;
        checks.same("drain", 10, drain(all))?;
        checks.same("no counter", true, maybe_counter(None).is_none())?;
        checks.same("a counter", Some(5), maybe_counter(Some(5)).map(|counter| counter.value()))?;
    }
    checks.same("all dropped", alive, live())
}

fn calculations(checks: &mut Checks) -> Result<(), String> {
    checks.same("fibonacci", 6765, work::fibonacci(20))?;
    checks.same("sort", vec![-5, 0, 3, 3], work::sort(&[3, 0, -5, 3]))?;
    checks.same("words", vec![("a".to_owned(), 2), ("b".to_owned(), 1)], work::words("a b a"))?;
    checks.same("hash", 0xcbf2_9ce4_8422_2325, work::hash(&[]))?;
    checks.same("repeat", "ababab".to_owned(), work::repeat("ab", 3))?;
    checks.same("divide", Err("cannot divide 1 by 0".to_owned()), work::divide(1, 0))
}
