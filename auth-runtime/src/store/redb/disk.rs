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
    file: FileBackend,
    identity: Option<Identity>,
    /// The length that redb knows, in bytes.
    length: AtomicU64,
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
        Ok((Self { file, identity, length: AtomicU64::new(length) }, length == 0))
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
        self.0.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.file.write(offset, data)
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
mod tests {
    use std::sync::Arc;

    use ::redb::StorageBackend;

    use super::{Disk, PAGE, Placement};

    fn disk(directory: &std::path::Path, bytes: &[u8]) -> (std::path::PathBuf, Arc<Disk>) {
        let path = directory.join("file");
        std::fs::write(&path, bytes).unwrap();
        let (disk, is_empty) = Disk::open(&path, true).unwrap();
        assert_eq!(is_empty, bytes.is_empty());
        (path, Arc::new(disk))
    }

    /// Random reads and writes, against the same ones on a vector.
    #[test]
    fn what_is_written_to_memory_is_read_and_the_disk_is_as_it_was() {
        use proptest::prelude::*;
        let directory = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..3 * PAGE + 100).map(|at| (at % 251) as u8).collect();
        let step = (0..4_u8, 0..5 * PAGE, 1..3 * PAGE);
        auth_tests_random::runner(64)
            .run(&prop::collection::vec(step, 1..20), |steps| {
                let (path, disk) = disk(directory.path(), &bytes);
                let overlay = disk.read_only().unwrap();
                let mut model = bytes.clone();
                for (number, (kind, at, count)) in steps.into_iter().enumerate() {
                    let (from, to) = (at as usize, (at + count) as usize);
                    match kind {
                        0 => {
                            overlay.set_len(at).unwrap();
                            model.resize(from, 0);
                        }
                        1 if to <= model.len() => {
                            let data = vec![number as u8; count as usize];
                            overlay.write(at, &data).unwrap();
                            model[from..to].copy_from_slice(&data);
                        }
                        _ if to > model.len() => {
                            prop_assert!(overlay.read(at, &mut vec![0; count as usize]).is_err());
                        }
                        _ => {
                            let mut out = vec![7; count as usize];
                            overlay.read(at, &mut out).unwrap();
                            prop_assert!(out == model[from..to]);
                        }
                    }
                    prop_assert_eq!(overlay.len().unwrap(), model.len() as u64);
                }
                prop_assert!(std::fs::read(path).unwrap() == bytes);
                Ok(())
            })
            .unwrap();
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_is_moved_truncated_or_replaced_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let elsewhere = directory.path().join("elsewhere");
        let (path, disk) = disk(directory.path(), &[1; 100]);
        let placement = || disk.placement(&path).unwrap();
        assert_eq!(placement(), Placement::InPlace);
        std::fs::rename(&path, &elsewhere).unwrap();
        assert_eq!(placement(), Placement::Deleted);
        std::fs::write(&path, [1; 100]).unwrap();
        assert_eq!(placement(), Placement::Replaced);
        std::fs::rename(&elsewhere, &path).unwrap();
        assert_eq!(placement(), Placement::InPlace);
        disk.writable().set_len(200).unwrap();
        assert_eq!(placement(), Placement::InPlace);
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(150).unwrap();
        assert_eq!(placement(), Placement::Truncated { from: 200, to: 150 });
        disk.writable().set_len(150).unwrap();
        assert_eq!(placement(), Placement::InPlace);
    }
}
