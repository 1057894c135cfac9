"""%mprun: the table of a profile, where it goes, and how it ends."""

import re
from textwrap import dedent

import pytest

from excerpt import pointed_at
from lines import figures, function
from noting import NOTE


@pytest.fixture(scope="module")
def noting(module_kernel):
    module_kernel.run(NOTE)
    return module_kernel


def test_the_table_is_memory_profilers_with_two_columns_more(noting):
    noting.run("fn table() -> usize {\n    let v = vec![1u8; 1 << 20];\n    // é\n    note(7, &v);\n    v.len()\n}")
    text = noting.run("%mprun -f table table()").text
    header = "Line #    Mem usage    Increment         Peak    Allocs  Occurrences   Line Contents"
    lines = text.splitlines()
    at = lines.index(header)
    assert lines[at + 1] == "=" * len(header)
    assert re.fullmatch(r"     1 +fn table\(\) -> usize {", lines[at + 2])
    assert re.fullmatch(
        r"     2     1\.\d\d MiB     1\.\d\d MiB     1\.\d\d MiB         1            1       let v = .*", lines[at + 3]
    )
    assert re.fullmatch(r"     4 .*", lines[at + 5])
    assert re.search(r"^     6          0 B    -1\.\d\d MiB", text, re.M)


def test_lines_are_those_of_the_cell_that_defined_the_function(noting):
    noting.run("let other = 1;\n\n\nfn moved(n: usize) -> Vec<u8> {\n    vec![1; n]\n}\n")
    first = noting.run("%mprun -f moved moved(10)")
    moved = function(first.json, "moved")
    assert moved["first"] == 4
    assert [line["number"] for line in moved["lines"]] == [4, 5, 6]
    number = moved["place"]["cell"]["number"]
    assert f"cell [{number}]" in first.text
    # A newer one takes its place.
    again = noting.run("fn moved(n: usize) -> Vec<u8> {\n    vec![2; n]\n}\n")
    moved = function(noting.run("%mprun -f moved moved(10)").json, "moved")
    assert moved["first"] == 1
    assert moved["place"]["cell"]["number"] == again.content["execution_count"]


def test_the_cell_magic_takes_statements_on_its_first_line_too(noting):
    noting.run("fn doubled(n: u8) -> Vec<u8> {\n    vec![n; 2]\n}")
    cell = noting.run("%%mprun -f doubled let a = doubled(1)\nlet b = doubled(2);\n[a, b].concat().len()")
    assert function(cell.json, "doubled")["calls"] == 2
    cell = noting.run("%%mprun -f local\nfn local() -> Vec<u8> {\n    vec![1; 9]\n}\nlocal().len()")
    local = function(cell.json, "local")
    assert (local["first"], local["calls"]) == (2, 1)


def test_the_session_is_left_as_it_was(noting):
    noting.run("let mut kept = vec![1, 2, 3];\nfn takes(v: Vec<i32>) -> usize {\n    v.len()\n}")
    data = noting.run("%mprun -f takes { kept.push(4); takes(kept) }").json
    assert noting.value("kept") == "[1, 2, 3]"
    # What a parameter owns is freed at the end of the function.
    assert figures(data, "takes").last()["increment"] < 0


def test_results_go_where_they_are_wanted(noting, tmp_path):
    noting.run("fn small() -> Vec<u8> {\n    vec![1; 10]\n}")
    path = tmp_path / "table.txt"
    cell = noting.run(f"%mprun -q -r -v small_lines -T {path} -f small small()")
    assert cell.result.startswith("<MprunResult : small")
    assert cell.displays == []
    assert "Line Contents" in path.read_text()
    assert f"saved to text file '{path}'" in cell.stdout
    assert noting.value("small_lines.functions[0].lines[1].figures.as_ref().unwrap().hits") == "1"


def test_html_shows_the_source_in_colour(noting):
    noting.run("fn coloured() -> Vec<u8> {\n    vec![1; 10] // <script>\n}")
    html = noting.run("%mprun -f coloured coloured()").display["text/html"]
    assert "coloured" in html and "<table" in html
    assert "<script" not in html


@pytest.mark.parametrize(
    ("end", "why"),
    [
        ("panic!(\"gone\")", "the statement panicked: gone"),
        ("std::process::abort()", "SIGABRT"),
        ("std::process::exit(3)", "exit code 3"),
        ("unsafe { std::hint::black_box(std::ptr::null_mut::<u8>()).write(1) }", "SIGSEGV"),
    ],
)
def test_what_was_counted_before_a_crash_is_shown(noting, end, why):
    noting.run(
        "fn ends(v: &mut Vec<Vec<u8>>) {\n    for i in 0..3u8 {\n        v.push(vec![i; 100_000]);\n    }\n"
        "    if v.len() == 3 {\n        %s;\n    }\n    v.clear();\n}" % end
    )
    cell = noting.fails("%mprun -f ends ends(&mut Vec::new())")
    lines = figures(cell.json, "ends")
    assert lines["v.push"]["hits"] == 3
    assert lines["v.push"]["increment"] > 300_000
    assert lines["v.clear"]["hits"] == 0
    assert why in cell.json["stopped"]["why"]
    assert f"stopped early: {cell.json['stopped']['why']}" in cell.text
    assert noting.value("1 + 1") == "2"


def test_an_interrupt_shows_the_table_so_far(noting):
    noting.run(
        "fn endless() -> u64 {\n    let big = vec![1u8; 30_000_000];\n    std::hint::black_box(&big);\n    println!(\"ready\");\n"
        "    let mut n = 0u64;\n    loop {\n        n = std::hint::black_box(n + 1);\n    }\n}"
    )
    request = noting.start("%mprun -f endless endless()")
    noting.wait_for(request, lambda request: "ready" in request.stdout)
    noting.interrupt()
    noting.finish(request)
    assert request.content["ename"] == "KeyboardInterrupt"
    lines = figures(request.json, "endless")
    assert 30_000_000 <= lines["let big"]["increment"] < 30_100_000
    assert function(request.json, "endless")["stopped_at"] in (7, 8)


def test_a_limit_stops_on_the_line_that_passes_it(noting):
    noting.run(dedent("""
        fn hoards(n: usize) -> Vec<Vec<u8>> {
            let mut all = Vec::new();
            for _ in 0..n {
                all.push(fills(10 << 20));
            }
            all
        }
        fn fills(size: usize) -> Vec<u8> {
            vec![1; size]
        }
    """))
    for backend in ("heap", "rss"):
        cell = noting.fails(f"%mprun --mem-limit 100MiB -b {backend} -f hoards -f fills hoards(1000)")
        assert cell.content["ename"] == "MemoryLimit"
        if backend == "heap":
            assert "memory passed 100.00 MiB on line 10 of `fills`" in cell.content["evalue"]
            assert function(cell.json, "hoards")["stopped_at"] == 5
            assert figures(cell.json, "hoards")["all.push"]["hits"] == 10
        assert figures(cell.json, "hoards")["all.push"]["hits"] <= 12
    assert noting.run("%mprun -m 1GB -f fills fills(10).len()").json["stopped"] is None


def test_mistakes_are_pointed_at(noting):
    noting.run("fn known() {}\nconst fn constant() -> u8 {\n    1\n}")
    cell = noting.fails("%mprun -f knwon known()")
    assert "there is no function `knwon`" in cell.traceback
    assert "`known`" in cell.traceback
    assert "^^^^^^^^" in cell.traceback
    assert "run_user_code" not in cell.traceback
    assert "`constant` is a `const fn`" in noting.fails("%mprun -f constant constant()").traceback
    assert "there is no function to profile" in noting.fails("%mprun known()").traceback
    assert "there is no statement" in noting.fails("%mprun -f known").traceback
    assert "use one of heap, rss, pss, uss" in noting.fails("%mprun -b psutil -f known known()").traceback
    assert "write it with a unit" in noting.fails("%mprun -m 100 -f known known()").traceback
    assert "`-c` cannot count the heap" in noting.fails("%mprun -c -b heap -f known known()").traceback


def test_the_compilers_errors_point_at_what_was_typed(noting):
    noting.run("fn fine() -> u8 {\n    let x = 1;\n    x\n}")
    cell = noting.fails("%mprun -f fine { let y: u16 = fine(); y }")
    assert "mismatched types" in cell.traceback
    assert "%mprun -f fine { let y: u16 = fine(); y }" in cell.traceback
    assert pointed_at(cell.traceback)[2] == "fine()"
    assert "MEMIT" not in cell.traceback
