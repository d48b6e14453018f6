//! Guests that wait for stores without blocking a thread, and guests that are told of changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use wharf::component::{Component, Linker, ResourceTable};
use wharf::{Engine, Store};
use wharf_wasi_keyvalue::bindings::WatchServicePre;
use wharf_wasi_keyvalue::{
    Backend, Batch, Bucket, BucketGrant, BucketName, Change, KeyPage, MemoryBackend, Quota, StoreError,
    StoreResult, Swap, Told, WasiKeyValue, WasiKeyValueCtx, WatchedBackend, async_trait,
};

struct State {
    keyvalue: WasiKeyValueCtx,
    table: ResourceTable,
}

fn linker(engine: &Engine) -> Linker<State> {
    let mut linker = Linker::new(engine);
    wharf_wasi_keyvalue::add_to_linker(&mut linker, |state: &mut State| {
        WasiKeyValue::new(&state.keyvalue, &mut state.table)
    })
    .unwrap();
    linker
}

fn state(backend: Arc<dyn Backend>) -> State {
    State {
        keyvalue: WasiKeyValueCtx::builder("n")
            .bucket("b", BucketGrant::new(backend))
            .build(),
        table: ResourceTable::new(),
    }
}

/// Answers `exists` when as many wait for it as there are guests.
#[derive(Debug)]
struct Meeting {
    here: AtomicU32,
    expected: u32,
    all_here: tokio::sync::Notify,
}

#[derive(Debug)]
struct Slow(Arc<Meeting>);

#[async_trait]
impl Backend for Slow {
    async fn open(&self, _: &BucketName, _: Quota) -> StoreResult<Arc<dyn Bucket>> {
        tokio::task::yield_now().await;
        Ok(Arc::new(Slow(self.0.clone())))
    }
}

#[async_trait]
impl Bucket for Slow {
    async fn exists(&self, _: &str) -> StoreResult<bool> {
        let all_here = self.0.all_here.notified();
        if self.0.here.fetch_add(1, Ordering::SeqCst) + 1 == self.0.expected {
            self.0.all_here.notify_waiters();
            return Ok(true);
        }
        all_here.await;
        Ok(true)
    }
    async fn get(&self, _: &str) -> StoreResult<Option<Vec<u8>>> {
        Ok(None)
    }
    async fn set(&self, _: &str, _: Vec<u8>) -> StoreResult<()> {
        Ok(())
    }
    async fn delete(&self, _: &str) -> StoreResult<bool> {
        Ok(false)
    }
    async fn list_keys(&self, _: Option<&str>) -> StoreResult<KeyPage> {
        Ok(KeyPage::default())
    }
    async fn increment(&self, _: &str, _: i64) -> StoreResult<i64> {
        Ok(0)
    }
    async fn compare_and_swap(&self, _: &str, _: Option<&[u8]>, _: Vec<u8>) -> StoreResult<Swap> {
        Ok(Swap::Done)
    }
    async fn get_many(&self, _: Vec<String>) -> StoreResult<Vec<Option<Vec<u8>>>> {
        Ok(Vec::new())
    }
    async fn set_many(&self, _: Vec<(String, Vec<u8>)>) -> Batch {
        Batch::failed(StoreError::Full)
    }
    async fn delete_many(&self, _: Vec<String>) -> Batch {
        Batch::failed(StoreError::Full)
    }
}

/// Opens the bucket `b` and asks whether it has the key `b`: 1 if so.
const ASKS: &str = r#"(component
    (type $store (instance
        (type $error (variant (case "no-such-store") (case "access-denied") (case "other" string)))
        (export "error" (type $e (eq $error)))
        (export "bucket" (type $bucket (sub resource)))
        (type $opened (result (own $bucket) (error $e)))
        (type $is (result bool (error $e)))
        (export "open" (func (param "identifier" string) (result $opened)))
        (export "[method]bucket.exists" (func (param "self" (borrow $bucket)) (param "key" string) (result $is)))))
    (import "wasi:keyvalue/store@0.2.0-draft2" (instance $kv (type $store)))
    (core module $libc
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
    (core instance $libc (instantiate $libc))
    (core func $open (canon lower (func $kv "open")
        (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
    (core func $exists (canon lower (func $kv "[method]bucket.exists")
        (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
    (core module $main
        (import "libc" "memory" (memory 1))
        (import "kv" "open" (func $open (param i32 i32 i32)))
        (import "kv" "exists" (func $exists (param i32 i32 i32 i32)))
        (data (i32.const 0) "b")
        (func (export "run") (result i32)
            (call $open (i32.const 0) (i32.const 1) (i32.const 16))
            (if (i32.load8_u (i32.const 16)) (then unreachable))
            (call $exists (i32.load (i32.const 20)) (i32.const 0) (i32.const 1) (i32.const 32))
            (if (i32.load8_u (i32.const 32)) (then unreachable))
            (i32.load8_u (i32.const 36))))
    (core instance $main (instantiate $main
        (with "libc" (instance $libc))
        (with "kv" (instance (export "open" (func $open)) (export "exists" (func $exists))))))
    (func (export "run") (result u32) (canon lift (core func $main "run"))))"#;

#[test]
fn guests_wait_for_stores_on_one_thread() {
    let guests = 20;
    let meeting = Arc::new(Meeting {
        here: AtomicU32::new(0),
        expected: guests,
        all_here: tokio::sync::Notify::new(),
    });
    let engine = Engine::default();
    let component = Component::new(&engine, wat::parse_str(ASKS).unwrap()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut calls = Vec::new();
        for _ in 0..guests {
            let mut store = Store::new(&engine, state(Arc::new(Slow(meeting.clone()))));
            let linker = linker(&engine);
            let component = component.clone();
            calls.push(tokio::spawn(async move {
                let instance = linker.instantiate_async(&mut store, &component).await.unwrap();
                let run = instance.get_typed_func::<(), (u32,)>(&mut store, "run").unwrap();
                run.call_async(&mut store, ()).await.unwrap().0
            }));
        }
        for call in calls {
            assert_eq!(call.await.unwrap(), 1);
        }
    });
}

/// Puts `!` into the bucket: under the value that was set, or the key that was deleted. Traps if that fails.
const WATCHES: &str = r#"(component
    (type $store (instance
        (type $error (variant (case "no-such-store") (case "access-denied") (case "other" string)))
        (export "error" (type $e (eq $error)))
        (export "bucket" (type $bucket (sub resource)))
        (type $done (result (error $e)))
        (export "[method]bucket.set" (func
            (param "self" (borrow $bucket)) (param "key" string) (param "value" (list u8)) (result $done)))))
    (import "wasi:keyvalue/store@0.2.0-draft2" (instance $kv (type $store)))
    (alias export $kv "bucket" (type $bucket))
    (core module $libc
        (memory (export "memory") 1)
        (global $at (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (local $old i32)
            (local.set $old (global.get $at))
            (global.set $at (i32.add (global.get $at) (local.get 3)))
            (local.get $old)))
    (core instance $libc (instantiate $libc))
    (core func $set (canon lower (func $kv "[method]bucket.set")
        (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
    (core func $drop (canon resource.drop $bucket))
    (core module $main
        (import "libc" "memory" (memory 1))
        (import "kv" "set" (func $set (param i32 i32 i32 i32 i32 i32)))
        (import "kv" "drop" (func $drop (param i32)))
        (data (i32.const 0) "!")
        (func $note (param $bucket i32) (param $key i32) (param $len i32)
            (call $set (local.get $bucket) (local.get $key) (local.get $len) (i32.const 0) (i32.const 1) (i32.const 16))
            (if (i32.load8_u (i32.const 16)) (then unreachable))
            (call $drop (local.get $bucket)))
        (func (export "on-set") (param i32 i32 i32 i32 i32)
            (call $note (local.get 0) (local.get 3) (local.get 4)))
        (func (export "on-delete") (param i32 i32 i32)
            (call $note (local.get 0) (local.get 1) (local.get 2))))
    (core instance $main (instantiate $main
        (with "libc" (instance $libc))
        (with "kv" (instance (export "set" (func $set)) (export "drop" (func $drop))))))
    (func $on-set (param "bucket" (own $bucket)) (param "key" string) (param "value" (list u8))
        (canon lift (core func $main "on-set")
            (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
    (func $on-delete (param "bucket" (own $bucket)) (param "key" string)
        (canon lift (core func $main "on-delete")
            (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
    (instance $watcher (export "on-set" (func $on-set)) (export "on-delete" (func $on-delete)))
    (export "wasi:keyvalue/watcher@0.2.0-draft2" (instance $watcher)))"#;

#[test]
fn a_guest_is_told_of_changes() {
    let engine = Engine::default();
    let component = Component::new(&engine, wat::parse_str(WATCHES).unwrap()).unwrap();
    let backend: Arc<dyn Backend> = Arc::new(WatchedBackend::new(Arc::new(MemoryBackend::new())));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let state = State {
            keyvalue: WasiKeyValueCtx::builder("n")
                .bucket("b", BucketGrant::new(backend.clone()).untold())
                .build(),
            table: ResourceTable::new(),
        };
        let mut store = Store::new(&engine, state);
        let pre = linker(&engine).instantiate_pre(&component).unwrap();
        let service = WatchServicePre::new(pre)
            .unwrap()
            .instantiate_async(&mut store)
            .await
            .unwrap();
        // Another guest's bucket.
        let other = self::state(backend.clone()).keyvalue;
        let mut changes = other.watch("b").await.unwrap();
        assert!(other.watch("c").await.is_none() && store.data().keyvalue.watch("b").await.is_none());
        let name = BucketName {
            namespace: "n".to_owned(),
            bucket: "b".to_owned(),
        };
        let bucket = backend.open(&name, Quota::default()).await.unwrap();
        bucket.set("k", b"value".to_vec()).await.unwrap();
        bucket.set("gone", vec![]).await.unwrap();
        bucket.delete("gone").await.unwrap();
        for _ in 0..3 {
            let change = changes.next().await;
            let opened = store.data().keyvalue.open("b").await.unwrap();
            let opened = store.data_mut().table.push(opened).unwrap();
            let watcher = service.wasi_keyvalue_watcher();
            match change {
                Told::Change(Change::Set { key, value }) => {
                    watcher.call_on_set(&mut store, opened, &key, &value).await
                }
                Told::Change(Change::Deleted { key }) => {
                    watcher.call_on_delete(&mut store, opened, &key).await
                }
                other => panic!("{other:?}"),
            }
            .unwrap();
        }
        assert!(store.data().table.is_empty());
        for key in ["value", "", "gone"] {
            assert_eq!(bucket.get(key).await.unwrap(), Some(b"!".to_vec()), "{key:?}");
        }
        // What the guest changed itself is not told.
        bucket.delete("value").await.unwrap();
        let key = "value".to_owned();
        assert_eq!(changes.next().await, Told::Change(Change::Deleted { key }));
    });
}
