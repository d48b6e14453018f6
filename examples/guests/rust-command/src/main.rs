//! A command on Rust's standard library. The first argument chooses what it does, so that one small binary tries each part of the
//! command world, and the ways in which a command can end. Nothing that it prints depends on the time, on chance or on the host.

mod fail;
mod files;

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

const USAGE: &str = "usage: rust-command MODE [ARG...]
  hello | args [ARG...] | env [NAME...] | stdin | words | cat | stderr TEXT
  clocks | random
  ls DIR | read FILE | write FILE TEXT | append FILE TEXT | copy FROM TO | stat PATH | tree DIR | scratch DIR
  exit CODE | fail | panic | recurse | alloc | index N";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mode = args.first().map_or("hello", String::as_str);
    let rest = args.get(1..).unwrap_or_default();
    match run(mode, rest) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("rust-command {mode}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(mode: &str, args: &[String]) -> io::Result<ExitCode> {
    let arg = |at: usize| -> io::Result<&str> {
        args.get(at).map(String::as_str).ok_or_else(|| io::Error::other(format!("argument {} is missing\n{USAGE}", at + 1)))
    };
    match mode {
        "hello" => println!("Hello from a Rust command!"),
        "args" => show_args(args),
        "env" => show_env(args),
        "stdin" => number_lines()?,
        "words" => count_words()?,
        "cat" => copy_stdin()?,
        "stderr" => eprintln!("{}", arg(0)?),
        "clocks" => clocks()?,
        "random" => random()?,
        "ls" => files::list(arg(0)?)?,
        "read" => files::read(arg(0)?)?,
        "write" => files::write(arg(0)?, arg(1)?)?,
        "append" => files::append(arg(0)?, arg(1)?)?,
        "copy" => files::copy(arg(0)?, arg(1)?)?,
        "stat" => files::stat(arg(0)?)?,
        "tree" => files::tree(arg(0)?)?,
        "scratch" => files::scratch(arg(0)?)?,
        "exit" => return Ok(ExitCode::from(arg(0)?.parse::<u8>().map_err(io::Error::other)?)),
        "fail" => return Err(io::Error::other("asked to fail")),
        "panic" => fail::panic(),
        "recurse" => fail::recurse(),
        "alloc" => fail::allocate(),
        "index" => fail::index(args),
        "help" => println!("{USAGE}"),
        _ => return Err(io::Error::other(format!("no such mode\n{USAGE}"))),
    }
    io::stdout().flush()?;
    Ok(ExitCode::SUCCESS)
}

fn show_args(args: &[String]) {
    println!("{} arguments", args.len());
    for (at, arg) in args.iter().enumerate() {
        println!("{at}: {arg:?}");
    }
}

/// Without names: the whole environment, sorted.
fn show_env(names: &[String]) {
    if names.is_empty() {
        for (name, value) in std::env::vars().collect::<BTreeMap<_, _>>() {
            println!("{name}={value}");
        }
    }
    for name in names {
        match std::env::var(name) {
            Ok(value) => println!("{name}={value}"),
            Err(_) => println!("{name} is not set"),
        }
    }
}

fn number_lines() -> io::Result<()> {
    let mut count = 0;
    for line in io::stdin().lock().lines() {
        count += 1;
        println!("{count:>4}  {}", line?);
    }
    println!("{count} lines");
    Ok(())
}

fn count_words() -> io::Result<()> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    let mut counts = BTreeMap::<String, usize>::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        *counts.entry(word.to_lowercase()).or_default() += 1;
    }
    let mut sorted: Vec<_> = counts.into_iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    for (word, count) in sorted {
        println!("{count:>5} {word}");
    }
    Ok(())
}

fn copy_stdin() -> io::Result<()> {
    let copied = io::copy(&mut io::stdin().lock(), &mut io::stdout().lock())?;
    eprintln!("{copied} bytes");
    Ok(())
}

fn clocks() -> io::Result<()> {
    let start = Instant::now();
    std::thread::sleep(Duration::from_millis(20));
    let slept = start.elapsed();
    println!("slept at least 20 ms: {}", slept >= Duration::from_millis(20));
    println!("slept less than 10 s: {}", slept < Duration::from_secs(10));
    println!("monotonic: {}", Instant::now() >= start);
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_err(io::Error::other)?;
    println!("after 2024: {}", since > Duration::from_secs(1_704_067_200));
    Ok(())
}

/// `std` takes the seeds of its hash maps from `wasi:random`; the rest is arithmetic on what they yield.
fn random() -> io::Result<()> {
    use std::collections::HashMap;
    use std::hash::{BuildHasher, RandomState};
    let seeds: Vec<u64> = (0..8).map(|n| RandomState::new().hash_one(n)).collect();
    println!("hashes differ: {}", seeds.iter().any(|&hash| hash != seeds[0]));
    let squares: HashMap<u32, u32> = (0..1000).map(|n| (n, n * n)).collect();
    println!("sum of squares: {}", squares.values().map(|&n| u64::from(n)).sum::<u64>());
    Ok(())
}
