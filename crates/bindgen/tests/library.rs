//! Calls into a component that exports functions over every kind of value.

use wharf::component::{Component, Linker, bindgen};
use wharf::{Engine, Store};

bindgen!({
    path: "../../examples/guests/rust-library/wit",
    world: "library",
    additional_derives: [PartialEq],
});

use exports::wharf::guests::values::{Access, Color, Letters, Mixed, Point, Shape};

fn instantiate() -> (Store<()>, Library) {
    let engine = Engine::default();
    let bytes = include_bytes!("../../../examples/guests/rust-library/rust-library.wasm").as_slice();
    let component = Component::new(&engine, bytes).unwrap();
    let mut store = Store::new(&engine, ());
    let library = Library::instantiate(&mut store, &component, &Linker::new(&engine)).unwrap();
    (store, library)
}

#[test]
fn functions_of_the_world() {
    let (mut store, library) = instantiate();
    assert_eq!(library.call_greet(&mut store, "Ada").unwrap(), "Hello, Ada!");
    assert_eq!(library.call_add(&mut store, u32::MAX, 3).unwrap(), 2);
}

#[test]
fn every_type() {
    let (mut store, library) = instantiate();
    let values = library.wharf_guests_values();
    macro_rules! same {
        ($($function:ident($value:expr)),* $(,)?) => { $({
            let value = $value;
            assert_eq!(values.$function(&mut store, value.clone()).unwrap(), value);
        })* };
    }
    // Lent on the way in, owned on the way out.
    macro_rules! same_lent {
        ($($function:ident($value:expr)),* $(,)?) => { $({
            let value = $value;
            assert_eq!(values.$function(&mut store, &value).unwrap(), value);
        })* };
    }
    let points = vec![
        Point { x: 1, y: -2 },
        Point {
            x: i32::MIN,
            y: i32::MAX,
        },
    ];
    let mixed = Mixed {
        flag: true,
        wide: 1 << 60,
        small: -8,
        name: "größer 🚢".to_owned(),
        origin: points[0],
        rest: points.clone(),
        note: Some(String::new()),
    };
    let shapes = vec![
        Shape::Empty,
        Shape::Circle(-0.5),
        Shape::Polygon(points.clone()),
        Shape::Labelled(("l".to_owned(), Color::Blue)),
        Shape::Count(u64::MAX),
    ];
    same! {
        call_echo_bool(true), call_echo_u8(200), call_echo_u16(60_000), call_echo_u32(4_000_000_000),
        call_echo_u64(u64::MAX), call_echo_s8(-100), call_echo_s16(-30_000), call_echo_s32(i32::MIN),
        call_echo_s64(i64::MIN), call_echo_f32(1.5e-30), call_echo_f64(-2.5e300), call_echo_char('🚢'),
        call_echo_point(points[1]), call_echo_color(Color::Green), call_echo_access(Access::READ | Access::EXECUTE),
        call_echo_letters(Letters::A | Letters::T), call_echo_option(Some(7)), call_echo_option_option(Some(None)),
        call_echo_result_ok(Ok(3)), call_echo_result_ok(Err(())), call_echo_result_empty(Err(())),
    }
    same_lent! {
        call_echo_bytes(vec![1u8, 2, 255]), call_echo_numbers(vec![i64::MIN, 0]), call_echo_floats(vec![0.1f64]),
        call_echo_strings(vec!["a".to_owned(), String::new()]), call_echo_mixed(mixed), call_echo_shapes(shapes.clone()),
        call_echo_nested(vec![vec![], vec!["x".to_owned()]]), call_echo_tuples(vec![("t".to_owned(), 9u64)]),
    }
    for shape in shapes {
        same_lent!(call_echo_shape(shape));
    }
    assert_eq!(
        values.call_echo_string(&mut store, "größer 🚢").unwrap(),
        "größer 🚢"
    );
    assert_eq!(
        values.call_echo_tuple(&mut store, (1, "two", 3.0)).unwrap(),
        (1, "two".to_owned(), 3.0)
    );
    assert_eq!(
        values
            .call_echo_option_string(&mut store, Some("s"))
            .unwrap()
            .as_deref(),
        Some("s")
    );
    assert_eq!(
        values.call_echo_result(&mut store, Ok("fine")).unwrap(),
        Ok("fine".to_owned())
    );
    assert_eq!(
        values.call_echo_result_err(&mut store, Err("bad")).unwrap(),
        Err("bad".to_owned())
    );
}

#[test]
fn resources() {
    let (mut store, library) = instantiate();
    let values = library.wharf_guests_values();
    let counter = values.counter();
    let a = counter.call_constructor(&mut store, 10).unwrap();
    let b = values.call_echo_counter(&mut store, a).unwrap();
    assert_eq!(counter.call_add(&mut store, b, 5).unwrap(), 15);
    let more = values.call_counters(&mut store, &[1, 2]).unwrap();
    assert_eq!(values.call_total(&mut store, &more).unwrap(), 3);
    let sum = counter.call_sum(&mut store, b, more[0]).unwrap();
    assert_eq!(counter.call_value(&mut store, sum).unwrap(), 16);
    assert_eq!(values.call_live(&mut store).unwrap(), 4);
    assert_eq!(values.call_drain(&mut store, &more).unwrap(), 3);
    assert_eq!(counter.call_finish(&mut store, sum).unwrap(), 16);
    b.resource_drop(&mut store).unwrap();
    assert_eq!(values.call_live(&mut store).unwrap(), 0);
    assert!(counter.call_value(&mut store, sum).is_err());
}

#[test]
fn errors_and_traps() {
    let (mut store, library) = instantiate();
    let work = library.wharf_guests_work();
    assert_eq!(work.call_divide(&mut store, 7, 2).unwrap(), Ok(3));
    assert!(work.call_divide(&mut store, 7, 0).unwrap().is_err());
    assert_eq!(
        work.call_words(&mut store, "a b a").unwrap()[0],
        ("a".to_owned(), 2)
    );
    let error = work.call_trap(&mut store, "no").unwrap_err();
    assert!(error.trap_code().is_some(), "{error}");
}
