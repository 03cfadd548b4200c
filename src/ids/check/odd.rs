//! Names that carry the number of a file and its ending, and are nearly a numbered file's.

use super::Finding;
use super::uses::Tree;
use crate::config::Namespace;
use crate::ids::allocator::Allocator;
use crate::ids::{IdsError, sources};

impl Allocator<'_> {
    /// The names of this work tree that lie beside a numbered file and nearly fit the pattern.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub(super) fn odd_names(&self, namespace: &Namespace, trees: &[Tree]) -> Result<Vec<Finding>, IdsError> {
        let (Some(files), Some(here)) = (&namespace.files, trees.first()) else { return Ok(Vec::new()) };
        let mut findings = Vec::new();
        for path in sources::paths_in(namespace, &self.place.top, false)? {
            let Some(says) = files.nearly_fits(&path).filter(|_| files.fits(&path).is_none()) else { continue };
            let same = |one: &&super::uses::Use| !one.row && (&one.scope, one.number) == (&says.scope, says.number);
            if let Some(beside) = here.uses.iter().find(same) {
                findings.push(Finding {
                    code: "id-odd-name",
                    id: namespace.format.render(&says.scope, says.number, ""),
                    place: path,
                    detail: format!("is the number of {}, and this name does not fit `{files}`", beside.path),
                    remedy: "if it is a thing of its own, reserve a number for it and rename it".to_owned(),
                });
            }
        }
        Ok(findings)
    }
}
