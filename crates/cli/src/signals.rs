//! Signals that would end the process because of what a guest does.

/// Has a write beyond the size that a file may have (`ulimit -f`) fail, which guests are told of. By default the system ends the
/// process.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub fn survive_file_size_limit() {
    use tokio::runtime::Builder;
    use tokio::signal::unix::{SignalKind, signal};
    /// `SIGXFSZ`.
    const FILE_SIZE: i32 = 25;
    // Waiting for a signal once makes it harmless until the process ends, though nobody waits for it any more.
    if let Ok(runtime) = Builder::new_current_thread().enable_io().build() {
        let _entered = runtime.enter();
        let _ = signal(SignalKind::from_raw(FILE_SIZE));
    }
}

/// There is no such signal, or its number is not known here.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub fn survive_file_size_limit() {}
