//! Signals of trapping instructions.
//!
//! A handler that finds the faulting instruction among those of machine code that may trap lets the thread go on in
//! [`trapped`](super::exit::trapped), on the same stack; all other signals go to the handler that was there before.

use std::{
    mem::MaybeUninit,
    sync::{Once, OnceLock},
};

use super::{exit::trapped, registry};
use crate::error::Result;

const SIGNALS: [libc::c_int; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];

static PREVIOUS: [OnceLock<libc::sigaction>; 4] = [const { OnceLock::new() }; 4];

/// Installs the handlers, once in a process.
///
/// # Errors
/// None on the platforms that have machine code.
pub(crate) fn install() -> Result<()> {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        for (signal, previous) in SIGNALS.into_iter().zip(&PREVIOUS) {
            // SAFETY: the handler has the signature that `SA_SIGINFO` asks for and is safe to run at any time; both structures live
            // through the calls.
            unsafe {
                let mut old = MaybeUninit::<libc::sigaction>::zeroed();
                libc::sigaction(signal, std::ptr::null(), old.as_mut_ptr());
                // Before the new handler is there, which reads it.
                let _ = previous.set(old.assume_init());
                let mut new: libc::sigaction = std::mem::zeroed();
                new.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER | libc::SA_ONSTACK;
                new.sa_sigaction = handle as *const () as usize;
                libc::sigemptyset(&mut new.sa_mask);
                libc::sigaction(signal, &new, std::ptr::null_mut());
            }
        }
    });
    Ok(())
}

unsafe extern "C" fn handle(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the system passes a valid context to handlers that were installed with `SA_SIGINFO`.
    unsafe {
        let registers = &mut *context.cast::<libc::ucontext_t>();
        if let Some(code) = registry::trap_at(pc(registers)) {
            resume(registers, code as u8);
            return;
        }
        forward(signal, info, context);
    }
}

/// Does what the handler would do that was there before.
unsafe fn forward(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let previous = SIGNALS
        .iter()
        .position(|s| *s == signal)
        .and_then(|at| PREVIOUS[at].get());
    // SAFETY: a handler that the system accepted has the signature that its flags tell.
    unsafe {
        match previous {
            Some(previous) if previous.sa_sigaction == libc::SIG_IGN => {}
            Some(previous) if previous.sa_sigaction != libc::SIG_DFL => {
                if previous.sa_flags & libc::SA_SIGINFO != 0 {
                    let handler: unsafe extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                        std::mem::transmute(previous.sa_sigaction);
                    handler(signal, info, context);
                } else {
                    let handler: unsafe extern "C" fn(libc::c_int) =
                        std::mem::transmute(previous.sa_sigaction);
                    handler(signal);
                }
            }
            _ => {
                // The instruction is executed again when this returns, and the default action ends the process.
                libc::signal(signal, libc::SIG_DFL);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn pc(context: &libc::ucontext_t) -> usize {
    context.uc_mcontext.gregs[libc::REG_RIP as usize] as usize
}

/// Lets the thread go on with a call of `trapped` with the address, the frame pointer and the code.
#[cfg(target_arch = "x86_64")]
fn resume(context: &mut libc::ucontext_t, code: u8) {
    let registers = &mut context.uc_mcontext.gregs;
    registers[libc::REG_RDI as usize] = registers[libc::REG_RIP as usize];
    registers[libc::REG_RSI as usize] = registers[libc::REG_RBP as usize];
    registers[libc::REG_RDX as usize] = code.into();
    // Aligned as it is behind a call instruction.
    let stack = registers[libc::REG_RSP as usize] as usize;
    registers[libc::REG_RSP as usize] = ((stack & !15) - 8) as i64;
    registers[libc::REG_RIP as usize] = trapped as *const () as i64;
}

#[cfg(target_arch = "aarch64")]
fn pc(context: &libc::ucontext_t) -> usize {
    context.uc_mcontext.pc as usize
}

#[cfg(target_arch = "aarch64")]
fn resume(context: &mut libc::ucontext_t, code: u8) {
    let registers = &mut context.uc_mcontext;
    registers.regs[0] = registers.pc;
    registers.regs[1] = registers.regs[29];
    registers.regs[2] = code.into();
    registers.sp &= !15;
    registers.pc = trapped as *const () as u64;
}
