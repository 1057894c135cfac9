//! Profiles that are there, drawn, and what cannot be.

use std::fs;

use insta::assert_snapshot;

use crate::place::{Place, material};
use crate::support::{self, ran};

#[test]
fn a_plot_in_the_terminal() {
    let place = Place::new();
    let sample = fs::read_to_string(material("sample.dat")).expect("it is there");
    place.write("sample.dat", &sample);
    let plot = place.mprof(&["plot", "sample.dat"]).expect_code(0).stdout;
    assert_snapshot!(plot);
    let mut narrow = place.command(&["plot", "-n", "-w", "0.5,1.25", "sample.dat"]);
    let narrow = ran(narrow.env("COLUMNS", "50"), "").expect_code(0).stdout;
    assert!(
        narrow.lines().all(|line| line.chars().count() <= 50),
        "{narrow}"
    );
    assert!(narrow.contains("peak 160.25 MiB at 875 ms"), "{narrow}");
}

#[test]
fn a_plot_in_a_file() {
    let place = Place::new();
    let sample = fs::read_to_string(material("sample.dat")).expect("it is there");
    place.write("sample.dat", &sample);
    for file in ["x.svg", "x.png", "x.html"] {
        let ran = place.mprof(&["plot", "-o", file, "-s", "-t", "A <title>", "sample.dat"]);
        assert_eq!(ran.expect_code(0).stdout, "");
    }
    let read = |name: &str| fs::read(place.path().join(name)).expect("it was written");
    let svg = support::text(&read("x.svg"));
    assert_snapshot!(svg.replace("><", ">\n<"));
    assert!(read("x.png").starts_with(b"\x89PNG\r\n\x1a\n"));
    let page = support::text(&read("x.html"));
    assert!(
        page.starts_with("<!DOCTYPE html>") && page.contains("<svg "),
        "{page}"
    );
    assert!(
        page.contains("A &lt;title&gt;") && page.contains("<td>110.00 MiB</td>"),
        "{page}"
    );
    // What a browser takes is well-formed XML too.
    let script = "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])";
    let mut python = support::python();
    ran(
        python.args(["-c", script]).arg(place.path().join("x.svg")),
        "",
    )
    .expect_code(0);
}

#[test]
fn what_is_no_profile_is_told_in_one_line() {
    let place = Place::new();
    place.write("empty.dat", "");
    place.write("text.dat", "# A text\nMEM\n");
    place.write("broken.dat", "CMDLINE x\nMEM one 2.0\n");
    place.write("es\x1bc.dat", "CMDLINE x\nMEM \x1b[2J\n");
    place.write("short.dat", "CMDLINE x\n");
    for (arguments, says) in [
        (
            &["plot"][..],
            "there is no profile (mprofile_*.dat) in this directory: record one with `memit mprof run PROGRAM`",
        ),
        (
            &["plot", "nothing.dat"],
            "there is no profile nothing.dat: no such file",
        ),
        (
            &["peak", "3"],
            "there is no profile 3: this directory has none",
        ),
        (&["plot", "empty.dat"], "empty.dat is not a profile"),
        (
            &["plot", "text.dat"],
            "text.dat:2: expected `MEM <MiB> <seconds>`: `MEM`",
        ),
        (
            &["peak", "broken.dat"],
            "broken.dat:2: expected `MEM <MiB> <seconds>`: `MEM one 2.0`",
        ),
        (
            &["peak", "es\x1bc.dat"],
            "es␛c.dat:2: expected `MEM <MiB> <seconds>`: `MEM ␛[2J`",
        ),
        (&["plot", "short.dat"], "short.dat has no samples"),
        (
            &["plot", "-o", "x.pdf", "broken.dat"],
            "unknown format `x.pdf`: use .svg, .png or .html",
        ),
        (&["plot", "."], ". is a directory, not a profile"),
        (&["rm", "nothing*"], "there is no profile nothing*"),
    ] {
        let ran = place.mprof(arguments).expect_code(1);
        assert!(ran.stderr.contains(says), "{arguments:?}: {}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
    for arguments in [
        &["run"][..],
        &["run", "-T", "0", "true"],
        &["run", "-t", "-1", "true"],
        &["attach", "-t", "-1", "1"],
        &["attach", "-T", "-.5", "1"],
        &["run", "--backend", "guess", "true"],
        &["plot", "-w", "2,1"],
        &["rm"],
    ] {
        let ran = place.mprof(arguments).expect_code(2);
        assert!(
            ran.stderr.starts_with("error: "),
            "{arguments:?}: {}",
            ran.stderr
        );
        assert!(!ran.stderr.contains("tip: to pass"), "{}", ran.stderr);
    }
}

#[test]
fn the_rest_of_a_broken_profile_is_shown() {
    let place = Place::new();
    place.write(
        "x.dat",
        "CMDLINE a\x01b \x1b[2J\r\nMEM 2 1600000002\nMEM nan 1600000002\n\nMEM 1e308 1600000003\n\
         MEM -5 1600000001\nMEM inf 1600000001\nMEM 1 1600000001\nFUNC bell\x07 1 1600000001 2 1600000002 0\n\
         CHLD 7\u{9b}2J 1 1600000001\nMEM 97.123456 1",
    );
    let peak = place.mprof(&["peak", "x.dat"]).expect_code(0);
    assert_eq!(
        peak.stdout,
        "x.dat\t2.000 MiB\n  Child 7\u{fffd}2J\t\t\t1.000 MiB\n"
    );
    assert_snapshot!(peak.stderr, @r"
    memit: x.dat:3: expected `MEM <MiB> <seconds>`: `MEM nan 1600000002`; the line is left out
    memit: x.dat:4: an empty line; the line is left out
    memit: x.dat:5: expected `MEM <MiB> <seconds>`: `MEM 1e308 1600000003`; the line is left out
    memit: x.dat: 3 more lines left out
    ");
    let plot = place.mprof(&["plot", "x.dat"]).expect_code(0).stdout;
    let own_colors = plot.replace("\x1b[", "").replace('\n', "");
    assert!(!own_colors.contains(char::is_control), "{plot:?}");
    assert!(plot.contains("a␁b ␛[2J"), "{plot}");
    for file in ["x.svg", "x.png", "x.html"] {
        place
            .mprof(&["plot", "-f", "-t", "t\x02", "-o", file, "x.dat"])
            .expect_code(0);
    }
    let svg = fs::read_to_string(place.path().join("x.svg")).expect("it was written");
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    assert!(!svg.contains(char::is_control), "{svg}");
    assert!(svg.contains("t␂") && svg.contains("bell␇"), "{svg}");
}
