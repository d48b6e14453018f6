//! What the file backend does when its file fails.

use super::*;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// A file in memory with room for some bytes.
#[derive(Clone, Debug, Default)]
struct SmallDisk(Arc<Disk>);

#[derive(Debug, Default)]
struct Disk {
    bytes: Mutex<Vec<u8>>,
    room: AtomicU64,
    broken: AtomicU64,
}

impl SmallDisk {
    fn check(&self) -> io::Result<()> {
        match self.0.broken.load(Ordering::Relaxed) {
            0 => Ok(()),
            _ => Err(io::Error::other("the disk is broken")),
        }
    }
}

impl redb::StorageBackend for SmallDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.bytes.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.check()?;
        let offset = usize::try_from(offset).unwrap();
        let bytes = self.0.bytes.lock().unwrap();
        let from = bytes
            .get(offset..offset + out.len())
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(from);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check()?;
        if len > self.0.room.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0
            .bytes
            .lock()
            .unwrap()
            .resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.check()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.check()?;
        let offset = usize::try_from(offset).unwrap();
        let mut bytes = self.0.bytes.lock().unwrap();
        bytes
            .get_mut(offset..offset + data.len())
            .ok_or(io::ErrorKind::StorageFull)?
            .copy_from_slice(data);
        Ok(())
    }
}

fn on(disk: &SmallDisk) -> Arc<dyn Bucket> {
    let disk = disk.clone();
    let backend =
        RedbBackend::with_opener(move || Database::builder().create_with_backend(disk.clone())).unwrap();
    let name = BucketName {
        namespace: "n".to_owned(),
        bucket: "b".to_owned(),
    };
    wait(backend.open(&name, Quota::default())).unwrap()
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

#[test]
fn a_full_disk_is_an_error_and_loses_nothing() {
    let disk = SmallDisk::default();
    disk.0.room.store(4 << 20, Ordering::Relaxed);
    let bucket = on(&disk);
    let mut written = 0;
    let failed = loop {
        match wait(bucket.set(&format!("{written:03}"), vec![7; 256 << 10])) {
            Ok(()) => written += 1,
            Err(e) => break e,
        }
        assert!(written < 100);
    };
    assert_eq!(failed, StoreError::Full);
    assert!(written > 0);
    // What was there is still there, and with more room the store goes on.
    assert_eq!(wait(bucket.list_keys(None)).unwrap().keys.len(), written);
    disk.0.room.store(64 << 20, Ordering::Relaxed);
    wait(bucket.set("more", vec![1; 256 << 10])).unwrap();
    assert_eq!(wait(bucket.list_keys(None)).unwrap().keys.len(), written + 1);
    assert_eq!(wait(bucket.get("000")).unwrap(), Some(vec![7; 256 << 10]));
}

#[test]
fn a_broken_disk_is_an_error_until_it_works_again() {
    let disk = SmallDisk::default();
    disk.0.room.store(64 << 20, Ordering::Relaxed);
    let bucket = on(&disk);
    wait(bucket.set("a", b"1".to_vec())).unwrap();
    disk.0.broken.store(1, Ordering::Relaxed);
    assert!(matches!(
        wait(bucket.set("a", b"2".to_vec())),
        Err(StoreError::Io(_))
    ));
    assert!(matches!(wait(bucket.increment("a", 1)), Err(StoreError::Io(_))));
    disk.0.broken.store(0, Ordering::Relaxed);
    assert_eq!(wait(bucket.get("a")).unwrap(), Some(b"1".to_vec()));
    assert_eq!(wait(bucket.increment("a", 1)), Ok(2));
}

#[test]
fn what_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, vec![1; 10_000]).unwrap();
    let error = RedbBackend::open(&path).unwrap_err();
    assert!(
        matches!(error, StoreError::Corrupt(_) | StoreError::Io(_)),
        "{error}"
    );
    assert!(RedbBackend::open(folder.path()).is_err());
}

#[test]
fn a_file_has_one_user() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.redb");
    let _open = RedbBackend::open(&path).unwrap();
    assert!(matches!(
        RedbBackend::open(&path),
        Err(StoreError::Unavailable(_))
    ));
}

/// Whatever is in the file, operations end, with a result or an error.
#[test]
fn a_damaged_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.redb");
    let name = BucketName {
        namespace: "n".to_owned(),
        bucket: "b".to_owned(),
    };
    {
        let backend = RedbBackend::open(&path).unwrap();
        let bucket = wait(backend.open(&name, Quota::default())).unwrap();
        let entries = (0..200).map(|i| (format!("key-{i}"), vec![7; 300])).collect();
        wait(bucket.set_many(entries)).ended.unwrap();
    }
    let whole = std::fs::read(&path).unwrap();
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap();
    let damaged = folder.path().join("y.redb");
    let mut failed = 0;
    for i in 0..60 {
        let mut bytes = whole.clone();
        match i % 3 {
            // Some bytes, a whole page, the end.
            0 => (0..8).for_each(|j| bytes[(i * 7919 + j * 104_729) % used] ^= 0x41),
            1 => {
                let page = (i * 4096) % used;
                bytes[page..(page + 4096).min(whole.len())].fill(0xff);
            }
            _ => bytes.truncate(used * i / 60),
        }
        std::fs::write(&damaged, &bytes).unwrap();
        let use_it = || -> StoreResult<()> {
            let backend = RedbBackend::open(&damaged)?;
            let bucket = wait(backend.open(&name, Quota::default()))?;
            wait(bucket.list_keys(None))?;
            wait(bucket.get("key-100"))?;
            wait(bucket.set("key-100", vec![1; 1000]))?;
            wait(bucket.delete("key-101")).map(drop)
        };
        failed += usize::from(use_it().is_err());
    }
    assert!(failed > 0);
}
