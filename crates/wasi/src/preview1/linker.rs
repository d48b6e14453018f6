//! The functions of `wasi_snapshot_preview1` in a linker of core modules.

use super::types::{Failure, P1Result};
use super::{Call, WasiP1Ctx};
use crate::error::I32Exit;
use wharf::{Caller, Error, Extern, Linker, Result};

/// The name of the module that guests import from.
const MODULE: &str = "wasi_snapshot_preview1";

/// Adds all of preview 1 to a linker. `ctx` gives the context out of a store's data.
///
/// A guest must export its memory as `memory`. `proc_exit` leaves the guest as the error [`I32Exit`].
///
/// # Errors
/// If the linker has one of the functions already and does not allow that.
pub fn add_to_linker<T, F>(linker: &mut Linker<T>, ctx: F) -> Result<()>
where
    T: Send + 'static,
    F: Fn(&mut T) -> &mut WasiP1Ctx + Copy + Send + Sync + 'static,
{
    /// Defines functions by name and parameters. Those marked `async` may wait; `=` names the method that serves
    /// several functions, for the first parameters.
    macro_rules! define {
        ($($kind:ident $name:ident($($arg:ident: $ty:ident),*) $(= $method:ident($($use:ident),*))?;)+) => {$(
            linker.func_wrap(
                MODULE,
                stringify!($name),
                move |mut caller: Caller<'_, T>, $($arg: define!(@wasm $ty)),*| -> Result<i32> {
                    $(let $arg: $ty = $arg.cast_unsigned();)*
                    $(let _ = $arg;)*
                    run(&mut caller, ctx, |call| define!(@call $kind call $name($($arg),*) $(= $method($($use),*))?))
                },
            )?;
        )+};
        (@wasm u32) => { i32 };
        (@wasm u64) => { i64 };
        (@call sync $call:ident $name:ident($($arg:ident),*)) => { $call.$name($($arg),*) };
        (@call sync $call:ident $name:ident($($arg:ident),*) = $method:ident($($use:ident),*)) => {
            $call.$method($($use),*)
        };
        (@call wait $call:ident $name:ident($($arg:ident),*)) => {
            wharf_core::suspend::wait($call.$name($($arg),*)).unwrap_or_else(|e| Err(e.into()))
        };
    }
    define! {
        sync args_get(argv: u32, buf: u32);
        sync args_sizes_get(count: u32, bytes: u32);
        sync environ_get(environ: u32, buf: u32);
        sync environ_sizes_get(count: u32, bytes: u32);
        sync clock_res_get(clock: u32, result: u32);
        sync clock_time_get(clock: u32, precision: u64, result: u32);
        sync fd_advise(fd: u32, offset: u64, len: u64, advice: u32);
        sync fd_allocate(fd: u32, offset: u64, len: u64);
        sync fd_close(fd: u32);
        wait fd_datasync(fd: u32);
        sync fd_fdstat_get(fd: u32, result: u32);
        sync fd_fdstat_set_flags(fd: u32, flags: u32);
        sync fd_fdstat_set_rights(fd: u32, base: u64, inheriting: u64);
        sync fd_filestat_get(fd: u32, result: u32);
        sync fd_filestat_set_size(fd: u32, size: u64);
        sync fd_filestat_set_times(fd: u32, accessed: u64, modified: u64, flags: u32);
        sync fd_pread(fd: u32, iovs: u32, count: u32, offset: u64, result: u32);
        sync fd_prestat_get(fd: u32, result: u32);
        sync fd_prestat_dir_name(fd: u32, path: u32, len: u32);
        sync fd_pwrite(fd: u32, iovs: u32, count: u32, offset: u64, result: u32);
        wait fd_read(fd: u32, iovs: u32, count: u32, result: u32);
        sync fd_readdir(fd: u32, buf: u32, len: u32, cookie: u64, result: u32);
        sync fd_renumber(from: u32, to: u32);
        sync fd_seek(fd: u32, offset: u64, whence: u32, result: u32);
        wait fd_sync(fd: u32);
        sync fd_tell(fd: u32, result: u32);
        wait fd_write(fd: u32, iovs: u32, count: u32, result: u32);
        sync path_create_directory(fd: u32, path: u32, len: u32);
        sync path_filestat_get(fd: u32, flags: u32, path: u32, len: u32, result: u32);
        sync path_filestat_set_times(fd: u32, flags: u32, path: u32, len: u32, atim: u64, mtim: u64, which: u32);
        sync path_link(fd: u32, flags: u32, old: u32, old_len: u32, new_fd: u32, new: u32, new_len: u32);
        sync path_open(
            fd: u32, lookup: u32, path: u32, len: u32, how: u32, base: u64, inheriting: u64, flags: u32, result: u32
        );
        sync path_readlink(fd: u32, path: u32, len: u32, buf: u32, buf_len: u32, result: u32);
        sync path_remove_directory(fd: u32, path: u32, len: u32);
        sync path_rename(fd: u32, old: u32, old_len: u32, new_fd: u32, new: u32, new_len: u32);
        sync path_symlink(target: u32, target_len: u32, fd: u32, path: u32, len: u32);
        sync path_unlink_file(fd: u32, path: u32, len: u32);
        wait poll_oneoff(subs: u32, events: u32, count: u32, result: u32);
        sync proc_raise(signal: u32);
        sync sched_yield();
        sync random_get(buf: u32, len: u32);
        sync sock_accept(fd: u32, flags: u32, result: u32) = not_a_socket(fd);
        sync sock_recv(fd: u32, iovs: u32, count: u32, flags: u32, size: u32, out_flags: u32) = not_a_socket(fd);
        sync sock_send(fd: u32, iovs: u32, count: u32, flags: u32, size: u32) = not_a_socket(fd);
        sync sock_shutdown(fd: u32, how: u32) = not_a_socket(fd);
    }
    linker.func_wrap(MODULE, "proc_exit", |_: Caller<'_, T>, code: i32| -> Result<()> {
        Err(Error::host(I32Exit(code)))
    })?;
    Ok(())
}

/// Makes a call with the guest's memory, and its number for the guest.
fn run<T: Send + 'static>(
    caller: &mut Caller<'_, T>,
    ctx: impl Fn(&mut T) -> &mut WasiP1Ctx,
    call: impl FnOnce(&mut Call<'_>) -> P1Result,
) -> Result<i32> {
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
        return Err(Error::msg("a preview 1 guest must export its memory as `memory`"));
    };
    let (bytes, data) = memory.data_and_store_mut(caller);
    match call(&mut Call::new(ctx(data), bytes)) {
        Ok(()) => Ok(0),
        Err(Failure::Errno(errno)) => Ok(errno.0.into()),
        Err(Failure::Trap(error)) => Err(error),
    }
}
