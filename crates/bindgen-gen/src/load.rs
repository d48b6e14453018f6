//! From the source that the options name to a resolved world.

use std::path::{Path, PathBuf};

use syn::spanned::Spanned;
use wit_parser::{PackageId, Resolve, WorldId};

use crate::input::{Input, Source};

/// A world and everything it needs.
pub struct Loaded {
    /// All WIT packages that were read.
    pub resolve: Resolve,
    /// The chosen world.
    pub world: WorldId,
    /// The files that were read, as absolute paths if the base was one.
    pub files: Vec<PathBuf>,
}

impl Input {
    /// Reads the WIT that the input names; paths are relative to `base`.
    ///
    /// # Errors
    /// If a file cannot be read, WIT does not parse (the message has the position in the WIT file), or the world is
    /// missing or not clear.
    pub fn load(&self, base: &Path) -> syn::Result<Loaded> {
        self.source.load(base)
    }
}

impl Source {
    fn load(&self, base: &Path) -> syn::Result<Loaded> {
        let mut resolve = Resolve::default();
        resolve
            .features
            .extend(self.features.iter().map(syn::LitStr::value));
        let mut main: Vec<PackageId> = Vec::new();
        let mut files = Vec::new();

        let mut paths: Vec<_> = self
            .paths
            .iter()
            .map(|p| (base.join(p.value()), p.span()))
            .collect();
        if paths.is_empty() && self.inline.is_none() {
            paths.push((base.join("wit"), self.span));
        }
        for (path, span) in paths {
            let (package, sources) = resolve
                .push_path(&path)
                .map_err(|e| syn::Error::new(span, resolve.render_error(&e)))?;
            main.push(package);
            // Without the canonical form, the same file would be tracked under several names.
            files.extend(
                sources
                    .paths()
                    .map(|p| p.canonicalize().unwrap_or_else(|_| p.to_owned())),
            );
        }
        if let Some(inline) = &self.inline {
            let package = resolve
                .push_str("inline WIT", &inline.value())
                .map_err(|e| syn::Error::new(inline.span(), resolve.render_error(&e)))?;
            main = vec![package];
        }
        files.sort();
        files.dedup();

        let name = self.world.as_ref().map(syn::LitStr::value);
        let span = self.world.as_ref().map_or(self.span, Spanned::span);
        let world = resolve
            .select_world(&main, name.as_deref())
            .map_err(|e| syn::Error::new(span, unknown_world(&resolve, &main, &format!("{e:#}"))))?;
        Ok(Loaded {
            resolve,
            world,
            files,
        })
    }
}

fn unknown_world(resolve: &Resolve, main: &[PackageId], error: &str) -> String {
    let worlds: Vec<&str> = main
        .iter()
        .flat_map(|p| resolve.packages[*p].worlds.keys())
        .map(String::as_str)
        .collect();
    if worlds.is_empty() {
        return error.to_owned();
    }
    format!("{error} (worlds there: {})", worlds.join(", "))
}
