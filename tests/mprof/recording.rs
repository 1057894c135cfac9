//! What is recorded of programs of known memory.

use crate::place::{Place, assert_between, worker};

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
