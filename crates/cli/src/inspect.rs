//! `wharf inspect`.

use std::fmt::Write as _;

use wharf::component::Component;
use wharf::component::types::{ComponentFunc, ComponentInstance, ComponentItem, Type};
use wharf::{Bytes, Engine, Store};
use wharf_core::Module;
use wharf_wasi::WasiCtx;
use wharf_wasi::preview1::WasiP1Ctx;

use crate::args::{EngineArgs, InspectArgs};
use crate::cloud::Watches;
use crate::engine::engine;
use crate::failure::Failure;
use crate::load::{Layer, Loaded, is_artifact, load, open_artifact};
use crate::say::print;

/// How deep types are shown, and how long a line of them may get.
const DEPTH: usize = 8;
const LINE: usize = 2000;

/// Prints what a file imports and exports, or the least policy that it needs.
pub fn inspect(args: &InspectArgs) -> Result<u8, Failure> {
    let file = args.file.display().to_string();
    let engine = engine(&EngineArgs::default(), None)?;
    let (bytes, layer) = if is_artifact(&args.file) {
        let (artifact, layer) = open_artifact(&engine, &args.file)?;
        (artifact.bytes(), layer)
    } else {
        let Loaded { bytes, layer } = load(&args.file)?;
        (bytes.into(), layer)
    };
    let text = match layer {
        Layer::Component => component(&file, &engine, bytes, args.policy),
        Layer::Module => module(&file, &engine, bytes, args.policy),
    };
    print(&text.map_err(|e| Failure::engine(&file, &e))?)?;
    Ok(0)
}

fn component(file: &str, engine: &Engine, bytes: Bytes, policy: bool) -> wharf::Result<String> {
    let component = Component::new(engine, bytes)?;
    let ty = component.component_type();
    if policy {
        return Ok(wharf_policy::least_policy(
            file,
            ty.imports().map(|(name, _)| name),
        ));
    }
    let mut names = Names::default();
    for (_, item) in ty.imports().chain(ty.exports()) {
        names.add(&item);
    }
    let mut out = format!("component {}\n", shown(file));
    out.push_str("\nimports:\n");
    ty.imports()
        .for_each(|(name, item)| names.item(&mut out, name, &item));
    out.push_str("\nexports:\n");
    ty.exports()
        .for_each(|(name, item)| names.item(&mut out, name, &item));
    if let Some(note) = Watches::of(&component).note(false) {
        let _ = writeln!(out, "\nnote: {note}");
    }
    Ok(out)
}

fn module(file: &str, engine: &Engine, bytes: Bytes, policy: bool) -> wharf::Result<String> {
    let module = Module::new(engine, bytes)?;
    if policy {
        let mut linker = wharf::Linker::<WasiP1Ctx>::new(engine);
        wharf_wasi::preview1::add_to_linker(&mut linker, |ctx| ctx)?;
        let mut store = Store::new(engine, WasiCtx::builder().build_p1());
        let mut is_there = |module: &str, name: &str| linker.get(&mut store, module, name).is_some();
        let imports = module.imports().map(|import| match (import.module, import.name) {
            (module, name) if !is_there(module, name) => format!("{module} {name}"),
            // What the functions of preview 1 stand for.
            ("wasi_snapshot_preview1", name) if name.starts_with("path_") => {
                "wasi:filesystem/types".to_string()
            }
            ("wasi_snapshot_preview1", name) if name.starts_with("environ_") => {
                "wasi:cli/environment".to_string()
            }
            ("wasi_snapshot_preview1", _) => "wasi:io/streams".to_string(),
            (module, name) => format!("{module} {name}"),
        });
        let imports: Vec<String> = imports.collect();
        return Ok(wharf_policy::least_policy(
            file,
            imports.iter().map(String::as_str),
        ));
    }
    let mut out = format!("core module {}\n\nimports:\n", shown(file));
    for import in module.imports() {
        let _ = writeln!(
            out,
            "  {} {}: {}",
            shown(import.module),
            shown(import.name),
            import.ty
        );
    }
    out.push_str("\nexports:\n");
    for export in module.exports() {
        let _ = writeln!(out, "  {}: {}", shown(export.name), export.ty);
    }
    Ok(out)
}

/// A name as it can be shown: without characters that do something to a terminal.
fn shown(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// The names of types that are exported from interfaces.
#[derive(Default)]
struct Names(Vec<(Type, String)>);

impl Names {
    fn add(&mut self, item: &ComponentItem) {
        let ComponentItem::ComponentInstance(instance) = item else {
            return;
        };
        for (name, item) in instance.exports() {
            match item {
                ComponentItem::Type(ty) => self.0.push((ty, shown(name))),
                ComponentItem::Resource(resource) => self.0.push((Type::Own(resource), shown(name))),
                _ => {}
            }
        }
    }

    /// The name of a type. Types with the same names inside count as the same: to compare them as a whole can take
    /// long, and this is for people.
    fn name(&self, ty: &Type) -> Option<&str> {
        let same = |named: &Type| match (named, ty) {
            (Type::Own(a), Type::Own(b) | Type::Borrow(b)) => a == b,
            (Type::Record(a), Type::Record(b)) => {
                a.fields().len() == b.fields().len()
                    && a.fields().zip(b.fields()).all(|(a, b)| a.name == b.name)
            }
            (Type::Variant(a), Type::Variant(b)) => {
                a.cases().len() == b.cases().len() && a.cases().zip(b.cases()).all(|(a, b)| a.name == b.name)
            }
            (Type::Enum(a), Type::Enum(b)) => a.names().eq(b.names()),
            (Type::Flags(a), Type::Flags(b)) => a.names().eq(b.names()),
            _ => false,
        };
        self.0
            .iter()
            .find(|(named, _)| same(named))
            .map(|(_, name)| name.as_str())
    }

    fn item(&self, out: &mut String, name: &str, item: &ComponentItem) {
        let name = shown(name);
        let _ = match item {
            ComponentItem::ComponentInstance(instance) => {
                let _ = writeln!(out, "  {name}");
                self.functions(out, instance);
                Ok(())
            }
            ComponentItem::ComponentFunc(ty) => writeln!(out, "  {name}: {}", self.func(ty)),
            ComponentItem::Module => writeln!(out, "  {name}: core module"),
            ComponentItem::Component => writeln!(out, "  {name}: component"),
            ComponentItem::Type(ty) => writeln!(out, "  {name}: type {}", self.text(ty)),
            ComponentItem::Resource(_) => writeln!(out, "  {name}: resource"),
        };
    }

    fn functions(&self, out: &mut String, instance: &ComponentInstance) {
        for (name, item) in instance.exports() {
            if let ComponentItem::ComponentFunc(ty) = item {
                let _ = writeln!(out, "    {}: {}", shown(name), self.func(&ty));
            }
        }
    }

    fn func(&self, ty: &ComponentFunc) -> String {
        let mut out = String::from("func(");
        for (i, (name, ty)) in ty.params().enumerate() {
            let _ = write!(out, "{}{}: ", if i == 0 { "" } else { ", " }, shown(name));
            self.write(&mut out, &ty, DEPTH);
        }
        out.push(')');
        for ty in ty.results() {
            out.push_str(" -> ");
            self.write(&mut out, &ty, DEPTH);
        }
        out
    }

    fn text(&self, ty: &Type) -> String {
        let mut out = String::new();
        self.write(&mut out, ty, DEPTH);
        out
    }

    /// Writes a type as WIT has it.
    fn write(&self, out: &mut String, ty: &Type, depth: usize) {
        if depth == 0 || out.len() > LINE {
            out.push_str("..");
            return;
        }
        let mut inside = |kind: &str, types: &mut dyn Iterator<Item = Option<Type>>| {
            let _ = write!(out, "{kind}<");
            for (i, ty) in types.enumerate() {
                out.push_str(if i == 0 { "" } else { ", " });
                match ty {
                    Some(ty) => self.write(out, &ty, depth - 1),
                    None => out.push('_'),
                }
                if out.len() > LINE {
                    break;
                }
            }
            out.push('>');
        };
        match ty {
            Type::List(list) => inside("list", &mut [Some(list.ty())].into_iter()),
            Type::Option(option) => inside("option", &mut [Some(option.ty())].into_iter()),
            Type::Tuple(tuple) => inside("tuple", &mut tuple.types().map(Some)),
            Type::Result(result) => match (result.ok(), result.err()) {
                (None, None) => out.push_str("result"),
                (ok, None) => inside("result", &mut [ok].into_iter()),
                (ok, err) => inside("result", &mut [ok, err].into_iter()),
            },
            Type::Borrow(_) => {
                let _ = write!(out, "borrow<{}>", self.name(ty).unwrap_or("resource"));
            }
            other => out.push_str(self.name(other).unwrap_or(other.desc())),
        }
    }
}
