//! The cache on disk: one file per module and settings.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    digest::digest,
    file::{self, OpenFile},
    image::{self, Image, NewPiece, PieceKind, Tables},
    key::Key,
};
use crate::{
    module::ModuleInner,
    native::CodeObject,
    tier::{Compiler, EngineTier},
};

/// A folder with the code of modules.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
}

/// Code of a module in memory, as it is to be saved.
pub(crate) type Collected = Vec<(PieceKind, u32, Arc<CodeObject>)>;

impl Cache {
    pub(crate) fn new(folder: &Path) -> Cache {
        Cache {
            folder: folder.to_path_buf(),
        }
    }

    /// Publishes what is saved of a module; gives whether that is something. Files that can't be used are as good as none.
    pub(crate) fn load(&self, tier: &EngineTier, module: &ModuleInner) -> bool {
        let Some(compiler) = tier.compiler() else {
            return false;
        };
        let interruptible = tier.interruptible();
        let key = self.key(&**compiler, tier.guarded(), interruptible, module);
        let Some((file, image)) = self.open(key) else {
            return false;
        };
        module
            .tier
            .adopt(module, &Arc::new(image), Some((&file.file, 0)), interruptible)
            .is_ok()
    }

    /// Saves the code of a module, with what its file has beyond that. Gives how many functions were not there before.
    pub(crate) fn save(&self, tier: &EngineTier, module: &ModuleInner) -> io::Result<usize> {
        let Some(compiler) = tier.compiler() else {
            return Ok(0);
        };
        let interruptible = tier.interruptible();
        let (collected, unsaved) = module.tier.collect(module, interruptible);
        if unsaved == 0 {
            return Ok(0);
        }
        let key = self.key(&**compiler, tier.guarded(), interruptible, module);
        let saved = self.open(key).map(|(_, image)| image);
        let image = encode(key, &collected, saved.as_ref())
            .ok_or_else(|| io::Error::new(io::ErrorKind::FileTooLarge, "too much code for one file"))?;
        file::make_folder(&self.folder)?;
        file::replace(&self.folder.join(key.file_name()), &image)?;
        module.tier.saved(unsaved);
        Ok(unsaved)
    }

    fn key(&self, compiler: &dyn Compiler, guarded: bool, interruptible: bool, module: &ModuleInner) -> Key {
        let module = module.tier.digest(|| digest(&[&module.bytes]));
        Key::of_settings(compiler, guarded, interruptible).with_module(&module)
    }

    fn open(&self, key: Key) -> Option<(OpenFile, Image)> {
        let file = file::open(&self.folder.join(key.file_name()), file::From::User).ok()?;
        let image = Image::open(file.bytes.clone(), key).ok()?;
        Some((file, image))
    }
}

/// Makes an image of code in memory, and of what another image has beyond that.
pub(super) fn encode(key: Key, collected: &Collected, more: Option<&Image>) -> Option<Vec<u8>> {
    let own: std::collections::HashSet<(PieceKind, u32)> = collected.iter().map(|c| (c.0, c.1)).collect();
    let more: Vec<_> = more
        .into_iter()
        .flat_map(|image| image.pieces().map(move |piece| (image, piece)))
        .filter(|(_, piece)| !own.contains(&(piece.kind, piece.index)))
        .map(|(image, piece)| (image, piece, image.tables(&piece)))
        .collect();
    let mut pieces: Vec<NewPiece<'_>> = collected
        .iter()
        .map(|(kind, index, object)| NewPiece {
            kind: *kind,
            index: *index,
            alignment: object.alignment,
            code: object.code(),
            tables: &object.tables,
        })
        .collect();
    pieces.extend(
        more.iter()
            .map(|(image, piece, tables): &(_, _, Tables)| NewPiece {
                kind: piece.kind,
                index: piece.index,
                alignment: piece.alignment,
                code: &image.code()[piece.start as usize..(piece.start + piece.len) as usize],
                tables,
            }),
    );
    pieces.sort_by_key(|piece| (piece.kind, piece.index));
    image::write(key, &pieces)
}
