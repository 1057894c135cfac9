//! Lists the symbols of this crate that cells must be able to call, for the binaries that link the
//! crate.
//!
//! The linker drops symbols that the executable does not refer to. Each binary therefore exports
//! the names itself: its build script reads `DEP_MEMIT_MEASURE_EXPORTS`.

use memit_session::abi;

const HOOKS: &[&str] = &[
    "malloc",
    "free",
    "calloc",
    "realloc",
    "posix_memalign",
    "aligned_alloc",
    "memalign",
    "pthread_create",
    "munmap",
    "madvise",
    "mremap",
];

/// In front of functions that compare the owner of a lock with the calling thread.
const OWNER_HOOKS: &[&str] = &[
    "pthread_mutex_trylock",
    "pthread_mutex_lock",
    "pthread_mutex_timedlock",
    "pthread_mutex_clocklock",
    "pthread_mutex_unlock",
    "pthread_rwlock_unlock",
    "pthread_cond_wait",
    "pthread_cond_timedwait",
    "pthread_cond_clockwait",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(heap_hooks)");
    println!("cargo::rustc-check-cfg=cfg(owner_hooks)");
    let is = |variable: &str, value| std::env::var(variable).as_deref() == Ok(value);
    // A static executable contains glibc's own functions, so ours would be a second definition.
    let features = std::env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    let is_static = features.split(',').any(|feature| feature == "crt-static");
    // Miri has an allocator of its own and none of glibc's functions.
    let is_miri = std::env::var_os("CARGO_CFG_MIRI").is_some();
    let has_hooks = is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
        && !is_static
        && !is_miri;
    let mut exports = abi::NAMES.to_vec();
    if has_hooks {
        println!("cargo::rustc-cfg=heap_hooks");
        let mut hooks = HOOKS.to_vec();
        // Elsewhere, no process is copied with its threads.
        if is("CARGO_CFG_TARGET_ARCH", "x86_64") {
            println!("cargo::rustc-cfg=owner_hooks");
            hooks.extend(OWNER_HOOKS);
        }
        // The unit tests of this package are such a binary too.
        for hook in &hooks {
            println!("cargo::rustc-link-arg=-Wl,--export-dynamic-symbol={hook}");
        }
        exports.extend(hooks);
    }
    println!("cargo::metadata=exports={}", exports.join(","));
}
