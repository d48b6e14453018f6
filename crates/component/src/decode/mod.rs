//! Decoding: validates a component with `wasmparser` and keeps, for each (nested) component, the definitions in order.
//!
//! The result still has the index spaces of the binary format; [`crate::link`] resolves them into the link plan.

mod items;
mod sections;

pub(crate) use items::*;

use wasmparser::{
    ComponentName, Encoding, KnownCustom, Parser, Payload, ValidPayload, Validator, WasmFeatures,
};
use wharf_core::{Bytes, Engine, Error, Module, Result};

/// Everything that was found in the bytes of one root component.
pub(crate) struct Decoded {
    /// All components, nested ones included; the root is the first.
    pub components: Vec<Translation>,
    /// All core modules.
    pub modules: Vec<Module>,
    /// The validator's types.
    pub types: wasmparser::types::Types,
}

/// The proposals that are validated. Canonical built-ins of the asynchronous ABI validate, but can't be instantiated.
fn features() -> WasmFeatures {
    WasmFeatures::default()
        | WasmFeatures::CM_ASYNC
        | WasmFeatures::CM_ASYNC_STACKFUL
        | WasmFeatures::CM_MORE_ASYNC_BUILTINS
        | WasmFeatures::CM_THREADING
        | WasmFeatures::CM_ERROR_CONTEXT
        | WasmFeatures::CM_FIXED_LENGTH_LISTS
        | WasmFeatures::CM_MAP
        | WasmFeatures::CM_IMPLEMENTS
}

pub(crate) fn invalid(e: wasmparser::Error) -> Error {
    Error::invalid(
        usize::try_from(e.offset()).unwrap_or(usize::MAX),
        e.message().to_string(),
    )
}

fn malformed(e: wasmparser::Error) -> Error {
    Error::malformed(
        usize::try_from(e.offset()).unwrap_or(usize::MAX),
        e.message().to_string(),
    )
}

pub(crate) fn decode(engine: &Engine, bytes: &Bytes) -> Result<Decoded> {
    let mut decoder = Decoder {
        engine,
        bytes,
        validator: Validator::new_with_features(features()),
        stack: Vec::new(),
        components: Vec::new(),
        modules: Vec::new(),
        in_module: false,
    };
    let mut parser = Parser::new(0);
    parser.set_features(features());
    for payload in parser.parse_all(bytes) {
        if let Some(types) = decoder.payload(payload.map_err(malformed)?)? {
            let Decoder {
                components, modules, ..
            } = decoder;
            return Ok(Decoded {
                components,
                modules,
                types,
            });
        }
    }
    Err(Error::malformed(bytes.len(), "unexpected end of the component"))
}

pub(crate) struct Decoder<'a> {
    engine: &'a Engine,
    bytes: &'a Bytes,
    validator: Validator,
    /// Indices into `components` of those that are open, outermost first.
    stack: Vec<usize>,
    components: Vec<Translation>,
    modules: Vec<Module>,
    in_module: bool,
}

impl Decoder<'_> {
    fn payload(&mut self, payload: Payload<'_>) -> Result<Option<wasmparser::types::Types>> {
        if self.in_module {
            return self.module_payload(payload);
        }
        if let Payload::Version {
            encoding: Encoding::Module,
            ..
        } = &payload
        {
            return Err(Error::malformed(0, "expected a component, found a core module"));
        }
        let before = self.counts();
        match self.validator.payload(&payload).map_err(invalid)? {
            ValidPayload::End(types) => {
                self.stack.pop();
                if self.stack.is_empty() {
                    return Ok(Some(types));
                }
                return Ok(None);
            }
            ValidPayload::Ok | ValidPayload::Parser(_) | ValidPayload::Func(..) => {}
        }
        match payload {
            Payload::Version { .. } => {
                let index = self.components.len();
                self.components.push(Translation::default());
                if let Some(parent) = self.stack.last().copied() {
                    self.components[parent].inits.push(Init::Component(index));
                }
                self.stack.push(index);
            }
            Payload::ModuleSection { unchecked_range, .. } => {
                self.in_module = true;
                let range = usize::try_from(unchecked_range.start)
                    .ok()
                    .zip(usize::try_from(unchecked_range.end).ok());
                let (start, end) = range.unwrap_or((0, 0));
                if start > end || end > self.bytes.len() {
                    return Err(Error::malformed(start, "unexpected end"));
                }
                let module = Module::new(self.engine, self.bytes.slice(start..end))?;
                let index = self.modules.len();
                self.current().inits.push(Init::Module(index));
                self.modules.push(module);
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::ComponentName(names) = section.as_known() {
                    let name = names.into_iter().find_map(|name| match name {
                        Ok(ComponentName::Component { name, .. }) => Some(name.to_owned()),
                        _ => None,
                    });
                    self.current().name = name;
                }
            }
            Payload::InstanceSection(s) => self.core_instances(s)?,
            Payload::ComponentInstanceSection(s) => self.component_instances(s, before)?,
            Payload::ComponentAliasSection(s) => self.aliases(s)?,
            Payload::ComponentTypeSection(s) => self.resource_types(s, before)?,
            Payload::ComponentCanonicalSection(s) => self.canons(s, before)?,
            Payload::ComponentStartSection { .. } => {
                self.current()
                    .inits
                    .push(Init::Unsupported("component start functions"));
            }
            Payload::ComponentImportSection(s) => self.imports(s)?,
            Payload::ComponentExportSection(s) => self.exports(s)?,
            _ => {}
        }
        Ok(None)
    }

    /// The content of a nested core module: its declarations give its type; bodies are validated by the core crate.
    fn module_payload(&mut self, payload: Payload<'_>) -> Result<Option<wasmparser::types::Types>> {
        if let ValidPayload::End(_) = self.validator.payload(&payload).map_err(invalid)? {
            self.in_module = false;
        }
        Ok(None)
    }

    fn current(&mut self) -> &mut Translation {
        // A payload other than the version never comes before one, the validator sees to that.
        let index = self.stack.last().copied().unwrap_or(0);
        &mut self.components[index]
    }

    /// Sizes of the index spaces that a section is about to extend.
    fn counts(&self) -> Counts {
        match self.validator.types(0) {
            Some(types) => Counts {
                core_funcs: types.function_count(),
                types: types.component_type_count(),
                instances: types.component_instance_count(),
            },
            None => Counts::default(),
        }
    }
}

#[derive(Copy, Clone, Default)]
pub(crate) struct Counts {
    core_funcs: u32,
    types: u32,
    instances: u32,
}
