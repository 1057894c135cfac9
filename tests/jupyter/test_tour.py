"""evcxr_jupyter's tour, without the cells that need a network: the same results here as there.

Where they differ it is for the better: a panic or a `?` that ends a cell is an error, a compile error
names its place."""

import time

from client import TIMEOUT


def test_the_tour_of_evcxr_jupyter(fresh_kernel):
    kernel = fresh_kernel

    cell = kernel.run(
        'println!("Hello world");\neprintln!("Hello error");\nformat!("Hello {}", "world")'
    )
    assert (cell.stdout, cell.stderr) == ("Hello world\n", "Hello error\n")
    assert cell.result == '"Hello world"'

    assert kernel.run('let mut message = "Hello ".to_owned();').outputs == []
    assert kernel.run('message.push_str("world!");').outputs == []
    assert kernel.value("message") == '"Hello world!"'

    fib = "pub fn fib(x: i32) -> i32 {\n    if x <= 2 {%} else {fib(x - 2) + fib(x - 1)}\n}"
    kernel.run(fib.replace("%", "0"))
    assert kernel.value("(1..13).map(fib).collect::<Vec<i32>>()") == str([0] * 12)
    kernel.run(fib.replace("%", "1"))
    cell = kernel.run("let values = (1..13).map(fib).collect::<Vec<i32>>();\nvalues")
    assert cell.result == "[1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144]"

    kernel.run(MATRIX)
    cell = kernel.run("let m = Matrix {values: vec![1,2,3,4,5,6,7,8,9], row_size: 3};\nm")
    (result,) = cell.of_type("execute_result")
    rows = ("<tr><td>1</td><td>2</td><td>3</td></tr><tr><td>4</td><td>5</td><td>6</td></tr>"
            "<tr><td>7</td><td>8</td><td>9</td></tr>")
    assert result["data"] == {"text/html": f"<table>{rows}</table>"}

    cell = kernel.fails('let mut s = String::new();\ns.push_str(format!("foo {}", 42));')
    assert "mismatched types" in cell.traceback
    assert "cell:2:12" in cell.traceback

    cell = kernel.fails('let port: u16 = "99999".parse()?;', "Error")
    assert cell.content["evalue"] == "number too large to fit in target type"
    assert "cell:1:32" in cell.traceback

    kernel.run(COUNTER)
    first = int(kernel.value("*counter.lock()?"))
    assert first > 0
    end = time.monotonic() + TIMEOUT
    while int(kernel.value("*counter.lock()?")) <= first:
        assert time.monotonic() < end, "the thread does not go on"

    variables = kernel.run(":vars").result.splitlines()
    types = {"counter": "Arc", "message": "String", "m": "Matrix<i32>", "values": "Vec<i32>"}
    for name, of in types.items():
        assert any(line.startswith(f"{name}:") and of in line for line in variables), variables
    commands = kernel.run(":help").result
    assert ":dep" in commands and ":clear" in commands


MATRIX = r"""use std::fmt::Debug;
pub struct Matrix<T> {pub values: Vec<T>, pub row_size: usize}
impl<T: Debug> Matrix<T> {
    pub fn evcxr_display(&self) {
        let mut html = String::new();
        html.push_str("<table>");
        for r in 0..(self.values.len() / self.row_size) {
            html.push_str("<tr>");
            for c in 0..self.row_size {
                html.push_str("<td>");
                html.push_str(&format!("{:?}", self.values[r * self.row_size + c]));
                html.push_str("</td>");
            }
            html.push_str("</tr>");
        }
        html.push_str("</table>");
        println!("EVCXR_BEGIN_CONTENT text/html\n{}\nEVCXR_END_CONTENT", html);
    }
}"""

COUNTER = """use std::sync::{Mutex, Arc};
let counter = Arc::new(Mutex::new(0i32));
std::thread::spawn({
    let counter = Arc::clone(&counter);
    move || {
        for i in 1..300 {
            *counter.lock().unwrap() += 1;
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
}});"""
