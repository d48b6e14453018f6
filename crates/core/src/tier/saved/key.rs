//! What saved code depends on.

use super::digest::{Digest, digest};
use crate::tier::{Compiler, abi};

/// A digest of everything that code depends on. Code with another key is of no use.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) struct Key(pub(super) Digest);

impl Key {
    /// The key of code of any module: version and sources of the runtime, offsets in its structures, compiler, target, CPU features
    /// and settings.
    pub(super) fn of_settings(compiler: &dyn Compiler, guarded: bool, interruptible: bool) -> Key {
        let offsets: Vec<u8> = OFFSETS.iter().flat_map(|offset| offset.to_le_bytes()).collect();
        Key(digest(&[
            env!("CARGO_PKG_VERSION").as_bytes(),
            env!("WHARF_CORE_SOURCES").as_bytes(),
            &offsets,
            compiler.fingerprint().as_bytes(),
            &[u8::from(guarded), u8::from(interruptible)],
        ]))
    }

    /// The key of code of one module.
    pub(super) fn with_module(&self, module: &Digest) -> Key {
        Key(digest(&[&self.0, module]))
    }

    /// A file name.
    pub(super) fn file_name(&self) -> String {
        let mut name: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        name.push_str(".wharf");
        name
    }
}

/// The interface between code and runtime. The runtime's sources say the same; but a compiler of another version may lay structures out otherwise.
const OFFSETS: [u32; 29] = [
    abi::POINTER,
    abi::VM_RT,
    abi::VM_MEMORY0_BASE,
    abi::VM_CODE,
    abi::VM_SIGS,
    abi::VM_EXIT_STUBS,
    abi::CELL_SIZE,
    abi::CELL_NATIVE,
    abi::CELL_DIRECT,
    abi::FUNC_REF_SIZE,
    abi::FUNC_REF_CODE,
    abi::FUNC_REF_VM,
    abi::FUNC_REF_SIG,
    abi::MEMORY_BASE,
    abi::MEMORY_LEN,
    abi::TABLE_BASE,
    abi::TABLE_LEN,
    abi::RT_STACK_TOP,
    abi::RT_HOST_STACK_LIMIT,
    abi::RT_NATIVE_CALLER,
    abi::RT_EPOCH,
    abi::RT_DEADLINE,
    abi::RT_BUILTINS,
    abi::LINKAGE,
    abi::builtin::CALL_OUT,
    abi::builtin::MEMORY_GROW,
    abi::builtin::TABLE_INIT,
    abi::builtin::ELEM_DROP,
    abi::builtin::DEADLINE,
];
