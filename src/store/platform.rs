//! What differs from system to system: opening without following links, renaming without replacing,
//! making a directory entry durable. The only place with code for one system.

use std::fs::File;
use std::io;
use std::path::Path;

/// What was found under an event's name.
#[derive(Debug)]
pub(super) enum Opened {
    /// A regular file, open for reading, and its size in bytes.
    File(File, u64),
    /// A link, directory, FIFO, socket or device: not opened, or closed at once.
    NotAFile,
}

pub use imp::network_file_system;
pub(super) use imp::{
    open_lock_file, open_without_following, rename_without_replacing, same_file, set_modified, sync_dir, try_lock,
    wait_until_output_closes,
};

#[cfg(unix)]
mod imp {
    use super::{File, Opened, Path, io};
    use rustix::fs::{CWD, Mode, OFlags, RenameFlags, open, renameat_with};
    use rustix::io::{Errno, retry_on_intr};

    /// Opens a regular file for reading; never follows a link, never waits for a FIFO's writer.
    pub(in super::super) fn open_without_following(path: &Path) -> io::Result<Opened> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        match retry_on_intr(|| open(path, flags, Mode::empty())) {
            Ok(descriptor) => {
                let file = File::from(descriptor);
                let found = file.metadata()?;
                Ok(if found.is_file() { Opened::File(file, found.len()) } else { Opened::NotAFile })
            }
            // A link; a socket or a device without a driver.
            Err(Errno::LOOP | Errno::MLINK | Errno::NXIO | Errno::NODEV) => Ok(Opened::NotAFile),
            Err(error) => Err(error.into()),
        }
    }

    /// Says that a regular file is current; never follows a link, never waits for a FIFO's reader.
    pub(in super::super) fn set_modified(path: &Path, now: std::time::SystemTime) -> io::Result<()> {
        match open_without_following(path)? {
            Opened::File(file, _) => file.set_modified(now),
            Opened::NotAFile => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    /// Opens or creates a lock file; never follows a link.
    pub(in super::super) fn open_lock_file(path: &Path) -> io::Result<File> {
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        Ok(File::from(retry_on_intr(|| open(path, flags, Mode::from_raw_mode(0o666)))?))
    }

    /// Sleeps until nobody reads standard output any more; `false` where that cannot be told.
    pub(in super::super) fn wait_until_output_closes() -> bool {
        use rustix::event::{PollFd, PollFlags, poll};
        let out = std::io::stdout();
        let mut watched = [PollFd::new(&out, PollFlags::empty())];
        retry_on_intr(|| poll(&mut watched, None)).is_ok()
            && watched.iter().any(|fd| fd.revents().intersects(PollFlags::ERR | PollFlags::HUP))
    }

    /// Renames unless the new name is taken; `Unsupported` where the file system cannot.
    pub(in super::super) fn rename_without_replacing(from: &Path, to: &Path) -> io::Result<()> {
        match retry_on_intr(|| renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Err(io::ErrorKind::Unsupported.into()),
            other => Ok(other?),
        }
    }

    /// The kind of file system that a folder lies on, where that is shared by machines or passed through:
    /// no place for shared memory. Source: statfs(2), linux/magic.h.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn network_file_system(path: &Path) -> Option<&'static str> {
        let found = rustix::fs::statfs(path).ok()?;
        match u64::try_from(found.f_type).ok()? & 0xffff_ffff {
            0x6969 => Some("nfs"),
            0xff53_4d42 | 0xfe53_4d42 | 0x517b => Some("cifs"),
            0x0102_1997 => Some("9p"),
            0x6573_5546 => Some("fuse"),
            0x6a65_6a63 => Some("virtiofs"),
            0x00c3_6400 => Some("ceph"),
            0x5346_414f => Some("afs"),
            0x0bd0_0bd0 => Some("lustre"),
            0x4750_4653 => Some("gpfs"),
            0x786f_4256 => Some("vboxsf"),
            _ => None,
        }
    }

    /// Not told here.
    #[cfg(not(target_os = "linux"))]
    #[must_use]
    pub fn network_file_system(_: &Path) -> Option<&'static str> {
        None
    }

    /// Whether two files are one.
    pub(in super::super) fn same_file(a: &std::fs::Metadata, b: &std::fs::Metadata) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        (a.dev(), a.ino()) == (b.dev(), b.ino())
    }

    /// Locks an open file until it is closed; `false` while another process has it locked.
    pub(in super::super) fn try_lock(file: &File) -> io::Result<bool> {
        match retry_on_intr(|| rustix::fs::flock(file, rustix::fs::FlockOperation::NonBlockingLockExclusive)) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the entries of a directory durable.
    pub(in super::super) fn sync_dir(path: &Path) -> io::Result<()> {
        match File::open(path)?.sync_all() {
            // Some file systems have no fsync for directories and are durable without.
            Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => Ok(()),
            other => other,
        }
    }
}

#[cfg(not(unix))]
mod imp {
    use super::{File, Opened, Path, io};
    use std::fs::OpenOptions;

    pub(in super::super) fn open_without_following(path: &Path) -> io::Result<Opened> {
        let found = std::fs::symlink_metadata(path)?;
        if !found.is_file() {
            return Ok(Opened::NotAFile);
        }
        File::open(path).map(|file| Opened::File(file, found.len()))
    }

    pub(in super::super) fn set_modified(path: &Path, now: std::time::SystemTime) -> io::Result<()> {
        OpenOptions::new().append(true).open(path)?.set_modified(now)
    }

    pub(in super::super) fn open_lock_file(path: &Path) -> io::Result<File> {
        if std::fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
    }

    /// A file that is open cannot be replaced here.
    pub(in super::super) fn same_file(_: &std::fs::Metadata, _: &std::fs::Metadata) -> bool {
        true
    }

    /// Cannot be told here.
    pub(in super::super) fn wait_until_output_closes() -> bool {
        false
    }

    /// A file that is open cannot be deleted or replaced here, and the database's own lock is enough.
    pub(in super::super) fn try_lock(_: &File) -> io::Result<bool> {
        Ok(true)
    }

    pub(in super::super) fn rename_without_replacing(_: &Path, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Not told here.
    #[must_use]
    pub fn network_file_system(_: &Path) -> Option<&'static str> {
        None
    }

    /// Directories cannot be opened to be flushed here; the file system's journal orders entries.
    pub(in super::super) fn sync_dir(_: &Path) -> io::Result<()> {
        Ok(())
    }
}
