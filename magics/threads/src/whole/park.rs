//! Leaving a thread and coming back to it: registers on the stack, and the stack in a variable.
//!
//! A thread calls [`park`], which pushes what a function must preserve and calls the function where
//! the thread waits. If the wait is over, `park` returns 0. In a fork of the process there is a
//! copy of the stack and no thread: [`clone_onto`] makes one that returns from the same call of
//! `park`, with 1.

use std::arch::naked_asm;

use super::parked::Parked;

/// What [`park`] returns in a thread that has been made anew.
pub(super) const ANEW: usize = 1;

/// Stores the stack pointer at `sp`, then calls `wait` with `argument`. Returns 0 behind this call,
/// or [`ANEW`] in a thread of [`clone_onto`].
///
/// # Safety
///
/// `sp` must be valid for a write, and `argument` must be what `wait` expects.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn park(
    sp: *mut usize,
    wait: unsafe extern "C" fn(*mut Parked),
    argument: *mut Parked,
) -> usize {
    // `sub` aligns the stack for the call: the return address and six registers take 56 bytes.
    naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "sub rsp, 8",
        "mov [rdi], rsp",
        "mov rax, rsi",
        "mov rdi, rdx",
        "call rax",
        "xor eax, eax",
        "add rsp, 8",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
    )
}

/// The system call `clone` for a thread that begins on a stack that [`park`] has left, and returns
/// from that call of `park`. The caller gets the id of the thread, or an error number below zero.
///
/// # Safety
///
/// No thread may run on the stack of `sp`, which [`park`] has stored. The other arguments are those
/// of `clone`.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn clone_onto(
    flags: usize,
    sp: usize,
    parent_tid: usize,
    child_tid: usize,
    thread_pointer: usize,
) -> isize {
    // The system takes the fourth argument in `r10`. The new thread has all registers but `rax` and
    // `rsp` from the caller, and takes those that it must preserve from its stack.
    naked_asm!(
        "mov r10, rcx",
        "mov eax, {clone}",
        "syscall",
        "test rax, rax",
        "jz 2f",
        "ret",
        "2:",
        "mov eax, {anew}",
        "add rsp, 8",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
        clone = const libc::SYS_clone,
        anew = const ANEW,
    )
}
