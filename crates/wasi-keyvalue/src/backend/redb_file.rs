//! The file that the embedded database redb keeps buckets in: opening it, opening it again after a failure, and what
//! its errors mean.

use crate::error::{StoreError, StoreResult};
use redb::{Database, DatabaseError, StorageError, TableDefinition};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Namespace, bucket and key of a value.
pub(super) type EntryKey = (&'static str, &'static str, &'static str);

/// The values.
pub(super) const ENTRIES: TableDefinition<'_, EntryKey, &[u8]> = TableDefinition::new("wharf:entries");

/// What each bucket holds, under namespace and bucket: how many keys, and how many bytes.
pub(super) const USAGE: TableDefinition<'_, (&str, &str), (u64, u64)> = TableDefinition::new("wharf:usage");

/// How the database is opened, and reopened after a failure.
type Opener = dyn Fn() -> Result<Database, DatabaseError> + Send + Sync;

pub(super) struct DatabaseFile {
    open: Box<Opener>,
    /// Absent after a failure, until the next operation.
    database: Mutex<Option<Arc<Database>>>,
}

impl std::fmt::Debug for DatabaseFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseFile").finish_non_exhaustive()
    }
}

impl DatabaseFile {
    /// Opens the file.
    pub(super) fn open(
        open: impl Fn() -> Result<Database, DatabaseError> + Send + Sync + 'static,
    ) -> StoreResult<DatabaseFile> {
        let file = DatabaseFile {
            open: Box::new(open),
            database: Mutex::new(None),
        };
        file.database()?;
        Ok(file)
    }

    fn database(&self) -> StoreResult<Arc<Database>> {
        let mut database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = &*database {
            return Ok(open.clone());
        }
        let made = unpanicked(|| {
            let open = (self.open)()?;
            // Reading a table that was never made is an error.
            let transaction = open.begin_write()?;
            transaction.open_table(ENTRIES)?;
            transaction.open_table(USAGE)?;
            transaction.commit()?;
            Ok(open)
        });
        let open = Arc::new(made.map_err(Failed::into_store_error)?);
        *database = Some(open.clone());
        Ok(open)
    }

    /// Runs an operation. After some failures the database must be opened again; the next operation does that.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, Failed>) -> StoreResult<T> {
        let used = self.database()?;
        unpanicked(|| work(&used)).map_err(|failed| {
            let is_fatal = match &failed {
                Failed::Store(_) => false,
                Failed::Database(_) | Failed::Panicked => true,
            };
            if is_fatal {
                let mut database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
                if database.as_ref().is_some_and(|now| Arc::ptr_eq(now, &used)) {
                    *database = None;
                }
            }
            failed.into_store_error()
        })
    }
}

/// Runs what uses the database. On a damaged file that may panic, where its debug assertions are on.
fn unpanicked<T>(work: impl FnOnce() -> Result<T, Failed>) -> Result<T, Failed> {
    // The database is opened again after a panic, and nothing else is shared.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or(Err(Failed::Panicked))
}

/// Why an operation failed.
pub(super) enum Failed {
    Store(StoreError),
    Database(redb::Error),
    Panicked,
}

impl Failed {
    fn into_store_error(self) -> StoreError {
        match self {
            Failed::Store(error) => error,
            Failed::Database(e) => error(e),
            Failed::Panicked => StoreError::Corrupt("the database gave up on it".to_owned()),
        }
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Failed {
        Failed::Store(error)
    }
}

macro_rules! database_errors {
    ($($error:ty),*) => {
        $(impl From<$error> for Failed {
            fn from(error: $error) -> Failed {
                Failed::Database(error.into())
            }
        })*
    };
}

database_errors!(
    DatabaseError,
    redb::TransactionError,
    redb::TableError,
    StorageError,
    redb::CommitError
);

fn error(error: redb::Error) -> StoreError {
    match error {
        redb::Error::Io(e) => match e.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                StoreError::Full
            }
            _ => StoreError::Io(e.to_string()),
        },
        redb::Error::Corrupted(message) => StoreError::Corrupt(message),
        redb::Error::UpgradeRequired(version) => {
            StoreError::Corrupt(format!("a file of the old format {version}"))
        }
        e @ (redb::Error::TableTypeMismatch { .. } | redb::Error::TypeDefinitionChanged { .. }) => {
            StoreError::Corrupt(e.to_string())
        }
        redb::Error::DatabaseAlreadyOpen => StoreError::Unavailable(
            "another process, or another part of this one, has the file open; end that one first, give this one a \
             file of its own, or keep what several share in Redis"
                .to_owned(),
        ),
        other => StoreError::Io(other.to_string()),
    }
}
