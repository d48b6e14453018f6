//! Every kind of value, from the host through a guest to the host and back, typed and dynamic.

mod common;

use std::collections::HashMap;
use std::fmt::Debug;

use common::{component, relay};
use wharf::component::{Lift, Linker, Lower, Val};
use wharf::{Engine, Store, TrapCode};

/// Sends `value` on its way as a `T` and as a `Val`.
fn roundtrip<T>(types: &str, ty: &str, flat: &[&str], value: T, dynamic: Val)
where
    T: Lift + Lower + PartialEq + Debug + Clone + 'static,
{
    let engine = Engine::default();
    let component = component(&engine, &relay(types, ty, flat, ""));

    let mut linker = Linker::<Option<T>>::new(&engine);
    linker
        .root()
        .func_wrap("f", |mut store, (x,): (T,)| {
            *store.data_mut() = Some(x.clone());
            Ok((x,))
        })
        .unwrap();
    let mut store = Store::new(&engine, None);
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let run = instance.get_typed_func::<(T,), (T,)>(&mut store, "run").unwrap();
    assert_eq!(run.call(&mut store, (value.clone(),)).unwrap(), (value.clone(),));
    assert_eq!(store.data().as_ref(), Some(&value));

    // The host function typed, the call dynamic: both see the same.
    let run = instance.get_func(&mut store, "run").unwrap();
    let mut results = [Val::Bool(false)];
    run.call(&mut store, std::slice::from_ref(&dynamic), &mut results)
        .unwrap();
    assert_eq!(results[0], dynamic);
    assert_eq!(store.data().as_ref(), Some(&value));

    let mut linker = Linker::<Option<Val>>::new(&engine);
    linker
        .root()
        .func_new("f", |mut store, _, params, results| {
            *store.data_mut() = Some(params[0].clone());
            results[0] = params[0].clone();
            Ok(())
        })
        .unwrap();
    let mut store = Store::new(&engine, None);
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let run = instance.get_typed_func::<(T,), (T,)>(&mut store, "run").unwrap();
    assert_eq!(run.call(&mut store, (value.clone(),)).unwrap(), (value,));
    assert_eq!(store.data().as_ref(), Some(&dynamic));
}

#[test]
fn numbers() {
    roundtrip("", "bool", &["i32"], true, Val::Bool(true));
    roundtrip("", "s8", &["i32"], -3i8, Val::S8(-3));
    roundtrip("", "u8", &["i32"], 200u8, Val::U8(200));
    roundtrip("", "s16", &["i32"], i16::MIN, Val::S16(i16::MIN));
    roundtrip("", "u16", &["i32"], u16::MAX, Val::U16(u16::MAX));
    roundtrip("", "s32", &["i32"], i32::MIN, Val::S32(i32::MIN));
    roundtrip("", "u32", &["i32"], u32::MAX, Val::U32(u32::MAX));
    roundtrip("", "s64", &["i64"], i64::MIN, Val::S64(i64::MIN));
    roundtrip("", "u64", &["i64"], u64::MAX, Val::U64(u64::MAX));
    roundtrip("", "f32", &["f32"], -1.5f32, Val::Float32(-1.5));
    roundtrip("", "f64", &["f64"], 1e300f64, Val::Float64(1e300));
    roundtrip("", "char", &["i32"], '🦀', Val::Char('🦀'));
}

#[test]
fn strings_and_lists() {
    let s = "grüße, 世界";
    roundtrip("", "string", &["i32", "i32"], s.to_owned(), Val::String(s.into()));
    roundtrip(
        "",
        "string",
        &["i32", "i32"],
        String::new(),
        Val::String(String::new()),
    );
    let bytes = vec![1u8, 2, 255];
    roundtrip(
        "(type $t (list u8))",
        "$t",
        &["i32", "i32"],
        bytes.clone(),
        Val::List(bytes.into_iter().map(Val::U8).collect()),
    );
    roundtrip(
        "(type $t (list s64))",
        "$t",
        &["i32", "i32"],
        vec![1i64, -1],
        Val::List(vec![Val::S64(1), Val::S64(-1)]),
    );
    roundtrip(
        "(type $e (list string)) (type $t (list $e))",
        "$t",
        &["i32", "i32"],
        vec![vec!["a".to_owned()], vec![], vec!["b".to_owned(), "c".to_owned()]],
        Val::List(vec![
            Val::List(vec![Val::String("a".into())]),
            Val::List(vec![]),
            Val::List(vec![Val::String("b".into()), Val::String("c".into())]),
        ]),
    );
    roundtrip(
        "(type $t (map string u16))",
        "$t",
        &["i32", "i32"],
        HashMap::from([("a".to_owned(), 7u16)]),
        Val::Map(vec![(Val::String("a".into()), Val::U16(7))]),
    );
}

#[derive(Clone, PartialEq, Debug)]
struct Mixed {
    small: u8,
    name: String,
    large: u64,
    shape: Shape,
    access: Access,
}
wharf::component::record!(Mixed {
    "small" => small: u8, "name" => name: String, "large" => large: u64, "shape" => shape: Shape, "access" => access: Access,
});

#[derive(Clone, PartialEq, Debug)]
enum Shape {
    Point,
    Circle(f32),
    Named(String),
    Large(u64),
}
wharf::component::variant!(Shape {
    "point" => Point, "circle" => Circle(f32), "named" => Named(String), "large" => Large(u64),
});

#[derive(Copy, Clone, PartialEq, Debug)]
enum Color {
    Red,
    DarkGreen,
}
wharf::component::enumeration!(Color { "red" => Red, "dark-green" => DarkGreen });

wharf::component::flags!(
    /// What may be done.
    Access: u16 {
        "a" => A, "b" => B, "c" => C, "d" => D, "e" => E, "f" => F, "g" => G, "h" => H, "last" => LAST,
    }
);

const TYPES: &str = r#"
    (type $shape' (variant (case "point") (case "circle" f32) (case "named" string) (case "large" u64)))
    (import "shape" (type $shape (eq $shape')))
    (type $access' (flags "a" "b" "c" "d" "e" "f" "g" "h" "last"))
    (import "access" (type $access (eq $access')))
    (type $mixed' (record (field "small" u8) (field "name" string) (field "large" u64)
        (field "shape" $shape) (field "access" $access)))
    (import "mixed" (type $mixed (eq $mixed')))
    (type $color' (enum "red" "dark-green"))
    (import "color" (type $color (eq $color')))"#;

#[test]
fn records_variants_enums_and_flags() {
    let shape = |case: &str, value: Option<Val>| Val::Variant(case.into(), value.map(Box::new));
    for (typed, dynamic) in [
        (Shape::Point, shape("point", None)),
        (Shape::Circle(0.5), shape("circle", Some(Val::Float32(0.5)))),
        (
            Shape::Named("n".into()),
            shape("named", Some(Val::String("n".into()))),
        ),
        (Shape::Large(1 << 60), shape("large", Some(Val::U64(1 << 60)))),
    ] {
        roundtrip(TYPES, "$shape", &["i32", "i64", "i32"], typed, dynamic);
    }
    roundtrip(
        TYPES,
        "$color",
        &["i32"],
        Color::DarkGreen,
        Val::Enum("dark-green".into()),
    );
    roundtrip(
        TYPES,
        "$access",
        &["i32"],
        Access::B | Access::LAST,
        Val::Flags(vec!["b".into(), "last".into()]),
    );
    let mixed = Mixed {
        small: 3,
        name: "mixed".into(),
        large: u64::MAX,
        shape: Shape::Circle(-1.0),
        access: Access::all() - Access::C,
    };
    let flags = ["a", "b", "d", "e", "f", "g", "h", "last"];
    let dynamic = Val::Record(vec![
        ("small".into(), Val::U8(3)),
        ("name".into(), Val::String("mixed".into())),
        ("large".into(), Val::U64(u64::MAX)),
        ("shape".into(), shape("circle", Some(Val::Float32(-1.0)))),
        ("access".into(), Val::Flags(flags.map(String::from).into())),
    ]);
    let flat = ["i32", "i32", "i32", "i64", "i32", "i64", "i32", "i32"];
    roundtrip(TYPES, "$mixed", &flat, mixed.clone(), dynamic.clone());
    roundtrip(
        &format!("{TYPES} (type $t (list $mixed))"),
        "$t",
        &["i32", "i32"],
        vec![mixed.clone(), mixed],
        Val::List(vec![dynamic.clone(), dynamic]),
    );
}

#[test]
fn options_results_and_tuples() {
    roundtrip(
        "(type $t (option u8))",
        "$t",
        &["i32", "i32"],
        Some(7u8),
        Val::Option(Some(Box::new(Val::U8(7)))),
    );
    roundtrip(
        "(type $t (option string))",
        "$t",
        &["i32", "i32", "i32"],
        None::<String>,
        Val::Option(None),
    );
    let t = "(type $t (result u64 (error string)))";
    let flat = ["i32", "i64", "i32"];
    roundtrip(
        t,
        "$t",
        &flat,
        Ok::<u64, String>(9),
        Val::Result(Ok(Some(Box::new(Val::U64(9))))),
    );
    roundtrip(
        t,
        "$t",
        &flat,
        Err::<u64, String>("bad".into()),
        Val::Result(Err(Some(Box::new(Val::String("bad".into()))))),
    );
    roundtrip(
        "(type $t (result))",
        "$t",
        &["i32"],
        Err::<(), ()>(()),
        Val::Result(Err(None)),
    );
    roundtrip(
        "(type $t (tuple u8 f64 string))",
        "$t",
        &["i32", "f64", "i32", "i32"],
        (1u8, 2.5f64, "x".to_owned()),
        Val::Tuple(vec![Val::U8(1), Val::Float64(2.5), Val::String("x".into())]),
    );
    roundtrip(
        "(type $o (option u32)) (type $t (tuple $o $o u8))",
        "$t",
        &["i32", "i32", "i32", "i32", "i32"],
        (Some(1u32), None::<u32>, 3u8),
        Val::Tuple(vec![
            Val::Option(Some(Box::new(Val::U32(1)))),
            Val::Option(None),
            Val::U8(3),
        ]),
    );
}

#[test]
fn more_than_sixteen_core_values_go_through_memory() {
    let ty = "(type $t (tuple u8 u64 u8 u64 u8 u64 u8 u64 u8 u64 u8 u64 u8 u64 u8 u64 string))";
    let text = format!(
        r#"(component {ty} (import "f" (func $f (param "x" $t) (result $t))) {}
        (core func $f' (canon lower (func $f) (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
        (core module $m
            (import "" "f" (func $f (param i32 i32)))
            (func (export "run") (param i32) (result i32) (call $f (local.get 0) (i32.const 1024)) (i32.const 1024)))
        (core instance $i (instantiate $m (with "" (instance (export "f" (func $f'))))))
        (func (export "run") (param "x" $t) (result $t)
            (canon lift (core func $i "run") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")))))"#,
        common::LIBC
    );
    type T = (
        u8,
        u64,
        u8,
        u64,
        u8,
        u64,
        u8,
        u64,
        u8,
        u64,
        u8,
        u64,
        u8,
        u64,
        u8,
        u64,
        String,
    );
    let value: T = (
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
        11,
        12,
        13,
        14,
        15,
        16,
        "end".into(),
    );
    let engine = Engine::default();
    let mut linker = Linker::<()>::new(&engine);
    linker.root().func_wrap("f", |_, (x,): (T,)| Ok((x,))).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker
        .instantiate(&mut store, &component(&engine, &text))
        .unwrap();
    let run = instance
        .get_func(&mut store, "run")
        .unwrap()
        .typed::<(T,), (T,)>(&mut store)
        .unwrap();
    let (got,) = run.call(&mut store, (value,)).unwrap();
    assert_eq!((got.0, got.1, got.15, got.16), (1, 2, 16, "end".to_owned()));
}

#[test]
fn strings_in_every_encoding() {
    for encoding in [
        "string-encoding=utf8",
        "string-encoding=utf16",
        "string-encoding=latin1+utf16",
    ] {
        let engine = Engine::default();
        let component = component(&engine, &relay("", "string", &["i32", "i32"], encoding));
        let mut linker = Linker::<()>::new(&engine);
        linker
            .root()
            .func_wrap("f", |_, (s,): (String,)| Ok((s + "!",)))
            .unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let run = instance
            .get_typed_func::<(&str,), (String,)>(&mut store, "run")
            .unwrap();
        for s in ["", "ascii", "grüße", "ÿ and then 世界", "世界", "🦀"] {
            assert_eq!(
                run.call(&mut store, (s,)).unwrap().0,
                format!("{s}!"),
                "{encoding}"
            );
        }
    }
}

#[test]
fn values_that_do_not_fit_are_refused_before_the_call() {
    let engine = Engine::default();
    let component = component(
        &engine,
        &relay(
            TYPES,
            "$mixed",
            &["i32", "i32", "i32", "i64", "i32", "i64", "i32", "i32"],
            "",
        ),
    );
    let mut linker = Linker::<()>::new(&engine);
    linker
        .root()
        .func_new("f", |_, _, p, r| {
            r[0] = p[0].clone();
            Ok(())
        })
        .unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let run = instance.get_func(&mut store, "run").unwrap();
    let mut results = [Val::Bool(false)];
    let error = run
        .call(&mut store, &[Val::U8(1)], &mut results)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("argument `x`") && error.contains("record"),
        "{error}"
    );
    let error = run.call(&mut store, &[], &mut results).unwrap_err().to_string();
    assert!(error.contains("expected 1 argument"), "{error}");
    let error = instance
        .get_typed_func::<(u32,), (u32,)>(&mut store, "run")
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("record") && error.contains("u32"), "{error}");
    assert!(
        instance
            .get_typed_func::<(Mixed,), (Mixed,)>(&mut store, "run")
            .is_ok()
    );
    assert!(
        instance
            .get_typed_func::<(Mixed,), (Mixed,)>(&mut store, "walk")
            .is_err()
    );
}

#[test]
fn bad_values_from_a_guest_trap() {
    let bad = |ty: &str, code: &str| {
        let (mut store, instance) = common::instance(&format!(
            r#"(component (type $v (variant (case "a") (case "b"))) (type $b (list u32))
            (core module $m (memory (export "memory") 1) (func (export "f") (result i32) {code}))
            (core instance $i (instantiate $m))
            (export $v' "v" (type $v))
            (func (export "f") (result {ty}) (canon lift (core func $i "f") (memory (core memory $i "memory")))))"#
        ));
        let f = instance.get_func(&mut store, "f").unwrap();
        let mut results = [Val::Bool(false)];
        let error = f.call(&mut store, &[], &mut results).unwrap_err();
        // The trap closes the instance.
        let again = f.call(&mut store, &[], &mut results).unwrap_err();
        assert_eq!(again.trap_code(), Some(TrapCode::CannotEnterComponent));
        error.trap_code()
    };
    assert_eq!(bad("char", "(i32.const 0xd800)"), Some(TrapCode::InvalidChar));
    assert_eq!(bad("$v'", "(i32.const 2)"), Some(TrapCode::InvalidDiscriminant));
    let list = |pointer: u32, length: u32| {
        format!(
            "(i32.store (i32.const 0) (i32.const {pointer})) (i32.store (i32.const 4) (i32.const {length})) (i32.const 0)"
        )
    };
    assert_eq!(bad("$b", &list(1, 1)), Some(TrapCode::UnalignedPointer));
    assert_eq!(
        bad("$b", &list(0, 0x10000)),
        Some(TrapCode::ListPointerOutOfBounds)
    );
    assert_eq!(bad("$b", &list(0, 0x8000_0000)), Some(TrapCode::ListTooLong));
    assert_eq!(
        bad("string", &list(0xffff_ffff, 2)),
        Some(TrapCode::StringPointerOutOfBounds)
    );
    assert_eq!(bad("string", "(i32.const 2)"), Some(TrapCode::UnalignedPointer));
    assert_eq!(
        bad("string", "(i32.const 65536)"),
        Some(TrapCode::PointerOutOfBounds)
    );
    let text = "(i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 1)) (i32.store8 (i32.const 16) (i32.const 0xff)) (i32.const 0)";
    assert_eq!(bad("string", text), Some(TrapCode::InvalidUtf8));
}

#[test]
fn overlapping_lists_do_not_take_all_memory_of_the_host() {
    // 8000 lists, each of the same 64 KiB.
    let (mut store, instance) = common::instance(
        r#"(component (type $inner (list u8)) (type $l (list $inner))
        (core module $m (memory (export "memory") 2)
            (func (export "f") (result i32) (local $i i32)
                (loop $again
                    (i32.store offset=65540 (i32.mul (local.get $i) (i32.const 8)) (i32.const 65536))
                    (br_if $again (i32.lt_u
                        (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 8190))))
                (i32.store (i32.const 0) (i32.const 65536)) (i32.store (i32.const 4) (i32.const 8190))
                (i32.const 0)))
        (core instance $i (instantiate $m))
        (func (export "f") (result $l) (canon lift (core func $i "f") (memory (core memory $i "memory")))))"#,
    );
    let f = instance.get_func(&mut store, "f").unwrap();
    let mut results = [Val::Bool(false)];
    let error = f.call(&mut store, &[], &mut results).unwrap_err();
    assert!(matches!(error.kind(), wharf::ErrorKind::Limit(_)), "{error}");
}
