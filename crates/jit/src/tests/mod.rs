//! Compiling without running: every kind of instruction for both instruction sets, as whole functions and with an entry at each loop, with
//! Cranelift's verifier on. The official test suites, which the compiled code has to pass too, are in `spec-tests`.

mod instructions;
mod osr;
mod shapes;
mod simd;

use std::sync::{Arc, Mutex};

use wasmparser::Operator;
use wharf_core::{
    Config, Engine, Error, FuncType, Module, Result,
    tier::{CompileJob, Compiler, Effort, NativeCode, Tier},
};

use crate::{Cranelift, isa};

const TARGETS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

/// What was compiled, and what came of it.
struct Outcome {
    func: u32,
    osr: Option<usize>,
    result: Result<NativeCode>,
    exits: Vec<u32>,
}

/// Compiles everything that it is asked for in several ways, but keeps the code for itself.
#[derive(Debug)]
struct Recorder {
    compiler: Cranelift,
    guarded: bool,
    interruptible: bool,
    effort: Effort,
    outcomes: Mutex<Vec<Outcome>>,
    stubs: Mutex<Vec<Result<NativeCode>>>,
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "function {} at {:?}: {:?}", self.func, self.osr, self.result)
    }
}

impl Recorder {
    fn record(&self, job: &CompileJob<'_>, osr: Option<usize>) {
        let exits = Mutex::new(Vec::new());
        let job = CompileJob {
            osr,
            effort: self.effort,
            guarded: self.guarded,
            interruptible: self.interruptible,
            exit_stub_needed: &|ty| {
                exits.lock().unwrap().push(ty);
                Ok(())
            },
            ..*job
        };
        let result = self.compiler.compile(&job);
        let func = job.func;
        let exits = std::mem::take(&mut *exits.lock().unwrap());
        self.outcomes.lock().unwrap().push(Outcome {
            func,
            osr,
            result,
            exits,
        });
    }
}

impl Compiler for Recorder {
    fn fingerprint(&self) -> &str {
        self.compiler.fingerprint()
    }

    fn compile(&self, job: &CompileJob<'_>) -> Result<NativeCode> {
        self.record(job, None);
        let mut operators = job.module.body(job.func).get_operators_reader()?;
        while !operators.eof() {
            let position = operators.original_position() as usize;
            if let Operator::Loop { .. } = operators.read()? {
                self.record(job, Some(position));
            }
        }
        let ty = job.module.func_type(job.func);
        let stubs = [self.compiler.entry_stub(ty), self.compiler.exit_stub(ty)];
        self.stubs.lock().unwrap().extend(stubs);
        Err(Error::unsupported("keeping code in a test"))
    }

    fn entry_stub(&self, _: &FuncType) -> Result<NativeCode> {
        Err(Error::unsupported("keeping code in a test"))
    }

    fn exit_stub(&self, _: &FuncType) -> Result<NativeCode> {
        Err(Error::unsupported("keeping code in a test"))
    }
}

/// Compiles a module's functions for a target in one of four ways.
fn outcomes(wat: &str, triple: &str, guarded: bool, interruptible: bool, effort: Effort) -> Vec<Outcome> {
    let isa = |effort| isa::for_triple(triple, effort).unwrap();
    let recorder = Arc::new(Recorder {
        compiler: Cranelift::for_isas(isa(Effort::Quick), isa(Effort::Full)),
        guarded,
        interruptible,
        effort,
        outcomes: Mutex::default(),
        stubs: Mutex::default(),
    });
    let mut config = Config::new();
    config.tier(Tier::Eager);
    let engine = Engine::with_compiler(&config, recorder.clone()).unwrap();
    let module = Module::new(&engine, wat::parse_str(wat).unwrap()).unwrap();
    drop(module);
    let stubs = std::mem::take(&mut *recorder.stubs.lock().unwrap());
    for stub in stubs {
        assert!(!stub.unwrap().bytes.is_empty());
    }
    std::mem::take(&mut *recorder.outcomes.lock().unwrap())
}

/// The code of all functions and loops of a module, which must all compile, in all ways and for all targets; tables are checked.
fn compile(wat: &str) {
    for triple in TARGETS {
        for (guarded, interruptible, effort) in [
            (true, false, Effort::Quick),
            (true, false, Effort::Full),
            (false, false, Effort::Full),
            (true, true, Effort::Quick),
        ] {
            for outcome in outcomes(wat, triple, guarded, interruptible, effort) {
                let code = match &outcome.result {
                    Ok(code) => code,
                    Err(e) => panic!("{triple}: function {} at {:?}: {e}", outcome.func, outcome.osr),
                };
                check(code);
            }
        }
    }
}

fn check(code: &NativeCode) {
    let end = code.bytes.len() as u32;
    assert!(end > 0);
    assert!(code.traps.is_sorted_by_key(|t| t.0) && code.traps.iter().all(|t| t.0 < end));
    assert!(code.locations.is_sorted_by(|a, b| a.0 < b.0));
    assert!(code.locations.iter().all(|l| l.0 < end));
    assert!(code.scopes.is_sorted_by(|a, b| a.base < b.base));
    assert!(code.alignment.is_power_of_two());
}
