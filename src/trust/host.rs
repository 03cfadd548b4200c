//! The repository and the issue on a hosting service that this clone may contact.
