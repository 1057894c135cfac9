//! Calls that preserve every register.

/// Registers in the layout of `xsave`.
#[repr(C, align(64))]
struct Area([u8; AREA]);

/// Room for the components in [`CHANGED`], in bytes of the standard format.
const AREA: usize = 2752;
/// State components of `xsave` that a call may change: the registers `xmm`, `ymm` and `zmm` and
/// the masks (Intel's Software Developer's Manual, volume 1, section 13.1).
const CHANGED: u32 = 0b1110_0110;

/// Calls code that may use wider registers than every x86-64 has, such as the C library, and
/// restores all registers afterwards. Takes a tenth of a microsecond.
pub(super) fn keeping_all<T>(call: impl FnOnce() -> T) -> T {
    if !std::is_x86_feature_detected!("avx") {
        return call();
    }
    let mut area = Area([0; AREA]);
    let start = area.0.as_mut_ptr();
    // SAFETY: `avx` is only detected if the system has enabled `xsave`. The area has the required
    // alignment, room for every saved component, and a zero header.
    unsafe {
        core::arch::asm!(
            "xsave64 [{start}]",
            start = in(reg) start,
            in("eax") CHANGED,
            in("edx") 0,
            options(nostack),
        );
    }
    let value = call();
    // SAFETY: the area holds what `xsave64` wrote, and every register that `xrstor64` changes is
    // declared as changed.
    unsafe {
        core::arch::asm!(
            "xrstor64 [{start}]",
            start = in(reg) start,
            in("eax") CHANGED,
            in("edx") 0,
            clobber_abi("C"),
        );
    }
    value
}
