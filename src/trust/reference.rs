//! References that belong to headwater, the only ones that it reads, builds upon and updates on a remote.
