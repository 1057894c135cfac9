//! The functions that stand in front of libc's functions for reading and writing.

use libc::{
    c_int, c_uint, c_void, iovec, mmsghdr, msghdr, off_t, off64_t, size_t, sockaddr, socklen_t,
    ssize_t,
};

use super::watch::{forget, note};
use super::{READ, SHUT_DOWN, WROTE};

/// Defines a function that calls libc's function of the same name and then notes the effect on the
/// descriptor, if there was one. Lists each with the function that it stands in front of.
macro_rules! calls {
    ($($effect:ident of $fd:ident in $name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        $(
            unsafe extern "C" fn $name($($argument: $type),*) -> $result {
                // SAFETY: the caller's contract, which is that of libc's function.
                let result = unsafe { libc::$name($($argument),*) };
                if result > 0 {
                    note($fd, $effect);
                }
                result
            }
        )*

        /// The address of each function of libc, with that of the function in front of it.
        pub(super) fn replaced() -> Vec<(usize, usize)> {
            vec![
                $((libc::$name as *const () as usize, $name as *const () as usize),)*
                (libc::recv as *const () as usize, recv as *const () as usize),
                (libc::recvfrom as *const () as usize, recvfrom as *const () as usize),
                (libc::recvmsg as *const () as usize, recvmsg as *const () as usize),
                (libc::shutdown as *const () as usize, shutdown as *const () as usize),
                (libc::close as *const () as usize, close as *const () as usize),
            ]
        }
    };
}

calls! {
    WROTE of fd in write(fd: c_int, bytes: *const c_void, count: size_t) -> ssize_t;
    WROTE of fd in writev(fd: c_int, parts: *const iovec, count: c_int) -> ssize_t;
    WROTE of fd in pwrite64(fd: c_int, bytes: *const c_void, count: size_t, at: off64_t) -> ssize_t;
    WROTE of fd in pwritev64(fd: c_int, parts: *const iovec, count: c_int, at: off64_t) -> ssize_t;
    WROTE of fd in send(fd: c_int, bytes: *const c_void, count: size_t, flags: c_int) -> ssize_t;
    WROTE of fd in sendto(
        fd: c_int, bytes: *const c_void, count: size_t, flags: c_int, to: *const sockaddr,
        length: socklen_t
    ) -> ssize_t;
    WROTE of fd in sendmsg(fd: c_int, message: *const msghdr, flags: c_int) -> ssize_t;
    WROTE of fd in sendmmsg(fd: c_int, messages: *mut mmsghdr, count: c_uint, flags: c_int) -> c_int;
    WROTE of to in sendfile64(to: c_int, from: c_int, at: *mut off64_t, count: size_t) -> ssize_t;
    WROTE of to in sendfile(to: c_int, from: c_int, at: *mut off_t, count: size_t) -> ssize_t;
    READ of fd in read(fd: c_int, bytes: *mut c_void, count: size_t) -> ssize_t;
    READ of fd in readv(fd: c_int, parts: *const iovec, count: c_int) -> ssize_t;
}

/// Bytes that are only looked at can be read again.
fn note_received(fd: c_int, count: ssize_t, flags: c_int) {
    if count > 0 && flags & libc::MSG_PEEK == 0 {
        note(fd, READ);
    }
}

unsafe extern "C" fn recv(fd: c_int, bytes: *mut c_void, count: size_t, flags: c_int) -> ssize_t {
    // SAFETY: the caller's contract, which is that of libc's function.
    let result = unsafe { libc::recv(fd, bytes, count, flags) };
    note_received(fd, result, flags);
    result
}

unsafe extern "C" fn recvfrom(
    fd: c_int,
    bytes: *mut c_void,
    count: size_t,
    flags: c_int,
    from: *mut sockaddr,
    length: *mut socklen_t,
) -> ssize_t {
    // SAFETY: the caller's contract, which is that of libc's function.
    let result = unsafe { libc::recvfrom(fd, bytes, count, flags, from, length) };
    note_received(fd, result, flags);
    result
}

unsafe extern "C" fn recvmsg(fd: c_int, message: *mut msghdr, flags: c_int) -> ssize_t {
    // SAFETY: the caller's contract, which is that of libc's function.
    let result = unsafe { libc::recvmsg(fd, message, flags) };
    note_received(fd, result, flags);
    result
}

unsafe extern "C" fn close(fd: c_int) -> c_int {
    forget(fd);
    // SAFETY: the caller's contract, which is that of libc's function.
    unsafe { libc::close(fd) }
}

unsafe extern "C" fn shutdown(fd: c_int, how: c_int) -> c_int {
    // SAFETY: the caller's contract, which is that of libc's function.
    let result = unsafe { libc::shutdown(fd, how) };
    if result == 0 {
        note(fd, SHUT_DOWN);
    }
    result
}
