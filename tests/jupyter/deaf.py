"""A thread that blocks all signals, so that the session cannot be forked with it, until it is told to listen."""

A_DEAF_THREAD = """
static LISTENS: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
type Deaf = (std::thread::JoinHandle<()>, std::sync::mpsc::Receiver<()>);
static DEAF: std::sync::Mutex<Vec<Deaf>> = std::sync::Mutex::new(Vec::new());
fn leave_a_deaf_thread() {
    unsafe extern "C" {
        fn pthread_sigmask(how: i32, set: *const [u64; 16], old: *mut [u64; 16]) -> i32;
    }
    let (ready, wait) = std::sync::mpsc::channel();
    let thread = move || {
        // 0 is SIG_BLOCK, 1 is SIG_UNBLOCK.
        let all = |how| unsafe { pthread_sigmask(how, &[u64::MAX; 16], std::ptr::null_mut()) };
        all(0);
        ready.send(()).unwrap();
        while !LISTENS.load(std::sync::atomic::Ordering::SeqCst) {
            std::thread::park();
        }
        all(1);
        ready.send(()).unwrap();
        loop {
            std::thread::park();
        }
    };
    let thread = std::thread::Builder::new().name("deaf".into()).spawn(thread).unwrap();
    wait.recv().unwrap();
    DEAF.lock().unwrap().push((thread, wait));
}
fn listen() {
    LISTENS.store(true, std::sync::atomic::Ordering::SeqCst);
    for (thread, wait) in DEAF.lock().unwrap().drain(..) {
        thread.thread().unpark();
        wait.recv().unwrap();
    }
}
leave_a_deaf_thread();
"""
