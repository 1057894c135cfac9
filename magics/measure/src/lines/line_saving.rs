//! The rare call of a probe into the runtime, which preserves every register.
//!
//! No vector register survives a call by the usual convention. For the sake of a call that hardly
//! ever happens, the compiler would therefore keep the values of a loop in memory: a loop over
//! `f64` took twice as long. On x86-64, probes call this function through inline assembly instead,
//! which changes no register.

/// Calls `memit_line` and preserves every register except the flags. The arguments are in the usual
/// registers.
///
/// `memit_line` itself is compiled for every x86-64, so it does not touch the upper halves of wider
/// registers, which a loop may be using. Where `memit_line` calls other code,
/// [`super::registers::keeping_all`] preserves the wider registers.
///
/// # Safety
///
/// The arguments must be those of `memit_line`, the caller must expect changed flags, and must keep
/// nothing below the stack pointer: only inline assembly can promise all of this.
// SAFETY: the assembly restores `rbp`, `rsp` and every register that `memit_line` may change, and
// aligns the stack for the call. No other symbol has this name.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn memit_line_saving() {
    core::arch::naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "push rax",
        "push rcx",
        "push rdx",
        "push rsi",
        "push rdi",
        "push r8",
        "push r9",
        "push r10",
        "push r11",
        "sub rsp, 256",
        "and rsp, -64",
        "movaps [rsp], xmm0",
        "movaps [rsp + 16], xmm1",
        "movaps [rsp + 32], xmm2",
        "movaps [rsp + 48], xmm3",
        "movaps [rsp + 64], xmm4",
        "movaps [rsp + 80], xmm5",
        "movaps [rsp + 96], xmm6",
        "movaps [rsp + 112], xmm7",
        "movaps [rsp + 128], xmm8",
        "movaps [rsp + 144], xmm9",
        "movaps [rsp + 160], xmm10",
        "movaps [rsp + 176], xmm11",
        "movaps [rsp + 192], xmm12",
        "movaps [rsp + 208], xmm13",
        "movaps [rsp + 224], xmm14",
        "movaps [rsp + 240], xmm15",
        "call {line}",
        "movaps xmm0, [rsp]",
        "movaps xmm1, [rsp + 16]",
        "movaps xmm2, [rsp + 32]",
        "movaps xmm3, [rsp + 48]",
        "movaps xmm4, [rsp + 64]",
        "movaps xmm5, [rsp + 80]",
        "movaps xmm6, [rsp + 96]",
        "movaps xmm7, [rsp + 112]",
        "movaps xmm8, [rsp + 128]",
        "movaps xmm9, [rsp + 144]",
        "movaps xmm10, [rsp + 160]",
        "movaps xmm11, [rsp + 176]",
        "movaps xmm12, [rsp + 192]",
        "movaps xmm13, [rsp + 208]",
        "movaps xmm14, [rsp + 224]",
        "movaps xmm15, [rsp + 240]",
        "lea rsp, [rbp - 72]",
        "pop r11",
        "pop r10",
        "pop r9",
        "pop r8",
        "pop rdi",
        "pop rsi",
        "pop rdx",
        "pop rcx",
        "pop rax",
        "pop rbp",
        "ret",
        line = sym super::calls::memit_line,
    )
}
