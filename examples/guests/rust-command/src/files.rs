//! What a command does with files and folders.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// The names in a folder, sorted: a host gives them in any order.
fn names(dir: &Path) -> io::Result<Vec<(String, fs::FileType)>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        names.push((entry.file_name().to_string_lossy().into_owned(), entry.file_type()?));
    }
    names.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(names)
}

pub fn list(dir: &str) -> io::Result<()> {
    for (name, kind) in names(Path::new(dir))? {
        println!("{name}{}", if kind.is_dir() { "/" } else { "" });
    }
    Ok(())
}

pub fn tree(dir: &str) -> io::Result<()> {
    fn walk(dir: &Path, depth: usize) -> io::Result<u64> {
        let mut total = 0;
        for (name, kind) in names(dir)? {
            let path = dir.join(&name);
            if kind.is_dir() {
                println!("{:depth$}{name}/", "");
                total += walk(&path, depth + 2)?;
            } else {
                let size = fs::metadata(&path)?.len();
                println!("{:depth$}{name} ({size} bytes)", "");
                total += size;
            }
        }
        Ok(total)
    }
    println!("{} bytes in all", walk(Path::new(dir), 0)?);
    Ok(())
}

pub fn read(path: &str) -> io::Result<()> {
    io::stdout().write_all(&fs::read(path)?)
}

pub fn write(path: &str, text: &str) -> io::Result<()> {
    fs::write(path, text)?;
    println!("wrote {} bytes", text.len());
    Ok(())
}

pub fn append(path: &str, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(text.as_bytes())?;
    println!("{} bytes now", file.metadata()?.len());
    Ok(())
}

pub fn copy(from: &str, to: &str) -> io::Result<()> {
    let mut out = File::create(to)?;
    let bytes = io::copy(&mut File::open(from)?, &mut out)?;
    println!("copied {bytes} bytes");
    Ok(())
}

pub fn stat(path: &str) -> io::Result<()> {
    let meta = fs::metadata(path)?;
    let kind = if meta.is_dir() { "folder" } else { "file" };
    println!("{path}: {kind}");
    if meta.is_file() {
        println!("{} bytes", meta.len());
    }
    println!("modified after 1970: {}", meta.modified()? > std::time::SystemTime::UNIX_EPOCH);
    Ok(())
}

/// Everything that changes a folder, within an empty one; it is empty again at the end.
pub fn scratch(dir: &str) -> io::Result<()> {
    let dir = Path::new(dir);
    let nested = dir.join("a").join("b");
    fs::create_dir_all(&nested)?;
    println!("made a/b: {}", nested.is_dir());

    let path = nested.join("numbers.txt");
    let mut file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
    for n in 0..1000 {
        writeln!(file, "{n:04}")?;
    }
    println!("length: {}", file.metadata()?.len());
    file.seek(SeekFrom::Start(5 * 500))?;
    let mut line = [0; 4];
    file.read_exact(&mut line)?;
    println!("line 500: {}", String::from_utf8_lossy(&line));
    file.seek(SeekFrom::End(-5))?;
    file.read_exact(&mut line)?;
    println!("last line: {}", String::from_utf8_lossy(&line));
    file.set_len(50)?;
    println!("cut to: {}", file.metadata()?.len());
    file.seek(SeekFrom::Start(48))?;
    file.write_all(b"the end\n")?;
    file.sync_all()?;
    drop(file);
    println!("ends with: {:?}", fs::read_to_string(&path)?.lines().last().unwrap_or_default());

    let again = OpenOptions::new().write(true).create_new(true).open(&path);
    println!("create again: {:?}", again.map(drop).map_err(|error| error.kind()));
    println!("open a missing file: {:?}", File::open(dir.join("missing")).map(drop).map_err(|error| error.kind()));
    const NOT_EMPTY: i32 = 55; // of preview 1, which wasi-libc took over
    println!("remove a full folder: {:?}", fs::remove_dir(dir.join("a")).map_err(|error| error.raw_os_error() == Some(NOT_EMPTY)));

    let moved = dir.join("moved.txt");
    fs::rename(&path, &moved)?;
    println!("moved: {} {}", path.exists(), moved.exists());
    fs::hard_link(&moved, dir.join("linked.txt"))?;
    println!("linked: {}", fs::metadata(dir.join("linked.txt"))?.len());
    list(&dir.to_string_lossy())?;

    fs::remove_file(dir.join("linked.txt"))?;
    fs::remove_file(&moved)?;
    fs::remove_dir_all(dir.join("a"))?;
    println!("left over: {}", names(dir)?.len());
    Ok(())
}
