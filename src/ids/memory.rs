//! The reference model of a log: a vector. What the other logs do must be what this one does.

use super::IdsError;
use super::contract::{Anchor, AnchorLog, Decide, Decision, Outcome};
use super::fold::Book;
use std::sync::{Arc, Mutex, PoisonError};

/// A log in memory, shared by its clones.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryLog(Arc<Mutex<Vec<Anchor>>>);

impl AnchorLog for MemoryLog {
    fn identity(&self) -> String {
        "memory".to_owned()
    }

    fn read(&mut self, namespace: &str) -> Result<Vec<Anchor>, IdsError> {
        let anchors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(anchors.iter().filter(|anchor| anchor.namespace == namespace).cloned().collect())
    }

    fn append(&mut self, namespace: &str, decide: &mut Decide<'_>) -> Result<Outcome, IdsError> {
        let mut anchors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let book = Book::fold(anchors.iter().filter(|anchor| anchor.namespace == namespace).cloned());
        match decide(&book)? {
            Decision::Already(anchor) => Ok(Outcome::Already(anchor)),
            Decision::Append(new) => {
                anchors.extend(new.iter().cloned());
                Ok(Outcome::Appended(new))
            }
        }
    }
}
