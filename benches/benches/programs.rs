//! The steady state of the programs on every engine: `cargo bench -p wharf-bench --bench programs`.
#![allow(missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use wharf_bench::engines::ENGINES;
use wharf_bench::programs::PROGRAMS;
use wharf_bench::steady::warm_up;

fn programs(c: &mut Criterion) {
    for program in PROGRAMS {
        let Some(wasm) = program.wasm() else { continue };
        let mut group = c.benchmark_group(program.name);
        group.sample_size(10);
        for engine in ENGINES {
            let Ok(mut instance) = engine.try_instantiate(wasm.clone(), None) else {
                continue;
            };
            if warm_up(engine, program, instance.as_mut()).is_none() {
                continue;
            }
            group.bench_function(engine.name(), |b| {
                b.iter(|| instance.call(program.export, program.args))
            });
        }
        group.finish();
    }
}

criterion_group!(benches, programs);
criterion_main!(benches);
