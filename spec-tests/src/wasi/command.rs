//! Runs cases on any runtime by its command.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::manifest::{Case, Manifest};
use super::prepared::{Output, Prepared};
use super::served::{Answer, Served, exchange};

/// A command with placeholders; the suite's README describes them.
#[derive(Clone, Debug)]
pub struct Template {
    /// The command: `{strict}`, `{dirs}`, `{env}`, `{config}`, `{net}`, `{needs}`, `{component}` and `{args}` stand for what belongs to a case.
    pub command: String,
    /// The command that serves HTTP with a component: `{addr}` and `{component}`; empty if there is none.
    pub serve: String,
    /// What makes descriptors of directories change nothing unless they were opened with `mutate-directory`: `{strict}`. Left out for guests
    /// on wasi-libc.
    pub strict: String,
    /// What grants a directory: `{host}` and `{guest}`.
    pub dir: String,
    /// What grants a directory to be read only; empty if the runtime has no such thing.
    pub dir_read_only: String,
    /// What sets an environment variable: `{name}` and `{value}`.
    pub env: String,
    /// What gives a setting of `wasi:config`: `{name}` and `{value}`.
    pub config: String,
    /// What grants a network, by the names that cases have for these.
    pub net: Vec<(String, String)>,
    /// What turns on things that not every runtime has, by the names that manifests have for these.
    pub needs: Vec<(String, String)>,
    /// How long a case may take.
    pub timeout: Duration,
}

impl Default for Template {
    /// A command with the flags of `wharf run`.
    fn default() -> Template {
        Template {
            command: "wharf run {strict} {dirs} {env} {config} {net} {needs} {component} -- {args}"
                .into(),
            serve: "wharf serve --addr {addr} --access-log off {component}".into(),
            strict: "--strict-dirs".into(),
            dir: "--dir {host}::{guest}".into(),
            dir_read_only: "--dir {host}::{guest}::ro".into(),
            env: "--env {name}={value}".into(),
            config: "--config {name}={value}".into(),
            net: vec![
                (
                    "loopback".into(),
                    "--net tcp:127.0.0.1:* --net tcp:[::1]:* --net udp:127.0.0.1:* --net udp:[::1]:*".into(),
                ),
                (
                    "any-address".into(),
                    "--net tcp-listen:0.0.0.0:* --net tcp-listen:[::]:* --net udp-bind:0.0.0.0:* --net udp-bind:[::]:*"
                        .into(),
                ),
                ("localhost".into(), "--net lookup:localhost".into()),
                ("http-loopback".into(), "--http http://127.0.0.1:*".into()),
                ("https-loopback".into(), "--http https://127.0.0.1:*".into()),
            ],
            needs: vec![
                // It is always there.
                ("http".into(), String::new()),
                // The settings are the grant.
                ("config".into(), String::new()),
                ("keyvalue".into(), "--keyvalue conformance=memory:".into()),
                ("logging".into(), "--log-level trace".into()),
            ],
            timeout: Duration::from_secs(20),
        }
    }
}

/// Why a case was not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotRun {
    /// The runtime has nothing that the case needs.
    Skipped(String),
    /// It could not be started, or did not end.
    Failed(String),
}

/// What is said where a component would have to be built first.
pub const NOT_BUILT: &str = "not built: run spec-tests/wasi/build.sh --large";

impl Template {
    /// Runs a case.
    ///
    /// # Errors
    /// If it was not run, or not to its end.
    pub fn run(&self, manifest: &Manifest, case: &Case) -> Result<Output, NotRun> {
        let failed = |e: io::Error| NotRun::Failed(e.to_string());
        let prepared = Prepared::new(case).map_err(failed)?;
        let words = self.words(manifest, case, &prepared)?;
        let Some((program, args)) = words.split_first() else {
            return Err(NotRun::Failed("the command is empty".into()));
        };
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| NotRun::Failed(format!("{program}: {e}")))?;
        if let Some(mut stdin) = child.stdin.take() {
            let text = case.stdin.clone();
            // A guest that does not read its input closes the pipe, which is no failure.
            thread::spawn(move || drop(stdin.write_all(text.as_bytes())));
        }
        let stdout = child.stdout.take().map(|pipe| thread::spawn(|| read_all(pipe)));
        let stderr = child.stderr.take().map(|pipe| thread::spawn(|| read_all(pipe)));
        let deadline = Instant::now() + self.timeout;
        let status = loop {
            if let Some(status) = child.try_wait().map_err(failed)? {
                break status;
            }
            if Instant::now() > deadline {
                child.kill().map_err(failed)?;
                child.wait().map_err(failed)?;
                return Err(NotRun::Failed("it did not end in time".into()));
            }
            thread::sleep(Duration::from_millis(2));
        };
        let text = |reader: Option<thread::JoinHandle<String>>| {
            reader.and_then(|r| r.join().ok()).unwrap_or_default()
        };
        Ok(Output {
            stdout: text(stdout),
            stderr: text(stderr),
            status: code(status),
        })
    }

    /// Starts the command that serves, sends it a request and ends it.
    ///
    /// # Errors
    /// If there is no such command, it does not start, or there is no answer.
    pub fn answer(&self, served: &Served, request: &str) -> Result<Answer, NotRun> {
        let component = &served.component;
        if served.built && !component.is_file() {
            return Err(NotRun::Skipped(NOT_BUILT.into()));
        }
        if self.serve.is_empty() {
            return Err(NotRun::Skipped("nothing to serve with".into()));
        }
        let failed = |e: io::Error| NotRun::Failed(e.to_string());
        // The port is free now, and most likely still so a moment later.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.map_err(failed)?;
        let component = component.to_string_lossy();
        let values = [
            ("{addr}", address.to_string()),
            ("{component}", component.into_owned()),
        ];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        let words = fill(&self.serve, &values);
        let Some((program, args)) = words.split_first() else {
            return Err(NotRun::Failed("the command is empty".into()));
        };
        let child = Command::new(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| NotRun::Failed(format!("{program}: {e}")))?;
        let mut child = Ended(child);
        let deadline = Instant::now() + self.timeout;
        while TcpStream::connect(address).is_err() {
            if let Some(status) = child.0.try_wait().map_err(failed)? {
                return Err(NotRun::Failed(format!("{program}: {status}")));
            }
            if Instant::now() > deadline {
                return Err(NotRun::Failed("it does not listen".into()));
            }
            thread::sleep(Duration::from_millis(10));
        }
        exchange(address, request, self.timeout).map_err(failed)
    }

    /// The command's words with everything put in.
    fn words(&self, manifest: &Manifest, case: &Case, prepared: &Prepared) -> Result<Vec<String>, NotRun> {
        if manifest.built && !manifest.component.is_file() {
            return Err(NotRun::Skipped(NOT_BUILT.into()));
        }
        let mut words = Vec::new();
        let mut needs = Vec::new();
        for name in &manifest.needs {
            match self.needs.iter().find(|(known, _)| known == name) {
                Some((_, template)) => needs.push(template.as_str()),
                None => return Err(NotRun::Skipped(format!("no {name}"))),
            }
        }
        for word in self.command.split_whitespace() {
            match word {
                "{dirs}" => {
                    for (spec, host) in case.dirs.iter().zip(&prepared.dirs) {
                        let template = if spec.read_only {
                            &self.dir_read_only
                        } else {
                            &self.dir
                        };
                        if template.is_empty() {
                            return Err(NotRun::Skipped("no directories that may only be read".into()));
                        }
                        let host = host.to_string_lossy();
                        words.extend(fill(template, &[("{host}", &host), ("{guest}", &spec.guest)]));
                    }
                }
                "{env}" => {
                    for (name, value) in &case.env {
                        words.extend(fill(&self.env, &[("{name}", name), ("{value}", value)]));
                    }
                }
                "{config}" => {
                    for (name, value) in &case.config {
                        words.extend(fill(&self.config, &[("{name}", name), ("{value}", value)]));
                    }
                }
                "{net}" => {
                    for name in &case.net {
                        match self.net.iter().find(|(known, _)| known == name) {
                            Some((_, template)) => words.extend(fill(template, &[])),
                            None => return Err(NotRun::Skipped(format!("no network {name}"))),
                        }
                    }
                }
                "{strict}" if manifest.lenient_directories => {}
                "{strict}" => words.extend(fill(&self.strict, &[])),
                // Looked at above, also for commands without it.
                "{needs}" => words.extend(needs.iter().flat_map(|template| fill(template, &[]))),
                "{args}" => {
                    words.push(case.name.clone());
                    words.extend(case.args.iter().cloned());
                }
                _ => {
                    let component = manifest.component.to_string_lossy();
                    words.extend(fill(word, &[("{component}", &component)]));
                }
            }
        }
        Ok(words)
    }
}

/// Ends a process that would go on.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The words of a template with values put in, which may have spaces themselves.
fn fill(template: &str, values: &[(&str, &str)]) -> Vec<String> {
    let put = |word: &str| {
        values
            .iter()
            .fold(word.to_string(), |word, (name, value)| word.replace(name, value))
    };
    template.split_whitespace().map(put).collect()
}

fn read_all(mut pipe: impl io::Read) -> String {
    let mut bytes = Vec::new();
    // What came before a failure is still worth showing.
    let _ = pipe.by_ref().take(1 << 20).read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn code(status: ExitStatus) -> Option<u8> {
    status.code().and_then(|code| u8::try_from(code).ok())
}

#[cfg(test)]
mod tests {
    use super::super::manifest::{DirSpec, Ending};
    use super::*;

    fn case() -> Case {
        Case {
            name: "a".into(),
            checks: String::new(),
            args: vec!["b c".into()],
            env: [("K".to_string(), "x y".to_string())].into(),
            config: [("a".to_string(), "1".to_string())].into(),
            stdin: String::new(),
            dirs: vec![DirSpec {
                guest: "work".into(),
                read_only: true,
                ..DirSpec::default()
            }],
            net: vec!["localhost".into()],
            stdout: String::new(),
            stderr: None,
            ending: Ending::Status(0),
        }
    }

    #[test]
    fn placeholders_become_words() {
        let manifest = Manifest {
            package: "x".into(),
            component: "x.wasm".into(),
            built: false,
            lenient_directories: false,
            needs: Vec::new(),
            cases: Vec::new(),
        };
        let mut template = Template::default();
        let prepared = Prepared::new(&case()).unwrap();
        let words = template.words(&manifest, &case(), &prepared).unwrap();
        let dir = format!("{}::work::ro", prepared.dirs[0].display());
        let expected = [
            "wharf",
            "run",
            "--strict-dirs",
            "--dir",
            &dir,
            "--env",
            "K=x y",
            "--config",
            "a=1",
            "--net",
            "lookup:localhost",
            "x.wasm",
            "--",
            "a",
            "b c",
        ];
        assert_eq!(words, expected);
        let lenient = Manifest {
            lenient_directories: true,
            ..manifest
        };
        let words = template.words(&lenient, &case(), &prepared).unwrap();
        assert_eq!(words[2], "--dir");
        template.dir_read_only.clear();
        assert!(matches!(
            template.words(&lenient, &case(), &prepared),
            Err(NotRun::Skipped(_))
        ));
    }
}
