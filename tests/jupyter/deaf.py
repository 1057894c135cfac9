"""A thread that blocks all signals, so that the session cannot be forked with it."""

A_DEAF_THREAD = """
fn leave_a_deaf_thread() {
    unsafe extern "C" {
        fn pthread_sigmask(how: i32, set: *const [u64; 16], old: *mut [u64; 16]) -> i32;
    }
    let (ready, wait) = std::sync::mpsc::channel();
    let thread = move || {
        // 0 is SIG_BLOCK.
        unsafe { pthread_sigmask(0, &[u64::MAX; 16], std::ptr::null_mut()) };
        ready.send(()).unwrap();
        loop {
            std::thread::park();
        }
    };
    std::thread::Builder::new().name("deaf".into()).spawn(thread).unwrap();
    wait.recv().unwrap();
}
leave_a_deaf_thread();
"""
