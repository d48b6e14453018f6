//! Tests of the host, by itself and for a component.

use super::*;
use std::sync::{Arc, Mutex};
use wharf::component::Component;
use wharf::{Engine, Store};

#[derive(Default)]
struct Kept(Mutex<Vec<String>>);

impl LogSink for Kept {
    fn log(&self, record: &Record<'_>) {
        let text = format!(
            "{}{} {} {}{}",
            record.component,
            record.level,
            record.context,
            record.message,
            if record.truncated { "+" } else { "" }
        );
        self.0.lock().unwrap().push(text);
    }
}

#[test]
fn levels_and_sizes_are_limited() {
    let kept = Arc::new(Kept::default());
    let ctx = WasiLoggingCtx::builder()
        .sink(kept.clone())
        .component("c:")
        .min_level(Level::Warn)
        .max_message_bytes(5)
        .max_context_bytes(3)
        .build();
    ctx.log(Level::Info, "x", "not seen");
    ctx.log(Level::Warn, "x", "12345");
    ctx.log(Level::Error, "x", "123456");
    ctx.log(Level::Critical, "1234", "");
    assert_eq!(
        *kept.0.lock().unwrap(),
        ["c:warn x 12345", "c:error x 12345+", "c:critical 123 +"]
    );
}

#[test]
fn a_rate_can_be_limited() {
    let kept = Arc::new(Kept::default());
    let ctx = WasiLoggingCtx::builder()
        .sink(kept.clone())
        .rate_limit(RateLimit {
            per_second: 0,
            burst: 3,
        })
        .build();
    (0..100).for_each(|_| ctx.log(Level::Info, "", "m"));
    assert_eq!(kept.0.lock().unwrap().len(), 3);
}

#[test]
fn instances_share_a_rate() {
    let kept = Arc::new(Kept::default());
    let builder = WasiLoggingCtx::builder()
        .sink(kept.clone())
        .rate_limit(RateLimit {
            per_second: 0,
            burst: 3,
        });
    for _ in 0..5 {
        let ctx = builder.clone().build();
        (0..2).for_each(|_| ctx.log(Level::Info, "", "m"));
    }
    assert_eq!(kept.0.lock().unwrap().len(), 3);
}

fn run(name: &str, ctx: WasiLoggingCtx) {
    let text = format!(
        r#"(component
            (type $logging (instance
                (type $level (enum "trace" "debug" "info" "warn" "error" "critical"))
                (export "level" (type $l (eq $level)))
                (export "log" (func (param "level" $l) (param "context" string) (param "message" string)))))
            (import "{name}" (instance $logging (type $logging)))
            (core module $libc (memory (export "memory") 1))
            (core instance $libc (instantiate $libc))
            (core func $log (canon lower (func $logging "log") (memory (core memory $libc "memory"))))
            (core module $main
                (import "libc" "memory" (memory 1))
                (import "logging" "log" (func $log (param i32 i32 i32 i32 i32)))
                (data (i32.const 0) "net\nline\n2030 FORGED")
                (func (export "run")
                    (call $log (i32.const 4) (i32.const 0) (i32.const 3) (i32.const 4) (i32.const 16))))
            (core instance $main (instantiate $main
                (with "libc" (instance $libc))
                (with "logging" (instance (export "log" (func $log))))))
            (func (export "run") (canon lift (core func $main "run"))))"#
    );
    run_text(&text, ctx);
}

fn run_text(text: &str, ctx: WasiLoggingCtx) {
    let engine = Engine::default();
    let component = Component::new(&engine, wat::parse_str(text).unwrap()).unwrap();
    let mut linker = Linker::<WasiLoggingCtx>::new(&engine);
    add_to_linker(&mut linker, |ctx| WasiLogging::new(ctx)).unwrap();
    let mut store = Store::new(&engine, ctx);
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
    run.call(&mut store, ()).unwrap();
}

/// What was written, for all who have it.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_component_writes_lines() {
    for name in ["wasi:logging/logging@0.1.0-draft", "wasi:logging/logging"] {
        for format in [Format::Text, Format::Json] {
            let written = Written::default();
            let sink = Arc::new(WriterSink::new(format, written.clone()));
            run(name, WasiLoggingCtx::builder().sink(sink).build());
            let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
            assert_eq!(text.lines().count(), 1, "{text}");
            let end = match format {
                Format::Text => "Z ERROR    [net] line\\n2030 FORGED\n",
                Format::Json => {
                    "\"level\":\"error\",\"context\":\"net\",\"message\":\"line\\n2030 FORGED\"}\n"
                }
            };
            assert!(text.ends_with(end), "{text}");
        }
    }
}

#[test]
fn a_message_of_100_megabytes_is_one_short_line() {
    let text = r#"(component
        (type $logging (instance
            (type $level (enum "trace" "debug" "info" "warn" "error" "critical"))
            (export "level" (type $l (eq $level)))
            (export "log" (func (param "level" $l) (param "context" string) (param "message" string)))))
        (import "wasi:logging/logging" (instance $logging (type $logging)))
        (core module $libc (memory (export "memory") 1700))
        (core instance $libc (instantiate $libc))
        (core func $log (canon lower (func $logging "log") (memory (core memory $libc "memory"))))
        (core module $main
            (import "libc" "memory" (memory 1))
            (import "logging" "log" (func $log (param i32 i32 i32 i32 i32)))
            (func (export "run")
                (memory.fill (i32.const 0) (i32.const 10) (i32.const 104857600))
                (call $log (i32.const 2) (i32.const 0) (i32.const 104857600) (i32.const 0) (i32.const 104857600))))
        (core instance $main (instantiate $main
            (with "libc" (instance $libc))
            (with "logging" (instance (export "log" (func $log))))))
        (func (export "run") (canon lift (core func $main "run"))))"#;
    for format in [Format::Text, Format::Json] {
        let written = Written::default();
        let sink = Arc::new(WriterSink::new(format, written.clone()));
        run_text(text, WasiLoggingCtx::builder().sink(sink).build());
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1);
        // Each line end is two characters.
        assert!(text.len() < 2 * ((16 << 10) + 256) + 200, "{}", text.len());
        assert!(text.ends_with(" ...\n") || text.ends_with("\"truncated\":true}\n"));
    }
}
