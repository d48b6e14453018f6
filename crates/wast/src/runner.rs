//! Runs the directives of a script.

use std::collections::HashMap;

use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::{QuoteWat, QuoteWatTest, Wast, WastArg, WastDirective, WastExecute, WastInvoke, WastRet, Wat};
use wharf_core::{Engine, Error, ErrorKind, Extern, Instance, Module, TrapCode, Val};

use crate::component::{self, Component, ComponentHost, Instance as ComponentInstance};
use crate::report::{DirectiveReport, Outcome, Report};
use crate::{component_values, core_values, messages, spectest};

/// How a script is run.
#[derive(Clone)]
pub struct Options {
    /// The engine; the default has every feature of Wharf.
    pub engine: Engine,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            engine: wharf::Engine::default().into(),
        }
    }
}

/// Runs the script `text`.
///
/// The engine never stops a script early: after a failed directive the rest runs too, and what depends on it fails
/// as well. A text that does not parse gives a report with the one failed directive `parse`.
pub fn run_script(text: &str, options: &Options) -> Report {
    let fail = |line, message: String| Report {
        directives: vec![DirectiveReport {
            line,
            directive: "parse",
            outcome: Outcome::Failed(message),
        }],
    };
    let mut lexer = Lexer::new(text);
    // Some official scripts hold such characters on purpose.
    lexer.allow_confusing_unicode(true);
    let buffer = match ParseBuffer::new_with_lexer(lexer) {
        Ok(buffer) => buffer,
        Err(e) => return fail(e.span().linecol_in(text).0 + 1, e.message()),
    };
    let script = match parser::parse::<Wast<'_>>(&buffer) {
        Ok(script) => script,
        Err(e) => return fail(e.span().linecol_in(text).0 + 1, e.message()),
    };
    let mut runner = match Runner::new(options) {
        Ok(runner) => runner,
        Err(e) => return fail(1, format!("the store could not be made: {e}")),
    };
    let mut report = Report::default();
    let mut lines = LineCounter::new(text);
    for directive in script.directives {
        let line = lines.line_at(directive.span().offset());
        let name = keyword(&directive);
        let outcome = match runner.directive(directive) {
            Ok(()) => Outcome::Passed,
            Err(Problem::Failed(reason)) => Outcome::Failed(reason),
            Err(Problem::Skipped(reason)) => Outcome::Skipped(reason),
        };
        report.directives.push(DirectiveReport {
            line,
            directive: name,
            outcome,
        });
    }
    report
}

/// Why a directive did not pass.
enum Problem {
    Failed(String),
    Skipped(String),
}

type Step<T = ()> = Result<T, Problem>;

fn failed<T>(reason: impl Into<String>) -> Step<T> {
    Err(Problem::Failed(reason.into()))
}

fn skipped<T>(reason: impl Into<String>) -> Step<T> {
    Err(Problem::Skipped(reason.into()))
}

/// An engine error where the script expects success: a feature that is not there yet skips the directive.
fn problem(what: &str, error: &Error) -> Problem {
    match error.kind() {
        ErrorKind::Unsupported(feature) => Problem::Skipped(feature.clone()),
        _ => Problem::Failed(format!("{what}: {error}")),
    }
}

/// Parts of messages about features of WebAssembly 3.0 that Wharf does not have yet.
const MISSING_3_0: &[&str] = &[
    "exception",
    "function references",
    "function-references",
    "gc",
    "heap types",
    "locally defined global",
];

/// A value that the runner cannot make or compare.
fn unsupported_value(reason: String) -> Problem {
    Problem::Skipped(reason)
}

/// Turns ascending offsets into line numbers in one pass.
struct LineCounter<'a> {
    text: &'a str,
    offset: usize,
    line: usize,
}

impl<'a> LineCounter<'a> {
    fn new(text: &'a str) -> LineCounter<'a> {
        LineCounter {
            text,
            offset: 0,
            line: 1,
        }
    }

    fn line_at(&mut self, offset: usize) -> usize {
        if offset < self.offset {
            self.offset = 0;
            self.line = 1;
        }
        let passed = self.text.as_bytes().get(self.offset..offset).unwrap_or_default();
        self.line += passed.iter().filter(|b| **b == b'\n').count();
        self.offset = offset;
        self.line
    }
}

fn keyword(directive: &WastDirective<'_>) -> &'static str {
    match directive {
        WastDirective::Module(QuoteWat::Wat(Wat::Component(_)) | QuoteWat::QuoteComponent(..)) => "component",
        WastDirective::Module(_) => "module",
        WastDirective::ModuleDefinition(_) => "definition",
        WastDirective::ModuleInstance { .. } => "instance",
        WastDirective::AssertMalformed { .. } => "assert_malformed",
        WastDirective::AssertMalformedCustom { .. } => "assert_malformed_custom",
        WastDirective::AssertInvalid { .. } => "assert_invalid",
        WastDirective::AssertInvalidCustom { .. } => "assert_invalid_custom",
        WastDirective::Register { .. } => "register",
        WastDirective::Invoke(_) => "invoke",
        WastDirective::AssertTrap { .. } => "assert_trap",
        WastDirective::AssertReturn { .. } => "assert_return",
        WastDirective::AssertExhaustion { .. } => "assert_exhaustion",
        WastDirective::AssertUnlinkable { .. } => "assert_unlinkable",
        WastDirective::AssertException { .. } => "assert_exception",
        WastDirective::AssertSuspension { .. } => "assert_suspension",
        WastDirective::Thread(_) => "thread",
        WastDirective::Wait { .. } => "wait",
    }
}

/// A module or component that is defined but not instantiated.
#[derive(Clone)]
enum Definition {
    Core(Module),
    Component(Component),
}

/// What `invoke`, `get` and `register` speak of.
#[derive(Clone)]
enum Instantiated {
    Core(Instance),
    Component(ComponentInstance),
}

/// What a call gave back.
enum Results {
    Core(Vec<Val>),
    Component(Vec<component::Val>),
}

struct Runner {
    engine: Engine,
    host: ComponentHost,
    /// The items of `spectest`.
    spectest: HashMap<String, Extern>,
    registered: HashMap<String, Instance>,
    definitions: HashMap<String, Definition>,
    last_definition: Option<Definition>,
    instances: HashMap<String, Instantiated>,
    current: Option<Instantiated>,
}

impl Runner {
    fn new(options: &Options) -> wharf_core::Result<Runner> {
        let mut host = ComponentHost::new(&options.engine)?;
        let spectest = spectest::spectest(host.core())?;
        Ok(Runner {
            engine: options.engine.clone(),
            host,
            spectest,
            registered: HashMap::new(),
            definitions: HashMap::new(),
            last_definition: None,
            instances: HashMap::new(),
            current: None,
        })
    }

    fn directive(&mut self, directive: WastDirective<'_>) -> Step {
        match directive {
            WastDirective::Module(mut module) => {
                let name = module.name().map(|id| id.name().to_string());
                // A module that cannot be made must not leave the one before it as the current one.
                self.current = None;
                let definition = self.define(&mut module)?;
                self.remember(name.clone(), &definition);
                self.instantiate_as(name, &definition)
            }
            WastDirective::ModuleDefinition(mut module) => {
                let name = module.name().map(|id| id.name().to_string());
                self.last_definition = None;
                let definition = self.define(&mut module)?;
                self.remember(name, &definition);
                Ok(())
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                self.current = None;
                let definition = match module {
                    Some(id) => self.definitions.get(id.name()).cloned(),
                    None => self.last_definition.clone(),
                };
                match definition {
                    Some(d) => self.instantiate_as(instance.map(|id| id.name().to_string()), &d),
                    None => failed("no such module or component is defined"),
                }
            }
            WastDirective::Register { name, module, .. } => match self.instance(module.map(|m| m.name()))? {
                Instantiated::Core(instance) => {
                    self.registered.insert(name.to_string(), instance);
                    Ok(())
                }
                Instantiated::Component(_) => skipped("registering a component instance"),
            },
            WastDirective::Invoke(call) => match self.invoke(&call)? {
                Ok(_) => Ok(()),
                Err(e) => Err(problem("the call failed", &e)),
            },
            WastDirective::AssertReturn { exec, results, .. } => match self.execute(exec)? {
                Ok(got) => self.compare(&results, &got),
                Err(e) => Err(problem("expected results", &e)),
            },
            WastDirective::AssertTrap { exec, message, .. } => match self.execute(exec)? {
                Ok(got) => failed(format!(
                    "expected the trap {message:?}, got {}",
                    display_results(&got)
                )),
                Err(e) => check_trap(&e, message),
            },
            WastDirective::AssertExhaustion { call, message, .. } => match self.invoke(&call)? {
                Ok(got) => failed(format!("expected {message:?}, got {}", display_results(&got))),
                Err(e) if e.trap_code() == Some(TrapCode::StackOverflow) => Ok(()),
                Err(e) => Err(problem(&format!("expected {message:?}, got"), &e)),
            },
            WastDirective::AssertMalformed {
                mut module, message, ..
            }
            | WastDirective::AssertInvalid {
                mut module, message, ..
            } => self.check_rejected(&mut module, message),
            WastDirective::AssertMalformedCustom {
                mut module, message, ..
            }
            | WastDirective::AssertInvalidCustom {
                mut module, message, ..
            } => {
                // The text format may say so; in binaries the engine does not look into custom sections.
                match module.to_test() {
                    Err(_) => Ok(()),
                    Ok(QuoteWatTest::Text(_)) => self.check_rejected(&mut module, message),
                    Ok(QuoteWatTest::Binary(_)) => skipped("the contents of custom sections are not checked"),
                }
            }
            WastDirective::AssertUnlinkable {
                mut module, message, ..
            } => {
                let bytes = match module.encode() {
                    Ok(bytes) => bytes,
                    Err(e) => return failed(format!("the text does not parse: {}", e.message())),
                };
                let definition = self.decode(&bytes).map_err(|e| problem("before linking", &e))?;
                match self.instantiate(&definition) {
                    Ok(_) => failed(format!("linked, but should not: {message}")),
                    Err(e) if matches!(e.kind(), ErrorKind::Link(_)) => Ok(()),
                    Err(e) => Err(problem("expected a link error, got", &e)),
                }
            }
            WastDirective::AssertException { .. } => skipped("exceptions are not in Wharf yet"),
            WastDirective::AssertSuspension { .. } => skipped("stack switching is not in Wharf yet"),
            WastDirective::Thread(_) | WastDirective::Wait { .. } => skipped("threads are not in Wharf yet"),
        }
    }

    fn remember(&mut self, name: Option<String>, definition: &Definition) {
        if let Some(name) = name {
            self.definitions.insert(name, definition.clone());
        }
        self.last_definition = Some(definition.clone());
    }

    fn instantiate_as(&mut self, name: Option<String>, definition: &Definition) -> Step {
        let instance = self
            .instantiate(definition)
            .map_err(|e| problem("instantiation failed", &e))?;
        if let Some(name) = name {
            self.instances.insert(name, instance.clone());
        }
        self.current = Some(instance);
        Ok(())
    }

    /// Encodes and decodes a module or component that the script expects to be good.
    fn define(&mut self, module: &mut QuoteWat<'_>) -> Step<Definition> {
        let bytes = match module.encode() {
            Ok(bytes) => bytes,
            Err(e) => return failed(format!("the text does not parse: {}", e.message())),
        };
        self.decode(&bytes).map_err(|e| problem("rejected", &e))
    }

    fn decode(&self, bytes: &[u8]) -> wharf_core::Result<Definition> {
        // The fourth to eighth bytes hold the version and the layer: 0 for modules, 1 for components.
        if bytes.get(..4) == Some(b"\0asm") && bytes.get(6..8) == Some(&[1, 0]) {
            Component::new(&self.engine, bytes).map(Definition::Component)
        } else {
            Module::new(&self.engine, bytes.to_vec()).map(Definition::Core)
        }
    }

    fn check_rejected(&mut self, module: &mut QuoteWat<'_>, message: &str) -> Step {
        let Ok(bytes) = module.encode() else { return Ok(()) };
        match self.decode(&bytes) {
            Ok(_) => failed(format!("accepted, but should be rejected: {message}")),
            Err(e) => match e.kind() {
                // Rejected for lack of a feature of WebAssembly 3.0 proves nothing.
                ErrorKind::Unsupported(feature) if MISSING_3_0.iter().any(|f| feature.contains(f)) => {
                    skipped(feature.clone())
                }
                _ => Ok(()),
            },
        }
    }

    fn instantiate(&mut self, definition: &Definition) -> wharf_core::Result<Instantiated> {
        match definition {
            Definition::Core(module) => {
                let mut imports = Vec::new();
                for import in module.imports() {
                    let item = match self.registered.get(import.module) {
                        Some(instance) => instance.get_export(self.host.core(), import.name),
                        None if import.module == "spectest" => self.spectest.get(import.name).copied(),
                        None => None,
                    };
                    let Some(item) = item else {
                        return Err(Error::link(format!(
                            "unknown import `{}` `{}`",
                            import.module, import.name
                        )));
                    };
                    imports.push(item);
                }
                Instance::new(self.host.core(), module, &imports).map(Instantiated::Core)
            }
            Definition::Component(component) => self.host.instantiate(component).map(Instantiated::Component),
        }
    }

    fn instance(&self, name: Option<&str>) -> Step<Instantiated> {
        let found = match name {
            Some(name) => self.instances.get(name),
            None => self.current.as_ref(),
        };
        match found {
            Some(instance) => Ok(instance.clone()),
            None => failed(match name {
                Some(name) => format!("no instance ${name}"),
                None => "no instance to speak of".to_string(),
            }),
        }
    }

    fn execute(&mut self, exec: WastExecute<'_>) -> Step<wharf_core::Result<Results>> {
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
    fn invoke(&mut self, call: &WastInvoke<'_>) -> Step<wharf_core::Result<Results>> {
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

    fn compare(&mut self, expected: &[WastRet<'_>], got: &Results) -> Step {
        let count = match got {
            Results::Core(vals) => vals.len(),
            Results::Component(vals) => vals.len(),
        };
        if count != expected.len() {
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

fn check_trap(error: &Error, message: &str) -> Step {
    match error.kind() {
        ErrorKind::Trap(_) if messages::trap_matches(message, &error.to_string()) => Ok(()),
        ErrorKind::Trap(_) => failed(format!("expected the trap {message:?}, got {error}")),
        _ => Err(problem(&format!("expected the trap {message:?}, got"), error)),
    }
}

fn display_results(results: &Results) -> String {
    let parts: Vec<String> = match results {
        Results::Core(vals) => vals.iter().map(core_values::display).collect(),
        Results::Component(vals) => vals.iter().map(|v| format!("{v:?}")).collect(),
    };
    if parts.is_empty() {
        "no results".to_string()
    } else {
        parts.join(" ")
    }
}
