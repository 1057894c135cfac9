//! Phases within each other and side by side.

#[memit::profile]
fn load(size: usize) -> Vec<u8> {
    let _reading = memit::phase("reading a file");
    vec![1; size]
}

fn main() {
    let whole = memit::phase("whole");
    let first = load(8 << 20);
    memit::timestamp!("loaded");
    let one = memit::phase("one");
    let other = memit::phase(format!("other {}", first.len()));
    drop(one);
    let elsewhere = std::thread::spawn(|| memit::phase("elsewhere"));
    drop(elsewhere.join());
    drop(first);
    drop(other);
    drop(whole);
    load(1);
    println!("{}", memit::memory_usage().is_some());
}
