//! What a guest is given: [`WasiCtx`] and its builder.

use crate::clocks::{HostMonotonicClock, HostWallClock, SystemMonotonicClock, SystemWallClock};
use crate::fs::{Dir, DirNode, DirPerms, FilePerms, HostDirBudget, MemoryDir, MemoryDirLimits};
use crate::pipe::{ClosedInputStream, SinkOutputStream};
use crate::random::{RandomSource, SeededLater, SystemRandom};
use crate::sockets::NetCtx;
use crate::stdio::{Stderr, Stdin, StdinStream, Stdout, StdoutStream};
use crate::{Error, Result};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use wharf::component::ResourceTable;

/// The most bytes that one call for random bytes gives, unless [`WasiCtxBuilder::max_random_size`] says otherwise.
const DEFAULT_MAX_RANDOM_SIZE: u64 = 64 << 20;

/// Everything that a guest may use of its host. Made by [`WasiCtxBuilder`].
pub struct WasiCtx {
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) initial_cwd: Option<String>,
    pub(crate) stdin: Box<dyn StdinStream>,
    pub(crate) stdout: Box<dyn StdoutStream>,
    pub(crate) stderr: Box<dyn StdoutStream>,
    pub(crate) preopens: Vec<(Dir, String)>,
    pub(crate) strict_directories: bool,
    pub(crate) wall_clock: Box<dyn HostWallClock>,
    pub(crate) monotonic_clock: Arc<dyn HostMonotonicClock>,
    pub(crate) random: Box<dyn RandomSource>,
    pub(crate) insecure_random: Box<dyn RandomSource>,
    /// Drawn when a guest asks for it.
    pub(crate) insecure_random_seed: Option<u128>,
    pub(crate) max_random_size: u64,
    pub(crate) net: NetCtx,
}

impl WasiCtx {
    /// A builder that grants nothing yet.
    pub fn builder() -> WasiCtxBuilder {
        WasiCtxBuilder::new()
    }

    /// `len` bytes of `source`, bounded.
    pub(crate) fn random_bytes(source: &mut dyn RandomSource, len: u64, max: u64) -> Result<Vec<u8>> {
        let len = usize::try_from(len).ok().filter(|_| len <= max);
        let len = len.ok_or_else(|| Error::limit(format!("at most {max} random bytes at once")))?;
        let mut bytes = vec![0; len];
        source.fill(&mut bytes)?;
        Ok(bytes)
    }
}

/// The data of a store that gives guests access to WASI.
pub trait WasiView: Send {
    /// The context, and the table that its resources are kept in.
    fn ctx(&mut self) -> WasiCtxView<'_>;
}

impl<T: WasiView + ?Sized> WasiView for &mut T {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        T::ctx(self)
    }
}

impl<T: WasiView + ?Sized> WasiView for Box<T> {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        T::ctx(self)
    }
}

/// What the hosts of WASI 0.2 work on. They are implemented for this type.
pub struct WasiCtxView<'a> {
    /// What the guest may use.
    pub ctx: &'a mut WasiCtx,
    /// The resources that the guest has handles of.
    pub table: &'a mut ResourceTable,
}

impl fmt::Debug for WasiCtxView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasiCtxView")
            .field("ctx", &self.ctx)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for WasiCtx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasiCtx")
            .field("args", &self.args)
            .field("env", &self.env)
            .field("preopens", &self.preopens)
            .field("net", &self.net)
            .finish_non_exhaustive()
    }
}

/// Makes a [`WasiCtx`].
///
/// What is not asked for is not granted: no arguments, no environment, no files, no network; standard input is empty, and
/// standard output and error are thrown away. Clocks and random numbers are those of the host unless replaced.
pub struct WasiCtxBuilder {
    pub(crate) ctx: WasiCtx,
}

impl Default for WasiCtxBuilder {
    fn default() -> Self {
        WasiCtxBuilder::new()
    }
}

impl fmt::Debug for WasiCtxBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WasiCtxBuilder").field(&self.ctx).finish()
    }
}

impl WasiCtxBuilder {
    /// A builder that grants nothing yet.
    pub fn new() -> WasiCtxBuilder {
        WasiCtxBuilder { ctx: default_ctx() }
    }

    /// Connects standard input.
    pub fn stdin(&mut self, stdin: impl StdinStream + 'static) -> &mut Self {
        self.ctx.stdin = Box::new(stdin);
        self
    }

    /// Connects standard output.
    pub fn stdout(&mut self, stdout: impl StdoutStream + 'static) -> &mut Self {
        self.ctx.stdout = Box::new(stdout);
        self
    }

    /// Connects standard error.
    pub fn stderr(&mut self, stderr: impl StdoutStream + 'static) -> &mut Self {
        self.ctx.stderr = Box::new(stderr);
        self
    }

    /// Connects standard input with that of this process.
    pub fn inherit_stdin(&mut self) -> &mut Self {
        self.stdin(Stdin)
    }

    /// Connects standard output with that of this process.
    pub fn inherit_stdout(&mut self) -> &mut Self {
        self.stdout(Stdout)
    }

    /// Connects standard error with that of this process.
    pub fn inherit_stderr(&mut self) -> &mut Self {
        self.stderr(Stderr)
    }

    /// Connects all three standard streams with those of this process.
    pub fn inherit_stdio(&mut self) -> &mut Self {
        self.inherit_stdin().inherit_stdout().inherit_stderr()
    }

    /// Adds an environment variable.
    pub fn env(&mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> &mut Self {
        self.ctx
            .env
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Adds environment variables.
    pub fn envs(&mut self, env: &[(impl AsRef<str>, impl AsRef<str>)]) -> &mut Self {
        for (name, value) in env {
            self.env(name, value);
        }
        self
    }

    /// Adds the environment variables of this process, those that are Unicode.
    pub fn inherit_env(&mut self) -> &mut Self {
        for (name, value) in std::env::vars_os() {
            if let (Ok(name), Ok(value)) = (name.into_string(), value.into_string()) {
                self.env(name, value);
            }
        }
        self
    }

    /// Adds an argument. The first is by convention the program's name.
    pub fn arg(&mut self, arg: impl AsRef<str>) -> &mut Self {
        self.ctx.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args(&mut self, args: &[impl AsRef<str>]) -> &mut Self {
        for arg in args {
            self.arg(arg);
        }
        self
    }

    /// Adds the arguments of this process, with what is not Unicode replaced.
    pub fn inherit_args(&mut self) -> &mut Self {
        for arg in std::env::args_os() {
            self.arg(arg.to_string_lossy());
        }
        self
    }

    /// The directory that `wasi:cli/environment` gives as the current one. It grants nothing by itself.
    pub fn initial_cwd(&mut self, path: impl Into<String>) -> &mut Self {
        self.ctx.initial_cwd = Some(path.into());
        self
    }

    /// Grants the directory `host_path`, which the guest finds as `guest_path`, with everything below it.
    ///
    /// No path, whatever links or `..` it contains, leads the guest out of it.
    ///
    /// # Errors
    /// When the directory can't be opened.
    pub fn preopened_dir(
        &mut self,
        host_path: impl AsRef<Path>,
        guest_path: impl AsRef<str>,
        dir_perms: DirPerms,
        file_perms: FilePerms,
    ) -> Result<&mut Self> {
        let dir = open_dir(host_path.as_ref())?;
        let dir = Dir::preopened(dir, dir_perms, file_perms);
        self.ctx.preopens.push((dir, guest_path.as_ref().to_owned()));
        Ok(self)
    }

    /// Grants the directory `host_path` as [`preopened_dir`](Self::preopened_dir) does with all permissions, and limits what
    /// guests add to it. Guests that get the directory with clones of one budget share it.
    ///
    /// # Errors
    /// When the directory can't be opened.
    pub fn preopened_dir_limited(
        &mut self,
        host_path: impl AsRef<Path>,
        guest_path: impl AsRef<str>,
        budget: &HostDirBudget,
    ) -> Result<&mut Self> {
        let dir = DirNode::limited(open_dir(host_path.as_ref())?, budget.clone());
        let dir = Dir::preopened(dir, DirPerms::all(), FilePerms::all());
        self.ctx.preopens.push((dir, guest_path.as_ref().to_owned()));
        Ok(self)
    }

    /// Grants an empty directory in memory, which the guest finds as `guest_path` and may do everything in. It is gone
    /// with the context.
    pub fn preopened_memory_dir(
        &mut self,
        guest_path: impl AsRef<str>,
        limits: MemoryDirLimits,
    ) -> &mut Self {
        let dir = MemoryDir::new(limits);
        self.preopened_memory(&dir, guest_path, DirPerms::all(), FilePerms::all())
    }

    /// Grants a directory in memory that the embedder has made, which the guest finds as `guest_path`, with everything
    /// below it.
    pub fn preopened_memory(
        &mut self,
        dir: &MemoryDir,
        guest_path: impl AsRef<str>,
        dir_perms: DirPerms,
        file_perms: FilePerms,
    ) -> &mut Self {
        let dir = Dir::preopened(dir.root(), dir_perms, file_perms);
        self.ctx.preopens.push((dir, guest_path.as_ref().to_owned()));
        self
    }

    /// Whether a directory that the guest opens can be changed through its descriptor only if the guest asked for
    /// `mutate-directory`, as the text of `wasi:filesystem` has it. Otherwise, and unless set, the descriptor may do what the
    /// grant allows, and `get-flags` says so: programs on wasi-libc open a directory for reading, and then create, rename and
    /// remove entries through it.
    ///
    /// Preview 1 has no such flag, so that nothing changes for its programs.
    pub fn strict_directories(&mut self, strict: bool) -> &mut Self {
        self.ctx.strict_directories = strict;
        self
    }

    /// Replaces the source of secure random numbers.
    pub fn secure_random(&mut self, source: impl RandomSource + 'static) -> &mut Self {
        self.ctx.random = Box::new(source);
        self
    }

    /// Replaces the source of insecure random numbers.
    pub fn insecure_random(&mut self, source: impl RandomSource + 'static) -> &mut Self {
        self.ctx.insecure_random = Box::new(source);
        self
    }

    /// Replaces what `insecure-seed` gives.
    pub fn insecure_random_seed(&mut self, seed: u128) -> &mut Self {
        self.ctx.insecure_random_seed = Some(seed);
        self
    }

    /// The most random bytes that one call may ask for; more trap. 64 MiB unless set.
    pub fn max_random_size(&mut self, bytes: u64) -> &mut Self {
        self.ctx.max_random_size = bytes;
        self
    }

    /// Replaces the clock that tells the time of day.
    pub fn wall_clock(&mut self, clock: impl HostWallClock + 'static) -> &mut Self {
        self.ctx.wall_clock = Box::new(clock);
        self
    }

    /// Replaces the monotonic clock, which timers wait on too.
    pub fn monotonic_clock(&mut self, clock: impl HostMonotonicClock + 'static) -> &mut Self {
        self.ctx.monotonic_clock = Arc::new(clock);
        self
    }

    /// The context. The builder is empty again after that.
    pub fn build(&mut self) -> WasiCtx {
        std::mem::replace(&mut self.ctx, default_ctx())
    }
}

fn default_ctx() -> WasiCtx {
    WasiCtx {
        args: Vec::new(),
        env: Vec::new(),
        initial_cwd: None,
        stdin: Box::new(ClosedInputStream),
        stdout: Box::new(SinkOutputStream),
        stderr: Box::new(SinkOutputStream),
        preopens: Vec::new(),
        strict_directories: false,
        wall_clock: Box::new(SystemWallClock),
        monotonic_clock: Arc::new(SystemMonotonicClock::default()),
        random: Box::new(SystemRandom),
        insecure_random: Box::new(SeededLater(None)),
        insecure_random_seed: None,
        max_random_size: DEFAULT_MAX_RANDOM_SIZE,
        net: NetCtx::default(),
    }
}

fn open_dir(path: &Path) -> Result<cap_std::fs::Dir> {
    cap_std::fs::Dir::open_ambient_dir(path, cap_std::ambient_authority())
        .map_err(|e| Error::host(e).context(format!("opening the directory {}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Deterministic;

    #[test]
    fn nothing_is_granted_by_default() {
        let ctx = WasiCtxBuilder::new().build();
        assert!(ctx.args.is_empty() && ctx.env.is_empty() && ctx.preopens.is_empty());
        assert!(ctx.initial_cwd.is_none());
        assert!(ctx.stdin.p2_stream().read(1).is_err());
    }

    #[test]
    fn building_empties_the_builder() {
        let mut builder = WasiCtxBuilder::new();
        builder.args(&["a", "b"]).env("K", "V").initial_cwd("/x");
        let ctx = builder.build();
        assert_eq!(ctx.args, ["a", "b"]);
        assert_eq!(ctx.env, [("K".to_owned(), "V".to_owned())]);
        assert_eq!(ctx.initial_cwd.as_deref(), Some("/x"));
        assert!(builder.build().args.is_empty());
    }

    #[test]
    fn a_missing_directory_is_named() {
        let mut builder = WasiCtxBuilder::new();
        let error = builder
            .preopened_dir("/no/such/dir", "/", DirPerms::all(), FilePerms::all())
            .unwrap_err();
        assert!(error.to_string().contains("/no/such/dir"), "{error}");
    }

    #[test]
    fn random_bytes_are_bounded() {
        let mut source = Deterministic::new([7]);
        assert_eq!(WasiCtx::random_bytes(&mut source, 3, 3).unwrap(), [7, 7, 7]);
        assert!(WasiCtx::random_bytes(&mut source, 4, 3).is_err());
        assert!(WasiCtx::random_bytes(&mut source, u64::MAX, 1 << 20).is_err());
    }
}
