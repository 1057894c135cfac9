//! The command line as users type it.

#[path = "cli/cache.rs"]
mod cache;
#[path = "cli/eval.rs"]
mod eval;
#[path = "cli/home.rs"]
mod home;
#[path = "cli/install.rs"]
mod install;
#[path = "cli/kernel.rs"]
mod kernel;
#[path = "cli/linking.rs"]
mod linking;
#[path = "cli/network.rs"]
mod network;
#[path = "cli/repeated_builds.rs"]
mod repeated_builds;
#[path = "cli/run.rs"]
mod run;
mod support;
#[path = "cli/surroundings.rs"]
mod surroundings;

use support::{memit, ran};

#[test]
fn every_subcommand_has_help_with_an_example() {
    let help = ran(memit().arg("--help"), "").expect_code(0).stdout;
    let (_, commands) = help.split_once("Commands:\n").expect("it lists commands");
    let names: Vec<&str> = commands
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert_eq!(
        names,
        ["install", "uninstall", "kernel", "run", "eval", "mprof"]
    );
    for name in names {
        let help = ran(memit().args([name, "--help"]), "")
            .expect_code(0)
            .stdout;
        let (_, examples) = help
            .split_once("Example")
            .unwrap_or_else(|| panic!("no example in\n{help}"));
        assert!(examples.contains(&format!("memit {name}")), "{help}");
    }
}

#[test]
fn the_version_is_the_packages() {
    let version = ran(memit().arg("--version"), "").expect_code(0).stdout;
    assert_eq!(version, concat!("memit ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn a_wrong_command_line_is_told_in_short_with_exit_code_2() {
    for arguments in [
        &["instal"][..],
        &["run"],
        &["install", "--user", "--sys-prefix"],
        &["run", "x.ipynb", "--timeout", "soon"],
        &["run", "x.ipynb", "--timeout", "0"],
        &["run", "x.ipynb", "--inplace", "-o", "y.ipynb"],
        &["install", "--name", "no good"],
    ] {
        let ran = ran(memit().args(arguments), "").expect_code(2);
        assert!(
            ran.stderr.starts_with("error: "),
            "{arguments:?}: {}",
            ran.stderr
        );
        assert_eq!(ran.stdout, "");
    }
}
