//! Talks to the pipes of one started process without a thread: they are polled.

use super::process::{COMPLAINT_BYTES, Finished, Left};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{Errno, read, write};
use std::io;
use std::os::fd::AsFd;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus};
use std::thread;
use std::time::Duration;

/// How long is waited for a pipe before the process itself is looked at: its pipes stay open as long as a process
/// has them that it started and left behind.
const LOOK: Duration = Duration::from_millis(20);

/// How much is read at once.
const PIECE: usize = 1 << 16;

/// The ends of the pipes that are open still, and what came through them.
struct Talk {
    stdin: Option<(ChildStdin, Vec<u8>, usize)>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    out: Vec<u8>,
    err: Vec<u8>,
    piece: Vec<u8>,
}

/// Writes `input`, keeps `most` bytes of the output and waits for the end; `None` when no time is left.
pub(super) fn talk(
    child: &mut Child,
    input: Option<Vec<u8>>,
    most: usize,
    left: Left<'_>,
) -> io::Result<Option<Finished>> {
    let mut talk = Talk {
        stdin: child.stdin.take().zip(input).map(|(pipe, bytes)| (pipe, bytes, 0)),
        stdout: child.stdout.take(),
        stderr: child.stderr.take(),
        out: Vec::new(),
        err: Vec::new(),
        piece: vec![0; PIECE],
    };
    talk.never_block()?;
    let mut ended: Option<ExitStatus> = None;
    while talk.is_open() {
        if left().is_zero() {
            return Ok(None);
        }
        // Of a process that has ended, what is in the pipes is all.
        let idle = talk.wait(if ended.is_some() { Duration::ZERO } else { left().min(LOOK) })?;
        let moved = talk.write_input()? | talk.read_output(most)? | talk.read_complaint()?;
        if ended.is_some() && !moved {
            break;
        }
        if idle && ended.is_none() {
            ended = child.try_wait()?;
        }
    }
    drop((talk.stdin.take(), talk.stdout.take(), talk.stderr.take()));
    let mut pause = Duration::from_micros(50);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(Finished { status, stdout: talk.out, stderr: talk.err }));
        }
        if left().is_zero() {
            return Ok(None);
        }
        thread::sleep(pause.min(left()));
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

impl Talk {
    fn never_block(&self) -> io::Result<()> {
        let set = |pipe: &dyn AsFd| -> io::Result<()> {
            let flags = fcntl_getfl(pipe.as_fd())?;
            Ok(fcntl_setfl(pipe.as_fd(), flags | OFlags::NONBLOCK)?)
        };
        self.stdin.as_ref().map_or(Ok(()), |(pipe, ..)| set(pipe))?;
        self.stdout.as_ref().map_or(Ok(()), |pipe| set(pipe))?;
        self.stderr.as_ref().map_or(Ok(()), |pipe| set(pipe))
    }

    fn is_open(&self) -> bool {
        self.stdout.is_some() || self.stderr.is_some()
    }

    /// Waits until something can be read or written; whether nothing could in this time.
    fn wait(&self, limit: Duration) -> io::Result<bool> {
        let mut watched = Vec::with_capacity(3);
        watched.extend(self.stdin.as_ref().map(|(pipe, ..)| PollFd::new(pipe, PollFlags::OUT)));
        watched.extend(self.stdout.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        watched.extend(self.stderr.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        match poll(&mut watched, Timespec::try_from(limit).ok().as_ref()) {
            Ok(ready) => Ok(ready == 0),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes as much as the pipe takes; a process that stops reading says why in its status.
    fn write_input(&mut self) -> io::Result<bool> {
        let Some((pipe, bytes, at)) = &mut self.stdin else { return Ok(false) };
        let mut moved = false;
        while let Some(rest) = bytes.get(*at..).filter(|rest| !rest.is_empty()) {
            match write(&*pipe, rest) {
                Ok(length) => (*at, moved) = (*at + length, true),
                Err(Errno::AGAIN) => return Ok(moved),
                Err(Errno::INTR) => {}
                Err(Errno::PIPE) => break,
                Err(error) => return Err(error.into()),
            }
        }
        self.stdin = None;
        Ok(true)
    }

    fn read_output(&mut self, most: usize) -> io::Result<bool> {
        let Some(pipe) = &self.stdout else { return Ok(false) };
        let (moved, open) = pour(pipe, &mut self.piece, &mut self.out, most)?;
        self.stdout = self.stdout.take().filter(|_| open);
        Ok(moved)
    }

    fn read_complaint(&mut self) -> io::Result<bool> {
        let Some(pipe) = &self.stderr else { return Ok(false) };
        let (moved, open) = pour(pipe, &mut self.piece, &mut self.err, COMPLAINT_BYTES)?;
        self.stderr = self.stderr.take().filter(|_| open);
        Ok(moved)
    }
}

/// Reads what a pipe has, but no more than a few pieces at once; whether there was anything, and whether more may come.
fn pour(pipe: impl AsFd, piece: &mut [u8], kept: &mut Vec<u8>, keep: usize) -> io::Result<(bool, bool)> {
    const PIECES: usize = 16;
    for number in 0..PIECES {
        match read(&pipe, &mut *piece) {
            Ok(0) => return Ok((true, false)),
            Ok(length) => {
                let room = length.min(keep.saturating_sub(kept.len()));
                kept.extend_from_slice(piece.get(..room).unwrap_or_default());
            }
            Err(Errno::AGAIN) => return Ok((number > 0, true)),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok((true, true))
}
