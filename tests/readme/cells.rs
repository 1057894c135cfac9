//! The cells of the README give the output that the README shows.

use regex::Regex;

use crate::markdown::{Block, Page, blocks};
use crate::support::{memit, ran};

#[test]
fn the_cells_give_what_the_readme_shows() {
    let readme = Page::read("README.md");
    let blocks = blocks(readme.section("Sixty seconds"));
    let of = |language| {
        blocks
            .iter()
            .filter(move |block: &&Block| block.language == language)
            .map(|block| block.code)
    };
    assert_eq!(of("rust").count(), 5, "five cells");
    assert_eq!(of("text").count(), 5, "each with its output");

    let cells = of("rust").map(str::trim_end);
    let printed = ran(memit().arg("eval").args(cells), "")
        .expect_code(0)
        .stdout;
    let printed = without_figures(&printed);
    let shown = without_figures(&of("text").collect::<String>());

    // A line with an ellipsis stands for any number of lines.
    let mut rest = printed.as_str();
    for (index, piece) in shown.split("…\n").enumerate() {
        let found = rest
            .split_once(piece)
            .filter(|(skipped, _)| index > 0 || skipped.is_empty());
        let Some((_, after)) = found else {
            panic!("README.md shows\n{piece}\nbut the cells give\n{rest}");
        };
        rest = after;
    }
    assert!(
        rest.is_empty() || shown.ends_with("…\n"),
        "README.md lacks\n{rest}"
    );
}

/// The text without figures that differ from run to run, and without the width of columns.
fn without_figures(text: &str) -> String {
    let rules = [
        // IPython's warning comes and goes with the load of the machine.
        (r"(?m)^The slowest run took .*\n", ""),
        // Resident memory depends on the pages that the session has touched.
        (r"(peak memory|increment): [\d.]+ MiB", "$1: # MiB"),
        (r"[\d.]+(e[+-]?\d+)? (ns|μs|ms|s)\b", "# s"),
        (r"[\d,]+ loops? each", "# loops each"),
        (r"[\d,]+ samples?", "# samples"),
        // Of a line only its number: hits and times of `%lprun`.
        (r"(?m)^( +\d+)( +[\d.e+-]+)* {2,}", "$1 "),
        // Of a phase only its name.
        (r"(?m)^(\S.*?) +# s +# s .*MiB$", "$1: # MiB"),
        (r" +", " "),
    ];
    rules.iter().fold(text.to_owned(), |text, (pattern, with)| {
        Regex::new(pattern)
            .expect("the rules are well-formed")
            .replace_all(&text, *with)
            .into_owned()
    })
}
