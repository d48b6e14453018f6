//! The Rhai interpreter, running a script.

use support::Sum;

#[unsafe(no_mangle)]
pub extern "C" fn run(n: i32) -> i64 {
    let mut sum = Sum::default();
    let mut engine = rhai::Engine::new();
    engine.set_max_expr_depths(0, 0);
    let Ok(script) = engine.compile(include_str!("script.rhai")) else { return 0 };
    for _ in 0..n.max(0) * 2 {
        match engine.eval_ast::<i64>(&script) {
            Ok(result) => sum.number(result as u64),
            Err(_) => return 0,
        }
    }
    sum.value()
}
