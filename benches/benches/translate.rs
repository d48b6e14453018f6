//! How fast Wharf gets from bytes to code: decoding, validation, and translation of every function.
//! `cargo bench -p wharf-bench --bench translate`
#![allow(missing_docs)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wharf_bench::kernels::KERNELS;
use wharf_core::{Bytes, Config, Engine, Module};

fn engine(lazy: bool) -> Engine {
    let mut config = Config::new();
    config.lazy_validation(lazy);
    Engine::new(&config).expect("an engine can be made")
}

fn translate(c: &mut Criterion) {
    let kernel = KERNELS
        .iter()
        .find(|k| k.name == "large")
        .expect("the large kernel");
    let bytes = Bytes::from(kernel.wasm());
    let mut group = c.benchmark_group("translate");
    group
        .throughput(Throughput::Bytes(bytes.len() as u64))
        .sample_size(10);
    let (lazy, full) = (engine(true), engine(false));
    group.bench_function("decode", |b| {
        b.iter(|| Module::new(&lazy, bytes.clone()).expect("decodes"))
    });
    group.bench_function("decode and validate", |b| {
        b.iter(|| Module::new(&full, bytes.clone()).expect("decodes"))
    });
    // With lazy validation each body is validated on the way.
    for (name, engine) in [
        ("translate all functions", &full),
        ("validate and translate all functions", &lazy),
    ] {
        group.bench_function(name, |b| {
            b.iter_batched(
                || Module::new(engine, bytes.clone()).expect("decodes"),
                |module| {
                    module.translate_all().expect("translates");
                    module
                },
                criterion::BatchSize::PerIteration,
            )
        });
    }
    group.finish();
}

criterion_group!(benches, translate);
criterion_main!(benches);
