//! Why a guest stopped, and where it was.

use std::fmt;

/// The reason of a trap.
///
/// The texts are those that the official test scripts expect.
#[derive(Copy, Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
#[repr(u8)]
pub enum TrapCode {
    /// An `unreachable` instruction was executed.
    #[error("wasm `unreachable` instruction executed")]
    Unreachable,
    /// A memory access outside of the linear memory.
    #[error("out of bounds memory access")]
    MemoryOutOfBounds,
    /// A table access outside of the table.
    #[error("out of bounds table access")]
    TableOutOfBounds,
    /// `call_indirect` with an index outside of the table.
    #[error("undefined element: out of bounds table access")]
    UndefinedElement,
    /// `call_indirect` on an empty table element.
    #[error("uninitialized element")]
    IndirectCallToNull,
    /// `call_indirect` on a function of another type.
    #[error("indirect call type mismatch")]
    BadSignature,
    /// An integer operation whose result does not fit.
    #[error("integer overflow")]
    IntegerOverflow,
    /// An integer division or remainder by zero.
    #[error("integer divide by zero")]
    IntegerDivisionByZero,
    /// A float that is NaN was converted to an integer.
    #[error("invalid conversion to integer")]
    BadConversionToInteger,
    /// The call stack of the guest, or of host functions that call guests again, is used up.
    #[error("call stack exhausted")]
    StackOverflow,
    /// A null reference was used where a value is needed.
    #[error("null reference")]
    NullReference,
    /// The epoch deadline of the store has passed.
    #[error("interrupt: the deadline of the store has passed")]
    Interrupt,
    /// The body of a function, validated at its first call, is invalid (lazy validation only).
    #[error("invalid function body")]
    InvalidBody,
    // From here on: component instances and the canonical ABI.
    /// A call into a component instance that a call is in already, or that trapped before.
    #[error("cannot enter component instance")]
    CannotEnterComponent,
    /// A call out of a component instance from `realloc` or `post-return`.
    #[error("cannot leave component instance")]
    CannotLeaveComponent,
    /// A pointer that a guest gave is not aligned.
    #[error("unaligned pointer")]
    UnalignedPointer,
    /// A pointer that a guest gave leads outside of its memory.
    #[error("pointer out of bounds of memory")]
    PointerOutOfBounds,
    /// A list that a guest gave leads outside of its memory.
    #[error("list pointer/length out of bounds of memory")]
    ListPointerOutOfBounds,
    /// A string that a guest gave leads outside of its memory.
    #[error("string pointer/length out of bounds of memory")]
    StringPointerOutOfBounds,
    /// In a call between guests, a list leads outside of a memory.
    #[error("list content out-of-bounds")]
    ListOutOfBounds,
    /// In a call between guests, a string leads outside of a memory.
    #[error("string content out-of-bounds")]
    StringOutOfBounds,
    /// A list with more bytes than the canonical ABI allows.
    #[error("list too long")]
    ListTooLong,
    /// A string with more bytes than the canonical ABI allows.
    #[error("string too long")]
    StringTooLong,
    /// The guest's allocator returned memory that isn't there.
    #[error("realloc return: beyond end of memory")]
    ReallocOutOfBounds,
    /// The guest's allocator returned memory that is not aligned.
    #[error("realloc return: result not aligned")]
    ReallocUnaligned,
    /// A discriminant that no case of the variant has.
    #[error("invalid variant discriminant")]
    InvalidDiscriminant,
    /// A number that is no Unicode scalar value.
    #[error("invalid `char` bit pattern")]
    InvalidChar,
    /// A string that is not UTF-8.
    #[error("invalid utf-8 sequence in a string")]
    InvalidUtf8,
    /// A string that ends within a character.
    #[error("incomplete utf-8 byte sequence at the end of a string")]
    IncompleteUtf8,
    /// A string that is not UTF-16.
    #[error("unpaired surrogate in a utf-16 string")]
    InvalidUtf16,
    /// A handle that the component instance does not have.
    #[error("no such handle in the component instance")]
    UnknownHandle,
    /// A handle of another resource type.
    #[error("handle of another resource type")]
    HandleType,
    /// A handle that was lent for a call that is under way was dropped or passed on.
    #[error("cannot remove owned resource while borrowed")]
    HandleLent,
    /// A borrowed handle where ownership is needed.
    #[error("cannot lift own resource from a borrow")]
    HandleNotOwned,
    /// A guest returned from a call before it dropped the handles that were lent to it.
    #[error("borrow handles still remain at the end of the call")]
    BorrowsRemain,
    /// The component instance has as many handles as it may have.
    #[error("handle table is full")]
    HandleTableFull,
}

impl TrapCode {
    /// The code whose number this is, if it is one that core instructions have.
    pub(crate) fn from_byte(byte: u8) -> Option<TrapCode> {
        use TrapCode::*;
        const CORE: [TrapCode; 13] = [
            Unreachable,
            MemoryOutOfBounds,
            TableOutOfBounds,
            UndefinedElement,
            IndirectCallToNull,
            BadSignature,
            IntegerOverflow,
            IntegerDivisionByZero,
            BadConversionToInteger,
            StackOverflow,
            NullReference,
            Interrupt,
            InvalidBody,
        ];
        CORE.into_iter().find(|code| *code as u8 == byte)
    }
}

/// The WebAssembly frames that were active when an error left a guest, innermost first.
#[derive(Clone, Debug, Default)]
pub struct Backtrace {
    pub(crate) frames: Vec<Frame>,
    pub(crate) omitted: usize,
}

/// One WebAssembly frame of a [`Backtrace`].
#[derive(Clone, Debug)]
pub struct Frame {
    /// The label of the instance (for instances of a component: their path), if one was set.
    pub instance: Option<String>,
    /// The name of the module, from its name section.
    pub module: Option<String>,
    /// The function's index in its module.
    pub func_index: u32,
    /// The function's name, from the name section, demangled as far as the producer did.
    pub func_name: Option<String>,
    /// Offset of the instruction in bytes from the start of the file that holds the module.
    pub offset: Option<usize>,
}

impl Backtrace {
    /// At most this many frames are kept; recursion without end has many more.
    pub const MAX_FRAMES: usize = 64;

    /// The frames, innermost first; at most [`Backtrace::MAX_FRAMES`].
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// How many frames were active beyond those kept.
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    pub(crate) fn push(&mut self, frame: impl FnOnce() -> Frame) {
        if self.frames.len() < Self::MAX_FRAMES {
            self.frames.push(frame());
        } else {
            self.omitted += 1;
        }
    }
}

impl fmt::Display for Backtrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wasm backtrace:")?;
        for (i, frame) in self.frames.iter().enumerate() {
            write!(f, "\n  {i:>3}: ")?;
            if let Some(offset) = frame.offset {
                write!(f, "{offset:#x} - ")?;
            }
            if let Some(instance) = &frame.instance {
                write!(f, "{instance} ")?;
            }
            write!(f, "{}!", frame.module.as_deref().unwrap_or("<module>"))?;
            match &frame.func_name {
                Some(name) => write!(f, "{name}")?,
                None => write!(f, "<function {}>", frame.func_index)?,
            }
        }
        if self.omitted > 0 {
            write!(f, "\n  ... and {} more frames", self.omitted)?;
        }
        Ok(())
    }
}

impl From<crate::numeric::float::TruncError> for TrapCode {
    fn from(e: crate::numeric::float::TruncError) -> TrapCode {
        match e {
            crate::numeric::float::TruncError::NotANumber => TrapCode::BadConversionToInteger,
            crate::numeric::float::TruncError::Overflow => TrapCode::IntegerOverflow,
        }
    }
}
