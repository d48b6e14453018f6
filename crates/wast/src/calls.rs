//! Calls, and whether their results are the expected ones.

use wast::{WastArg, WastExecute, WastInvoke, WastRet};
use wharf_core::{Extern, Val};

use crate::results::{Results, display_results};
use crate::runner::{Instantiated, Runner};
use crate::step::{Step, failed, problem, unsupported_value};
use crate::{component_values, core_values};

impl Runner {
    pub(crate) fn execute(&mut self, exec: WastExecute<'_>) -> Step<wharf_core::Result<Results>> {
        match exec {
            WastExecute::Invoke(call) => self.invoke(&call),
            WastExecute::Wat(mut module) => {
                let bytes = match module.encode() {
                    Ok(bytes) => bytes,
                    Err(e) => return failed(format!("the text does not parse: {}", e.message())),
                };
                let definition = self
                    .decode(&bytes)
                    .map_err(|e| problem("before instantiation", &e))?;
                Ok(self.instantiate(&definition).map(|_| Results::Core(Vec::new())))
            }
            WastExecute::Get { module, global, .. } => match self.instance(module.map(|m| m.name()))? {
                Instantiated::Core(instance) => {
                    let store = self.host.core();
                    match instance.get_export(store, global) {
                        Some(Extern::Global(g)) => Ok(Ok(Results::Core(vec![g.get(store)]))),
                        _ => failed(format!("no exported global {global:?}")),
                    }
                }
                Instantiated::Component(_) => failed("components export no globals"),
            },
        }
    }

    /// Makes a call. The outer result is about the script, the inner one about the guest.
    pub(crate) fn invoke(&mut self, call: &WastInvoke<'_>) -> Step<wharf_core::Result<Results>> {
        match self.instance(call.module.map(|m| m.name()))? {
            Instantiated::Core(instance) => {
                let store = self.host.core();
                let Some(Extern::Func(func)) = instance.get_export(store, call.name) else {
                    return failed(format!("no exported function {:?}", call.name));
                };
                let mut args = Vec::with_capacity(call.args.len());
                for arg in &call.args {
                    match arg {
                        WastArg::Core(arg) => {
                            args.push(core_values::argument(store, arg).map_err(unsupported_value)?);
                        }
                        other => return failed(format!("not a core value: {other:?}")),
                    }
                }
                let mut results = vec![Val::I32(0); func.ty(store).results().len()];
                Ok(func
                    .call(store, &args, &mut results)
                    .map(|()| Results::Core(results)))
            }
            Instantiated::Component(instance) => {
                let Some((func, params)) = self.host.func(&instance, call.name) else {
                    return failed(format!("no exported function {:?}", call.name));
                };
                if params.len() != call.args.len() {
                    return failed(format!("{:?} takes {} arguments", call.name, params.len()));
                }
                let mut args = Vec::with_capacity(call.args.len());
                for (arg, ty) in call.args.iter().zip(&params) {
                    match arg {
                        WastArg::Component(arg) => {
                            args.push(component_values::argument(arg, ty).map_err(unsupported_value)?);
                        }
                        other => return failed(format!("not a component value: {other:?}")),
                    }
                }
                Ok(self.host.call(&func, &args).map(Results::Component))
            }
        }
    }

    pub(crate) fn compare(&mut self, expected: &[WastRet<'_>], got: &Results) -> Step {
        if got.len() != expected.len() {
            return failed(format!(
                "expected {} results, got {}",
                expected.len(),
                display_results(got)
            ));
        }
        for (i, expected) in expected.iter().enumerate() {
            let same = match (expected, got) {
                (WastRet::Core(e), Results::Core(vals)) => {
                    core_values::result_matches(self.host.core(), e, &vals[i]).map_err(unsupported_value)?
                }
                (WastRet::Component(e), Results::Component(vals)) => {
                    component_values::result_matches(e, &vals[i]).map_err(unsupported_value)?
                }
                _ => false,
            };
            if !same {
                return failed(format!("expected {expected:?}, got {}", display_results(got)));
            }
        }
        Ok(())
    }
}
