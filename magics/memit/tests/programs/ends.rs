//! Ends in the way that its argument names.

#[memit::profile]
fn work(how: &str) -> usize {
    let held = vec![0u8; 1000];
    match how {
        "exit within" => std::process::exit(4),
        "panic within" => panic!("on purpose"),
        _ => held.len(),
    }
}

fn main() {
    let how = std::env::args().nth(1).unwrap_or_default();
    if how == "nothing" {
        return;
    }
    println!("{}", work(&how));
    match how.as_str() {
        "exit" => std::process::exit(3),
        "panic" => panic!("on purpose"),
        "panic in a thread" => {
            let ended = std::thread::spawn(|| work("panic within")).join();
            assert!(ended.is_err());
        }
        "threads" => {
            let ends = || assert_eq!(work("threads"), 1000);
            for _ in 0..4 {
                assert!(std::thread::spawn(ends).join().is_ok());
            }
            let threads = [(); 4].map(|()| std::thread::spawn(ends));
            assert!(threads.into_iter().all(|thread| thread.join().is_ok()));
        }
        _ => {}
    }
}
