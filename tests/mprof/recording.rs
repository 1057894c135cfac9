//! What is recorded of programs of known memory.

use std::fs;

use crate::place::{Place, assert_between, line, send, start, worker};

#[test]
fn samples_come_at_the_interval_and_have_the_known_size() {
    let place = Place::new();
    let profile = place.record(&["-T", "0.01"], &["hold:100", "seen:20x100"]);
    // A machine that has other work to do takes some of them late.
    let mut pauses: Vec<f64> = profile
        .times()
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .collect();
    pauses.sort_by(f64::total_cmp);
    assert_between(pauses[pauses.len() / 2], 0.005, 0.02);
    assert_between(profile.peak(), 100.0, 104.0);
    // At the start it has not got it all, at the end not any more.
    let sizes = profile.sizes("MEM");
    let held = sizes.iter().filter(|size| **size >= 100.0).count();
    assert_between(held as f64, 20.0, sizes.len() as f64);
    let first = profile.0.lines().next();
    let command = format!("CMDLINE {} hold:100 seen:20x100", worker());
    assert_eq!(first, Some(command.as_str()));
}

#[test]
fn a_block_that_lives_for_a_millisecond_is_not_missed() {
    let place = Place::new();
    let profile = place.record(&[], &["seen:0", "flash:150", "seen:150"]);
    assert_between(profile.peak(), 150.0, 154.0);
    // Python's own tool finds it too.
    let peak = place.pythons(&["peak", "x.dat"]).expect_code(0).stdout;
    assert_eq!(peak, format!("x.dat\t{:.3} MiB\n", profile.peak()));
    assert_eq!(place.mprof(&["peak", "x.dat"]).expect_code(0).stdout, peak);
}

#[test]
fn a_peak_at_the_very_end_is_not_missed() {
    let place = Place::new();
    let profile = place.record(&["-T", "10"], &["flash:150"]);
    assert_between(profile.peak(), 150.0, 154.0);
    let in_sum = place.record(&["-T", "10", "-C"], &["two:flash:120"]);
    assert_between(in_sum.peak(), 120.0, 154.0);
}

#[test]
fn the_peak_of_a_child_is_not_the_programs() {
    let place = Place::new();
    let profile = place.record(&["-T", "10"], &["two:flash:120"]);
    assert_between(profile.peak(), 0.0, 10.0);
}

#[test]
fn the_peak_of_a_program_is_exact_although_its_children_had_more() {
    let place = Place::new();
    let worker = worker();
    let steps = "hold:20 seen:20 flash:50";
    let by_exec = format!("{worker} two:flash:300; exec {worker} {steps}");
    for program in [
        vec![worker, "two:flash:300", "hold:20", "seen:20", "flash:50"],
        vec!["sh", "-c", &by_exec],
    ] {
        let arguments = [&["run", "-T", "0.05", "-o", "x.dat"], &program[..]].concat();
        let ran = place.mprof(&arguments).expect_code(0);
        assert_between(place.profile("x.dat").peak(), 70.0, 76.0);
        assert!(
            ran.stderr.starts_with("memit: x.dat: peak "),
            "{}",
            ran.stderr
        );
        let peak = place.mprof(&["peak", "x.dat"]).expect_code(0);
        fs::remove_file(place.path().join("x.dat")).expect("it was written");
        // The shell that became the program had a last moment that nobody has seen.
        if program[0] == worker {
            assert!(!ran.stderr.contains("at least"), "{}", ran.stderr);
            assert_eq!(peak.stderr, "");
        }
    }
}

#[test]
fn a_peak_that_may_be_higher_says_so_and_how_much() {
    let place = Place::new();
    let steps = ["two:flash:300", "hold:20", "seen:20"];
    let arguments = [&["run", "--no-trace", "-o", "x.dat", worker()], &steps[..]].concat();
    let ran = place.mprof(&arguments).expect_code(0);
    assert!(
        ran.stderr.starts_with("memit: x.dat: peak at least 2"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains(" MiB and at most 30"), "{}", ran.stderr);
    let peak = place.mprof(&["peak", "x.dat"]).expect_code(0);
    let says = "memit: x.dat: the peak may have been higher, up to 30";
    assert!(peak.stderr.starts_with(says), "{}", peak.stderr);
    let plot = place.mprof(&["plot", "x.dat"]).expect_code(0);
    assert_eq!(plot.stderr, peak.stderr);
    // Python leaves the line out.
    assert_eq!(
        place.pythons(&["peak", "x.dat"]).expect_code(0).stdout,
        peak.stdout
    );

    let arguments = [
        "run",
        "-C",
        "-o",
        "sum.dat",
        worker(),
        "two:hold:20,seen:40",
    ];
    let ran = place.mprof(&arguments).expect_code(0);
    assert!(
        ran.stderr.starts_with("memit: sum.dat: peak at least 4"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_peak_of_a_child_is_exact_although_the_child_ends_at_it() {
    let place = Place::new();
    let arguments = ["-M", "-T", "0.05"];
    let profile = place.record(&arguments, &["two:hold:20,seen:20,flash:80"]);
    let children = profile.children();
    assert_eq!(children.len(), 2, "{}", profile.0);
    for child in children {
        let sizes = profile.sizes(&format!("CHLD {child}"));
        assert_between(sizes.iter().copied().fold(0.0, f64::max), 100.0, 106.0);
        let is_exact = !profile.0.contains(&format!("ATMOST {child} "));
        assert!(is_exact, "{}", profile.0);
    }
}

#[test]
fn a_killed_recorder_leaves_what_it_has_sampled() {
    let place = Place::new();
    let mut command = place.command(&["run", "-T", "0.01", "-o", "x.dat", worker()]);
    command.args(["hold:20", "rest:300", "print:ready", "read"]);
    let mut memit = start(command);
    let mut stdout = memit.stdout.take().expect("it is piped");
    let stdin = memit.stdin.take();
    assert_eq!(line(&mut stdout), "ready");
    send("KILL", memit.id());
    memit.wait().expect("a child can be waited for");
    let times = place.profile("x.dat").times();
    // The worker slept for 0.3 s before it said that it is ready.
    assert_between(times[times.len() - 1] - times[0], 0.25, 60.0);
    assert!(place.profile("x.dat").0.ends_with('\n'));
    drop(stdin);
}

#[test]
fn recordings_of_one_second_have_files_of_their_own_and_true_times() {
    let place = Place::new();
    let arguments = ["run", "-q", worker(), "rest:100"];
    let recordings = [(); 3].map(|()| start(place.command(&arguments)));
    for mut recording in recordings {
        recording.wait().expect("a child can be waited for");
    }
    let list = place.mprof(&["list"]).expect_code(0).stdout;
    let times: Vec<&str> = list
        .lines()
        .filter_map(|line| line.split(' ').nth(2))
        .collect();
    assert_eq!(times.len(), 3, "{list}");
    for (number, time) in times.iter().enumerate() {
        let name = list
            .lines()
            .nth(number)
            .and_then(|line| line.split(' ').nth(1));
        let first = place.profile(name.expect("it has one")).times()[0];
        let second = format!("{:02}", first.floor() % 60.0);
        assert!(time.ends_with(&second), "{list} {first}");
    }
}

#[test]
fn children_are_added_up_or_recorded_on_their_own() {
    let place = Place::new();
    let alone = place.record(&["-T", "0.02"], &["hold:10", "two:hold:30,seen:10"]);
    assert_between(alone.peak(), 10.0, 14.0);
    assert!(alone.children().is_empty());

    let sum = Place::new().record(
        &["-T", "0.02", "--include-children"],
        &["hold:10", "two:hold:30,seen:70"],
    );
    assert_between(sum.peak(), 70.0, 80.0);
    assert!(sum.children().is_empty());

    let each = Place::new().record(&["-T", "0.02", "-M"], &["hold:10", "two:hold:30,seen:30"]);
    assert_between(each.peak(), 10.0, 14.0);
    let children = each.children();
    assert_eq!(children.len(), 2, "{}", each.0);
    for child in children {
        let sizes = each.sizes(&format!("CHLD {child}"));
        let peak = sizes.iter().copied().fold(0.0, f64::max);
        assert_between(peak, 30.0, 34.0);
    }
}

#[test]
fn a_pipeline_is_added_up() {
    let place = Place::new();
    let worker = worker();
    let line = format!("{worker} hold:40 seen:60 | {worker} hold:20 seen:60; exit 4");
    let arguments = ["run", "-C", "-T", "0.02", "-o", "x.dat", "sh", "-c", &line];
    place.mprof(&arguments).expect_code(4);
    let profile = place.profile("x.dat");
    assert_between(profile.peak(), 60.0, 70.0);
    assert!(profile.0.starts_with(&format!("CMDLINE sh -c '{line}'\n")));
}

#[test]
fn other_backends_count_shared_pages_less() {
    let place = Place::new();
    let steps = &["hold:30", "seen:30"];
    for backend in ["pss", "uss", "psutil_uss"] {
        let profile = Place::new().record(&["-T", "0.02", "--backend", backend], steps);
        assert_between(profile.peak(), 30.0, 33.0);
    }
    let rss = place.record(&["-T", "0.02", "--backend", "rss"], steps);
    assert_between(rss.peak(), 31.0, 34.0);
}

#[test]
fn a_file_is_named_after_the_time_and_one_that_is_named_is_added_to() {
    let place = Place::new();
    for _ in 0..2 {
        place.mprof(&["run", worker(), "hold:20"]).expect_code(0);
    }
    // Even if both ran in the same second.
    let list = place.mprof(&["list"]).expect_code(0).stdout;
    assert_eq!(list.lines().count(), 2, "{list}");
    for _ in 0..2 {
        place.record(&[], &["hold:20"]);
    }
    assert_eq!(place.profile("x.dat").0.matches("CMDLINE").count(), 2);
}
