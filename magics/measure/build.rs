//! Tells the binaries that link the runtime which of its symbols cells must be able to call.
//!
//! The linker drops what nothing in the executable refers to, so each binary exports these
//! names itself: its build script reads `DEP_MEMIT_RUNTIME_EXPORTS`.

const ENTRY_POINTS: &[&str] = &[
    "memit_register",
    "memit_panicked",
    "memit_returned",
    "memit_measure_memory",
    "memit_begin",
    "memit_peak",
    "memit_dropped",
    "memit_measure_time",
    "memit_next_run",
    "memit_start_clock",
    "memit_stop_clock",
    "memit_leave",
    "memit_measure_lines",
    "memit_measure_timeline",
    "memit_keep_timeline",
    "memit_begin_phase",
    "memit_end_phase",
    "memit_timestamp",
    "memit_resident",
    "memit_common",
    "memit_line",
    "memit_open",
    "memit_close",
];

const HOOKS: &[&str] = &[
    "malloc",
    "free",
    "calloc",
    "realloc",
    "posix_memalign",
    "aligned_alloc",
    "memalign",
    "pthread_create",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(heap_hooks)");
    let is = |variable: &str, value| std::env::var(variable).as_deref() == Ok(value);
    // In a static executable, glibc's own functions would be there a second time.
    let features = std::env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    let is_static = features.split(',').any(|feature| feature == "crt-static");
    let has_hooks =
        is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") && !is_static;
    let mut exports = ENTRY_POINTS.to_vec();
    if has_hooks {
        println!("cargo::rustc-cfg=heap_hooks");
        exports.extend(HOOKS);
        if is("CARGO_CFG_TARGET_ARCH", "x86_64") {
            exports.push("memit_line_saving");
        }
        // The unit tests of this package are such a binary too.
        for hook in HOOKS {
            println!("cargo::rustc-link-arg=-Wl,--export-dynamic-symbol={hook}");
        }
    }
    println!("cargo::metadata=exports={}", exports.join(","));
}
