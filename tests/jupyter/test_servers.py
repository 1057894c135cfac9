"""Cells that `.await` beside servers that run on: handles, sockets and tasks work in later cells and in runs."""

import pytest

SERVERS = """
:dep tokio = { version = "1", features = ["rt-multi-thread", "sync", "time", "net", "io-util", "macros"] }
use std::io::Result;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

async fn echo(mut stream: TcpStream) -> Result<()> {
    let (mut from, mut to) = stream.split();
    tokio::io::copy(&mut from, &mut to).await?;
    Ok(())
}

async fn ask(stream: &mut TcpStream, number: u8) -> Result<u8> {
    stream.write_all(&[number]).await?;
    stream.read_u8().await
}

/// Answers each request with its path, after a moment.
async fn serve_http(mut stream: TcpStream) -> Result<()> {
    let mut reader = BufReader::new(&mut stream);
    let mut first = String::new();
    reader.read_line(&mut first).await?;
    let mut line = String::new();
    while reader.read_line(&mut line).await? > 2 { line.clear() }
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    let path = first.split(' ').nth(1).unwrap_or_default();
    let answer = format!("HTTP/1.1 200 OK\\r\\ncontent-length: {}\\r\\nconnection: close\\r\\n\\r\\n{path}", path.len());
    stream.write_all(answer.as_bytes()).await
}

async fn get(address: std::net::SocketAddr, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET {path} HTTP/1.1\\r\\nhost: here\\r\\n\\r\\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.rsplit("\\r\\n").next().unwrap_or_default().to_owned())
}
"""


@pytest.fixture(scope="module", autouse=True)
def servers(module_kernel):
    module_kernel.run(SERVERS)
    module_kernel.run('let listener = TcpListener::bind("127.0.0.1:0").await?;\n'
                      'let http = TcpListener::bind("127.0.0.1:0").await?;\n'
                      "let (address, http_address) = (listener.local_addr()?, http.local_addr()?);")
    module_kernel.run("let echoes = tokio::spawn(async move {\n"
                      "    loop { tokio::spawn(echo(listener.accept().await.unwrap().0)); }\n});\n"
                      "let pages = tokio::spawn(async move {\n"
                      "    loop { tokio::spawn(serve_http(http.accept().await.unwrap().0)); }\n});\n"
                      "tokio::task::yield_now().await;")
    module_kernel.run("let mut client = TcpStream::connect(address).await?;\n"
                      "let (sender, mut receiver) = tokio::sync::mpsc::channel::<u8>(4);\n"
                      "let task = tokio::spawn(async move { receiver.recv().await.unwrap() + 1 });")


@pytest.fixture
def kernel(module_kernel):
    """The kernel of the file. After each test, servers and clients of the session still answer."""
    yield module_kernel
    assert module_kernel.value('(ask(&mut client, 7).await?, get(http_address, "/page").await?)') == '(7, "/page")'
    assert "protected:    yes" in module_kernel.run("%session").text
    module_kernel.check_nothing_is_left()


def test_requests_are_answered_from_cell_to_cell(kernel):
    for number in range(3):
        assert kernel.value(f"ask(&mut client, {number}).await?") == str(number)
    assert kernel.value('{ let mut other = TcpStream::connect(address).await?; ask(&mut other, 9).await? }') == "9"


def test_a_task_of_another_cell_is_awaited(kernel):
    kernel.run("sender.send(4).await?;")
    assert kernel.value("task.await?") == "5"
    for _ in range(2):
        kernel.run("%undo")
    assert kernel.value("task.is_finished()") == "false"


@pytest.mark.parametrize("magic", ["%memit -r 3", "%timeit -n 10 -r 2", "%mprof"])
@pytest.mark.parametrize("request_", [
    "ask(&mut client, 8).await?",
    "{ let mut other = TcpStream::connect(address).await?; ask(&mut other, 9).await? }",
    'get(http_address, "/measured").await?',
], ids=["client", "connect", "http"])
def test_requests_are_measured_in_runs_with_servers_of_their_own(kernel, magic, request_):
    cell = kernel.run(f"{magic} {request_}")
    assert cell.json["isolated"] is True and "in place" not in cell.text


@pytest.mark.parametrize("statement", [
    "drop(client)",
    "{ echoes.abort(); pages.abort(); assert!(echoes.await.is_err()) }",
    "{ let std = client.into_std()?; let again = async { TcpStream::from_std(std) }.await?; }",
    "{ client.shutdown().await?; let mut rest = Vec::new(); client.read_to_end(&mut rest).await?; }",
], ids=["drop", "abort", "again", "shutdown"])
def test_a_run_that_ends_servers_and_clients_does_so_for_itself(kernel, statement):
    if "shutdown" in statement:
        # What a run does to a connection stays: the run has one of its own.
        statement = statement.replace("{", "{ let mut client = TcpStream::connect(address).await?;", 1)
    assert kernel.run(f"%memit -r 2 {statement}").json["isolated"] is True


@pytest.mark.parametrize("end, name", [
    ('panic!("after a request")', "Panic"),
    ('std::fs::File::open("none")?', "Error"),
    ("std::process::abort()", "ProcessEnded"),
    ("drop(client); tokio::task::spawn_blocking(|| std::process::exit(0)).await?", "ProcessEnded"),
])
def test_a_cell_that_fails_leaves_servers_and_clients_alone(kernel, end, name):
    kernel.fails("let mut other = TcpStream::connect(address).await?; ask(&mut other, 1).await?;\n"
                 f"ask(&mut client, 2).await?; echoes.abort(); sender.send(1).await?; {end};", name)
    assert kernel.value("(echoes.is_finished(), task.is_finished())") == "(false, false)"


@pytest.mark.parametrize("endless", [
    "std::future::pending::<()>().await;",
    "TcpStream::connect(address).await?.read_u8().await?;",
    "task.await?;",
    "loop { ask(&mut client, 3).await?; tokio::task::yield_now().await }",
], ids=["pending", "socket", "task", "requests"])
def test_interrupts_of_a_cell_that_awaits_for_ever_lose_nothing(kernel, endless):
    for _ in range(2):
        cell = kernel.start(f'println!("waits"); {endless}')
        kernel.wait_for(cell, lambda cell: cell.stdout or cell.done)
        kernel.interrupt()
        kernel.finish(cell)
        assert cell.content["ename"] == "KeyboardInterrupt"
        assert "nothing is lost" in cell.traceback
        # What a run or cell has sent is answered: a connection without unread answers comes next.
        if "ask" in endless:
            kernel.run("client = TcpStream::connect(address).await?;")


def test_a_pasted_program_with_a_runtime_of_its_own_runs_after_an_await(kernel):
    program = "#[tokio::main]\nasync fn main() {\n    let five = tokio::spawn(async { 5 }).await.unwrap();\n" \
        '    println!("five: {five}");\n}\nmain()'
    for _ in range(2):
        assert kernel.run(program).stdout == "five: 5\n"
    own = "let own = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;"
    # The second runtime takes the place of the first, in a cell that awaits.
    for _ in range(2):
        kernel.run(own + " tokio::task::yield_now().await;")
    assert kernel.value("own.block_on(async { 6 })") == "6"
    assert kernel.run("%timeit -n 2 -r 2 own.block_on(ask(&mut client, 1))?").json["isolated"] is True
