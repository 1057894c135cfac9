//! The length of a processor cycle.

use std::time::Duration;

/// Length of a processor cycle in nanoseconds, from a chain of multiplications that each wait
/// for the one before: 3 cycles each on the x86-64 and aarch64 cores of the last decade (Fog,
/// "Instruction tables"; Arm's optimisation guides). 0 elsewhere.
pub(super) fn cycle_ns() -> f64 {
    const ROUNDS: u32 = 20_000;
    const CHAIN: u32 = 10;
    const LATENCY: u32 = 3;
    if !cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
        return 0.0;
    }
    let fastest = (0..5)
        .map(|_| {
            let start = std::time::Instant::now();
            let mut product = 3;
            for _ in 0..ROUNDS {
                product = multiply_chain(product);
            }
            std::hint::black_box(product);
            start.elapsed()
        })
        .min()
        .unwrap_or(Duration::ZERO);
    fastest.as_secs_f64() * 1e9 / f64::from(ROUNDS * CHAIN * LATENCY)
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn multiply_chain(mut product: u64) -> u64 {
    // SAFETY: the instructions change only the declared register and the flags.
    unsafe {
        std::arch::asm!(
            "imul {x}, {x}", "imul {x}, {x}", "imul {x}, {x}", "imul {x}, {x}", "imul {x}, {x}",
            "imul {x}, {x}", "imul {x}, {x}", "imul {x}, {x}", "imul {x}, {x}", "imul {x}, {x}",
            x = inout(reg) product,
            options(pure, nomem, nostack),
        );
    }
    product
}

#[cfg(target_arch = "aarch64")]
#[inline]
fn multiply_chain(mut product: u64) -> u64 {
    // SAFETY: the instructions change only the declared register and the flags.
    unsafe {
        std::arch::asm!(
            "mul {x}, {x}, {x}", "mul {x}, {x}, {x}", "mul {x}, {x}, {x}", "mul {x}, {x}, {x}",
            "mul {x}, {x}, {x}", "mul {x}, {x}, {x}", "mul {x}, {x}, {x}", "mul {x}, {x}, {x}",
            "mul {x}, {x}, {x}", "mul {x}, {x}, {x}",
            x = inout(reg) product,
            options(pure, nomem, nostack),
        );
    }
    product
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn multiply_chain(product: u64) -> u64 {
    product
}
