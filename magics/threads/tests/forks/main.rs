//! Forks of processes with threads. Each test runs in a process of its own, which has no thread of
//! a harness and can end in any way.

#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
mod cases;

fn main() {
    #[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
    cases::run();
}
