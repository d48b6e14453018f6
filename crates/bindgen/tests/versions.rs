//! Components built against any 0.2 release of WASI link against bindings of the newest.

use wharf::component::{Component, HasSelf, Linker, bindgen};
use wharf::{Engine, Result, Store};

bindgen!({
    path: "../../wit",
    inline: "
        package test:versions;

        world program {
            import wasi:random/random@0.2.12;
            export wasi:cli/run@0.2.12;
        }
    ",
});

struct Host;

impl wasi::random::random::Host for Host {
    fn get_random_bytes(&mut self, len: u64) -> Result<Vec<u8>> {
        Ok(vec![4; len as usize])
    }

    fn get_random_u64(&mut self) -> Result<u64> {
        Ok(4)
    }
}

/// A component for some version of WASI. Its `run` succeeds if the random number is 4.
fn component(version: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (import "wasi:random/random@{version}" (instance $random
                (export "get-random-u64" (func (result u64)))))
            (core func $number (canon lower (func $random "get-random-u64")))
            (core module $program
                (import "random" "number" (func $number (result i64)))
                (func (export "run") (result i32)
                    (i64.ne (call $number) (i64.const 4))))
            (core instance $program (instantiate $program
                (with "random" (instance (export "number" (func $number))))))
            (func $run (result (result)) (canon lift (core func $program "run")))
            (instance $run (export "run" (func $run)))
            (export "wasi:cli/run@{version}" (instance $run))
        )"#
    );
    wat::parse_str(text).unwrap()
}

fn run(version: &str) -> Result<()> {
    let engine = Engine::default();
    let component = Component::new(&engine, component(version).as_slice())?;
    let mut linker = Linker::new(&engine);
    Program::add_to_linker::<_, HasSelf<_>>(&mut linker, |host| host)?;
    let mut store = Store::new(&engine, Host);
    let program = Program::instantiate(&mut store, &component, &linker)?;
    let outcome = program.wasi_cli_run().call_run(&mut store)?;
    assert_eq!(outcome, Ok(()));
    Ok(())
}

#[test]
fn every_release_of_0_2() {
    for patch in 0..=12 {
        let version = format!("0.2.{patch}");
        run(&version).unwrap_or_else(|e| panic!("{version}: {e}"));
    }
}

#[test]
fn other_tracks_do_not_link() {
    for version in ["0.1.12", "0.3.0", "1.2.12", "0.2.12-rc.1"] {
        let error = run(version).expect_err(version).to_string();
        assert!(
            error.contains(&format!("wasi:random/random@{version}")),
            "{version}: {error}"
        );
    }
}
