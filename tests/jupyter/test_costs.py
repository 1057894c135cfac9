"""What each cell costs, without being asked."""

from timelines import MIB


def cost(cell):
    return cell.reply["metadata"]["memit"]


def test_every_reply_says_what_the_cell_has_cost(kernel):
    held = cost(kernel.run("let held_1 = vec![1u8; 40 << 20];"))
    assert held["succeeded"] and held["compile_ns"] > 1e6 and held["run_ns"] > 1e5
    assert held["compile_ns"] + held["run_ns"] <= held["wall_ns"]
    assert abs(held["increment"] - 40 * MIB) < MIB
    assert held["peak_memory"] > held["increment"]
    assert abs(held["session_change"] - 40 * MIB) < MIB // 4
    freed = cost(kernel.run("drop(held_1);"))
    assert abs(freed["session_change"] + 40 * MIB) < MIB // 4
    passed = cost(kernel.run("std::hint::black_box(vec![1u8; 40 << 20]).len()"))
    assert abs(passed["increment"] - 40 * MIB) < MIB and abs(passed["session_change"]) < MIB // 4
    assert passed["source"] == "std::hint::black_box(vec![1u8; 40 << 20]).len()"


def test_parts_of_a_cell_are_one_cost(kernel):
    data = cost(kernel.run("let a_2 = vec![1u8; 10 << 20];\n%memit a_2.clone()\nlet b_2 = vec![1u8; 20 << 20];"))
    assert abs(data["session_change"] - 30 * MIB) < MIB // 4
    assert data["increment"] >= 19 * MIB


def test_a_cell_that_fails_has_a_cost(kernel):
    panicked = cost(kernel.fails("let lost_3 = std::hint::black_box(vec![1u8; 30 << 20]); panic!()"))
    assert not panicked["succeeded"] and panicked["increment"] > 29 * MIB
    # The session is what it was.
    assert panicked["session_change"] == 0
    wrong = cost(kernel.fails("let x: u8 = \"\";"))
    assert wrong["compile_ns"] > 1e6 and wrong["peak_memory"] is None
    ended = cost(kernel.fails("std::process::exit(3)"))
    assert ended["run_ns"] is None and ended["wall_ns"] > 0
    assert "memit" not in kernel.run("").reply["metadata"]


def test_costs_are_shown_below_each_cell_on_request(fresh_kernel):
    kernel = fresh_kernel
    assert not kernel.run("let a = 1;").outputs
    assert not kernel.run("%costs on").outputs
    (line,) = kernel.run("let v = vec![1u8; 10 << 20];").outputs
    text = line["content"]["data"]["text/plain"]
    assert text.startswith("compiled in ") and "ran in " in text
    assert "the session holds about 10." in text and text.count("\n") == 0
    assert "opacity" in line["content"]["data"]["text/html"]
    assert not kernel.run("%costs off").outputs
    assert not kernel.run("let b = 1;").outputs


def test_a_table_has_all_cells(start_kernel):
    kernel = start_kernel().wait_until_subscribed()
    assert kernel.run("%costs").text == "no cell has run yet"
    kernel.run("let small = 1;")
    kernel.run("let large = vec![1u8; 30 << 20];")
    kernel.fails("panic!()")
    cell = kernel.run("%costs")
    rows = cell.text.splitlines()
    assert rows[0].split() == ["Cell", "Compile", "Run", "Peak", "Increment", "Held", "Source"]
    assert [row.split()[0] for row in rows[2:5]] == ["[2]", "[3]", "![4]"]
    assert "30.0" in rows[3] and rows[3].endswith("let large = vec![1u8; 30 << 20];")
    assert "<table" in cell.display["text/html"] and [each["cell"] for each in cell.json["cells"]] == [1, 2, 3, 4]
    assert "let large" in kernel.run("%costs --sort held").text.splitlines()[1]
    assert "one of cell, peak, time and held" in kernel.fails("%costs --sort size").traceback
    assert "takes `on`, `off` or nothing" in kernel.fails("%costs maybe").traceback
    kernel.run("%reset -f")
    assert [each["source"] for each in kernel.run("%costs").json["cells"]] == ["%reset -f"]


def test_a_kernel_can_show_costs_from_its_start(start_kernel):
    for options in ({"env": {"MEMIT_COSTS": "1"}}, {"arguments": ["--costs"]}):
        kernel = start_kernel(**options).wait_until_subscribed()
        assert kernel.run("let a = 1;").text.startswith("compiled in ")
