//! Events: their ids and stamps, and the codec between a file's bytes and what it says.
//!
//! Bytes become a normalised text ([`normal`]), the text front matter and body ([`front`]), those
//! become nodes ([`yaml`]) or lines ([`markdown`]), and the nodes, by the shape of their section
//! ([`shape`]), the writes of an [`Event`] ([`decode`]). Everything here is pure.

pub mod decode;
pub mod encode;
pub mod front;
pub mod legacy;
pub mod markdown;
pub mod normal;
pub mod schema;
pub mod shape;
pub mod text;
pub mod yaml;

mod fault;
mod id;
mod model;
mod timestamp;

pub(crate) use fault::clamp;
pub use fault::{Code, Fault, Place};
pub use id::{EventId, IdPrefix, hex};
pub use model::{Event, Label, Meta, Origin, Payload, Stamp, Step, Write};
pub use timestamp::{Span, SpanError, Timestamp};
