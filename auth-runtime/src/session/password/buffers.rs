//! The memory that hashes are computed in.
//!
//! A hash takes 19 MiB. Allocated anew for each, these stay with the process: the allocator keeps and fragments them. So they are
//! reused: there are as many buffers as hashes were computed at the same time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use argon2::Block;

use super::PasswordError;

/// The buffers that no hash is computed in.
#[derive(Default)]
pub(super) struct Buffers(Mutex<Vec<Vec<Block>>>);

impl Buffers {
    /// Takes a buffer; one that does not exist yet is empty. It returns when it is dropped, also if the hash panics.
    pub(super) fn take(&self) -> Buffer<'_> {
        Buffer { blocks: self.lock().pop().unwrap_or_default(), used: 0, buffers: self }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<Vec<Block>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The buffer of one hash.
pub(super) struct Buffer<'b> {
    blocks: Vec<Block>,
    /// How many of the blocks were given to the hash.
    used: usize,
    buffers: &'b Buffers,
}

impl Buffer<'_> {
    /// So many blocks of 1 KiB. A buffer that is too small is replaced by a larger one.
    ///
    /// # Errors
    /// [`PasswordError::Failed`] if there is not enough memory.
    pub(super) fn blocks(&mut self, count: usize) -> Result<&mut [Block], PasswordError> {
        if self.blocks.len() < count {
            // The small one is freed first, so that there are never both.
            self.blocks = Vec::new();
            self.blocks.try_reserve_exact(count).map_err(|_| PasswordError::Failed)?;
            self.blocks.resize(count, Block::new());
        }
        self.used = self.used.max(count);
        self.blocks.get_mut(..count).ok_or(PasswordError::Failed)
    }
}

impl Drop for Buffer<'_> {
    fn drop(&mut self) {
        let used = self.used.min(self.blocks.len());
        if let Some(used) = self.blocks.get_mut(..used) {
            used.fill(Block::new());
        }
        let mut idle = self.buffers.lock();
        idle.push(std::mem::take(&mut self.blocks));
    }
}
