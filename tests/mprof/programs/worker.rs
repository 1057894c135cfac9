//! A program of known memory: does what its arguments say, one after the other.

use std::hint::black_box;
use std::io::{Read, Write};
use std::process::{Command, exit};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn main() {
    let mut held = Vec::new();
    for step in std::env::args().skip(1) {
        let (action, value) = step.split_once(':').unwrap_or((&step, ""));
        let number = value.parse::<u64>().unwrap_or_default();
        match action {
            // Takes that many MiB, and keeps them.
            "hold" => held.push(block(number)),
            // Takes that many MiB for a millisecond.
            "flash" => {
                let block = block(number);
                rest(1);
                drop(black_box(block));
            }
            "rest" => rest(number),
            // Until the profile has a sample of at least that many MiB, or so many of them as stand
            // before an `x`.
            "seen" => {
                let (count, size) = value.split_once('x').unwrap_or(("1", value));
                wait_until_seen(count.parse().unwrap(), size.parse().unwrap());
            }
            "print" => println!("{value}"),
            // Until a line is given to it.
            "read" => {
                let mut byte = [0];
                while std::io::stdin().read(&mut byte).unwrap() == 1 && byte != *b"\n" {}
            }
            // Two of itself, that do what is behind: steps with commas between them.
            "two" => {
                let start = || {
                    let mut child = Command::new(std::env::current_exe().unwrap());
                    child.args(value.split(',')).spawn().unwrap()
                };
                let children = [start(), std::thread::spawn(start_in_thread(value)).join().unwrap()];
                for mut child in children {
                    child.wait().unwrap();
                }
            }
            // A function that takes that many milliseconds, written into the profile.
            "function" => {
                let before = now();
                rest(number);
                let line = format!("FUNC worker.phase 30.0 {before:.4} 30.0 {:.4} 0\n", now());
                let path = std::env::var_os("MEMIT_MPROF_FILE").unwrap();
                let file = std::fs::OpenOptions::new().append(true).open(path);
                file.unwrap().write_all(line.as_bytes()).unwrap();
            }
            "exit" => exit(number as i32),
            _ => panic!("{step}"),
        }
        black_box(&held);
    }
}

fn start_in_thread(value: &str) -> impl FnOnce() -> std::process::Child + Send + 'static {
    let steps: Vec<String> = value.split(',').map(str::to_owned).collect();
    move || Command::new(std::env::current_exe().unwrap()).args(steps).spawn().unwrap()
}

fn block(mebibytes: u64) -> Vec<u8> {
    black_box(vec![1; (mebibytes as usize) << 20])
}

/// Waits for samples of the program, or of this process as a child of the program.
fn wait_until_seen(count: usize, mebibytes: f64) {
    let path = std::env::var_os("MEMIT_MPROF_FILE").unwrap();
    let as_child = format!("CHLD {} ", std::process::id());
    let is_large = |line: &str| {
        let sample = line.strip_prefix("MEM ").or_else(|| line.strip_prefix(&as_child))?;
        let (size, _time) = sample.split_once(' ')?;
        (size.parse::<f64>().ok()? >= mebibytes).then_some(())
    };
    // The test that reads the profile says what is missing.
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        let profile = std::fs::read_to_string(&path).unwrap();
        if profile.lines().filter_map(is_large).count() >= count {
            return;
        }
        rest(5);
    }
}

fn rest(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}
