//! [`Channel`]: values that go through a socket, large ones through shared memory.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::system;

/// The longest message that goes through the socket itself.
const SHORT: usize = 32 * 1024;

/// How a message lies in the socket: behind this byte, or in the memory that is its first descriptor.
const INLINE: u8 = 0;
const IN_MEMORY: u8 = 1;

/// One end of a connection.
#[derive(Debug)]
pub(super) struct Channel(OwnedFd);

impl Channel {
    pub(super) fn new(socket: OwnedFd) -> Self {
        Self(socket)
    }

    pub(super) fn socket(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    pub(super) fn send(&self, value: &impl Serialize) -> io::Result<()> {
        self.send_with(value, &[])
    }

    /// Sends a value with descriptors.
    pub(super) fn send_with(&self, value: &impl Serialize, descriptors: &[BorrowedFd]) -> io::Result<()> {
        let mut message = vec![INLINE];
        message = postcard::to_extend(value, message).map_err(io::Error::other)?;
        if message.len() <= SHORT {
            return system::send(self.socket(), &message, descriptors);
        }
        let memory = system::memory(message.get(1..).unwrap_or_default())?;
        let all: Vec<BorrowedFd> = [memory.as_fd()].into_iter().chain(descriptors.iter().copied()).collect();
        system::send(self.socket(), &[IN_MEMORY], &all)
    }

    /// Waits for a message, or the end of the other end, for that time.
    pub(super) fn has_message(&self, timeout: Duration) -> io::Result<bool> {
        system::is_readable(self.socket(), timeout)
    }

    /// Another name of this end.
    pub(super) fn try_clone(&self) -> io::Result<OwnedFd> {
        self.0.try_clone()
    }

    pub(super) fn receive<T: DeserializeOwned>(&self) -> io::Result<T> {
        self.receive_with().map(|(value, _)| value)
    }

    /// Waits for a value and its descriptors. An error of kind `UnexpectedEof` where the other end is gone.
    pub(super) fn receive_with<T: DeserializeOwned>(&self) -> io::Result<(T, Vec<OwnedFd>)> {
        let mut buffer = vec![0; SHORT];
        let (length, mut descriptors) = system::receive(self.socket(), &mut buffer)?;
        let strange = || io::Error::other("a message of another version");
        let (kind, rest) = buffer.get(..length).and_then(<[u8]>::split_first).ok_or_else(strange)?;
        let large;
        let bytes = match *kind {
            INLINE => rest,
            IN_MEMORY if !descriptors.is_empty() => {
                large = read(descriptors.remove(0))?;
                &large
            }
            _ => return Err(strange()),
        };
        Ok((postcard::from_bytes(bytes).map_err(io::Error::other)?, descriptors))
    }
}

fn read(memory: OwnedFd) -> io::Result<Vec<u8>> {
    let file = File::from(memory);
    let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    // An end of memory is an error here.
    bytes.try_reserve_exact(length).map_err(io::Error::other)?;
    bytes.resize(length, 0);
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}
