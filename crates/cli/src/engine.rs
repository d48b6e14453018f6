//! The engine that the flags ask for, and where things of the user are.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

use wharf::{Config, Engine, Profiling, Tier, TierStats};

use crate::args::{EngineArgs, ProfileArg, TierArg};
use crate::failure::Failure;

/// An engine; with the secret of artifacts if one is needed.
pub fn engine(args: &EngineArgs, secret: Option<[u8; 32]>) -> Result<Engine, Failure> {
    Engine::new(&config(args, secret)?).map_err(|e| Failure::new(e.to_string()))
}

/// What [`engine`] is made with.
pub fn config(args: &EngineArgs, secret: Option<[u8; 32]>) -> Result<Config, Failure> {
    let mut config = Config::new();
    // Most functions of a large component are never called.
    config.lazy_validation(true);
    let needs_compiler = [
        (
            matches!(args.tier, Some(TierArg::Tiered | TierArg::Eager | TierArg::Sync)),
            "--tier",
        ),
        (args.cache.is_some(), "--cache"),
        (args.profile.is_some(), "--profile"),
        (args.compile_threads.is_some(), "--compile-threads"),
    ];
    for (_, flag) in needs_compiler.iter().filter(|(used, _)| *used) {
        require_compiler(flag)?;
    }
    config.tier(match args.tier {
        Some(TierArg::Off) => Tier::Off,
        None | Some(TierArg::Tiered) => Tier::Tiered,
        Some(TierArg::Eager) => Tier::Eager,
        Some(TierArg::Sync) => Tier::Sync,
    });
    match &args.cache {
        None => {}
        Some(Some(folder)) => {
            config.cache_dir(folder);
        }
        Some(None) => {
            config.cache_dir(user_folder("XDG_CACHE_HOME", ".cache", "--cache=DIR")?);
        }
    }
    if let Some(threads) = args.compile_threads {
        config.compile_threads(threads.get());
    }
    config.profiling(match args.profile {
        None => Profiling::None,
        Some(ProfileArg::Perfmap) => Profiling::PerfMap,
        Some(ProfileArg::Jitdump) => Profiling::JitDump,
    });
    if let Some(secret) = secret {
        config.artifact_key(secret);
    }
    Ok(config)
}

/// Refuses what a build without the compiler can't do.
pub fn require_compiler(what: &str) -> Result<(), Failure> {
    match cfg!(feature = "jit") {
        true => Ok(()),
        false => Err(Failure::new(format!(
            "{what} needs a compiler, and this build of wharf is without the feature `jit`"
        ))),
    }
}

/// What the tiers did, one number per line.
pub fn describe(stats: &TierStats) -> String {
    format!(
        "translated: {}\ncompiled: {}\nimproved: {}\nloaded: {}\nsaved: {}\nosr-compiled: {}\nosr-entries: {}\nfailed: {}\nwaiting: {}\n\
         compile-seconds: {:.6}\ncode-bytes: {}\n",
        stats.translated,
        stats.compiled,
        stats.improved,
        stats.loaded,
        stats.saved,
        stats.osr_compiled,
        stats.osr_entries,
        stats.failed,
        stats.waiting,
        stats.compile_time.as_secs_f64(),
        stats.code_bytes,
    )
}

/// Wharf's folder among those of the user.
fn user_folder(variable: &str, below_home: &str, instead: &str) -> Result<PathBuf, Failure> {
    let absolute = |value: OsString| Some(PathBuf::from(value)).filter(|path| path.is_absolute());
    let base = std::env::var_os(variable).and_then(absolute).or_else(|| {
        let home = std::env::var_os("HOME").and_then(absolute)?;
        Some(home.join(below_home))
    });
    match base {
        Some(base) => Ok(base.join("wharf")),
        None => Err(Failure::new(format!(
            "neither ${variable} nor $HOME names a folder; use {instead}"
        ))),
    }
}

/// Where the secret is that this user's artifacts are marked with.
fn secret_path(named: Option<&Path>) -> Result<PathBuf, Failure> {
    match named {
        Some(path) => Ok(path.to_path_buf()),
        None => Ok(user_folder("XDG_DATA_HOME", ".local/share", "--artifact-key FILE")?.join("artifact-key")),
    }
}

/// The secret that artifacts are marked with, if there is one: of the named file, which must be there, or the user's.
pub fn find_secret(named: Option<&Path>) -> Result<Option<[u8; 32]>, Failure> {
    let path = match secret_path(named) {
        Ok(path) => path,
        Err(_) => return Ok(None),
    };
    match std::fs::File::open(&path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && named.is_none() => Ok(None),
        file => read_secret(file, &path).map(Some),
    }
}

/// As [`find_secret`], but makes it if it is not there.
pub fn make_secret(named: Option<&Path>) -> Result<[u8; 32], Failure> {
    let path = secret_path(named)?;
    if let Err(e) = std::fs::File::open(&path)
        && e.kind() == std::io::ErrorKind::NotFound
    {
        write_secret(&path).map_err(|e| Failure::new(format!("{}: {e}", path.display())))?;
    }
    read_secret(std::fs::File::open(&path), &path)
}

fn read_secret(file: std::io::Result<std::fs::File>, path: &Path) -> Result<[u8; 32], Failure> {
    let failure = |message: String| Failure::new(format!("{}: {message}", path.display()));
    let file = file.map_err(|e| failure(e.to_string()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let metadata = file.metadata().map_err(|e| failure(e.to_string()))?;
        if metadata.mode() & 0o077 != 0 {
            return Err(failure(
                "others may read or write this secret; make it private with chmod 600".to_string(),
            ));
        }
    }
    let mut bytes = Vec::new();
    file.take(33)
        .read_to_end(&mut bytes)
        .map_err(|e| failure(e.to_string()))?;
    bytes
        .try_into()
        .map_err(|_| failure("a secret has 32 bytes".to_string()))
}

/// Writes a new secret. If others do the same at the same time, one of them wins.
#[cfg(unix)]
fn write_secret(path: &Path) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

    let mut secret = [0; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut secret)?;
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| file.write_all(&secret))
        .and_then(|()| match std::fs::hard_link(&temporary, path) {
            Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => Err(e),
            _ => Ok(()),
        });
    let _ = std::fs::remove_file(&temporary);
    written
}

#[cfg(not(unix))]
fn write_secret(_: &Path) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}
