//! The frames of a trap that is on its way out.

use crate::{
    runtime::vm::{RawFrame, VmRuntime},
    trap::Backtrace,
};

/// Notes an active frame for the backtrace of the trap that is on its way out.
///
/// # Safety
/// `rt` is a live runtime block and no reference into it is live.
pub(crate) unsafe fn note(rt: *mut VmRuntime, frame: RawFrame) {
    // SAFETY: by the contract above.
    unsafe {
        let trace = &mut (*rt).trace;
        if trace.len() < Backtrace::MAX_FRAMES {
            trace.push(frame);
        } else {
            (*rt).trace_omitted += match frame {
                RawFrame::Bytecode(..) => 1,
                // Calls may have been inlined.
                RawFrame::Native(address) => {
                    super::find(address).map_or(0, |code| code.frames(address).len())
                }
            };
        }
    }
}
