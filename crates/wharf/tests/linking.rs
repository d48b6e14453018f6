//! Imports, resources, poisoned instances, waiting host functions, and instances linked to each other.

mod common;

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use common::{LIBC, component, instance};
use wharf::component::{Component, Linker, Resource, ResourceAny, ResourceTable, ResourceType, Val};
use wharf::{Engine, ErrorKind, Store, TrapCode};

/// A component that calls the import `name` (an instance's function `f: func(x: u32) -> u32`) from `run`.
fn importer(name: &str) -> String {
    format!(
        r#"(component
        (import "{name}" (instance $i (export "f" (func (param "x" u32) (result u32)))))
        (core func $f (canon lower (func $i "f")))
        (core module $m
            (import "" "f" (func $f (param i32) (result i32)))
            (func (export "run") (param i32) (result i32) (call $f (local.get 0))))
        (core instance $c (instantiate $m (with "" (instance (export "f" (func $f))))))
        (func (export "run") (param "x" u32) (result u32) (canon lift (core func $c "run"))))"#
    )
}

#[test]
fn components_of_another_engine_are_refused() {
    let component = component(&Engine::default(), &importer("a"));
    let engine = component.engine().clone();
    let mut linker = Linker::<()>::new(&engine);
    linker
        .instance("a")
        .unwrap()
        .func_wrap("f", |_, (x,): (u32,)| Ok((x,)))
        .unwrap();
    let mut other = Store::new(&Engine::default(), ());
    let error = linker.instantiate(&mut other, &component).unwrap_err();
    assert!(error.to_string().contains("another engine"), "{error}");
}

#[test]
fn unknown_and_unfitting_imports_are_named() {
    let engine = Engine::default();
    let component = component(&engine, &importer("a:b/c@0.2.3"));
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::<()>::new(&engine);
    let error = linker.instantiate(&mut store, &component).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Link(_)));
    assert!(
        error.to_string().contains("`a:b/c@0.2.3` has not been defined"),
        "{error}"
    );

    linker
        .instance("a:b/c@0.2.12")
        .unwrap()
        .func_wrap("g", |_, (): ()| Ok(()))
        .unwrap();
    let error = linker
        .instantiate(&mut store, &component)
        .unwrap_err()
        .to_string();
    assert!(error.contains("`a:b/c@0.2.3` has no export `f`"), "{error}");

    linker.allow_shadowing(true);
    linker
        .instance("a:b/c@0.2.12")
        .unwrap()
        .func_wrap("f", |_, (_,): (String,)| Ok((1u32,)))
        .unwrap();
    let error = linker
        .instantiate(&mut store, &component)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("a:b/c@0.2.3#f") && error.contains("expected `u32`, found `string`"),
        "{error}"
    );

    linker
        .instance("a:b/c@0.2.12")
        .unwrap()
        .func_wrap("f", |_, (x,): (u32,)| Ok((x + 1,)))
        .unwrap();
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let run = instance
        .get_typed_func::<(u32,), (u32,)>(&mut store, "run")
        .unwrap();
    assert_eq!(run.call(&mut store, (4,)).unwrap(), (5,));

    let mut linker = Linker::<()>::new(&engine);
    linker.define_unknown_imports_as_traps(&component).unwrap();
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let run = instance
        .get_typed_func::<(u32,), (u32,)>(&mut store, "run")
        .unwrap();
    let error = run.call(&mut store, (4,)).unwrap_err().to_string();
    assert!(error.contains("a:b/c@0.2.3#f"), "{error}");
}

#[test]
fn errors_of_the_host_come_back_and_close_the_instance_only() {
    let engine = Engine::default();
    let component = component(&engine, &importer("a:b/c"));
    let mut linker = Linker::<()>::new(&engine);
    linker
        .instance("a:b/c")
        .unwrap()
        .func_wrap("f", |_, (x,): (u32,)| match x {
            0 => Err(wharf::Error::host(std::io::Error::other("no zero"))),
            x => Ok((x,)),
        })
        .unwrap();
    let mut store = Store::new(&engine, ());
    let first = linker.instantiate(&mut store, &component).unwrap();
    let second = linker.instantiate(&mut store, &component).unwrap();
    let run = first.get_typed_func::<(u32,), (u32,)>(&mut store, "run").unwrap();
    assert_eq!(run.call(&mut store, (7,)).unwrap(), (7,));
    let error = run.call(&mut store, (0,)).unwrap_err();
    assert_eq!(
        error.downcast_ref::<std::io::Error>().unwrap().to_string(),
        "no zero"
    );
    assert_eq!(
        run.call(&mut store, (7,)).unwrap_err().trap_code(),
        Some(TrapCode::CannotEnterComponent)
    );
    let run = second
        .get_typed_func::<(u32,), (u32,)>(&mut store, "run")
        .unwrap();
    assert_eq!(run.call(&mut store, (7,)).unwrap(), (7,));
}

#[test]
fn a_guest_cannot_be_entered_again_from_its_host_function() {
    let engine = Engine::default();
    let component = component(&engine, &importer("a:b/c"));
    let mut linker = Linker::<Option<wharf::component::TypedFunc<(u32,), (u32,)>>>::new(&engine);
    linker
        .instance("a:b/c")
        .unwrap()
        .func_wrap("f", |mut store, (x,): (u32,)| {
            let run = *store.data();
            run.unwrap().call(&mut store, (x,))
        })
        .unwrap();
    let mut store = Store::new(&engine, None);
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let run = instance
        .get_typed_func::<(u32,), (u32,)>(&mut store, "run")
        .unwrap();
    *store.data_mut() = Some(run);
    assert_eq!(
        run.call(&mut store, (7,)).unwrap_err().trap_code(),
        Some(TrapCode::CannotEnterComponent)
    );
}

#[test]
fn exports_of_a_live_instance_satisfy_imports() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let provider = component(
        &engine,
        r#"(component
        (core module $m (func (export "f") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3))))
        (core instance $c (instantiate $m))
        (func $f (param "x" u32) (result u32) (canon lift (core func $c "f")))
        (instance $i (export "f" (func $f)))
        (export "a:b/c@1.2.0" (instance $i)))"#,
    );
    let mut linker = Linker::<()>::new(&engine);
    let provider = linker.instantiate(&mut store, &provider).unwrap();
    linker.root().exports(&mut store, &provider).unwrap();
    let consumer = linker
        .instantiate(&mut store, &component(&engine, &importer("a:b/c@1.0.0")))
        .unwrap();
    let run = consumer
        .get_typed_func::<(u32,), (u32,)>(&mut store, "run")
        .unwrap();
    assert_eq!(run.call(&mut store, (14,)).unwrap(), (42,));

    let outer = provider
        .get_export_index(&mut store, None, "a:b/c@1.2.0")
        .unwrap();
    let inner = provider.get_export_index(&mut store, Some(&outer), "f").unwrap();
    let f = provider
        .get_typed_func::<(u32,), (u32,)>(&mut store, inner)
        .unwrap();
    assert_eq!(f.call(&mut store, (2,)).unwrap(), (6,));
}

struct File(&'static str);

/// A guest that opens a file of the host, reads its length through a borrow and then drops, returns or keeps it.
fn files() -> String {
    r#"(component
        (import "fs" (instance $fs
            (export "file" (type $file (sub resource)))
            (export "open" (func (result (own $file))))
            (export "length" (func (param "self" (borrow $file)) (result u32)))))
        (alias export $fs "file" (type $file))
        (core func $open (canon lower (func $fs "open")))
        (core func $length (canon lower (func $fs "length")))
        (core func $drop (canon resource.drop $file))
        (core module $m
            (import "" "open" (func $open (result i32)))
            (import "" "length" (func $length (param i32) (result i32)))
            (import "" "drop" (func $drop (param i32)))
            (func (export "measure") (result i32)
                (local $h i32) (local $n i32)
                (local.set $h (call $open))
                (local.set $n (call $length (local.get $h)))
                (call $drop (local.get $h))
                (local.get $n))
            (func (export "give") (result i32) (call $open))
            (func (export "use") (param i32) (result i32) (local $n i32)
                (local.set $n (call $length (local.get 0)))
                (call $drop (local.get 0))
                (local.get $n))
            (func (export "keep") (param i32) (result i32) (call $length (local.get 0)))
            (func (export "stale") (result i32) (call $length (i32.const 77))))
        (core instance $c (instantiate $m (with "" (instance
            (export "open" (func $open)) (export "length" (func $length)) (export "drop" (func $drop))))))
        (func (export "measure") (result u32) (canon lift (core func $c "measure")))
        (func (export "give") (result (own $file)) (canon lift (core func $c "give")))
        (func (export "use") (param "f" (borrow $file)) (result u32) (canon lift (core func $c "use")))
        (func (export "take") (param "f" (own $file)) (result u32) (canon lift (core func $c "use")))
        (func (export "keep") (param "f" (borrow $file)) (result u32) (canon lift (core func $c "keep")))
        (func (export "stale") (result u32) (canon lift (core func $c "stale"))))"#
        .to_string()
}

#[derive(Default)]
struct Files {
    table: ResourceTable,
    dropped: Vec<&'static str>,
}

fn files_linker(engine: &Engine) -> Linker<Files> {
    let mut linker = Linker::<Files>::new(engine);
    let mut fs = linker.instance("fs").unwrap();
    fs.resource("file", ResourceType::host::<File>(), |mut store, rep| {
        let files: &mut Files = store.data_mut();
        let file = files
            .table
            .delete(Resource::<File>::new_own(rep))
            .map_err(wharf::Error::host)?;
        files.dropped.push(file.0);
        Ok(())
    })
    .unwrap();
    fs.func_wrap("open", |mut store, (): ()| {
        let files: &mut Files = store.data_mut();
        Ok((files.table.push(File("notes")).map_err(wharf::Error::host)?,))
    })
    .unwrap();
    fs.func_wrap("length", |store, (file,): (Resource<File>,)| {
        assert!(!file.owned());
        Ok((store.data().table.get(&file).map_err(wharf::Error::host)?.0.len() as u32,))
    })
    .unwrap();
    linker
}

#[test]
fn resources_of_the_host() {
    let engine = Engine::default();
    let component = component(&engine, &files());
    let linker = files_linker(&engine);
    let mut store = Store::new(&engine, Files::default());
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let measure = instance
        .get_typed_func::<(), (u32,)>(&mut store, "measure")
        .unwrap();
    assert_eq!(measure.call(&mut store, ()).unwrap(), (5,));
    assert_eq!(store.data().dropped, ["notes"]);

    // Out to the host, typed and dynamic, and in again.
    let give = instance
        .get_typed_func::<(), (Resource<File>,)>(&mut store, "give")
        .unwrap();
    let (file,) = give.call(&mut store, ()).unwrap();
    assert!(file.owned());
    let lent = Resource::<File>::new_borrow(file.rep());
    let using = instance
        .get_typed_func::<(Resource<File>,), (u32,)>(&mut store, "use")
        .unwrap();
    assert_eq!(using.call(&mut store, (lent,)).unwrap(), (5,));
    assert_eq!(store.data().dropped.len(), 1);
    let take = instance
        .get_typed_func::<(Resource<File>,), (u32,)>(&mut store, "take")
        .unwrap();
    assert_eq!(take.call(&mut store, (file,)).unwrap(), (5,));
    assert_eq!(store.data().dropped.len(), 2);

    let give = instance
        .get_typed_func::<(), (ResourceAny,)>(&mut store, "give")
        .unwrap();
    let (any,) = give.call(&mut store, ()).unwrap();
    assert_eq!(any.ty(), ResourceType::host::<File>());
    let take = instance.get_func(&mut store, "take").unwrap();
    let mut results = [Val::Bool(false)];
    take.call(&mut store, &[Val::Resource(any)], &mut results)
        .unwrap();
    assert_eq!(results[0], Val::U32(5));
    assert_eq!(store.data().dropped.len(), 3);
    let error = any.resource_drop(&mut store).unwrap_err().to_string();
    assert!(error.contains("used already"), "{error}");

    let (any,) = give.call(&mut store, ()).unwrap();
    any.resource_drop(&mut store).unwrap();
    assert_eq!(store.data().dropped.len(), 4);
    assert!(store.data().table.is_empty());

    // The wrong Rust type is refused when the types are checked.
    let error = instance
        .get_typed_func::<(), (Resource<u8>,)>(&mut store, "give")
        .err()
        .unwrap();
    assert!(error.to_string().contains("u8"), "{error}");
}

#[test]
fn handles_are_checked() {
    let engine = Engine::default();
    let component = component(&engine, &files());
    let linker = files_linker(&engine);
    let mut store = Store::new(&engine, Files::default());

    let instance = linker.instantiate(&mut store, &component).unwrap();
    let stale = instance
        .get_typed_func::<(), (u32,)>(&mut store, "stale")
        .unwrap();
    let error = stale.call(&mut store, ()).unwrap_err();
    assert_eq!(error.trap_code(), Some(TrapCode::UnknownHandle));
    assert!(error.to_string().contains("unknown handle index 77"), "{error}");

    // A borrow has to be dropped before the call ends.
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let file = store.data_mut().table.push(File("kept")).unwrap();
    let keep = instance
        .get_typed_func::<(Resource<File>,), (u32,)>(&mut store, "keep")
        .unwrap();
    let error = keep
        .call(&mut store, (Resource::new_borrow(file.rep()),))
        .unwrap_err();
    assert_eq!(error.trap_code(), Some(TrapCode::BorrowsRemain));
}

#[test]
fn resources_of_a_guest() {
    let (mut store, instance) = instance(&format!(
        r#"(component
        {LIBC}
        (core module $dtor (global (export "dropped") (mut i32) (i32.const 0))
            (func (export "dtor") (param i32) (global.set 0 (i32.add (global.get 0) (local.get 0)))))
        (core instance $d (instantiate $dtor))
        (type $r' (resource (rep i32) (dtor (core func $d "dtor"))))
        (core func $new (canon resource.new $r'))
        (core func $rep (canon resource.rep $r'))
        (core module $m
            (import "" "new" (func $new (param i32) (result i32)))
            (import "" "dropped" (global $dropped (mut i32)))
            (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
            (func (export "get") (param i32) (result i32) (local.get 0))
            (func (export "dropped") (result i32) (global.get $dropped)))
        (core instance $c (instantiate $m (with "" (instance
            (export "new" (func $new)) (export "dropped" (global $d "dropped"))))))
        (export $r "r" (type $r'))
        (func (export "make") (param "x" u32) (result (own $r)) (canon lift (core func $c "make")))
        (func (export "get") (param "self" (borrow $r)) (result u32) (canon lift (core func $c "get")))
        (func (export "dropped") (result u32) (canon lift (core func $c "dropped"))))"#
    ));
    let make = instance
        .get_typed_func::<(u32,), (ResourceAny,)>(&mut store, "make")
        .unwrap();
    let get = instance
        .get_typed_func::<(ResourceAny,), (u32,)>(&mut store, "get")
        .unwrap();
    let dropped = instance
        .get_typed_func::<(), (u32,)>(&mut store, "dropped")
        .unwrap();
    let (a,) = make.call(&mut store, (7,)).unwrap();
    let (b,) = make.call(&mut store, (100,)).unwrap();
    assert_eq!(get.call(&mut store, (a,)).unwrap(), (7,));
    assert_eq!(get.call(&mut store, (b,)).unwrap(), (100,));
    assert_eq!(instance.get_resource(&mut store, "r"), Some(a.ty()));
    a.resource_drop(&mut store).unwrap();
    assert_eq!(dropped.call(&mut store, ()).unwrap(), (7,));
    assert!(get.call(&mut store, (a,)).is_err());
    assert_eq!(get.call(&mut store, (b,)).unwrap(), (100,));
}

/// Not ready the first `n` times.
struct Later(u32);

impl Future for Later {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[test]
fn host_functions_may_wait() {
    let engine = Engine::default();
    let component: Component = component(&engine, &importer("a:b/c"));
    let mut linker = Linker::<u32>::new(&engine);
    linker
        .instance("a:b/c")
        .unwrap()
        .func_wrap_async("f", |mut store, (x,): (u32,)| {
            Box::new(async move {
                Later(x).await;
                *store.data_mut() += 1;
                Ok((x + 1,))
            })
        })
        .unwrap();
    let mut store = Store::new(&engine, 0);
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let run = instance
        .get_typed_func::<(u32,), (u32,)>(&mut store, "run")
        .unwrap();
    assert_eq!(run.call(&mut store, (3,)).unwrap(), (4,));

    let mut polls = 0;
    {
        let mut future = pin!(run.call_async(&mut store, (3,)));
        let mut cx = Context::from_waker(Waker::noop());
        let result = loop {
            polls += 1;
            if let Poll::Ready(result) = future.as_mut().poll(&mut cx) {
                break result;
            }
        };
        assert_eq!(result.unwrap(), (4,));
    }
    assert_eq!(polls, 4);
    assert_eq!(*store.data(), 2);
}

#[test]
fn types_describe_imports_and_exports() {
    use wharf::component::types::{ComponentItem, Type};
    let engine = Engine::default();
    let component = component(&engine, &files());
    let ty = component.component_type();
    let (name, item) = ty.imports().next().unwrap();
    assert_eq!(name, "fs");
    let ComponentItem::ComponentInstance(fs) = item else {
        panic!("{item:?}")
    };
    assert_eq!(
        fs.exports().map(|(n, _)| n.to_owned()).collect::<Vec<_>>(),
        ["file", "open", "length"]
    );
    let exports: Vec<_> = ty.exports().collect();
    assert_eq!(exports[2].0, "use");
    let ComponentItem::ComponentFunc(func) = &exports[2].1 else {
        panic!()
    };
    assert!(matches!(func.params().next(), Some(("f", Type::Borrow(_)))));
    assert_eq!(func.results().next(), Some(Type::U32));
}
