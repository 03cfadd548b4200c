//! Keys that this version does not know: a later one may, so they are named and ignored.

use super::raw::items;
use crate::event::Place;
use crate::event::yaml::Node;
use serde_ignored::Path;

/// How many unknown keys are named.
const MOST: usize = 20;

/// A key of the configuration that this version does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKey {
    /// The key with those above it, as `ids.SEC.form`; may quote the file.
    pub name: String,
    /// Where it is.
    pub place: Place,
}

/// One step into a configuration.
enum Step {
    Key(String),
    Item(usize),
}

/// Notes a key that the reader passed over; `root` is the same file with its places.
pub(super) fn note(found: &mut Vec<UnknownKey>, path: &Path<'_>, root: &Node<'_>) {
    if found.len() >= MOST {
        return;
    }
    let (mut node, mut place, mut name) = (Some(root), root.place, String::new());
    for step in steps(path) {
        match step {
            Step::Key(key) => {
                let entry = node.and_then(|node| node.entries().iter().find(|entry| entry.key == key));
                place = entry.map_or(place, |entry| entry.place);
                node = entry.map(|entry| &entry.node);
                name = if name.is_empty() { key } else { format!("{name}.{key}") };
            }
            Step::Item(index) => {
                node = node.and_then(|node| items(node).get(index));
                place = node.map_or(place, |node| node.place);
                name = format!("{name}[{index}]");
            }
        }
    }
    found.push(UnknownKey { name, place });
}

fn steps(path: &Path<'_>) -> Vec<Step> {
    let (parent, step) = match path {
        Path::Root => return Vec::new(),
        Path::Seq { parent, index } => (parent, Some(Step::Item(*index))),
        Path::Map { parent, key } => (parent, Some(Step::Key(key.clone()))),
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => (parent, None),
    };
    let mut steps = steps(parent);
    steps.extend(step);
    steps
}
