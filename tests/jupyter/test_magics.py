"""How magics stand in a cell, whatever they measure."""

import re

import pytest

from excerpt import pointed_at
from request import MEMIT_JSON


def test_magics_and_rust_run_in_the_order_in_which_they_stand(kernel):
    cell = kernel.run(
        """let mut in_order = vec![1u8; 10];
%memit -r 1 in_order.clone()
in_order.extend(vec![1u8; 90]);
println!("between");
  %memit -r 1 in_order.clone()
in_order.len()"""
    )
    kinds = [m["msg_type"] for m in cell.outputs]
    assert kinds == ["display_data", "stream", "display_data", "execute_result"]
    first, second = (data[MEMIT_JSON]["runs"][0]["heap_peak"] for data in cell.displays)
    assert first < 100 <= second
    assert cell.stdout == "between\n"
    assert cell.result == "100"


def test_a_percent_sign_that_is_an_operator_is_no_magic(kernel):
    assert kernel.value("let (total, memit) = (17, 5);\ntotal\n%memit") == "2"
    assert kernel.value("let (total, timeit) = (17, 5);\nlet rest = total\n  %timeit;\nrest") == "2"


def test_a_string_or_comment_may_contain_a_magic(kernel):
    cell = kernel.run('let text = "\n%memit x\n";\n/*\n%memit y\n*/\ntext.trim()')
    assert cell.result == '"%memit x"'
    assert cell.displays == []


def test_a_cell_magic_stands_on_the_first_line_that_is_neither_blank_nor_comment(kernel):
    cell = kernel.run("\n// how much?\n\n%%memit -r 1\nvec![1u8; 1000]")
    assert cell.json["runs"][0]["heap_peak"] >= 1000
    cell = kernel.fails("let one = 1;\n%%memit\none", "MagicError")
    assert "not on the first line" in cell.content["evalue"]


def test_an_error_in_a_line_stops_the_lines_below(kernel):
    cell = kernel.fails('println!("first");\n%memit nope\nprintln!("never");')
    assert cell.stdout == "first\n"


def test_lsmagic_lists_the_magics(kernel):
    text = kernel.run("%lsmagic").text
    for name in ("%memit", "%%memit", "%timeit", "%%timeit", "%lsmagic"):
        assert name in text


@pytest.mark.parametrize("code", ["%memit?", "?%memit", "%memit --help", "%memit -h", "%%memit?"])
def test_help_of_a_magic_shows_usage_options_and_examples(kernel, code):
    text = kernel.run(code).text
    assert "Usage:\n    %memit [-r R]" in text
    assert "-r R, --repeat R" in text
    assert "Examples:" in text


@pytest.mark.parametrize(
    "code, message, advice, under_carets",
    [
        ("%memti v", "there is no magic `%memti`", "did you mean `%memit`?", "memti"),
        ("%tiem v", "there is no magic `%tiem`", "did you mean `%time`?", "tiem"),
        ("%matplotlib inline", "there is no magic `%matplotlib`", "not needed here: plots", "matplotlib"),
        ("%load_ext memory_profiler", "there is no magic `%load_ext`", "not needed here: all magics are built in", "load_ext"),
        ("%no_such_magic", "there is no magic `%no_such_magic`", "%lsmagic", "no_such_magic"),
        ("%memit --repaet 5 v", "unknown option", "did you mean `--repeat`?", "--repaet"),
        ("%timeit --fersh v", "unknown option", "did you mean `--fresh`?", "--fersh"),
        ("%memit -z v", "unknown option `-z`", "write `-- ` before it", "-z"),
        ("%memit -r none v", "`-r` takes a whole number above 0, not `none`", "", "-r none"),
        ("%memit -r 0 v", "`-r` takes a whole number above 0, not `0`", "", "-r 0"),
        ("%memit -t -1 v", "`-t` takes a number of seconds above 0", "", "-t -1"),
        ("%timeit -p 99 v", "`-p` takes a number of digits from 1 to 17", "", "-p 99"),
        ("%memit -v 1x v", "`-v` takes the name of a variable", "", "-v 1x"),
        ("%%lsmagic\n1", "`%lsmagic` is a line magic", "write it with one `%`", "lsmagic"),
        ("%lsmagic 1", "takes no argument", "", "1"),
    ],
)
def test_a_magic_that_is_typed_wrong_says_what_to_do(kernel, code, message, advice, under_carets):
    cell = kernel.fails("let v = 1;\n" + code if not code.startswith("%%") else code, "MagicError")
    assert message in cell.content["evalue"]
    assert advice in cell.traceback
    line, column, text = pointed_at(cell.traceback)
    assert text == under_carets
    assert (line, column) == (
        (1 if code.startswith("%%") else 2),
        code.index(under_carets) + 1,
    )


def test_a_magic_without_a_statement_says_so(kernel):
    for code in ("%memit", "%timeit -r 2", "%%memit let n = 1;\n"):
        cell = kernel.fails(code, "MagicError")
        assert "measure" in cell.content["evalue"]


def test_options_end_where_the_rust_begins(kernel):
    assert kernel.run("%memit -r 1 -- -1i32").json["runs"]
    assert kernel.run("%memit -r1 -5i32").json["runs"]
    assert kernel.run("%memit -qr 1 { fn f<'a>(s: &'a str) -> &'a str { s } f(\"-r 5\") }").outputs == []


@pytest.mark.parametrize("magic", ["memit", "timeit"])
@pytest.mark.parametrize(
    "code, line, column, text",
    [
        ("let fine = 1;\n%{m} -r 1 vec![1u8; missing_name]", 2, "missing_name", "missing_name"),
        ('%{m} -r 1 {{ let é = "🦀🦀"; wrong_name }}', 1, "wrong_name", "wrong_name"),
        ("%%{m} -r 1 let n: u8 = no_setup;\nn", 1, "no_setup", "no_setup"),
        ("%%{m} -r 1 let n = 1u8;\nn\n  + no_body", 3, "no_body", "no_body"),
        ("\n%%{m} -r 1\nlet a = 1u8;\nlet b: u8 = a.no_method();\nb", 4, "no_method", "no_method"),
    ],
)
def test_a_compile_error_points_at_the_users_own_text(kernel, magic, code, line, column, text):
    code = code.format(m=magic)
    cell = kernel.fails(code, "CompileError")
    found_line, found_column, under_carets = pointed_at(cell.traceback)
    assert found_line == line
    assert found_column == code.splitlines()[line - 1].index(column) + 1
    assert under_carets == text
    assert "memit_" not in cell.traceback


def test_a_snippet_that_is_no_rust_is_an_error_in_the_users_text(kernel):
    cell = kernel.fails("%memit vec![1u8; 10", "MagicError")
    assert "--> cell:1:" in cell.traceback
    assert "memit_" not in cell.traceback
    assert kernel.value("1 + 1") == "2"


def test_names_of_magics_and_options_are_completed(kernel):
    # Until the session has started, nothing is completed.
    kernel.run("1")
    assert kernel.complete("%mem")["matches"] == ["%memit"]
    assert kernel.complete("%%tim")["matches"] == ["%%timeit", "%%time"]
    found = kernel.complete("let x = 1;\n%timeit --fr")
    assert found["matches"] == ["--fresh"]
    assert (found["cursor_start"], found["cursor_end"]) == (19, 23)
    assert "%lsmagic" in kernel.complete("%")["matches"]


def test_rust_behind_a_magic_is_completed(kernel):
    kernel.run("let mut for_magic = vec![1u8];")
    for before in ("%memit ", "%timeit -r 2 ", "%%memit let 🦀 = 1;\n"):
        code = before.replace("🦀", "x") + "for_magic.shrink_to_f"
        found = kernel.complete(code)
        assert any(match.startswith("shrink_to_fit") for match in found["matches"]), code
        assert code[found["cursor_start"] : found["cursor_end"]] == "shrink_to_f"


def test_a_magic_can_be_inspected(kernel):
    for code, cursor in (("%memit vec![1]", 3), ("%%timeit\nx", 5), ("%timeit", 7)):
        found = kernel.inspect(code, cursor)
        assert found["found"] is True, code
        assert re.search(r"Usage:\n    %(memit|timeit)", found["data"]["text/plain"])


def test_rust_behind_a_magic_can_be_inspected(kernel):
    kernel.run("let inspected_in_magic: Vec<u16> = Vec::new();")
    code = "%memit inspected_in_magic.clone()"
    found = kernel.inspect(code, 12)
    assert "Vec<u16>" in found["data"]["text/plain"]


@pytest.mark.parametrize(
    "statements",
    [
        'let memit_guard = "mine"; let memit_value = 3usize; let memit_harness = 1usize;',
        'let memit_loops = "mine"; let memit_left = 3usize; let memit_timed = 1usize;',
        'let memit_own_guard = "mine"; let memit_own__value = 3usize; let memit_own_timed = 1usize;',
    ],
)
@pytest.mark.parametrize("magic", ["%memit -o", "%timeit -n 1 -r 1"])
def test_names_of_the_user_clash_with_none_of_a_measurement(kernel, statements, magic):
    text, number, one = (part.split()[1] for part in statements.split(";")[:3])
    kernel.run(statements)
    kernel.run(f"{magic} {text}.len() + {number} + {one}")
    assert kernel.value(f"{text}.len() + {number} + {one}") == "8"


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        ("let n = 1;\nn\n%memit n", 3),
        ("let m = 4\n%timeit m", 2),
        ('println!("x")\n\n%memit 1 + 1', 3),
    ],
)
def test_a_missing_semicolon_above_a_magic_is_named(kernel, cell, line):
    error = kernel.fails(cell, "MagicError")
    assert error.content["evalue"] == f"`;` is missing before line {line}"
