//! In place of the local log, in a build without it.

use super::IdsError;
use super::contract::{Anchor, AnchorLog, Decide, Outcome};
use super::sources::Scoped;
use crate::config::Namespace;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Whether a log that is nowhere may be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// It may.
    Allowed,
    /// It may not.
    Refused,
}

/// A log that cannot be opened.
#[derive(Debug)]
pub struct SqliteLog(std::convert::Infallible);

impl SqliteLog {
    /// Cannot be.
    ///
    /// # Errors
    /// Always.
    pub fn open(_: &Path, _: Duration, _: Start) -> Result<Self, IdsError> {
        Err(IdsError::NoLocalLog)
    }

    /// Cannot be.
    ///
    /// # Errors
    /// Always.
    pub fn restore(_: &Path, _: Duration) -> Result<(Self, Option<PathBuf>), IdsError> {
        Err(IdsError::NoLocalLog)
    }

    /// Cannot be asked.
    ///
    /// # Errors
    /// Never.
    pub fn examine(&mut self) -> Result<Option<IdsError>, IdsError> {
        match self.0 {}
    }

    /// Cannot be asked.
    ///
    /// # Errors
    /// Never.
    pub fn doubt(&mut self) -> Result<Option<IdsError>, IdsError> {
        match self.0 {}
    }

    /// Cannot be asked.
    ///
    /// # Errors
    /// Never.
    pub fn knows(&mut self, _: &str) -> Result<bool, IdsError> {
        match self.0 {}
    }

    /// Cannot be asked.
    ///
    /// # Errors
    /// Never.
    pub fn others(&mut self, _: &Namespace) -> Result<Scoped, IdsError> {
        match self.0 {}
    }

    /// Cannot be asked.
    ///
    /// # Errors
    /// Never.
    pub fn unread(&mut self) -> Result<Option<String>, IdsError> {
        match self.0 {}
    }

    /// Cannot be asked.
    #[must_use]
    pub fn network(&self) -> Option<&'static str> {
        match self.0 {}
    }

    /// Cannot be asked.
    ///
    /// # Errors
    /// Never.
    pub fn keep_copy(&mut self, _: &[Anchor]) -> Result<(), IdsError> {
        match self.0 {}
    }

    /// Cannot be asked.
    ///
    /// # Errors
    /// Never.
    pub fn fact(&mut self, _: &str) -> Result<Option<String>, IdsError> {
        match self.0 {}
    }

    /// Cannot be asked.
    ///
    /// # Errors
    /// Never.
    pub fn remember(&mut self, _: &str, _: &str) -> Result<(), IdsError> {
        match self.0 {}
    }
}

impl AnchorLog for SqliteLog {
    fn identity(&self) -> String {
        match self.0 {}
    }

    fn read(&mut self, _: &str) -> Result<Vec<Anchor>, IdsError> {
        match self.0 {}
    }

    fn append(&mut self, _: &str, _: &mut Decide<'_>) -> Result<Outcome, IdsError> {
        match self.0 {}
    }
}
