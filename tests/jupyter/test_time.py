"""%time: what statements cost that run once, in the session itself."""

from timelines import MIB


def test_variables_and_the_value_stay(kernel):
    cell = kernel.run("%time let numbers: Vec<u64> = (0..1000).collect(); numbers.len()")
    assert cell.result == "1000"
    assert "CPU times: user" in cell.text and "Wall time: " in cell.text
    assert kernel.value("numbers[999]") == "999"
    assert kernel.run("%time numbers").result.startswith("[0, 1")
    assert kernel.value("numbers.len()") == "1000"


def test_time_memory_and_heap_are_those_of_the_statements(kernel):
    data = kernel.run("%time let block_5 = vec![1u8; 50 << 20];").json
    assert data["magic"] == "time"
    assert abs(data["increment"] - 50 * MIB) < MIB // 2
    assert 0 <= data["heap_peak"] - 50 * MIB < 4096 * 2
    assert data["heap_retained"] == data["heap_peak"] and data["allocations"] == 1
    assert data["compile_time"] > 1e6
    data = kernel.run("%time drop(block_5);").json
    assert data["heap_retained"] < -50 * MIB + 4096
    sleep = "std::thread::sleep(std::time::Duration::from_millis(60))"
    data = kernel.run(f"%time {sleep}").json
    assert data["wall_ns"] >= 60e6 > data["user_ns"] + data["system_ns"]
    spin = "(0..30_000_000u64).fold(0, |a, b| std::hint::black_box(a ^ b))"
    data = kernel.run(f"%time {spin}").json
    assert 3e6 < data["user_ns"] + data["system_ns"] < 1.1 * data["wall_ns"] + 1e6


def test_processor_time_is_that_of_all_threads(kernel):
    spin = "let n = std::hint::black_box(30_000_000u64); (0..n).fold(0, |a, b| std::hint::black_box(a ^ b))"
    one = kernel.run(f"%time {{ {spin} }}").json["user_ns"]
    four = kernel.run(
        f"%time std::thread::scope(|s| {{ for _ in 0..4 {{ s.spawn(|| {{ {spin} }}); }} }})"
    ).json["user_ns"]
    assert four > 2 * one


def test_showing_the_value_is_not_measured(kernel):
    kernel.run(
        "struct Slow;\nimpl std::fmt::Debug for Slow {\n"
        "    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {\n"
        "        std::thread::sleep(std::time::Duration::from_millis(500)); f.write_str(\"shown\")\n    }\n}"
    )
    cell = kernel.run("%time Slow")
    assert cell.result == "shown" and cell.json["wall_ns"] < 300e6


def test_a_cell_magic_has_several_lines_and_may_await(kernel):
    cell = kernel.run("%%time\nlet a_7 = 3;\nlet b_7 = async { a_7 + 1 }.await;\na_7 * b_7")
    assert cell.result == "12"
    assert kernel.value("a_7 + b_7") == "7"


def test_options_deliver_the_result(kernel):
    assert not kernel.run("%time -q 1;").outputs
    kernel.run("%time -v taken 1 + 1")
    assert kernel.value("taken.wall_ns > 0 && taken.peak_memory.is_some()") == "true"
    assert kernel.run("%time -o 1 + 1").result.startswith("<TimeResult : Wall time: ")


def test_statements_that_fail_leave_the_session_as_it_was(kernel):
    kernel.run("let mut kept_9 = vec![1, 2];")
    assert "no" in kernel.fails("%time kept_9.push(3); panic!(\"no\")").traceback
    assert kernel.value("kept_9") == "[1, 2]"
    assert "there is no statement to measure" in kernel.fails("%time").traceback
    assert "cannot stand within `%%time`" in kernel.fails("%%time\nlet a = 1;\n%memit a").traceback
    assert "`%time` cannot stand in a block" in kernel.fails("for i in 0..2 {\n    %time i + 1\n}").traceback
    # The measurement that has failed is not that of the next cell.
    assert kernel.run("kept_9.push(3);").outputs == []

