//! The filter of system calls: a program that Linux runs before each call (seccomp).

use std::io;
use std::mem::offset_of;

use libc::{c_int, c_long, seccomp_data, sock_filter, sock_fprog};

use super::Descriptors;

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;

/// Calls that concern the calling process alone.
const HARMLESS: &[c_long] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_faccessat,
    libc::SYS_fstat,
    libc::SYS_futex,
    libc::SYS_getcwd,
    libc::SYS_getpeername,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getrandom,
    libc::SYS_getsockname,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_getuid,
    libc::SYS_membarrier,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_newfstatat,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_readlinkat,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
    libc::SYS_statx,
    libc::SYS_uname,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_access,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lstat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_time,
];

/// Calls that change what a descriptor stands for: they are harmless if that is `/dev/null`.
const THROUGH_DESCRIPTORS: &[c_long] = &[
    libc::SYS_fcntl,
    libc::SYS_lseek,
    libc::SYS_pwrite64,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
];

/// Calls of which one value of an argument is harmless: the call, the place of the argument, and its value.
const LOOKING: &[(c_long, usize, c_int)] = &[
    (libc::SYS_fcntl, 1, libc::F_GETFL),
    (libc::SYS_fcntl, 1, libc::F_GETFD),
    (libc::SYS_write, 0, libc::STDOUT_FILENO),
    (libc::SYS_write, 0, libc::STDERR_FILENO),
    (libc::SYS_writev, 0, libc::STDERR_FILENO),
];

/// Calls that return nothing but their success: they do nothing and succeed. A destructor that insists on their
/// success goes on as it would in the session.
const PRETENDED: &[c_long] = &[
    libc::SYS_fallocate,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_fdatasync,
    libc::SYS_flock,
    libc::SYS_fsync,
    libc::SYS_ftruncate,
    libc::SYS_kill,
    libc::SYS_linkat,
    libc::SYS_mkdirat,
    libc::SYS_msync,
    libc::SYS_pidfd_send_signal,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_shutdown,
    libc::SYS_symlinkat,
    libc::SYS_sync,
    libc::SYS_sync_file_range,
    libc::SYS_syncfs,
    libc::SYS_tgkill,
    libc::SYS_tkill,
    libc::SYS_truncate,
    libc::SYS_unlinkat,
    libc::SYS_utimensat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_link,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rmdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_symlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
];

/// Installs the filter for this process, which must have one thread.
pub(super) fn install(descriptors: Descriptors) -> io::Result<()> {
    let program = program(std::process::id(), descriptors)?;
    let program = sock_fprog {
        len: u16::try_from(program.len()).map_err(io::Error::other)?,
        filter: program.as_ptr().cast_mut(),
    };
    // SAFETY: the call takes numbers only. The process can get no rights afterwards, without which the system
    // accepts no filter.
    if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let mode = libc::SECCOMP_SET_MODE_FILTER;
    // SAFETY: the system copies the program, which lives until the call returns.
    if unsafe { libc::syscall(libc::SYS_seccomp, mode, 0, &raw const program) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The filter of the process `own`.
fn program(own: u32, descriptors: Descriptors) -> io::Result<Vec<sock_filter>> {
    let allow = returning(libc::SECCOMP_RET_ALLOW);
    let pretend = returning(libc::SECCOMP_RET_ERRNO);
    let refuse = returning(libc::SECCOMP_RET_ERRNO | libc::EPERM.unsigned_abs());
    let mut program = vec![
        load(offset_of!(seccomp_data, arch)),
        // A call in the way of another architecture has another number: it ends the process.
        if_equal(ARCHITECTURE, 1, 0),
        returning(libc::SECCOMP_RET_KILL_PROCESS),
        load(offset_of!(seccomp_data, nr)),
    ];
    let number = |call: c_long| u32::try_from(call).map_err(io::Error::other);
    // A process may send signals to itself: so it aborts.
    for call in [libc::SYS_tgkill, libc::SYS_kill] {
        program.push(if_equal(number(call)?, 0, 4));
        program.push(load(argument(0)));
        program.push(if_equal(own, 0, 1));
        program.push(allow);
        program.push(pretend);
    }
    // No more memory is shared.
    program.push(if_equal(number(libc::SYS_mmap)?, 0, 4));
    program.push(load(argument(3)));
    program.push(if_any(libc::MAP_SHARED.unsigned_abs(), 0, 1));
    program.push(refuse);
    program.push(allow);
    // Memory is given back, but not taken from a file.
    program.push(if_equal(number(libc::SYS_madvise)?, 0, 4));
    program.push(load(argument(2)));
    program.push(if_equal(libc::MADV_REMOVE.unsigned_abs(), 0, 1));
    program.push(refuse);
    program.push(allow);
    let mut decided = vec![(HARMLESS, allow), (PRETENDED, pretend)];
    match descriptors {
        Descriptors::CutOff => decided.push((THROUGH_DESCRIPTORS, allow)),
        Descriptors::LookedAt => {
            for (call, place, value) in LOOKING {
                program.push(if_equal(number(*call)?, 0, 4));
                program.push(load(argument(*place)));
                program.push(if_equal(value.unsigned_abs(), 0, 1));
                program.push(allow);
                program.push(load(offset_of!(seccomp_data, nr)));
            }
        }
    }
    for (calls, then) in decided {
        for call in calls {
            program.push(if_equal(number(*call)?, 0, 1));
            program.push(then);
        }
    }
    program.push(refuse);
    Ok(program)
}

/// The offset of the lower half of an argument: both architectures are little-endian.
fn argument(place: usize) -> usize {
    offset_of!(seccomp_data, args) + place * size_of::<u64>()
}

/// Loads the word at this offset of the description of a call.
fn load(offset: usize) -> sock_filter {
    instruction(
        libc::BPF_LD | libc::BPF_W | libc::BPF_ABS,
        0,
        0,
        u32::try_from(offset).unwrap_or(u32::MAX),
    )
}

/// Skips `equal` instructions if the word is `value`, and `other` if not.
fn if_equal(value: u32, equal: u8, other: u8) -> sock_filter {
    instruction(
        libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
        equal,
        other,
        value,
    )
}

/// Skips `any` instructions if the word has a bit of `bits`, and `none` if not.
fn if_any(bits: u32, any: u8, none: u8) -> sock_filter {
    instruction(
        libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K,
        any,
        none,
        bits,
    )
}

/// Ends with this decision.
fn returning(decision: u32) -> sock_filter {
    instruction(libc::BPF_RET | libc::BPF_K, 0, 0, decision)
}

fn instruction(code: u32, jt: u8, jf: u8, k: u32) -> sock_filter {
    sock_filter {
        code: u16::try_from(code).unwrap_or(u16::MAX),
        jt,
        jf,
        k,
    }
}
