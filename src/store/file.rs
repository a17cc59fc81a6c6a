//! Looks into a store beside the process that may be using it.

use super::audit::AuditEntry;
use super::backend::Reader;
use super::disk;
use super::error::{OpenError, StoreError};
use super::sqlite::Sqlite;
use botroupe_core::ledger::{AccountNo, Letter};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// The file of a store, opened to be read only. It needs no lock.
pub struct StoreFile(Box<dyn Reader>);

impl fmt::Debug for StoreFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreFile")
    }
}

impl StoreFile {
    /// Opens it.
    ///
    /// # Errors
    /// When there is none, when it is no store, damaged, or of another version.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Sqlite::read(path).map(Self)
    }

    /// Looks through everything, and returns what is wrong.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn check(&mut self) -> Result<Vec<String>, StoreError> {
        Ok(self.0.check()?)
    }

    /// The letters that are to be sent, that failed, or of which it is unknown whether they arrived.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn letters(&mut self) -> Result<Vec<Letter>, StoreError> {
        Ok(self.0.letters(true)?)
    }

    /// The UserIDs of the accounts in it.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn accounts(&mut self) -> Result<BTreeMap<AccountNo, String>, StoreError> {
        Ok(self.0.accounts()?)
    }

    /// Gives what was ordered, in its order, until the receiver returns false.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn audit(&mut self, entry: &mut dyn FnMut(AuditEntry) -> bool) -> Result<(), StoreError> {
        Ok(self.0.audit(entry)?)
    }

    /// Gives every record, as a JSON object of one line, until the receiver returns false.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn export(&mut self, line: &mut dyn FnMut(&str) -> bool) -> Result<(), StoreError> {
        Ok(self.0.export(line)?)
    }

    /// Writes a copy to a new file, and returns its size in bytes.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub fn back_up(&mut self, to: &Path) -> Result<u64, StoreError> {
        disk::back_up(&mut *self.0, to)
    }
}
