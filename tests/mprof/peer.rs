//! Python's `mprof` reads our files, and `memit mprof` reads Python's.

use std::fs;
use std::path::Path;

use crate::place::{Place, material, worker};
use crate::support::{self, ran};

#[test]
fn a_program_adds_functions_to_its_profile() {
    let place = Place::new();
    let profile = place.record(&["-T", "0.02"], &["hold:30", "function:200", "rest:50"]);
    assert!(
        profile.0.contains("\nFUNC worker.phase 30.0 "),
        "{}",
        profile.0
    );
    let plot = place.mprof(&["plot", "x.dat"]).expect_code(0).stdout;
    assert!(plot.contains("     phase 0."), "{plot}");
    assert!(plot.contains("┣━━"), "{plot}");
    let hidden = place.mprof(&["plot", "-n", "x.dat"]).expect_code(0).stdout;
    assert!(!hidden.contains("     phase 0."), "{hidden}");
    // Python shows them as well.
    place
        .pythons(&["plot", "-o", "x.png", "x.dat"])
        .expect_code(0);
    assert!(
        fs::read(place.path().join("x.png"))
            .expect("it was written")
            .starts_with(b"\x89PNG")
    );
}

#[test]
fn what_python_records_is_read() {
    let place = Place::new();
    let script = material("programs/decorated.py");
    let script = script.to_str().expect("it is Unicode");
    place
        .pythons(&["run", "-T", "0.02", "-o", "p.dat", script])
        .expect_code(0);
    let theirs = place.pythons(&["peak", "p.dat"]).expect_code(0).stdout;
    assert_eq!(
        place.mprof(&["peak", "p.dat"]).expect_code(0).stdout,
        theirs
    );
    let arguments = ["peak", "--func", "__main__.inner", "p.dat"];
    let theirs = place.pythons(&arguments).expect_code(0).stdout;
    assert_eq!(place.mprof(&arguments).stdout, theirs);
    // Python prints `NaN MiB`.
    let nope = place
        .mprof(&["peak", "--func", "no.such", "p.dat"])
        .expect_code(1);
    assert_eq!(nope.stdout, "");
    assert!(
        nope.stderr
            .contains("p.dat has no function `no.such`; it has "),
        "{}",
        nope.stderr
    );
    let plot = place.mprof(&["plot", "-f", "p.dat"]).expect_code(0).stdout;
    assert!(
        plot.contains("     outer 0.") && plot.contains("     inner 0."),
        "{plot}"
    );

    let mut arguments = vec!["run", "-M", "-T", "0.02", "-o", "c.dat", worker()];
    arguments.push("two:hold:30,rest:300");
    place.pythons(&arguments).expect_code(0);
    let theirs = place.pythons(&["peak", "c.dat"]).expect_code(0).stdout;
    assert!(theirs.contains("  Child "), "{theirs}");
    assert_eq!(
        place.mprof(&["peak", "c.dat"]).expect_code(0).stdout,
        theirs
    );
}

#[test]
fn what_is_recorded_is_read_by_python() {
    let place = Place::new();
    // With the functions of a script, as Python's own `mprof run` has them.
    let script = material("programs/decorated.py");
    let mut command = place.command(&["run", "-T", "0.02", "-o", "p.dat"]);
    let python = support::python();
    let directory = Path::new(python.get_program())
        .parent()
        .expect("it is a file");
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", directory.display()));
    ran(command.arg(&script), "").expect_code(0);
    let profile = place.profile("p.dat");
    assert!(profile.0.starts_with("CMDLINE python"), "{}", profile.0);
    assert!(
        profile.0.contains("\nFUNC __main__.inner "),
        "{}",
        profile.0
    );

    place.record(
        &["-M", "-T", "0.02"],
        &["hold:10", "two:hold:30,flash:60,rest:100"],
    );
    for profile in ["p.dat", "x.dat"] {
        let ours = place.mprof(&["peak", profile]).expect_code(0).stdout;
        assert_eq!(
            place.pythons(&["peak", profile]).expect_code(0).stdout,
            ours
        );
    }
    place
        .pythons(&["plot", "-s", "-o", "x.png", "x.dat"])
        .expect_code(0);
    place
        .pythons(&["plot", "-f", "-o", "p.png", "p.dat"])
        .expect_code(0);
}

#[test]
fn profiles_are_chosen_listed_and_removed_as_by_python() {
    let place = Place::new();
    let names = [20, 21, 22].map(|second| format!("mprofile_202501311201{second}.dat"));
    for (index, name) in names.iter().enumerate() {
        // A minute after the time in the name.
        place.write(name, &format!("CMDLINE x\nMEM {index}.5 1738325540.0\n"));
    }
    place.write("other.dat", "MEM 9.25 1.0\n");
    let alike = |arguments: &[&str]| {
        let theirs = place.pythons(arguments).expect_code(0).stdout;
        assert_eq!(
            place.mprof(arguments).expect_code(0).stdout,
            theirs,
            "{arguments:?}"
        );
    };
    alike(&["list"]);
    alike(&["peak"]);
    alike(&["peak", "0", "other.dat", "0"]);
    alike(&["peak", "-2", "-1"]);
    // What older versions left beside a profile goes with it.
    place.write("mprofile_20250131120121_ts.dat", "");
    alike(&["rm", "--dry-run", "1", "other.dat"]);
    alike(&["clean", "--dry-run"]);
    place.mprof(&["rm", "1"]).expect_code(0);
    assert!(!place.has(&names[1]) && !place.has("mprofile_20250131120121_ts.dat"));
    place.mprof(&["rm", "mprofile_*20.dat"]).expect_code(0);
    assert!(!place.has(&names[0]) && place.has(&names[2]));
    place.mprof(&["clean"]).expect_code(0);
    assert!(!place.has(&names[2]) && place.has("other.dat"));
}
