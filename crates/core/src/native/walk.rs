//! Walking frames of machine code.

use super::entry::EntryFrame;

/// A frame of machine code, by its frame pointer.
#[derive(Copy, Clone)]
pub(super) struct NativeFrame(*const usize);

impl NativeFrame {
    /// # Safety
    /// It is the frame pointer of a live frame of machine code.
    pub(super) unsafe fn new(pointer: *const usize) -> NativeFrame {
        NativeFrame(pointer)
    }

    fn return_address(self) -> usize {
        // SAFETY: machine code keeps frame pointers: the caller's frame pointer, and above it the return address.
        unsafe { *self.0.add(1) }
    }

    fn caller(self) -> *const usize {
        // SAFETY: as in `return_address`.
        unsafe { *self.0 as *const usize }
    }

    /// The frame of `enter`, if it is this frame's caller's caller: then this is the function that `enter` was called for (which the
    /// entry stub calls), or one that took its place by a tail call.
    pub(super) fn outermost(self) -> Option<EntryFrame> {
        // SAFETY: the caller of a frame of machine code is one too, or an entry stub, which keeps frame pointers as well.
        let stub = unsafe { NativeFrame::new(self.caller()) };
        // SAFETY: the return address shows that the entry stub's caller is `enter`.
        EntryFrame::returns_here(stub.return_address()).then(|| unsafe { EntryFrame::new(stub.caller()) })
    }

    /// The frame of `enter` that the segment began with, and the addresses in machine code from the return address of this frame outwards.
    pub(super) fn walk(self, mut visit: impl FnMut(usize)) -> EntryFrame {
        let mut frame = self;
        loop {
            // SAFETY: frames of machine code chain up to the entry stub's.
            let caller = unsafe { NativeFrame::new(frame.caller()) };
            if EntryFrame::returns_here(caller.return_address()) {
                // SAFETY: the return address shows that the caller is the entry stub, which is no function's frame.
                return unsafe { EntryFrame::new(caller.caller()) };
            }
            visit(frame.return_address());
            frame = caller;
        }
    }
}
