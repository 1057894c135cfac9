"""`:clear` and `%reset` forget everything, `%xdel` deletes a variable or an item."""

import pytest

from test_input import question


@pytest.fixture
def kernel(module_kernel):
    yield module_kernel
    module_kernel.check_nothing_is_left()


DEFINITIONS = (
    "use std::collections::HashMap;\n"
    "macro_rules! one { () => { 1 } }\n"
    "macro_rules! make { ($n:ident) => { struct $n; } }\n"
    "make!(Made);\n"
    "struct Point { x: u8 }\n"
    "impl Point { fn x(&self) -> u8 { self.x } }\n"
    "trait Tell { fn tell(&self) -> u8; }\n"
    "impl Tell for Point { fn tell(&self) -> u8 { 1 } }\n"
    "let point = Point { x: 1 }; let mut list = vec![1];"
)
USES = ["point.x", "list.len()", "HashMap::<u8, u8>::new()", "one!()", "Made;", "Point { x: 1 }.x()", "1.tell()"]


@pytest.mark.parametrize("forget", [":clear", "%reset -f", "%reset --force"])
def test_everything_is_forgotten(kernel, forget):
    kernel.run(DEFINITIONS)
    kernel.run(forget)
    for use in USES:
        kernel.fails(use, "CompileError")
    assert "there is no cell to undo: the session was cleared" in kernel.fails("%undo", "UndoError").traceback
    # Nothing of the first definitions is dropped, replaced or in the way.
    cell = kernel.run(DEFINITIONS.replace("x: u8", "x: u16").replace("x(&self) -> u8", "x(&self) -> u16"))
    assert cell.stderr == ""
    assert kernel.value("(point.tell(), Point { x: 300 }.x, list.len(), one!())") == "(1, 300, 1, 1)"
    kernel.run("let later = 1;")
    kernel.run("%undo")
    kernel.fails("later", "CompileError")
    # The cell with the values, and the cell with the definitions.
    kernel.run("%undo")
    kernel.run("%undo")
    assert "cannot find value `point`" in kernel.fails("point", "CompileError").traceback


def test_a_cell_goes_on_after_it_has_cleared(kernel):
    kernel.run("struct Old; let old = Old;")
    assert kernel.value(":clear\nstruct Old(u8); let new = Old(2); new.0") == "2"
    kernel.run("let newer = 3;")
    kernel.run("%undo")
    kernel.fails("newer", "CompileError")
    kernel.run("%undo")
    kernel.fails("new.0", "CompileError")
    assert kernel.value("let after = 1;\n%reset -f\nlet fresh = 5; fresh") == "5"
    kernel.fails("after", "CompileError")


def test_a_dependency_is_forgotten(kernel, tmp_path):
    crate = tmp_path / "forgotten_1"
    (crate / "src").mkdir(parents=True)
    (crate / "Cargo.toml").write_text(
        '[package]\nname = "forgotten_1"\nversion = "0.1.0"\nedition = "2021"\n'
    )
    (crate / "src" / "lib.rs").write_text("pub fn one() -> u8 { 1 }")
    assert kernel.value(f':dep forgotten_1 = {{ path = "{crate}" }}\nforgotten_1::one()') == "1"
    kernel.run("%reset -f")
    kernel.fails("forgotten_1::one()", "CompileError")
    assert kernel.value(f':dep forgotten_1 = {{ path = "{crate}" }}\nforgotten_1::one()') == "1"


@pytest.mark.parametrize("answer, is_kept", [("n", True), ("", True), ("y", False), ("Yes", False)])
def test_reset_asks_first(kernel, answer, is_kept):
    kernel.run("let asked = 5;")
    cell = kernel.start("%reset", allow_stdin=True)
    asked = question(kernel, cell)
    assert asked["content"]["prompt"] == "Forget all variables, items and dependencies (y/[n])? "
    kernel.client.input(answer)
    assert ("Nothing was forgotten." in kernel.finish(cell).text) == is_kept
    if is_kept:
        assert kernel.value("asked") == "5"
    else:
        kernel.fails("asked", "CompileError")


def test_reset_without_input_says_what_to_write(kernel):
    kernel.run("let unasked = 5;")
    cell = kernel.fails("%reset", "StdinNotImplementedError")
    assert "help: `%reset -f` does not ask" in cell.traceback
    assert kernel.value("unasked") == "5"


def test_a_variable_is_deleted(kernel):
    kernel.run(
        'struct Loud(u8); impl Drop for Loud { fn drop(&mut self) { println!("dropped {}", self.0); } }\n'
        "let loud = Loud(7); let other = String::new();"
    )
    cell = kernel.run("%xdel loud")
    assert (cell.text, cell.stdout) == ("The variable `loud` is deleted.", "dropped 7\n")
    kernel.fails("loud.0", "CompileError")
    kernel.run("%undo")
    assert kernel.value("(loud.0, other.len())") == "(7, 0)"


@pytest.mark.parametrize(
    "definition, name, use",
    [
        ("fn deleted_1() {}", "deleted_1", "deleted_1();"),
        ("struct Deleted2;", "Deleted2", "Deleted2;"),
        ("macro_rules! deleted_3 { () => {} }", "deleted_3", "deleted_3!();"),
        ("mod deleted_4 { pub fn f() {} }", "deleted_4", "deleted_4::f();"),
        ("use std::collections::BTreeSet as Deleted5;", "Deleted5", "Deleted5::<u8>::new();"),
        ("const DELETED6: u8 = 1;", "DELETED6", "DELETED6;"),
        ("trait Deleted7 { fn seven(&self) {} } impl Deleted7 for u8 {}", "Deleted7", "5u8.seven();"),
        ("thread_local! { static DELETED8: u8 = 1; }", "DELETED8", "DELETED8.with(|n| *n);"),
    ],
)
def test_an_item_is_deleted(kernel, definition, name, use):
    kernel.run(definition)
    kernel.run(use)
    assert kernel.run(f"%xdel {name}").text == f"The item `{name}` is deleted."
    kernel.fails(use, "CompileError")
    assert "there is no variable or item" in kernel.fails(f"%xdel {name}").traceback
    kernel.run("%undo")
    kernel.run(use)
    kernel.run(f"%xdel {name}")
    kernel.run(definition)
    kernel.run(use)


def test_a_type_is_deleted_with_its_implementations(kernel):
    definition = "struct Gone1(u8);\nimpl Gone1 { fn get(&self) -> u8 { self.0 } }\nimpl Clone for Gone1 {"
    kernel.run(f"{definition} fn clone(&self) -> Self {{ Gone1(self.0) }} }}\nlet gone_1 = vec![Gone1(1)];")
    cell = kernel.fails("%xdel Gone1", "InUseError")
    assert "the variable `gone_1` is of the type `Vec<Gone1>`" in cell.traceback
    assert kernel.value("gone_1[0].clone().get()") == "1"
    kernel.run("%xdel gone_1")
    kernel.run("%xdel Gone1")
    kernel.run("#[derive(Clone)] struct Gone1 { get: u8 }")
    assert kernel.value("Gone1 { get: 2 }.clone().get") == "2"


def test_an_item_that_others_use_is_not_deleted(kernel):
    kernel.run("fn used_1() -> u8 { 1 }\nfn user_1() -> u8 { used_1() }")
    cell = kernel.fails("%xdel used_1", "CompileError")
    assert "cannot find function `used_1`" in cell.traceback
    assert "fn user_1() -> u8 { used_1() }" in cell.traceback
    assert "note: `used_1` is not deleted, because the code above uses it" in cell.traceback
    assert kernel.value("user_1()") == "1"
    kernel.run("%xdel user_1")
    kernel.run("%xdel used_1")


def test_an_unknown_name_names_the_nearest(kernel):
    kernel.run("let numbers = vec![1]; struct Reading;")
    assert "did you mean `numbers`?" in kernel.fails("%xdel numbrs").traceback
    assert "did you mean `Reading`?" in kernel.fails("%xdel Readin").traceback
    assert "`%xdel` takes the name of a variable or an item" in kernel.fails("%xdel").traceback
    assert "`%xdel` takes the name of a variable or an item" in kernel.fails("%xdel a.b").traceback
