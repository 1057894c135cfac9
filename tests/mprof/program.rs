//! The program that is recorded has the terminal, the signals and the exit code to itself.

use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use crate::place::{Place, assert_between, line, send, start, worker};
use crate::support::{self, ran};

#[test]
fn input_output_and_exit_code_are_the_programs() {
    let place = Place::new();
    let ran = ran(
        &mut place.command(&["run", "-o", "x.dat", "cat"]),
        "what is typed\n",
    );
    let ran = ran.expect_code(0);
    assert_eq!(ran.stdout, "what is typed\n");
    assert!(
        ran.stderr.starts_with("memit: x.dat: peak "),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains('\x1b'), "no status line into a pipe");

    let quiet = place.mprof(&["run", "-q", "-o", "x.dat", worker(), "exit:7"]);
    assert_eq!(quiet.expect_code(7).stderr, "");
    let told = place.mprof(&["run", "-q", "-E", "-o", "x.dat", worker(), "exit:7"]);
    assert_eq!(
        told.expect_code(7).stderr,
        "memit: the program ended with exit code 7\n"
    );
    let killed = place.mprof(&["run", "-q", "-o", "x.dat", "sh", "-c", "kill -9 $$"]);
    let killed = killed.expect_code(128 + 9);
    assert!(
        killed.stderr.contains("was ended by SIGKILL"),
        "{}",
        killed.stderr
    );
}

#[test]
fn a_program_that_cannot_be_started_leaves_no_profile() {
    let place = Place::new();
    place.write("not-executable", "");
    for (program, code, says) in [
        (
            "no-such-program",
            127,
            "no directory in PATH has such a program",
        ),
        ("./no-such-program", 127, "no such file"),
        ("./not-executable", 126, "no permission; is it executable?"),
    ] {
        let ran = place.mprof(&["run", program]).expect_code(code);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
        assert!(ran.stderr.contains(program) && ran.stderr.lines().count() == 1);
    }
    assert_eq!(place.mprof(&["list"]).expect_code(0).stdout, "");
    let ran = place
        .mprof(&["run", "-o", "no/directory/x.dat", "true"])
        .expect_code(1);
    assert!(
        ran.stderr.contains("cannot write no/directory/x.dat"),
        "{}",
        ran.stderr
    );
}

#[test]
fn signals_reach_the_program_and_the_profile_is_complete() {
    // A program that has had children is traced.
    let alone: &[&str] = &["hold:40", "print:ready", "read"];
    let traced: &[&str] = &["two:rest:1", "hold:40", "seen:40", "print:ready", "read"];
    for (steps, signal, number) in [
        (alone, "TERM", 15),
        (alone, "INT", 2),
        (alone, "HUP", 1),
        (traced, "TERM", 15),
        (traced, "INT", 2),
    ] {
        let place = Place::new();
        let mut command = place.command(&["run", "-o", "x.dat", "-T", "0.01", worker()]);
        command.args(steps);
        let mut memit = start(command);
        assert_eq!(line(memit.stdout.as_mut().expect("it is piped")), "ready");
        // `wait` would close it, and the end of its input ends the worker, too.
        let stdin = memit.stdin.take();
        send(signal, memit.id());
        let status = memit.wait().expect("a child can be waited for");
        assert_eq!(status.signal(), Some(number), "{status}");
        drop(stdin);
        assert_between(place.profile("x.dat").peak(), 40.0, 44.0);
    }
}

#[test]
fn a_traced_program_stops_and_goes_on_like_any_other() {
    let place = Place::new();
    let script = "trap 'echo handled' USR1; /bin/true; \
                  while ! grep -q ^MEM x.dat; do :; done; \
                  kill -USR1 $$; (until grep -q 'State:.[Tt]' /proc/$$/status; do :; done; kill -CONT $$) & \
                  kill -STOP $$; wait; echo on; exit 3";
    let arguments = ["run", "-q", "-T", "0.01", "-o", "x.dat", "sh", "-c", script];
    let ran = place.mprof(&arguments).expect_code(3);
    assert_eq!(ran.stdout, "handled\non\n");
}

#[test]
fn a_program_may_do_as_it_likes_about_a_signal() {
    let place = Place::new();
    let script = "trap 'exit 5' INT; echo ready; while :; do read line; done";
    let mut memit = start(place.command(&["run", "-o", "x.dat", "sh", "-c", script]));
    assert_eq!(line(memit.stdout.as_mut().expect("it is piped")), "ready");
    send("INT", memit.id());
    assert_eq!(
        memit.wait().expect("a child can be waited for").code(),
        Some(5)
    );
    assert!(place.profile("x.dat").peak() > 0.0);
}

#[test]
fn after_its_time_the_program_goes_on_alone() {
    let place = Place::new();
    let mut command = place.command(&["run", "-t", "1", "-T", "0.02", "-o", "x.dat"]);
    command.args([
        worker(),
        "hold:20",
        "print:ready",
        "read",
        "print:still here",
    ]);
    let mut memit = start(command);
    let mut stdout = memit.stdout.take().expect("it is piped");
    let mut stdin = memit.stdin.take().expect("it is piped");
    assert_eq!(line(&mut stdout), "ready");
    let status = memit.wait().expect("a child can be waited for");
    assert_eq!(status.code(), Some(0));
    assert_between(place.profile("x.dat").peak(), 20.0, 24.0);
    stdin.write_all(b"\n").expect("the program reads it");
    assert_eq!(line(&mut stdout), "still here");
}

#[test]
fn a_terminal_shows_how_the_program_is_doing_and_is_given_back() {
    let place = Place::new();
    let line = format!(
        "stty rows 24 cols 80; {} mprof run -o x.dat {} hold:20 seen:20 exit:3",
        support::MEMIT,
        worker()
    );
    let mut script = Command::new("script");
    script
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .current_dir(place.path());
    let shown = ran(&mut script, "").expect_code(3).stdout;
    assert!(shown.contains("\x1b[1;23r"), "{shown:?}");
    assert!(
        shown.contains(" s  \x1b[22m2") && shown.contains("peak \x1b[22m2"),
        "{shown:?}"
    );
    let (_, after) = shown.rsplit_once("\x1b[r").expect("all lines scroll again");
    assert!(after.contains("memit: x.dat: peak 2"), "{after:?}");
}
