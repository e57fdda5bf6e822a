//! The file on the disk, as redb reads and writes it. It is opened and locked once. After an error of the disk, redb opens a database
//! on it again.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::redb::backends::FileBackend;
use ::redb::{BackendError, Error, StorageBackend};

/// The open file.
#[derive(Debug)]
pub(super) struct Disk {
    file: Box<dyn StorageBackend>,
    identity: Option<Identity>,
    /// The length that redb knows, in bytes.
    length: AtomicU64,
    /// What was written since the last `fsync` that succeeded: the lengths by their offsets, in bytes.
    unsynced: Mutex<BTreeMap<u64, usize>>,
}

/// Whether the path still leads to the open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placement {
    InPlace,
    Deleted,
    Replaced,
    /// The file has this length, and had another.
    Truncated {
        from: u64,
        to: u64,
    },
}

/// Device and inode of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    #[allow(clippy::unnecessary_wraps, reason = "other systems have none")]
    fn of(metadata: &fs::Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        Some(Self(metadata.dev(), metadata.ino()))
    }

    #[cfg(not(unix))]
    fn of(_: &fs::Metadata) -> Option<Self> {
        None
    }
}

impl Disk {
    /// Opens and locks the file. Unless it `must_exist`, it is created if it is missing. Returns whether it is empty.
    pub(super) fn open(path: &Path, must_exist: bool) -> Result<(Self, bool), Error> {
        let file = open_file(path, must_exist)?;
        let metadata = file.metadata()?;
        let (identity, length) = (Identity::of(&metadata), metadata.len());
        let file = FileBackend::new(file)?;
        // Not released before the file is closed: in between, another process could open it.
        match file.try_lock_range(Bound::Unbounded, Bound::Unbounded) {
            Ok(true) => {}
            Ok(false) => return Err(Error::DatabaseAlreadyOpen),
            Err(error) => return Err(error.into()),
        }
        Ok((Self::of(Box::new(file), identity, length), length == 0))
    }

    fn of(file: Box<dyn StorageBackend>, identity: Option<Identity>, length: u64) -> Self {
        Self { file, identity, length: AtomicU64::new(length), unsynced: Mutex::default() }
    }

    /// # Errors
    /// If the path can't be looked up.
    pub(super) fn placement(&self, path: &Path) -> io::Result<Placement> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Placement::Deleted),
            Err(error) => return Err(error),
        };
        if Identity::of(&metadata) != self.identity {
            return Ok(Placement::Replaced);
        }
        let (from, to) = (self.length.load(Ordering::Acquire), metadata.len());
        Ok(if to < from { Placement::Truncated { from, to } } else { Placement::InPlace })
    }

    /// Writes once more what was written since the last `fsync` that succeeded. After one that failed, the system has it in memory and
    /// takes it for written, so a later `fsync` would succeed without it.
    pub(super) fn write_again(&self) -> io::Result<()> {
        let unsynced: Vec<_> = self.unsynced().iter().map(|(offset, length)| (*offset, *length)).collect();
        let end = self.file.len()?;
        for (offset, length) in unsynced {
            let within = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX).min(length);
            let mut bytes = vec![0; within];
            // What can't be read is lost already. If it is needed, the check of the whole file finds that.
            if self.file.read(offset, &mut bytes).is_ok() {
                self.file.write(offset, &bytes)?;
            }
        }
        self.sync()
    }

    /// Whether something was written since the last `fsync` that succeeded.
    pub(super) fn has_unsynced(&self) -> bool {
        !self.unsynced().is_empty()
    }

    fn sync(&self) -> io::Result<()> {
        // Only the thread that syncs writes.
        self.file.sync_data()?;
        self.unsynced().clear();
        Ok(())
    }

    fn unsynced(&self) -> MutexGuard<'_, BTreeMap<u64, usize>> {
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file for a database that is written.
    pub(super) fn writable(self: &Arc<Self>) -> impl StorageBackend {
        Writable(Arc::clone(self))
    }

    /// The file for a database that is read only. redb writes to a file when it opens it; here these writes stay in memory.
    pub(super) fn read_only(self: &Arc<Self>) -> io::Result<impl StorageBackend> {
        let length = self.file.len()?;
        let writes = Writes { length, on_disk: length, pages: BTreeMap::new() };
        Ok(ReadOnly { disk: Arc::clone(self), writes: Mutex::new(writes) })
    }
}

fn open_file(path: &Path, must_exist: bool) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    if must_exist {
        return Ok(options.open(path)?);
    }
    // Only the user of the service may read it, because it shows who logged in when.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.create_new(true).open(path) {
        Ok(file) => {
            // After a loss of power, the name must be there too.
            #[cfg(unix)]
            path.parent().map(|directory| File::open(directory)?.sync_all()).transpose()?;
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open_file(path, true),
        Err(error) => Err(error.into()),
    }
}

/// The locks of redb: the file is locked already, as a whole.
macro_rules! locked_already {
    () => {
        fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
            Ok(true)
        }

        fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
            Ok(())
        }
    };
}

#[derive(Debug)]
struct Writable(Arc<Disk>);

impl StorageBackend for Writable {
    fn len(&self) -> io::Result<u64> {
        self.0.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.file.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.length.fetch_min(length, Ordering::AcqRel);
        self.0.file.set_len(length)?;
        self.0.length.store(length, Ordering::Release);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.file.write(offset, data)?;
        // What fails is not noted: nothing refers to it.
        let mut unsynced = self.0.unsynced();
        let length = unsynced.entry(offset).or_default();
        *length = data.len().max(*length);
        Ok(())
    }

    locked_already!();
}

/// Reads the disk, and writes to memory.
struct ReadOnly {
    disk: Arc<Disk>,
    writes: Mutex<Writes>,
}

struct Writes {
    length: u64,
    /// Bytes behind this offset are not read from the disk: the file was truncated there, or ends there.
    on_disk: u64,
    /// Whole pages, by their number.
    pages: BTreeMap<u64, Box<[u8]>>,
}

/// In bytes.
const PAGE: u64 = 4096;

impl ReadOnly {
    fn writes(&self) -> MutexGuard<'_, Writes> {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_disk(&self, on_disk: u64, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let available = usize::try_from(on_disk.saturating_sub(offset)).unwrap_or(usize::MAX).min(out.len());
        let Some((from_disk, behind)) = out.split_at_mut_checked(available) else { return Ok(()) };
        behind.fill(0);
        if from_disk.is_empty() { Ok(()) } else { self.disk.file.read(offset, from_disk) }
    }
}

impl StorageBackend for ReadOnly {
    fn len(&self) -> io::Result<u64> {
        Ok(self.writes().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let writes = self.writes();
        let end = offset.saturating_add(out.len() as u64);
        if end > writes.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.read_disk(writes.on_disk, offset, out)?;
        for (number, page) in writes.pages.range(offset / PAGE..end.div_ceil(PAGE)) {
            copy(page, number * PAGE, out, offset);
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut writes = self.writes();
        writes.length = length;
        writes.on_disk = writes.on_disk.min(length);
        drop(writes.pages.split_off(&length.div_ceil(PAGE)));
        // What the file gets behind its present end is zero.
        let end = usize::try_from(length % PAGE).unwrap_or(0);
        if let Some(behind) = writes.pages.get_mut(&(length / PAGE)).and_then(|page| page.get_mut(end..)) {
            behind.fill(0);
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut writes = self.writes();
        let on_disk = writes.on_disk;
        for number in offset / PAGE..offset.saturating_add(data.len() as u64).div_ceil(PAGE) {
            let page = match writes.pages.entry(number) {
                Entry::Occupied(page) => page.into_mut(),
                Entry::Vacant(place) => {
                    let mut page = vec![0; PAGE as usize].into_boxed_slice();
                    self.read_disk(on_disk, number * PAGE, &mut page)?;
                    place.insert(page)
                }
            };
            copy(data, offset, page, number * PAGE);
        }
        Ok(())
    }

    locked_already!();
}

/// Copies what two parts of the file have in common. Each part is its bytes and its offset.
fn copy(from: &[u8], from_offset: u64, to: &mut [u8], to_offset: u64) {
    let begin = from_offset.max(to_offset);
    let end = (from_offset + from.len() as u64).min(to_offset + to.len() as u64);
    let within = |offset: u64| {
        let [begin, end] =
            [begin, end].map(|at| usize::try_from(at.saturating_sub(offset)).unwrap_or(usize::MAX));
        begin..end.max(begin)
    };
    if let (Some(from), Some(to)) = (from.get(within(from_offset)), to.get_mut(within(to_offset))) {
        to.copy_from_slice(from);
    }
}

/// Without the bytes, which name users.
impl std::fmt::Debug for ReadOnly {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadOnly").field("disk", &self.disk).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
