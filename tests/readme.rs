//! The README files keep their promises: their tables, examples and links are checked.

mod support;

#[path = "readme/cells.rs"]
mod cells;
#[path = "readme/commands.rs"]
mod commands;
#[path = "readme/fields.rs"]
mod fields;
#[path = "readme/links.rs"]
mod links;
#[path = "readme/magics.rs"]
mod magics;
#[path = "readme/markdown.rs"]
mod markdown;

use markdown::Page;

#[test]
fn the_readme_is_a_door() {
    let lines = Page::read("README.md").text().lines().count();
    assert!(
        lines <= 160,
        "README.md has {lines} lines: move details to the README of the folder they are about"
    );
}
