//! Runs the directives of a script.

use std::collections::HashMap;

use wast::{QuoteWat, QuoteWatTest, WastDirective};
use wharf_core::{Engine, Error, ErrorKind, Extern, Instance, Module, TrapCode};

use crate::component::{Component, ComponentHost, Instance as ComponentInstance};
use crate::results::display_results;
use crate::step::{Step, failed, problem, skipped};
use crate::{messages, spectest};

/// Parts of messages about features of WebAssembly 3.0 that Wharf does not have yet.
const MISSING_3_0: &[&str] = &[
    "exception",
    "function references",
    "function-references",
    "gc",
    "heap types",
    "locally defined global",
];

/// A module or component that is defined but not instantiated.
#[derive(Clone)]
pub(crate) enum Definition {
    Core(Module),
    Component(Component),
}

/// What `invoke`, `get` and `register` speak of.
#[derive(Clone)]
pub(crate) enum Instantiated {
    Core(Instance),
    Component(ComponentInstance),
}

/// The state of a script that runs.
pub(crate) struct Runner {
    engine: Engine,
    pub(crate) host: ComponentHost,
    /// The items of `spectest`.
    spectest: HashMap<String, Extern>,
    registered: HashMap<String, Instance>,
    definitions: HashMap<String, Definition>,
    last_definition: Option<Definition>,
    instances: HashMap<String, Instantiated>,
    current: Option<Instantiated>,
}

impl Runner {
    pub(crate) fn new(engine: &Engine) -> wharf_core::Result<Runner> {
        let mut host = ComponentHost::new(engine)?;
        let spectest = spectest::spectest(host.core())?;
        Ok(Runner {
            engine: engine.clone(),
            host,
            spectest,
            registered: HashMap::new(),
            definitions: HashMap::new(),
            last_definition: None,
            instances: HashMap::new(),
            current: None,
        })
    }

    /// Runs a directive.
    pub(crate) fn directive(&mut self, directive: WastDirective<'_>) -> Step {
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

    pub(crate) fn decode(&self, bytes: &[u8]) -> wharf_core::Result<Definition> {
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

    pub(crate) fn instantiate(&mut self, definition: &Definition) -> wharf_core::Result<Instantiated> {
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

    pub(crate) fn instance(&self, name: Option<&str>) -> Step<Instantiated> {
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
}

fn check_trap(error: &Error, message: &str) -> Step {
    match error.kind() {
        ErrorKind::Trap(_) if messages::trap_matches(message, &error.to_string()) => Ok(()),
        ErrorKind::Trap(_) => failed(format!("expected the trap {message:?}, got {error}")),
        _ => Err(problem(&format!("expected the trap {message:?}, got"), error)),
    }
}
