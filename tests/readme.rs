//! The README keeps its promises.

use memit_magics::help;

#[test]
fn the_table_of_magics_is_that_of_the_registry() {
    let readme = include_str!("../README.md");
    let table = help::markdown_table();
    assert!(
        readme.contains(&table),
        "the README's table of magics should be:\n\n{table}"
    );
}
