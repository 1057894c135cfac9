"""The messages of the compiler, as somebody who types cells needs them."""

import re

import pytest


def message(kernel, cell):
    """The traceback of a cell that does not compile."""
    return kernel.fails(cell, "CompileError").traceback


@pytest.mark.parametrize(
    ("cell", "help"),
    [
        ("let w: HashMap<u8, u8> = todo!();", "this struct: `use std::collections::HashMap;`"),
        ('Vec::<u8>::new().write_all(b"x");', "to import it: `use std::io::Write;`"),
        ("let number = 1; numbre + 1", "a local variable with a similar name exists: `number`"),
        ("vecc![1]", "a macro with a similar name exists: `vec`"),
        ('let s: String = "a";', "try using a conversion method: `.to_string()`"),
        (
            "fn longest(a: &str, b: &str) -> &str { a }",
            "lifetime parameter: `fn longest<'a>(a: &'a str, b: &'a str) -> &'a str { a }`",
        ),
    ],
)
def test_a_suggestion_keeps_its_text(kernel, cell, help):
    assert help in message(kernel, cell)


def test_warnings_are_below_errors_and_never_the_headline(kernel):
    cell = kernel.fails('macro_rules! unused { () => { 1 }; }\nlet wrong: u8 = "a";', "CompileError")
    assert cell.content["evalue"] == "[E0308] mismatched types"
    error, warning = (cell.traceback.index(f"{level}[") for level in ("error", "warning"))
    assert error < warning
    assert "warning[unused_macros]: unused macro definition: `unused`" in cell.traceback


def test_a_warning_about_an_earlier_cell_is_not_shown_again(kernel):
    kernel.run("macro_rules! of_long_ago { () => { 1 }; }")
    assert "of_long_ago" not in message(kernel, 'let wrong: u8 = "a";')


@pytest.mark.parametrize(
    ("cell", "title"),
    [
        ("numbre", "cannot find value `numbre` in this scope"),
        ("vecc![]", "cannot find macro `vecc` in this scope"),
        ("Vec::<u8>::new().nothing()", "no method named `nothing` found"),
    ],
)
def test_a_label_does_not_repeat_the_title(kernel, cell, title):
    shown = message(kernel, cell)
    assert shown.count(title) == 1
    assert shown.count("error") == 1


@pytest.mark.parametrize(
    ("cell", "place"),
    [
        ("use std::collections::HashMapp;", "cell:1:5"),
        ("let a = 1;\nuse serde::Serialize;", "cell:2:5"),
        ("use std::{fmt, collections::{BTreeMap, HashMapp as Map}};", "cell:1:40"),
    ],
)
def test_an_error_about_a_use_has_its_place(kernel, cell, place):
    assert place in message(kernel, cell)


@pytest.mark.parametrize(
    "cell", ["use serde::Serialize;", "serde::to_string(&1)", "fn f(x: serde::Value) {}"]
)
def test_a_missing_crate_is_added_by_a_command(kernel, cell):
    shown = message(kernel, cell)
    assert "write `:dep serde` above" in shown
    assert "cargo add" not in shown


@pytest.mark.parametrize(
    "cell", ["mod shapes;", 'include!("shapes.rs")', 'let s = include_str!("shapes.txt");']
)
def test_files_beside_a_cell_belong_into_a_crate(kernel, cell):
    shown = message(kernel, cell)
    assert ":dep name = { path = " in shown
    assert "src/" not in shown


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("let a = std::", "the last statement of the cell is not complete"),
        ("struct", "the last statement of the cell is not complete"),
        ("let b = (1, ;", "`(` is not closed in this cell"),
        ("let b = 5 +", "the last statement of the cell is not complete"),
        ("let c: u8 = \"x\".parse(", "`(` is not closed in this cell"),
        ("for i in 0..3 {\n    println!(\"{i}\");", "`{` is not closed in this cell"),
        ("let x = 1", "expected `;`, found the end of the cell"),
    ],
)
def test_a_cell_that_ends_too_early_is_not_blamed_for_code_behind_it(kernel, cell, expected):
    shown = message(kernel, cell)
    assert shown.startswith(f"error: {expected}")
    assert "cell:1:" in shown
    assert "end of input" not in shown


@pytest.mark.parametrize(
    "dependency", ["{ path = '/not/there' }", "{ version = '1', wrong = }", "{ git = 'nowhere' }"]
)
def test_an_error_of_cargo_is_one_error_without_temporary_paths(kernel, dependency):
    shown = message(kernel, f":dep some_crate = {dependency}")
    assert shown.count("error:") == 1
    assert "/tmp" not in shown
    assert "cell:1:" in shown


@pytest.mark.parametrize(
    ("cell", "title", "place"),
    [
        ("let many = 5; }", "`}` closes nothing in this cell", "cell:1:15"),
        ("}", "`}` closes nothing in this cell", "cell:1:1"),
        ("fn f() { 1 }\n)", "`)` closes nothing in this cell", "cell:2:1"),
        ("let pair = (1, 2];", "`]` does not close `(`", "cell:1:17"),
        ('let text = "abc;\n1', "the string is not closed in this cell", "cell:1:12"),
        ("1 + 1\n/* why", "the comment is not closed in this cell", "cell:2:1"),
        (":version\nlet all = vec![1, 2;", "`[` is not closed in this cell", "cell:2:15"),
    ],
)
def test_what_is_closed_wrongly_is_marked_before_anything_runs(kernel, cell, title, place):
    shown = message(kernel, cell)
    assert shown.startswith(f"error: {title}")
    assert place in shown
    assert kernel.run("1 + 1").result == "2"


def crate(directory, name, source, build=None):
    """Writes a crate; returns the command that adds it."""
    path = directory / name
    (path / "src").mkdir(parents=True)
    manifest = f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2024"\n'
    (path / "Cargo.toml").write_text(manifest)
    (path / "src/lib.rs").write_text(source)
    if build:
        (path / "build.rs").write_text(build)
    return f':dep {name} = {{ path = "{path}" }}'


@pytest.mark.parametrize(
    ("name", "source", "title", "place"),
    [
        ("twice", 'pub fn twice(n: u8) -> u8 {\n    n * "2"\n}\n', "cannot multiply `u8` by `&str`", "2:7"),
        ("open", "fn one() {}\n\nfn two() {\n", "this file contains an unclosed delimiter", "3:11"),
        ("lends", "pub fn lent() -> &'static str {\n    &String::new()\n}\n", "cannot return", "2:5"),
    ],
)
def test_an_error_in_a_crate_names_the_crate_and_the_place(kernel, tmp_path, name, source, title, place):
    kernel.run("let before = 1;")
    shown = message(kernel, crate(tmp_path, name, source) + "\nlet before = 2;")
    assert title in shown
    assert f"{tmp_path}/{name}/src/lib.rs:{place}" in shown
    assert f"the crate in `{tmp_path}/{name}` does not compile" in shown
    assert sum(line.startswith("error") for line in shown.splitlines()) == 1
    assert kernel.run("before").result == "1"


def test_a_build_script_that_fails_is_shown_with_its_reason(kernel, tmp_path):
    build = 'fn main() { eprintln!("there is no libfoo"); std::process::exit(1) }'
    shown = message(kernel, crate(tmp_path, "links", "", build))
    assert shown.startswith("error: failed to run custom build command for `links v0.1.0")
    assert "there is no libfoo" in shown
    assert "backtraces" not in shown
    assert kernel.run("1 + 1").result == "2"


def all_lines(kernel, shown):
    """All lines of an error that is shown in part, from the file that the last line names."""
    lines = shown.splitlines()
    assert len(lines) == 30
    (count, command) = re.search(r"(\d+) lines are left out.*`(!cat .*)`", lines[-1]).groups()
    ran = kernel.run(command)
    texts = [data["text/plain"] for data in ran.displays]
    whole = "".join([ran.stdout, *texts, ran.result or ""]).splitlines()
    assert len(whole) == len(lines) - 2 + int(count)
    return whole


def test_a_crate_with_many_errors_is_shown_in_part(kernel, tmp_path):
    kernel.run("let before = 1;")
    # evcxr takes an error for one of the cell if the cell has a line of the same number.
    source = "\n" * 1000 + "\n".join(f'pub fn f{n}() -> u8 {{ "{n}" }}' for n in range(40))
    shown = message(kernel, crate(tmp_path, "many", source) + "\nlet before = 2;")
    assert shown.startswith("error[E0308]: mismatched types")
    assert f"the crate in `{tmp_path}/many` does not compile" in shown
    assert '"39"' not in shown
    assert '"39"' in "\n".join(all_lines(kernel, shown))
    assert kernel.run("before").result == "1"


def test_a_build_script_that_says_much_is_shown_in_part(kernel, tmp_path):
    build = 'fn main() { for n in 0..100 { println!("line {n}."); } panic!("there is no libbar") }'
    shown = message(kernel, crate(tmp_path, "talks", "", build))
    assert shown.startswith("error: failed to run custom build command for `talks v0.1.0")
    assert "there is no libbar" in shown
    assert "line 50." not in shown
    assert "line 50." in "\n".join(all_lines(kernel, shown))
    assert kernel.run("1 + 1").result == "2"


@pytest.mark.parametrize(
    ("command", "title", "note"),
    [
        (":dep no-such-crate-at-all = '1'", "no matching package named `no-such-crate-at-all`", "index"),
        (":dep itoa = '999'", "`itoa = \"^999\"`", "candidate versions found which didn't match"),
        (":dep itoa = { version = '1', features = ['no'] }", "a version for `itoa`", "the notebook depends on `itoa`"),
        (":offline 1\n:dep no-such-crate-at-all = '1'", "no matching package named", "`:offline 0` lets cargo"),
    ],
)
def test_a_dependency_that_does_not_exist_is_one_error_with_the_reason_of_cargo(kernel, command, title, note):
    shown = message(kernel, command)
    first, *rest = shown.splitlines()
    assert title in first
    assert note in "\n".join(rest)
    assert shown.count("error:") == 1
    assert "cell:" in shown
    assert "evcxr" not in shown
    assert kernel.run("1 + 1").result == "2"


def test_an_error_in_an_earlier_cell_has_its_place(kernel):
    kernel.run("struct Pair { left: u8 }\nfn left(pair: &Pair) -> u8 { pair.left }")
    shown = message(kernel, "struct Pair { right: u8 }")
    assert "an earlier cell:2:35" in shown
    kernel.run("fn left() {}")


def test_the_same_message_at_the_same_place_is_shown_once(kernel):
    shown = message(kernel, 'println!("{missing} {missing} {missing}")')
    assert shown.count("cannot find value `missing`") == 1


@pytest.mark.parametrize(
    ("cell", "place"),
    [
        ("let none = std::env::args().count() - std::env::args().count(); 1 / none", "cell:1:65"),
        ("let at = std::env::args().count() + 5;\n  [1, 2, 3][at]", "cell:2:3"),
        ("let low = std::env::args().count() as i32;\n(2 + 1) % (low - low)", "cell:2:1"),
    ],
)
def test_a_panic_in_the_value_of_a_cell_has_its_place(kernel, cell, place):
    assert place in kernel.fails(cell, "Panic").traceback


@pytest.mark.parametrize(
    ("cell", "place"),
    [
        ("match 3 {\n%timeit 3\n}", "cell:2:1"),
        ("if true {\n    let n = 3\n    %timeit n\n}", "cell:3:5"),
        ("let all = vec![\n  %timeit 1\n];", "cell:2:3"),
        ("let x = 1 + %timeit 3;", "cell:1:13"),
        ("match 1 {\n    1 => %timeit 2,\n    _ => 3,\n}", "cell:2:10"),
    ],
)
def test_a_magic_in_an_expression_is_told_where_magics_stand(kernel, cell, place):
    shown = message(kernel, cell)
    assert shown.startswith("error: `%timeit` cannot stand here")
    assert place in shown
    assert "where a statement may begin, and not within an expression" in shown
    assert shown.count("error") == 1
