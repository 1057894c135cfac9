//! Processes that run already.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use crate::place::{Place, assert_between, line, send, start, worker};

#[test]
fn a_running_process_is_recorded_from_now_on() {
    let place = Place::new();
    let mut program = Command::new(worker());
    program.args([
        "flash:200",
        "hold:20",
        "print:ready",
        "read",
        "flash:300",
        "read",
        "hold:30",
        "read",
    ]);
    let mut program = start(program);
    let mut stdin = program.stdin.take().expect("it is piped");
    assert_eq!(line(program.stdout.as_mut().expect("it is piped")), "ready");
    let pid = program.id().to_string();
    let mut memit = start(place.command(&["attach", "-T", "0.01", "-o", "x.dat", &pid]));
    let mut stderr = memit.stderr.take().expect("it is piped");
    let says = format!(
        "memit: recording process {pid} (worker) for at most 1h; Ctrl-C stops the recording"
    );
    assert_eq!(line(&mut stderr), says);
    stdin.write_all(b"\n\n\n").expect("the program reads it");
    assert!(program.wait().expect("a child can be waited for").success());
    assert_eq!(
        memit.wait().expect("a child can be waited for").code(),
        Some(0)
    );
    let profile = place.profile("x.dat");
    assert_between(profile.sizes("MEM")[0], 20.0, 24.0);
    assert_between(profile.peak(), 300.0, 354.0);
    assert!(
        profile
            .0
            .starts_with(&format!("CMDLINE {} flash:200 hold:20", worker()))
    );
}

#[test]
fn after_its_time_the_process_goes_on_and_without_a_limit_its_end_is_not_seen() {
    let place = Place::new();
    let mut program = Command::new(worker());
    program.args(["hold:20", "print:ready", "read"]);
    let mut program = start(program);
    assert_eq!(line(program.stdout.as_mut().expect("it is piped")), "ready");
    let pid = program.id().to_string();
    let ran = place
        .mprof(&["attach", "-t", "0.2", "-o", "x.dat", &pid])
        .expect_code(0);
    let says = format!("memit: stopped recording; worker (process {pid}) keeps running\n");
    assert!(ran.stderr.contains(&says), "{}", ran.stderr);
    // The last look at the mark was taken just before.
    assert!(ran.stderr.contains("x.dat: peak 2"), "{}", ran.stderr);

    let mut memit = start(place.command(&["attach", "-t", "none", "-o", "y.dat", &pid]));
    let mut stderr = memit.stderr.take().expect("it is piped");
    let says = format!("memit: recording process {pid} (worker); Ctrl-C stops the recording");
    assert_eq!(line(&mut stderr), says);
    drop(program.stdin.take());
    program.wait().expect("a child can be waited for");
    assert!(line(&mut stderr).starts_with("memit: y.dat: peak at least 2"));
    memit.wait().expect("a child can be waited for");
    let peak = place.mprof(&["peak", "y.dat"]).expect_code(0);
    assert_eq!(peak.stderr, "memit: y.dat: the peak may have been higher\n");
}

#[test]
fn ctrl_c_ends_the_recording_of_a_process_but_not_the_process() {
    let place = Place::new();
    let mut program = Command::new(worker());
    program.args(["hold:20", "print:ready", "read", "print:still here"]);
    let mut program = start(program);
    let mut stdout = program.stdout.take().expect("it is piped");
    assert_eq!(line(&mut stdout), "ready");
    let mut memit = start(place.command(&["attach", "-o", "x.dat", &program.id().to_string()]));
    line(memit.stderr.as_mut().expect("it is piped"));
    send("INT", memit.id());
    assert_eq!(
        memit.wait().expect("a child can be waited for").code(),
        Some(0)
    );
    assert_between(place.profile("x.dat").peak(), 20.0, 24.0);
    drop(program.stdin.take());
    assert_eq!(line(&mut stdout), "still here");
    program.wait().expect("a child can be waited for");
}

#[test]
fn a_process_that_is_not_there_is_told() {
    let place = Place::new();
    let mut ended = Command::new("true").spawn().expect("there is `true`");
    ended.wait().expect("a child can be waited for");
    let pid = ended.id().to_string();
    let says = format!("memit: there is no process {pid}: it has ended or never existed\n");
    assert_eq!(place.mprof(&["attach", &pid]).expect_code(1).stderr, says);
    let ran = place
        .mprof(&["attach", "no process has this name"])
        .expect_code(1);
    assert!(
        ran.stderr
            .contains("no process has `no process has this name` in its name"),
        "{}",
        ran.stderr
    );
    // A thread of the system's.
    if Path::new("/proc/2/comm").exists() && fs::read("/proc/2/cmdline").is_ok_and(|c| c.is_empty())
    {
        let ran = place.mprof(&["attach", "2"]).expect_code(1);
        assert!(
            ran.stderr.contains("has no memory of its own"),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(place.mprof(&["list"]).stdout, "");
}
