//! Waiting for files to appear, without asking again and again.

use super::StoreError;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Something changed in a folder, or enough time has passed to look again.
    Look,
    /// Nobody reads standard output any more.
    Closed,
}

/// Folders whose changes end a wait.
#[derive(Debug)]
pub struct Watch {
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    woken: Receiver<Wake>,
}

impl Watch {
    /// A watch on nothing yet. Where the system has no notifications, only time ends a wait.
    #[must_use]
    pub fn new() -> Self {
        let (wake, woken) = channel();
        let changed = wake.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if !matches!(&event, Ok(event) if event.kind.is_access()) {
                let _nobody_waits = changed.send(Wake::Look);
            }
        });
        say_when_closed(wake);
        Self { watcher: watcher.ok(), watched: BTreeSet::new(), woken }
    }

    /// Watches a folder as well, if it is there.
    ///
    /// # Errors
    /// The system has no notifications left.
    pub fn add(&mut self, folder: &Path) -> Result<(), StoreError> {
        let Some(watcher) = self.watcher.as_mut() else { return Ok(()) };
        if self.watched.contains(folder) || !folder.is_dir() {
            return Ok(());
        }
        let failed = |error: notify::Error| StoreError::io("watch", folder)(std::io::Error::other(error));
        watcher.watch(folder, RecursiveMode::NonRecursive).map_err(failed)?;
        self.watched.insert(folder.to_owned());
        Ok(())
    }

    /// Waits until something changes, at most so long.
    #[must_use]
    pub fn wait(&self, at_most: Duration) -> Wake {
        let first = match self.woken.recv_timeout(at_most) {
            Ok(wake) => wake,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Wake::Look,
        };
        // One look answers everything that was said meanwhile.
        let closed = self.woken.try_iter().any(|wake| wake == Wake::Closed);
        if closed { Wake::Closed } else { first }
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self::new()
    }
}

fn say_when_closed(wake: Sender<Wake>) {
    let closed = move || {
        if super::platform::wait_until_output_closes() {
            let _nobody_waits = wake.send(Wake::Closed);
        }
    };
    // Without the thread only a failing write tells.
    drop(std::thread::Builder::new().name("output".to_owned()).spawn(closed));
}
