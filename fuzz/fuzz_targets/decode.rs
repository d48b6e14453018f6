//! Arbitrary bytes as a module and as a component: an error or a result, never a panic.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use wharf_component::Component;
use wharf_core::{Config, Engine, Module};

/// Bodies are validated at once in the first engine and at their first call in the second.
static ENGINES: LazyLock<[Engine; 2]> = LazyLock::new(|| {
    [false, true].map(|lazy| {
        let mut config = Config::new();
        config.lazy_validation(lazy);
        Engine::new(&config).expect("an engine can be made")
    })
});

fuzz_target!(|bytes: &[u8]| {
    for engine in ENGINES.iter() {
        let _ = Module::new(engine, bytes.to_vec());
        let _ = Component::new(engine, bytes.to_vec());
    }
});
