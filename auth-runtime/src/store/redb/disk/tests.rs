use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use ::redb::StorageBackend;

use super::{Disk, PAGE, Placement};

fn disk(directory: &std::path::Path, bytes: &[u8]) -> (std::path::PathBuf, Arc<Disk>) {
    let path = directory.join("file");
    std::fs::write(&path, bytes).unwrap();
    let (disk, is_empty) = Disk::open(&path, true).unwrap();
    assert_eq!(is_empty, bytes.is_empty());
    (path, Arc::new(disk))
}

/// A system that takes what it could not write for written, as Linux does, and loses it when the power does.
#[derive(Clone, Debug, Default)]
struct System {
    memory: Arc<Mutex<Vec<u8>>>,
    dirty: Arc<Mutex<Vec<std::ops::Range<usize>>>>,
    on_disk: Arc<Mutex<Vec<u8>>>,
    fails: Arc<AtomicBool>,
}

impl StorageBackend for System {
    fn len(&self) -> io::Result<u64> {
        Ok(self.memory.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let from = offset as usize;
        out.copy_from_slice(&self.memory.lock().unwrap()[from..from + out.len()]);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        for bytes in [&self.memory, &self.on_disk] {
            bytes.lock().unwrap().resize(length as usize, 0);
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let dirty = std::mem::take(&mut *self.dirty.lock().unwrap());
        if self.fails.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk failed"));
        }
        for range in dirty {
            self.on_disk.lock().unwrap()[range.clone()].copy_from_slice(&self.memory.lock().unwrap()[range]);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let range = offset as usize..offset as usize + data.len();
        self.memory.lock().unwrap()[range.clone()].copy_from_slice(data);
        self.dirty.lock().unwrap().push(range);
        Ok(())
    }
}

#[test]
fn what_an_fsync_has_failed_to_write_is_written_again() {
    let system = System::default();
    let disk = Arc::new(Disk::of(Box::new(system.clone()), None, 0));
    let file = disk.writable();
    file.set_len(100).unwrap();
    file.write(0, &[1; 10]).unwrap();
    file.sync_data().unwrap();
    for (offset, length) in [(10, 5), (10, 20), (50, 7), (90, 10)] {
        file.write(offset, &vec![2; length]).unwrap();
    }
    system.fails.store(true, Ordering::SeqCst);
    file.sync_data().unwrap_err();
    disk.write_again().unwrap_err();
    system.fails.store(false, Ordering::SeqCst);
    file.sync_data().unwrap();
    assert_ne!(*system.on_disk.lock().unwrap(), *system.memory.lock().unwrap(), "this is what is dealt with");

    for offset in [10, 50, 90] {
        file.write(offset, &[3; 5]).unwrap();
    }
    system.fails.store(true, Ordering::SeqCst);
    file.sync_data().unwrap_err();
    // The file got smaller since.
    file.set_len(93).unwrap();
    system.fails.store(false, Ordering::SeqCst);
    disk.write_again().unwrap();
    assert_eq!(system.on_disk.lock().unwrap()[50..55], [3; 5]);
    assert_eq!(system.on_disk.lock().unwrap()[90..], [3; 3]);
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
