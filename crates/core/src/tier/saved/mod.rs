//! Saved machine code: the cache on disk, and artifacts made ahead of time.
//!
//! Both hold *images* ([`image`]): the code of one module as it will lie in memory, with its tables. Code is position independent and has
//! no relocations, so an image is used by mapping its pages, executable but not writable. Before that, everything in it is
//! checked against a checksum, and its key against the module, the engine and the machine ([`key`]). Neither protects from people who
//! may write the files: whoever can make a file that is accepted can run code in the process. So cache files have to belong to the user and be
//! writable by nobody else ([`file`]), and artifacts have to bear a mark made with a secret, unless the embedder vouches for them ([`artifact`]).

mod artifact;
mod cache;
mod digest;
#[cfg(wharf_native)]
mod file;
#[cfg(not(wharf_native))]
#[path = "file_elsewhere.rs"]
mod file;
mod image;
mod key;

pub use artifact::Artifact;
pub(crate) use artifact::{ArtifactKey, Artifacts};
pub(crate) use cache::{Cache, Collected};
pub(crate) use image::{Image, PieceKind, Tables};
