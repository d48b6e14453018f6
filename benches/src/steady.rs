//! The steady state: how long a call takes once an engine has done all that it will do.

use std::time::{Duration, Instant};

use crate::engines::EngineKind;
use crate::instance::Instance;
use crate::programs::Program;
use crate::report::median;

/// How long an engine that compiles in the background is kept busy at least.
const WARM_UP: Duration = Duration::from_secs(2);
/// And at most, if calls still get faster.
const WARM_UP_END: Duration = Duration::from_secs(20);
/// How long each turn of an engine takes at least.
const TURN: Duration = Duration::from_millis(50);

/// The median times of one run, in the order of `engines`; nothing for an engine that can't run the program. In every
/// round each engine has a turn, so that a change of the machine's speed meets all of them.
///
/// # Panics
/// If the engines do not agree about a result.
pub fn measure(
    program: &Program,
    wasm: &[u8],
    engines: &[EngineKind],
    rounds: usize,
) -> Vec<Option<Duration>> {
    let mut instances: Vec<Option<Box<dyn Instance>>> = engines
        .iter()
        .map(|e| e.try_instantiate(wasm.to_vec(), None).ok())
        .collect();
    let mut expected = None;
    for (engine, slot) in engines.iter().zip(&mut instances) {
        let Some(result) = slot.as_mut().and_then(|i| warm_up(*engine, program, i.as_mut())) else {
            assert!(
                engine.may_fail(),
                "{} does not run {}",
                engine.name(),
                program.name
            );
            *slot = None;
            continue;
        };
        let expected = *expected.get_or_insert(result);
        assert_eq!(result, expected, "{}: {} disagrees", program.name, engine.name());
    }
    let mut times = vec![Vec::new(); engines.len()];
    for round in 0..rounds {
        for slot in 0..engines.len() {
            let slot = (slot + round) % engines.len();
            if let Some(instance) = &mut instances[slot] {
                times[slot].push(turn(program, instance.as_mut()));
            }
        }
    }
    times.into_iter().map(median).collect()
}

/// Calls until calls do not get faster any more, and gives the result.
pub fn warm_up(engine: EngineKind, program: &Program, instance: &mut dyn Instance) -> Option<i64> {
    let (result, mut best) = instance.timed(program.export, program.args)?;
    if !engine.warms_up() {
        return Some(result);
    }
    let start = Instant::now();
    let mut since_better = 0;
    while start.elapsed() < WARM_UP || (since_better < 10 && start.elapsed() < WARM_UP_END) {
        let (again, time) = instance.timed(program.export, program.args)?;
        assert_eq!(
            again,
            result,
            "{}: {} is not repeatable",
            program.name,
            engine.name()
        );
        since_better = if time < best.mul_f64(0.98) {
            0
        } else {
            since_better + 1
        };
        best = best.min(time);
    }
    Some(result)
}

/// The mean time of as many calls as fill a turn.
fn turn(program: &Program, instance: &mut dyn Instance) -> Duration {
    let (mut sum, mut calls) = (Duration::ZERO, 0);
    while sum < TURN {
        let Some((_, time)) = instance.timed(program.export, program.args) else {
            break;
        };
        sum += time;
        calls += 1;
    }
    sum / calls.max(1)
}
