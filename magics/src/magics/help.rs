//! Help texts, made from the registry.

use std::fmt::Write as _;

use super::registry;
use crate::cell::options::{HELP, OptionSpec};
use crate::magic::{Form, Magic};

/// What `%name?` shows.
pub fn of(magic: &dyn Magic) -> String {
    let mut text = format!("{}\n\n{}\n\nOptions:\n", magic.summary(), usage(magic));
    for option in magic.options().iter().chain([&HELP]) {
        let _ = writeln!(text, "    {}\n        {}", spelling(option), option.help);
    }
    let _ = write!(text, "\n{}\n", magic.details());
    text
}

/// What `%lsmagic` shows.
pub fn list() -> String {
    let names: Vec<_> = registry::all().iter().map(|magic| names(*magic)).collect();
    let width = names.iter().map(String::len).max().unwrap_or(0);
    let mut text = String::new();
    for (magic, names) in registry::all().iter().zip(&names) {
        let _ = writeln!(text, "{names:width$}  {}", magic.summary());
    }
    text.push_str("\n`%name?` shows the help of a magic.\n");
    text
}

/// The rows of the README's table of magics.
pub fn markdown_table() -> String {
    let mut table = "| magic | what it does | options |\n|---|---|---|\n".to_owned();
    let everyday = registry::everyday();
    let own = registry::all().len() - everyday.len();
    for magic in &registry::all()[..own] {
        let options: Vec<_> = magic
            .options()
            .iter()
            .map(|option| format!("`{}`", short(option)))
            .collect();
        let names = names(*magic).replace(", ", "`, `");
        let _ = writeln!(
            table,
            "| `{names}` | {} | {} |",
            magic.summary(),
            options.join(" ")
        );
    }
    let names: Vec<_> = everyday
        .iter()
        .map(|magic| format!("`{}`", names(*magic)))
        .collect();
    let _ = writeln!(
        table,
        "| {} | [As in IPython](magics/README.md#everyday-magics) |  |",
        names.join(", ")
    );
    table
}

fn names(magic: &dyn Magic) -> String {
    let name = magic.name();
    match magic.form() {
        Form::Line => format!("%{name}"),
        Form::Cell => format!("%%{name}"),
        Form::Both => format!("%{name}, %%{name}"),
    }
}

fn usage(magic: &dyn Magic) -> String {
    let name = magic.name();
    let mut options = String::new();
    for option in magic.options() {
        let _ = write!(options, "[{}] ", short(option));
    }
    let line = format!("    %{name} {options}{}", magic.argument());
    let cell = format!(
        "    %%{name} {options}{}\n    {}",
        magic.first_line(),
        magic.argument()
    );
    let usage = match magic.form() {
        Form::Line => line,
        Form::Cell => cell,
        Form::Both => format!("{line}\n{cell}"),
    };
    format!("Usage:\n{}", usage.trim_end())
}

/// `-r R`
fn short(option: &OptionSpec) -> String {
    match option.value {
        Some(value) => format!("-{} {value}", option.short),
        None => format!("-{}", option.short),
    }
}

/// `-r R, --repeat R`
fn spelling(option: &OptionSpec) -> String {
    let value = option
        .value
        .map(|value| format!(" {value}"))
        .unwrap_or_default();
    format!("-{}{value}, --{}{value}", option.short, option.long)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_magic_has_complete_help() {
        for magic in registry::all() {
            let help = of(*magic);
            assert!(!magic.summary().is_empty() && !magic.details().is_empty());
            for option in magic.options() {
                assert!(help.contains(option.help), "{}", option.long);
                assert_ne!(option.short, HELP.short);
                let same =
                    |other: &&OptionSpec| other.short == option.short || other.long == option.long;
                assert_eq!(
                    magic.options().iter().filter(same).count(),
                    1,
                    "{}",
                    option.long
                );
            }
        }
    }

    #[test]
    fn the_list_names_every_magic() {
        insta::assert_snapshot!(list(), @"
        %memit, %%memit    Measure the peak memory of a statement
        %timeit, %%timeit  Measure how long a statement takes
        %time, %%time      Run a statement once and show what it costs
        %mprun, %%mprun    Measure the memory of functions, line by line
        %lprun, %%lprun    Measure the time of functions, line by line
        %mprof, %%mprof    Plot the memory of statements over time
        %costs             Show what each cell has cost: time, memory, what the session holds
        %who               List the variables, all or those of a type
        %whos              Show the variables with their types, sizes and values
        %session           Show the session process and whether the next cell is protected
        %undo              Take the session back to before its last cell
        %cache             Show or clear the cache of compiled dependencies
        %%writefile        Write the cell to a file
        %pwd               Show the working directory
        %cd                Change the working directory
        %env               Show or set environment variables
        %%bash             Run the cell by bash
        %%sh               Run the cell by sh
        %%html             Show the cell as HTML
        %%markdown         Show the cell as Markdown
        %%latex            Show the cell as LaTeX
        %%svg              Show the cell as an SVG picture
        %%capture          Run the cell and keep its output in a variable
        %history           Show the cells of this session
        %rerun             Run earlier cells again
        %load              Replace the cell by the text of a file
        %run               Run a file or a notebook in the session
        %%test             Run the tests of the cell
        %xdel              Delete a variable or an item
        %reset             Forget all variables, items and dependencies
        %lsmagic           List the magics

        `%name?` shows the help of a magic.
        ");
    }
}
