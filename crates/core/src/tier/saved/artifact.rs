//! Artifacts: a module or component together with its machine code.
//!
//! A header, one row per image, the WebAssembly, and the images, each at a multiple of [`CODE_ALIGN`]. The checksum in the header covers all of
//! that but the images, whose own checksums are in the rows. The mark is made of the checksum and a secret.

use std::{
    fmt,
    fs::File,
    ops::Range,
    path::Path,
    sync::{Arc, Mutex, Weak},
};

use super::{
    cache::encode,
    digest::digest,
    file::{self, OpenFile},
    image::{CODE_ALIGN, Image, Refused},
    key::Key,
};
use crate::{
    Bytes, Engine,
    error::{Error, Result},
    module::ModuleInner,
    tier::EngineTier,
};

const MAGIC: [u8; 8] = *b"WHARFaot";
const VERSION: u32 = 1;

/// Where things are in the header.
mod header {
    use std::ops::Range;

    pub(super) const VERSION: usize = 8;
    pub(super) const IMAGES: usize = 12;
    pub(super) const CHECKSUM: Range<usize> = 16..48;
    pub(super) const MARK: Range<usize> = 48..80;
    pub(super) const LEN: usize = 80;
    pub(super) const WASM: usize = 88;
    pub(super) const WASM_LEN: usize = 96;
    pub(super) const SIZE: usize = 104;
}

/// A row: where the module is in the WebAssembly (from, to), where its image is (from, length), and the image's checksum.
const ROW_SIZE: usize = 4 * 8 + 32;

/// A secret for marks.
#[derive(Clone)]
pub(crate) struct ArtifactKey([u8; 32]);

impl ArtifactKey {
    pub(crate) fn new(secret: [u8; 32]) -> ArtifactKey {
        ArtifactKey(secret)
    }

    fn mark(&self, checksum: &[u8]) -> blake3::Hash {
        let key = blake3::derive_key("wharf-core 2026-11-22 marks of artifacts", &self.0);
        blake3::keyed_hash(&key, checksum)
    }
}

impl fmt::Debug for ArtifactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ArtifactKey(..)")
    }
}

/// A WebAssembly module or component with machine code made ahead of time.
///
/// Modules and components made of [`Artifact::bytes`] have the machine code at once, if the artifact's is for this engine: made by the same
/// version of Wharf, for a CPU with the same features, with the same settings. Otherwise they are like those made of any other bytes.
///
/// # Trust
/// Machine code is not in a sandbox. The checksum in an artifact finds damage, but whoever writes an artifact can give it
/// the right checksum. So [`Artifact::open`] uses machine code only if the artifact bears a mark that was made with the
/// [secret](crate::Config::artifact_key) of the engine, and the WebAssembly alone if not. [`Artifact::open_trusted`] does without the mark.
///
/// The file must not be changed while the artifact, or anything made of it, is in use; replace it instead.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use wharf_core::{Artifact, Bytes, Config, Engine, Module};
///
/// let engine = Engine::new(Config::new().artifact_key([7; 32]))?;
/// let wasm = Bytes::from(b"\0asm\x01\0\0\0");
/// let module = Module::new(&engine, wasm.clone())?;
/// let artifact = Artifact::write(&engine, &wasm)?; // without code: this engine has no compiler
/// let path = std::env::temp_dir().join(format!("wharf-{}.artifact", std::process::id()));
/// std::fs::write(&path, artifact)?;
/// let artifact = Artifact::open(&engine, &path)?;
/// let module = Module::new(&engine, artifact.bytes())?;
/// # std::fs::remove_file(&path)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Artifact(Arc<Inner>);

struct Inner {
    /// The whole artifact.
    file: Bytes,
    wasm: Range<usize>,
    trusted: bool,
    rows: Vec<Row>,
    /// To map code from.
    source: Arc<File>,
}

struct Row {
    /// Where the module is in the WebAssembly.
    module: Range<usize>,
    /// Where its image is in the file.
    at: usize,
    /// `None` if another version of Wharf made it.
    image: Option<Arc<Image>>,
}

/// The WebAssembly in an artifact.
struct Wasm(Arc<Inner>);

impl AsRef<[u8]> for Wasm {
    fn as_ref(&self) -> &[u8] {
        &self.0.file[self.0.wasm.clone()]
    }
}

/// Why bytes are no artifact that can be used.
fn damaged() -> Error {
    Error::malformed(0, "the artifact is damaged: its checksum does not fit")
}

impl Artifact {
    /// Whether bytes begin like an artifact's.
    pub fn detect(bytes: &[u8]) -> bool {
        bytes.starts_with(&MAGIC)
    }

    /// Makes an artifact of the WebAssembly of a module or component, with the machine code that the engine's modules have which were
    /// made of these very bytes (of a shared [`Bytes`], not of a copy).
    ///
    /// # Errors
    /// `Limit` if a module has more code than an artifact can hold.
    pub fn write(engine: &Engine, wasm: &Bytes) -> Result<Vec<u8>> {
        let tier = &engine.0.tier;
        let mut images = Vec::new();
        if let Some(compiler) = tier.compiler() {
            let interruptible = tier.interruptible();
            let key = Key::of_settings(&**compiler, tier.guarded(), interruptible);
            for module in tier.modules() {
                let Some(range) = place(wasm, &module.bytes) else {
                    continue;
                };
                let (collected, _) = module.tier.collect(&module, interruptible);
                if collected.is_empty() {
                    continue;
                }
                let image = encode(key, &collected, None)
                    .ok_or_else(|| Error::limit("a module has too much code for an artifact"))?;
                images.push((range, image));
            }
        }
        images.sort_by_key(|(range, _)| range.start);
        let wasm_start = header::SIZE + ROW_SIZE * images.len();
        let mut end = wasm_start + wasm.len();
        let mut out = Vec::new();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&(images.len() as u32).to_le_bytes());
        out.resize(header::LEN, 0);
        let mut rows = Vec::new();
        for (module, image) in &images {
            let at = end.next_multiple_of(CODE_ALIGN);
            end = at + image.len();
            for number in [module.start, module.end, at, image.len()] {
                rows.extend_from_slice(&(number as u64).to_le_bytes());
            }
            rows.extend_from_slice(Image::stored_checksum(image).unwrap_or_default());
        }
        for number in [end, wasm_start, wasm.len()] {
            out.extend_from_slice(&(number as u64).to_le_bytes());
        }
        out.extend_from_slice(&rows);
        out.extend_from_slice(wasm);
        let checksum = checksum(&out);
        out[header::CHECKSUM].copy_from_slice(&checksum);
        if let Some(key) = &engine.config().artifact_key {
            out[header::MARK].copy_from_slice(key.mark(&checksum).as_bytes());
        }
        for (_, image) in &images {
            out.resize(out.len().next_multiple_of(CODE_ALIGN), 0);
            out.extend_from_slice(image);
        }
        Ok(out)
    }

    /// Opens an artifact for an engine. Its machine code is used only if it bears the mark of the engine's secret.
    ///
    /// # Errors
    /// `Malformed` if it is damaged, no artifact, or of another version of the format; a host error if the file can't be read.
    pub fn open(engine: &Engine, path: impl AsRef<Path>) -> Result<Artifact> {
        Artifact::load(engine, path.as_ref(), false)
    }

    /// Opens an artifact for an engine and uses its machine code, whoever wrote it.
    ///
    /// # Errors
    /// As [`Artifact::open`].
    ///
    /// # Safety
    /// The file was made by [`Artifact::write`], of any engine: whoever wrote it can run any code in this process.
    pub unsafe fn open_trusted(engine: &Engine, path: impl AsRef<Path>) -> Result<Artifact> {
        Artifact::load(engine, path.as_ref(), true)
    }

    fn load(engine: &Engine, path: &Path, trusted: bool) -> Result<Artifact> {
        let OpenFile { file: source, bytes } = file::open(path, file::From::Anyone).map_err(Error::host)?;
        let mut inner = check(bytes, source)?;
        let key = &engine.config().artifact_key;
        // The comparison takes the same time whatever is there.
        let marked = |key: &super::ArtifactKey| {
            let checksum = &inner.file[header::CHECKSUM];
            inner.file[header::MARK]
                .try_into()
                .is_ok_and(|mark: [u8; 32]| key.mark(checksum) == mark)
        };
        inner.trusted = trusted || key.as_ref().is_some_and(marked);
        let inner = Arc::new(inner);
        engine.0.tier.artifacts.add(&inner);
        Ok(Artifact(inner))
    }

    /// The WebAssembly, to make a module or a component of. Clones and slices of it lead to the machine code, copies do not.
    pub fn bytes(&self) -> Bytes {
        Bytes::from_owner(Wasm(self.0.clone()))
    }

    /// Whether its machine code may be used: it bears the mark of the engine's secret, or the embedder vouched for it.
    pub fn trusted(&self) -> bool {
        self.0.trusted
    }
}

impl fmt::Debug for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Artifact")
            .field("wasm", &self.0.wasm.len())
            .field("images", &self.0.rows.len())
            .field("trusted", &self.0.trusted)
            .finish()
    }
}

/// Where bytes are in others that they are a part of.
fn place(whole: &[u8], part: &[u8]) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    let end = start.checked_add(part.len())?;
    (end <= whole.len() && !part.is_empty()).then_some(start..end)
}

/// The checksum of a header, the rows and the WebAssembly.
fn checksum(bytes: &[u8]) -> [u8; 32] {
    digest(&[&bytes[..header::CHECKSUM.start], &bytes[header::LEN..]])
}

/// Everything but the images.
fn check(file: Bytes, source: Arc<File>) -> Result<Inner> {
    if !Artifact::detect(&file) {
        return Err(Error::malformed(0, "not an artifact of Wharf"));
    }
    let number = |at: usize| -> Result<usize> {
        let bytes = file.get(at..at + 8).and_then(|b| b.try_into().ok());
        let number = bytes.map(u64::from_le_bytes).ok_or_else(damaged)?;
        usize::try_from(number).map_err(|_| damaged())
    };
    let small = |at: usize| -> Result<u32> {
        let bytes = file.get(at..at + 4).and_then(|b| b.try_into().ok());
        bytes.map(u32::from_le_bytes).ok_or_else(damaged)
    };
    let version = small(header::VERSION)?;
    if version != VERSION {
        return Err(Error::malformed(
            header::VERSION,
            format!("an artifact of version {version} of the format, not {VERSION}; compile it again"),
        ));
    }
    let range = |start: usize, len: usize| -> Result<Range<usize>> {
        let end = start.checked_add(len).filter(|end| *end <= file.len());
        Ok(start..end.ok_or_else(damaged)?)
    };
    let rows = small(header::IMAGES)? as usize;
    let rows_end = range(header::SIZE, ROW_SIZE.checked_mul(rows).ok_or_else(damaged)?)?.end;
    let wasm = range(number(header::WASM)?, number(header::WASM_LEN)?)?;
    if wasm.start != rows_end
        || number(header::LEN)? != file.len()
        || checksum(&file[..wasm.end]) != file[header::CHECKSUM]
    {
        return Err(damaged());
    }
    let rows = (0..rows).map(|row| {
        let at = header::SIZE + ROW_SIZE * row;
        let module = number(at)?..number(at + 8)?;
        let image = range(number(at + 16)?, number(at + 24)?)?;
        let bytes = file.slice(image.clone());
        if module.start > module.end
            || module.end > wasm.len()
            || Image::stored_checksum(&bytes) != file.get(at + 32..at + ROW_SIZE)
        {
            return Err(damaged());
        }
        let at = image.start;
        let image = match Image::read(bytes) {
            Ok(image) => Some(Arc::new(image)),
            Err(Refused::Key) => None,
            Err(Refused::Corrupt) => return Err(damaged()),
        };
        Ok(Row { module, at, image })
    });
    let rows = rows.collect::<Result<Vec<_>>>()?;
    Ok(Inner {
        file,
        wasm,
        trusted: false,
        rows,
        source,
    })
}

/// The artifacts that an engine opened and that are in use.
#[derive(Debug, Default)]
pub(crate) struct Artifacts(Mutex<Vec<Weak<Inner>>>);

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("wasm", &self.wasm).finish()
    }
}

impl Artifacts {
    fn add(&self, artifact: &Arc<Inner>) {
        let mut artifacts = self.0.lock().unwrap_or_else(|e| e.into_inner());
        artifacts.retain(|a| a.strong_count() > 0);
        artifacts.push(Arc::downgrade(artifact));
    }

    /// Publishes the code of a module that was made of the bytes of an artifact; gives whether there is some.
    pub(crate) fn load(&self, tier: &EngineTier, module: &ModuleInner) -> bool {
        let Some(compiler) = tier.compiler() else {
            return false;
        };
        let artifacts: Vec<Arc<Inner>> = {
            let artifacts = self.0.lock().unwrap_or_else(|e| e.into_inner());
            artifacts.iter().filter_map(Weak::upgrade).collect()
        };
        let found = artifacts.iter().filter(|a| a.trusted).find_map(|artifact| {
            let place = place(&artifact.file[artifact.wasm.clone()], &module.bytes)?;
            let row = artifact.rows.iter().find(|row| row.module == place)?;
            Some((artifact, row, row.image.as_ref()?))
        });
        let Some((artifact, row, image)) = found else {
            return false;
        };
        let interruptible = tier.interruptible();
        if image.key != Key::of_settings(&**compiler, tier.guarded(), interruptible) {
            return false;
        }
        let file = Some((&*artifact.source, row.at as u64));
        module.tier.adopt(module, image, file, interruptible).is_ok()
    }
}
