//! Whether what is given for imports is what a module asks for (core spec, "Import Matching").

use super::{Extern, Store};
use crate::{
    engine::Engine,
    error::{Error, Result},
    module::{ImportKind, Module},
    types::{ExternType, ValType},
};

/// Checks the number and the types of imports.
pub(super) fn check_imports(store: &Store, module: &Module, imports: &[Extern]) -> Result<()> {
    // Types have other numbers in another engine.
    if !Engine::same(&module.0.engine, store.engine()) {
        return Err(Error::usage(
            "the module was made for another engine than the store",
        ));
    }
    let wanted = &module.0.imports;
    if wanted.len() != imports.len() {
        return Err(Error::usage(format!(
            "the module has {} imports, {} were given",
            wanted.len(),
            imports.len()
        )));
    }
    for (want, have) in wanted.iter().zip(imports) {
        have.check_store(store)?;
        let fits = match (want.kind, have) {
            (ImportKind::Func { ty }, Extern::Func(f)) => module.0.sigs[ty as usize] == f.sig(store),
            (ImportKind::Memory(want), Extern::Memory(m)) => {
                let have = m.ty(store);
                want.memory64 == have.memory64
                    && want.shared == have.shared
                    && want.page_size_log2 == have.page_size_log2
                    && limits_fit(have.minimum, have.maximum, want.minimum, want.maximum)
            }
            (ImportKind::Table(want), Extern::Table(t)) => {
                let have = t.ty(store);
                want.table64 == have.table64
                    && want.element == have.element
                    && limits_fit(have.minimum, have.maximum, want.minimum, want.maximum)
            }
            (ImportKind::Global(want), Extern::Global(g)) => {
                let have = g.ty(store);
                want.mutable == have.mutable && value_fits(have.content, want.content, want.mutable)
            }
            (ImportKind::Tag { ty }, Extern::Tag(t)) => *module.0.types[ty as usize] == t.ty(store).func,
            _ => false,
        };
        if !fits {
            let want_ty: ExternType = module
                .imports()
                .zip(wanted)
                .find(|(_, w)| std::ptr::eq(*w, want))
                .map(|(i, _)| i.ty)
                .unwrap_or_else(|| have.ty(store));
            return Err(Error::link(format!(
                "incompatible import type for `{}` `{}`: expected {want_ty}, found {}",
                want.module,
                want.name,
                have.ty(store)
            )));
        }
    }
    Ok(())
}

fn limits_fit(have_min: u64, have_max: Option<u64>, want_min: u64, want_max: Option<u64>) -> bool {
    have_min >= want_min
        && match (have_max, want_max) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(have), Some(want)) => have <= want,
        }
}

fn value_fits(have: ValType, want: ValType, exactly: bool) -> bool {
    match (have, want) {
        (ValType::Ref(have), ValType::Ref(want)) if !exactly => {
            have.heap == want.heap && (want.nullable || !have.nullable)
        }
        _ => have == want,
    }
}
