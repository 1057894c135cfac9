//! The tables of commands are those of `memit --help`.

use std::collections::BTreeSet;

use regex::Regex;

use crate::markdown::{Page, code_spans, rows};
use crate::support::{memit, ran};

type Names = BTreeSet<String>;

fn help(command: &[&str]) -> String {
    ran(memit().args(command).arg("--help"), "")
        .expect_code(0)
        .stdout
}

/// The subcommands that a help text lists.
fn commands(help: &str) -> Names {
    let (_, list) = help.split_once("Commands:\n").expect("it lists commands");
    list.lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// Each option of a help text with its names: `-o` and `--output`.
fn options(help: &str) -> Vec<Vec<String>> {
    let option = Regex::new(r"(?m)^ {2,}(?:(-\w), )?(--[a-z-]+)").expect("it is well-formed");
    option
        .captures_iter(help)
        .map(|found| {
            let names = found.iter().skip(1).flatten();
            names.map(|name| name.as_str().to_owned()).collect()
        })
        .filter(|names: &Vec<String>| !names.iter().any(|name| name == "--help"))
        .collect()
}

/// The rows of commands in a section, with the words by which the command line is called.
#[track_caller]
fn expect_commands(section: &str, called: &[&str], prefix: &str) {
    let manual = Page::read("kernel/README.md");
    let mut described = Names::new();
    for row in rows(manual.section(section)).filter(|row| row[0].starts_with('`')) {
        let code = code_spans(row[0]).next().expect("a command is code");
        let name = code
            .trim_start_matches(prefix)
            .split(' ')
            .next()
            .expect("it has a name");
        described.insert(name.to_owned());
        let command: Vec<_> = called.iter().copied().chain([name]).collect();
        expect_options(&command, row[2]);
    }
    assert_eq!(described, commands(&help(called)), "section `{section}`");
}

#[track_caller]
fn expect_options(command: &[&str], described: &str) {
    let described: Names = code_spans(described)
        .filter_map(|code| code.split(' ').next())
        .filter(|word| word.len() > 1 && word.starts_with('-'))
        .map(str::to_owned)
        .collect();
    let options = options(&help(command));
    for names in &options {
        assert!(
            names.iter().any(|name| described.contains(name)),
            "kernel/README.md lacks {names:?} of {command:?}"
        );
    }
    for name in described {
        assert!(
            options.iter().flatten().any(|known| *known == name),
            "{command:?} has no option {name}"
        );
    }
}

#[test]
fn the_manual_has_every_command_and_option() {
    expect_commands("The command line", &[], "memit ");
}

#[test]
fn the_manual_has_every_command_and_option_of_mprof() {
    expect_commands("`memit mprof`", &["mprof"], "");
}
