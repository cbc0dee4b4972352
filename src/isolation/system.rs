//! System calls that the standard library does not have: sockets that carry descriptors, anonymous memory, processes.
#![expect(unsafe_code, reason = "calls of the C library")]

use std::ffi::{CStr, OsStr, c_int, c_void};
use std::fs::File;
use std::io::{self, Write};
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::ptr;
use std::time::Duration;

use crate::runtime::interrupt;

/// The most descriptors in a message, as the kernel has it.
pub(super) const MAX_DESCRIPTORS: usize = 253;

fn checked(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Calls again where a signal came between.
fn retried<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Two ends of a socket that keeps messages apart. Programs that the host starts do not inherit them.
pub(super) fn socket_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends: [RawFd; 2] = [-1; 2];
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    // SAFETY: `ends` has room for two descriptors.
    checked(unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) })?;
    // SAFETY: two new descriptors, which nobody else owns.
    Ok(unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) })
}

/// Room for the descriptors of a message, aligned as its header asks.
type Control = [u64; 2 + MAX_DESCRIPTORS / 2 + 1];

/// Sends a message with descriptors. Without SIGPIPE, whatever the host does about that signal.
pub(super) fn send(socket: BorrowedFd, bytes: &[u8], descriptors: &[BorrowedFd]) -> io::Result<()> {
    if descriptors.len() > MAX_DESCRIPTORS {
        return Err(io::Error::other(format!(
            "{} files, expected at most {MAX_DESCRIPTORS}",
            descriptors.len()
        )));
    }
    let mut part = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let mut control: Control = [0; _];
    // SAFETY: all fields of a msghdr may be zero.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    if !descriptors.is_empty() {
        let size = mem::size_of_val(descriptors) as u32;
        message.msg_control = (&raw mut control).cast();
        // SAFETY: computes sizes. `control` has room for a header and MAX_DESCRIPTORS descriptors.
        unsafe {
            message.msg_controllen = libc::CMSG_SPACE(size) as _;
            let header = libc::CMSG_FIRSTHDR(&message);
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = libc::CMSG_LEN(size) as _;
            let data = libc::CMSG_DATA(header).cast::<RawFd>();
            for (index, descriptor) in descriptors.iter().enumerate() {
                data.add(index).write_unaligned(descriptor.as_raw_fd());
            }
        }
    }
    let sent = retried(|| {
        // SAFETY: the message leads to memory that lives until the call returns.
        let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &message, libc::MSG_NOSIGNAL) };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    })?;
    if sent == bytes.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

/// Waits for a message; its bytes go to `buffer`. An error of kind `UnexpectedEof` where the other end is gone.
pub(super) fn receive(socket: BorrowedFd, buffer: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let mut control: Control = [0; _];
    // SAFETY: all fields of a msghdr may be zero.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = (&raw mut control).cast();
    message.msg_controllen = mem::size_of_val(&control) as _;
    let received = retried(|| {
        // SAFETY: the message leads to memory that lives until the call returns.
        let receive = || unsafe { libc::recvmsg(socket.as_raw_fd(), &mut message, libc::MSG_CMSG_CLOEXEC) };
        let received = interrupt::outside(receive);
        usize::try_from(received).map_err(|_| io::Error::last_os_error())
    })?;
    let mut descriptors = Vec::new();
    // SAFETY: the kernel has filled `control`; each descriptor in it is new and ours.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(&message);
        while !header.is_null() {
            if (*header).cmsg_level == libc::SOL_SOCKET && (*header).cmsg_type == libc::SCM_RIGHTS {
                let bytes = (*header).cmsg_len as usize - libc::CMSG_LEN(0) as usize;
                let data = libc::CMSG_DATA(header).cast::<RawFd>();
                for index in 0..bytes / size_of::<RawFd>() {
                    descriptors.push(OwnedFd::from_raw_fd(data.add(index).read_unaligned()));
                }
            }
            header = libc::CMSG_NXTHDR(&message, header);
        }
    }
    if received == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if message.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0 {
        return Err(io::Error::other("a message that is too long"));
    }
    Ok((received, descriptors))
}

/// Whether a descriptor can be read from, or its other end is gone, within that time.
pub(super) fn is_readable(descriptor: BorrowedFd, timeout: Duration) -> io::Result<bool> {
    Ok(poll(descriptor, libc::POLLIN, timeout)? != 0)
}

/// Whether the other end of a socket is gone, or goes within that time.
pub(super) fn is_hung_up(socket: BorrowedFd, timeout: Duration) -> bool {
    poll(socket, libc::POLLRDHUP, timeout).is_ok_and(|events| events != 0)
}

fn poll(descriptor: BorrowedFd, events: i16, timeout: Duration) -> io::Result<i16> {
    let mut polled = libc::pollfd { fd: descriptor.as_raw_fd(), events, revents: 0 };
    let timeout = c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX);
    interrupt::outside(|| {
        retried(|| {
            // SAFETY: one valid pollfd.
            checked(unsafe { libc::poll(&mut polled, 1, timeout) })?;
            Ok(polled.revents)
        })
    })
}

/// Tells the other end that this one is gone, whoever else may have a copy of it.
pub(super) fn shut_down(socket: BorrowedFd) {
    // SAFETY: a valid descriptor. It fails where the other end is gone, which is as good.
    unsafe { libc::shutdown(socket.as_raw_fd(), libc::SHUT_RDWR) };
}

/// Anonymous memory with these bytes, which lives as long as somebody has a descriptor of it.
pub(super) fn memory(bytes: &[u8]) -> io::Result<OwnedFd> {
    // SAFETY: a valid text.
    let descriptor = checked(unsafe { libc::memfd_create(c"sdxl".as_ptr(), libc::MFD_CLOEXEC) })?;
    // SAFETY: a new descriptor, which nobody else owns.
    let mut file = File::from(unsafe { OwnedFd::from_raw_fd(descriptor) });
    file.write_all(bytes)?;
    Ok(file.into())
}

/// A file that is mapped for reading; only of [`memory`], which nobody cuts short.
pub(super) struct Mapping {
    start: *mut c_void,
    length: usize,
}

// SAFETY: the memory is only read.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    pub(super) fn new(file: OwnedFd) -> io::Result<Self> {
        let file = File::from(file);
        let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        if length == 0 {
            return Ok(Self { start: ptr::null_mut(), length });
        }
        // SAFETY: a new mapping of a valid descriptor, which overlaps nothing.
        let start = unsafe {
            libc::mmap(ptr::null_mut(), length, libc::PROT_READ, libc::MAP_SHARED, file.as_raw_fd(), 0)
        };
        if start == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(Self { start, length }) }
    }
}

impl AsRef<[u8]> for Mapping {
    fn as_ref(&self) -> &[u8] {
        if self.length == 0 {
            return &[];
        }
        // SAFETY: `length` readable bytes, which live as long as `self`.
        unsafe { std::slice::from_raw_parts(self.start.cast::<u8>(), self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.length > 0 {
            // SAFETY: mapped by `new`, unmapped once.
            unsafe { libc::munmap(self.start, self.length) };
        }
    }
}

/// Lets the program inherit nothing but its standard streams: what the host has open is nobody else's business.
pub(super) fn close_the_rest(command: &mut Command) {
    let close = || {
        // Closed by `exec`, because the standard library reports failures through one of them.
        // SAFETY: changes flags of descriptors; allowed between fork and exec.
        let closed = unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
        if closed != 0 {
            // A kernel before 5.11.
            for descriptor in 3..65_536 {
                // SAFETY: as above; fails for those that are not open.
                unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
            }
        }
        Ok(())
    };
    // SAFETY: `close` calls nothing but the system.
    unsafe { command.pre_exec(close) };
}

/// A descriptor that stands for a child, and goes on to when its number means another process. None where the kernel
/// has no such thing, or the child is gone already.
pub(super) fn process_of(child: &Child) -> Option<OwnedFd> {
    // SAFETY: two numbers.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, child.id(), 0) };
    let descriptor = RawFd::try_from(descriptor).ok().filter(|descriptor| *descriptor >= 0)?;
    // SAFETY: a new descriptor, which nobody else owns.
    Some(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Ends a process at once.
pub(super) fn kill(process: BorrowedFd) {
    // SAFETY: a descriptor of a process; no further information.
    unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            process.as_raw_fd(),
            libc::SIGKILL,
            ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
}

/// The number of the process that started this one.
pub(super) fn parent() -> u32 {
    std::os::unix::process::parent_id()
}

/// Ends this process without what runs at an end: libtorch does not survive that while it computes.
pub(super) fn exit_now(status: i32) -> ! {
    // SAFETY: does not return.
    unsafe { libc::_exit(status) }
}

/// The standard input of the worker, which is its first socket; where it is none, `None`.
pub(super) fn standard_input_socket() -> Option<OwnedFd> {
    let input = io::stdin();
    let copy = input.as_fd().try_clone_to_owned().ok()?;
    let mut kind: c_int = 0;
    let mut size = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: `kind` has the size that is said.
    let result = unsafe {
        libc::getsockopt(
            copy.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_TYPE,
            (&raw mut kind).cast(),
            &raw mut size,
        )
    };
    (result == 0 && kind == libc::SOCK_SEQPACKET).then_some(copy)
}

/// The file of the program or library that this code is in.
pub(super) fn own_file() -> Option<PathBuf> {
    // SAFETY: all fields of a Dl_info may be zero.
    let mut info: libc::Dl_info = unsafe { mem::zeroed() };
    // SAFETY: the address of a function of this library; `info` is valid for the write.
    let found = unsafe { libc::dladdr(own_file as *const c_void, &mut info) };
    if found == 0 || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: the loader's text, which lives as long as the library.
    let name = unsafe { CStr::from_ptr(info.dli_fname) };
    let path = PathBuf::from(OsStr::from_bytes(name.to_bytes()));
    // A program is named as it was called, without a folder where it was found in PATH.
    let is_program = !path.to_string_lossy().contains('/');
    if is_program { std::env::current_exe().ok() } else { Some(path) }
}
