"""What stands behind a magic: any statement that compiles as a cell."""

import pytest

from statements import SETUP, statements

MAGICS = [
    "%memit -q -r 1",
    "%timeit -q -n 1 -r 1",
    "%mprun -q -f profiled",
    # Without `-e`, each statement is repeated for most of a second.
    "%lprun -q -e -f profiled",
    "%mprof -q",
]


@pytest.fixture(scope="module")
def prepared(module_kernel):
    module_kernel.run(SETUP)
    return module_kernel


def test_there_are_a_hundred_statements_and_each_is_a_cell(prepared):
    assert len(statements()) >= 100
    for statement in statements():
        prepared.run(statement)


@pytest.mark.parametrize("magic", MAGICS)
def test_what_compiles_as_a_cell_compiles_in_every_magic(prepared, magic):
    # In blocks of one cell, so that all of them are compiled at once.
    prepared.run("\n".join(f"{{ {magic} {statement}\n}}" for statement in statements()), timeout=300)


@pytest.mark.parametrize("magic", ["%memit -r 1", "%timeit -n 1 -r 1", "%mprof"])
@pytest.mark.parametrize(
    "statement",
    [
        "text.to_lowercase().split_whitespace().collect::<Vec<_>>()",
        "String::from(\"abc  \").trim_end()",
        "let s = String::from(\"abc\"); s.trim()",
    ],
)
def test_a_value_may_borrow_from_temporaries_and_variables_of_the_statement(prepared, magic, statement):
    assert prepared.run(f"{magic} {statement}").json
    assert prepared.run(f"%{magic}\n{statement}").json


def test_a_cell_magic_takes_items_and_its_value_may_borrow(prepared):
    cell = "%%memit use std::fmt::Write;\nfn helper(n: u32) -> String { n.to_string() }\nhelper(3).as_str()"
    assert prepared.run(cell).json["runs"][0]["allocations"] == 1


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("numbers.iter()\n    .map(|x| x * 2)\n    .sum::<u64>();", None),
        ("vec![\n    1u8; 1 << 20\n]", 1 << 20),
        ("if numbers.len() > 2 {\n    vec![0u8; 4096]\n} else {\n    Vec::new()\n}", 4096),
        ("match numbers.len() // how many\n{\n    0 => Vec::new(),\n    _ => vec![1u8; 8192],\n}", 8192),
        ("vec![1u8; 4096]\n    // all\n\n    .into_iter()\n    .map(u16::from)\n    .collect::<Vec<_>>()", 4096 * 3),
        ("\"a\nb\".repeat(\n    1000)", 3000),
    ],
)
def test_a_statement_goes_on_over_its_lines(prepared, statement, value):
    cell = prepared.run(f"%memit -r 1 {statement}\nlet behind = 1;\nbehind")
    assert cell.result == "1"
    measured = max(run["heap_peak"] for run in cell.json["runs"])
    assert measured == 0 if value is None else value <= measured < value + 8192


def test_the_first_line_of_a_cell_magic_goes_on_over_its_lines(prepared):
    cell = prepared.run("%%timeit -n 1 -r 1 let all = vec![\n    1,\n    2];\nall.iter()\n    .sum::<i32>()")
    assert cell.json["loops"] == 1


@pytest.mark.parametrize(
    ("cell", "message", "place"),
    [
        ("%timeit x +", "the statement is not complete", "1:12"),
        ("let n = 1;\n%memit n.", "the statement is not complete", "2:10"),
        ("%memit \"unclosed", "the string is not closed", "1:8"),
        ("%timeit x; }", "`}` closes nothing in the statements", "1:12"),
        ("%memit let a = vec![1]", "`;` is missing at the end of the statement", "1:23"),
        ("%%timeit\nfoo(1, [2)", "`)` does not close `[`", "2:10"),
        ("%memit /* open", "there is no statement to measure", "1:7"),
        ("%timeit return 3", "`return` cannot leave a measured statement", "1:9"),
        ("%memit if true { return; }", "`return` cannot leave", "1:18"),
        ("%timeit break", "`break` cannot leave a measured statement", "1:9"),
        ("%%mprof\nif true { continue }", "`continue` cannot leave", "2:11"),
    ],
)
def test_an_unfinished_statement_is_told_in_the_users_words(prepared, cell, message, place):
    shown = prepared.fails(cell, "MagicError").traceback
    assert message in shown
    assert f"cell:{place}" in shown


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("%timeit v.iter()\n    .map(|x| {", "incomplete"),
        ("%timeit v\n    .len()", "complete"),
        ("%memit vec![", "incomplete"),
        ("for n in 0..3 {\n    %timeit n", "incomplete"),
        ("for n in 0..3 {\n    %timeit n\n}", "complete"),
        ("let t = %timeit -o 1 +", "incomplete"),
        ("let t = %timeit -o 1 + 1", "complete"),
    ],
)
def test_is_complete_knows_statements_behind_magics(prepared, code, status):
    assert prepared.is_complete(code)["status"] == status


@pytest.mark.parametrize(
    "cell",
    [
        "%%timeit -n 1 -r 1 let v = vec![3, 1, 2]; let w = v;\nw.iter().map(|v| v * 2).sum::<i32>()",
        "%%timeit -n 1 -r 1 let data = String::from(\"a b\"); let words: Vec<String> = "
        "data.split(' ').map(Into::into).collect(); drop(data);\n"
        "words.iter().filter(|w| w.as_str() != \"data\").count()",
        "%%timeit -n 1 -r 1 let q = vec![1]; let total: i32 = q.into_iter().sum();\n/* q is gone */ total + 1",
        "%%timeit -n 1 -r 1 let s = String::new(); drop(s);\n\"s\".len()",
        "%%timeit -n 1 -r 1 let y: i32;\n{ let y = 3; y }",
    ],
)
def test_a_variable_that_the_set_up_moves_may_be_named_below(prepared, cell):
    assert prepared.run(cell).json["loops"] == 1


def test_names_of_the_user_do_not_disturb_generated_code(module_kernel):
    kernel = module_kernel
    kernel.run(":clear")
    kernel.run(
        "type Result<T> = std::result::Result<T, String>;\n"
        "#[derive(Debug)] enum Option { Some2, None2 }\n"
        "fn drop(n: u32) -> u32 { n }\nfn black_box(n: u32) -> u32 { n }\n"
        "macro_rules! println { ($($t:tt)*) => { () }; }\n"
        "trait Next { fn next(self) -> u8; fn finish(self) -> u8; }\n"
        "impl<T> Next for T { fn next(self) -> u8 { 1 } fn finish(self) -> u8 { 2 } }\n"
        "mod harness {}\nmod memit_own {}\n"
        "fn profiled2(n: u32) -> u32 {\n    drop(n)\n}\n"
        "let (memit_guard, memit_timed, memit_value, value) = (1, 2, 3, 4);"
    )
    body = "memit_guard + memit_timed + memit_value + value + drop(black_box(1)) as i32"
    assert kernel.run(f"%memit {body}").json["runs"]
    assert kernel.run(f"%timeit -n 1 -r 1 {body}").json["loops"] == 1
    assert kernel.run(f"%mprof {body}").json
    assert kernel.run("%mprun -f profiled2 profiled2(1)").json["functions"]
    assert kernel.run("%lprun -f profiled2 profiled2(1)").json["functions"]
