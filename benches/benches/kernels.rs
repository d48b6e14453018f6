//! The kernels on every engine: `cargo bench -p wharf-bench --bench kernels`.
#![allow(missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use wharf_bench::engines::INTERPRETERS;
use wharf_bench::kernels::KERNELS;

fn kernels(c: &mut Criterion) {
    for kernel in KERNELS {
        let wasm = kernel.wasm();
        let mut group = c.benchmark_group(kernel.name);
        group.sample_size(10);
        for engine in INTERPRETERS {
            let mut instance = engine.instantiate(&wasm);
            group.bench_function(engine.name(), |b| {
                b.iter(|| instance.call(kernel.export, kernel.args))
            });
        }
        group.finish();
    }
}

criterion_group!(benches, kernels);
criterion_main!(benches);
