"""Functions of every form, profiled: they compute what they did, and each line is counted as often
as it runs."""

import json
from pathlib import Path

from lines import function

CORPUS = Path(__file__).parents[2] / "magics" / "instrument" / "tests" / "corpus" / "cases.json"


def test_probes_count_and_change_nothing(module_kernel):
    # One of the functions sets a panic hook, which later cells would keep.
    kernel = module_kernel
    cases = json.loads(CORPUS.read_text())
    cell, first_lines = [], []
    for number, case in enumerate(cases):
        cell.append(f"mod case_{number} {{ #[allow(unused_imports)] use std::future::Future as _;")
        first_lines.append(len(cell) + 1)
        cell += case["source"]
        cell.append(f"pub fn call() -> String {{ format!(\"{{:?}}\", {case['call']}) }} }}")
    kernel.run("\n".join(cell))
    calls = ", ".join(f"case_{number}::call()" for number in range(len(cases)))
    names = " ".join(f"-f case_{number}::{case['name']}" for number, case in enumerate(cases))
    plain = kernel.run(f"println!(\"{{:?}}\", vec![{calls}]);").stdout
    probed = kernel.run(f"%mprun {names} println!(\"{{:?}}\", vec![{calls}])")
    assert probed.stdout == plain
    wrong = []
    for number, (case, first) in enumerate(zip(cases, first_lines)):
        profiled = function(probed.json, f"case_{number}::{case['name']}")
        counted = [0] * len(case["source"])
        for line in profiled["lines"]:
            if line["figures"]:
                counted[line["number"] - first] += line["figures"]["hits"]
        expected = case["hits"] + [0] * (len(counted) - len(case["hits"]))
        if counted != expected:
            wrong.append("\n".join([*case["source"], f"counted:  {counted}", f"expected: {expected}"]))
    assert not wrong, "\n\n".join(wrong)
