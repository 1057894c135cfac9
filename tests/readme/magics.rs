//! The tables of magics and of their options are those of the registry.

use std::fmt::Write as _;

use memit_magics::cell::options::OptionSpec;
use memit_magics::magic::Magic;
use memit_magics::{help, registry};

use crate::markdown::Page;

#[test]
fn the_table_of_magics_is_that_of_the_registry() {
    let table = help::markdown_table();
    assert!(
        Page::read("README.md").section("Magics").contains(&table),
        "the table in README.md should be:\n\n{table}"
    );
}

#[test]
fn the_manual_has_the_options_of_every_magic() {
    let manual = Page::read("magics/README.md");
    for magic in registry::all()
        .iter()
        .filter(|magic| !magic.options().is_empty())
    {
        let section = manual
            .section_about(&in_heading(*magic))
            .unwrap_or_default();
        let table = options(*magic);
        assert!(
            section.contains(&format!("\n\n{table}\n")),
            "the options of `%{}` in magics/README.md should be:\n\n{table}",
            magic.name()
        );
    }
}

#[test]
fn the_manual_names_every_magic_in_a_heading() {
    let manual = Page::read("magics/README.md");
    for magic in registry::all() {
        let name = in_heading(*magic);
        assert!(manual.section_about(&name).is_some(), "{name}");
    }
}

/// What a heading about the magic contains: the end of `` `%name` `` or `` `%%name` ``.
fn in_heading(magic: &dyn Magic) -> String {
    format!("%{}`", magic.name())
}

fn options(magic: &dyn Magic) -> String {
    let mut table = "| option | meaning |\n|---|---|\n".to_owned();
    for option in magic.options() {
        let _ = writeln!(table, "| {} | {} |", spelling(option), option.help);
    }
    table
}

/// `-r R`, `--repeat R`
fn spelling(option: &OptionSpec) -> String {
    let value = option
        .value
        .map(|value| format!(" {value}"))
        .unwrap_or_default();
    format!("`-{}{value}`, `--{}{value}`", option.short, option.long)
}
