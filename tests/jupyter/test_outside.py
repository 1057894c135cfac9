"""Files, sockets and pipes that the session has open: what runs and failed cells do to them."""

import re

import pytest


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "numbers.txt").write_text("1\n2\n3\n4\n")
    return tmp_path


def test_every_run_reads_from_the_same_position(kernel, directory):
    kernel.run(f"""
        let mut numbers = std::fs::File::open("{directory}/numbers.txt")?;
        let mut lines_read = std::io::BufRead::lines(std::io::BufReader::with_capacity(
            3, std::fs::File::open("{directory}/numbers.txt")?));
    """)
    read = "{ let mut all = String::new(); std::io::Read::read_to_string(&mut numbers, &mut all)?; all }"
    runs = kernel.run(f"%memit {read}").json["runs"]
    assert len({run["heap_peak"] for run in runs}) == 1 and runs[0]["heap_peak"] > 0
    kernel.run("%memit -r 2 lines_read.next().unwrap()?")
    kernel.run("%timeit -n 2 -r 2 lines_read.next().unwrap()?")
    assert kernel.value("lines_read.next().unwrap()?") == '"1"'
    # A failed cell puts the position back, too.
    kernel.fails(f"let all = {read}; panic!()", ename="Panic")
    kernel.run(f"let undone = {read};")
    kernel.run("%undo")
    assert kernel.value(read) == r'"1\n2\n3\n4\n"'


def test_what_a_run_writes_to_a_file_of_the_session_does_not_stay(kernel, directory):
    kernel.run(f"""
        use std::io::Write;
        let mut buffered = std::io::BufWriter::new(std::fs::File::create("{directory}/out.txt")?);
        let mut appended = std::fs::File::options().append(true).open("{directory}/numbers.txt")?;
        buffered.write_all(b"once\\n")?;
    """)
    cells = [
        "%memit -r 3 buffered.into_inner()",
        "%memit drop(buffered)",
        "%timeit -n 5 -r 2 { buffered.flush()?; appended.write_all(b\"5\") }",
        "%mprof { buffered.write_all(&[65; 100_000])?; }",
    ]
    for cell in cells:
        assert "stays" not in kernel.run(cell).text
    kernel.run("""
        fn append(file: &mut std::fs::File) -> std::io::Result<()> { file.write_all(b"5") }
        %mprun -f append append(&mut appended)?
        %lprun -f append append(&mut appended)?
    """)
    kernel.run("buffered.flush()?;")
    assert (directory / "out.txt").read_text() == "once\n"
    assert (directory / "numbers.txt").read_text() == "1\n2\n3\n4\n"


@pytest.mark.parametrize("magic", ["%memit -r 2", "%timeit -n 2 -r 2", "%mprof", "%mprun -f give", "%lprun -f give"])
def test_what_a_run_writes_to_a_socket_is_in_its_report(kernel, magic):
    kernel.run("""
        fn give(to: &mut std::os::unix::net::UnixStream) { std::io::Write::write_all(to, b"x").unwrap() }
        let (mut near, mut far) = std::os::unix::net::UnixStream::pair()?;
    """)
    cell = kernel.run(f"{magic} give(&mut near)")
    note = r"the run has written to a socket \(descriptor \d+\), which the session has open: what it wrote stays"
    assert re.search(f"{note}$", cell.text), cell.text
    assert re.search(note, cell.display["text/html"])
    (remark,) = cell.json["remarks"]
    assert re.fullmatch(note, remark)
    kernel.run(f"{magic} -q -v given give(&mut near)")
    assert re.fullmatch(note, kernel.value("given.remarks[0]").strip('"'))
    # A clone is the same socket. A socket of the run's own is none of the session.
    assert re.search(note, kernel.run("%memit give(&mut near.try_clone()?)").text)
    of_its_own = "{ drop(far); let mut pair = std::os::unix::net::UnixStream::pair()?; give(&mut pair.0) }"
    assert "written" not in kernel.run(f"%memit {of_its_own}").text


def test_a_magic_in_a_block_names_what_its_runs_have_written_to(kernel):
    kernel.run("let mut in_block = std::os::unix::net::UnixStream::pair()?;")
    cell = kernel.run("""
        use std::io::Write;
        for byte in [1u8, 2] {
            %memit -r 1 in_block.0.write_all(&[byte])
        }
    """)
    assert [len(data["application/vnd.memit+json"]["remarks"]) for data in cell.displays] == [1, 1]
    failing = "for byte in [1u8] {\n%memit -r 1 { in_block.0.write_all(&[byte])?; panic!() }\n}"
    assert "the variables of the session are as they were; the run has written" in kernel.fails(failing).traceback


def test_a_socket_that_a_run_shuts_down_is_in_its_report(kernel):
    kernel.run("let shut = std::os::unix::net::UnixStream::pair()?.0;")
    text = kernel.run("%memit -r 1 shut.shutdown(std::net::Shutdown::Both)").text
    assert re.search(r"the run has shut down a socket \(descriptor \d+\), which the session has open", text)


def test_what_a_run_takes_from_a_pipe_is_in_its_report(kernel):
    kernel.run("""
        use std::io::{Read, Write};
        let (mut from_pipe, mut to_pipe) = std::io::pipe()?;
        to_pipe.write_all(b"four")?;
    """)
    text = kernel.run("%memit -r 1 from_pipe.read(&mut [0; 2])?").text
    assert re.search(r"the run has read from a pipe \(descriptor \d+\), which the session has open", text)
    failed = kernel.fails("%memit -r 1 { to_pipe.write_all(b\"x\")?; panic!(\"after\") }", ename="Panic")
    printed = failed.traceback
    assert "the variables of the session are as they were; the run has written to a pipe" in printed
    assert "the session and its variables" not in printed


def test_work_that_is_left_undone_is_in_the_report(kernel):
    kernel.run("async fn later() -> u8 { 1 }\nlet undone = vec![1u64, 2, 3];")
    future, iterator = "a future that was not awaited", "an iterator that has not come to its end"
    for statement, note in [
        ("later()", future),
        ("async { 3 }", future),
        ("Box::pin(later())", future),
        ("undone.iter().map(|x| x * 2)", iterator),
        ("undone.iter().rev().filter(|x| **x > 1).enumerate()", iterator),
        ('"a b".split_whitespace()', iterator),
        ("std::iter::successors(Some(1), |x| Some(x + 1)).take(3)", iterator),
    ]:
        assert note in kernel.run(f"%memit -r 1 {statement}").text, statement
    assert future in kernel.run("%timeit -n 3 -r 1 later()").text
    assert iterator in kernel.run("%mprof undone.iter().map(|x| x * 2)").text
    removed = kernel.run("%memit { let v = vec![1u8; 1 << 20]; drop(v) }")
    assert "nothing was allocated, although the statements contain `vec`" in removed.text
    assert len(removed.json["remarks"]) == 1
    for statement in [
        "0..10",
        "undone.clone().into_iter()",
        "undone.iter().zip(&undone).rev()",
        "undone.iter().map(|x| x * 2).sum::<u64>()",
        "std::future::ready(1)",
        "Some(later())",
    ]:
        assert "the value is" not in kernel.run(f"%memit -r 1 {statement}").text, statement
