"""#[profile]: the table of a function follows the output of every cell that calls it."""

import re
from textwrap import dedent

import pytest

from lines import figures, function
from request import MEMIT_JSON


@pytest.fixture(scope="module")
def marked(module_kernel):
    module_kernel.run(dedent("""
        #[profile]
        fn build(n: usize) -> Vec<Vec<u8>> {
            let mut all = Vec::new();
            for i in 0..n {
                all.push(vec![i as u8; 1_000]);
            }
            all
        }
        #[profile(precision = 4)]
        fn precise() -> Vec<u8> {
            let v = vec![1; 3 << 20];
            std::hint::black_box(v)
        }
        #[memit::profile(backend = "rss")]
        fn resident() -> usize {
            let v = vec![1u8; 5 << 20];
            std::hint::black_box(&v).len()
        }
        struct Owner;
        impl Owner {
            #[profile]
            fn method(&self) -> String {
                "x".repeat(100)
            }
        }
    """))
    return module_kernel


def test_the_table_follows_the_output(marked):
    cell = marked.run("let built = build(10);\nprintln!(\"built\");")
    assert cell.stdout == "built\n"
    assert [output["msg_type"] for output in cell.outputs] == ["stream", "display_data"]
    lines = figures(cell.json, "build")
    assert lines["all.push"]["hits"] == 10
    assert lines["all.push"]["increment"] >= 10_000
    assert function(cell.json, "build")["first"] == 3
    assert cell.json["isolated"] is True
    assert "text/html" in cell.display
    # What it built is the session's own.
    assert marked.value("built.len()") == "10"


def test_cells_that_do_not_call_it_have_no_table(marked):
    assert marked.run("let nothing = 1;").outputs == []
    assert marked.run("built.len();").outputs == []


def test_every_cell_starts_from_zero(marked):
    for n in (3, 5):
        cell = marked.run(f"build({n});")
        assert figures(cell.json, "build")["all.push"]["hits"] == n
        assert function(cell.json, "build")["calls"] == 1


def test_the_value_of_the_cell_is_still_its_value(marked):
    cell = marked.run("build(2).len()")
    assert cell.result == "2"
    assert function(cell.json, "build")["calls"] == 1


def test_options_choose_precision_and_backend(marked):
    assert re.search(r" 3\.00\d\d MiB +3\.00\d\d MiB", marked.run("precise();").text)
    cell = marked.run("resident();")
    assert cell.json["kind"]["backend"] == "rss"
    assert figures(cell.json, "resident")["let v"]["increment"] >= 5 << 20
    assert len(marked.run("build(1); precise(); resident();").displays) == 3


def test_methods_have_it_too(marked):
    cell = marked.run("Owner.method();")
    assert figures(cell.json, "Owner::method")["repeat"]["allocations"] == 1


def test_it_is_there_in_the_cell_that_defines_it(marked):
    cell = marked.run("#[profile]\nfn at_once() -> Vec<u8> {\n    vec![1; 9]\n}\nat_once();")
    assert figures(cell.json, "at_once")["vec!"]["hits"] == 1


def test_a_panic_shows_the_table_so_far(marked):
    marked.run("#[profile]\nfn fails(n: usize) -> usize {\n    let v = vec![1u8; n];\n    panic!(\"{:?}\", std::hint::black_box(&v)[0])\n}")
    cell = marked.fails("fails(5_000);")
    assert cell.content["ename"] == "Panic"
    lines = figures(cell.json, "fails")
    assert lines["let v"]["increment"] >= 5_000
    assert lines.last()["increment"] <= -5_000


def test_measurements_are_not_disturbed_by_it(marked):
    assert marked.run("%memit -r 1 build(10)").json["magic"] == "memit"
    data = marked.run("%timeit -n 1 -r 1 build(10)").json
    assert data["memory"]["allocations"] == 13
    asked = marked.run("%mprun -f at_once { build(1); at_once() }").json
    assert [each["name"] for each in asked["functions"]] == ["at_once"]


def test_measurements_are_not_disturbed_by_what_an_earlier_cell_has_compiled(marked):
    # A pointer leads to the function as it was compiled when the variable was made: with probes.
    marked.run(
        "#[profile]\nfn pointed_at(mib: usize) -> Vec<u8> {\n"
        "    std::hint::black_box(vec![1u8; mib << 20])\n}"
    )
    marked.run("let pointer: fn(usize) -> Vec<u8> = pointed_at;")
    both = "{ let a = std::hint::black_box(vec![1u8; 20 << 20]); let b = pointer(10); (a, b) }"
    peak = range(30 << 20, (30 << 20) + (64 << 10))
    assert marked.run(f"%memit -r 1 {both}").json["runs"][0]["heap_peak"] in peak
    assert marked.run(f"%timeit -n 1 -r 1 {both}").json["memory"]["heap_peak"] in peak
    assert marked.run(f"%mprof {both}").json["heap_peak"] in peak
    assert marked.run(f"%mprof --keep let kept = {both};").json["heap_peak"] in peak
    # Without one, it has its table, with nothing of what was before.
    (table,) = marked.run("pointer(1).len();").displays
    (found,) = table[MEMIT_JSON]["functions"]
    assert (found["calls"], found["lines"][1]["figures"]["hits"]) == (1, 1)


def test_threads_are_counted_exactly(marked):
    cell = marked.run(
        "let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(|| build(500).len())).collect();\n"
        "let sum: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();"
    )
    assert figures(cell.json, "build")["all.push"]["hits"] == 2_000
    assert cell.json["threaded"] is True


def test_wrong_options_are_errors(marked):
    for attribute, wrong in (
        ('#[profile(backend = "psutil")]', "heap"),
        ("#[profile(digits = 3)]", "precision = 4"),
        ("#[profile(precision = 99)]", "from 0 to 12"),
    ):
        cell = marked.fails(f"{attribute}\nfn wrong() -> u8 {{\n    1\n}}\nwrong();")
        assert wrong in cell.traceback + cell.content["evalue"]
    assert marked.value("1 + 1") == "2"


def test_the_compilers_errors_are_those_of_the_source(marked):
    cell = marked.fails("#[profile]\nfn broken() -> u8 {\n    let x: u8 = \"text\";\n    x\n}")
    assert "mismatched types" in cell.traceback
    assert 'let x: u8 = "text";' in cell.traceback
    assert "MEMIT" not in cell.traceback
