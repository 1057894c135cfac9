"""%who and %whos: the variables of a session, what they hold, and what measuring them leaves alone."""

import pytest

from timelines import MIB

# Values of types of std: what building one holds is what dropping it frees.
VALUES = [
    "3",
    "'é'",
    "(1u8, 2.5)",
    "std::time::Duration::from_secs(3)",
    "std::time::Instant::now()",
    "0..10",
    "std::num::Wrapping(3)",
    '"static"',
    "[1u64; 100]",
    "Some(Box::new(5))",
    "vec![1u8; 1000]",
    "vec![0u64; 100_000]",
    "Vec::<u32>::with_capacity(77)",
    "(0..20).map(|n| vec![n; n]).collect::<Vec<_>>()",
    "vec![Some(Box::new(1u8)), None, Some(Box::new(2))]",
    'String::from("some text")',
    "String::with_capacity(5000)",
    '["a", "bc"].map(String::from)',
    '(String::from("a"), vec![1, 2], 3)',
    "Box::new([1u8; 3000])",
    "vec![1u16; 33].into_boxed_slice()",
    'String::from("boxed").into_boxed_str()',
    'Box::new(|a: i32| a + 1) as Box<dyn Fn(i32) -> i32>',
    '{ let held = vec![7u8; 500]; Box::new(move |a: usize| held[a]) as Box<dyn Fn(usize) -> u8> }',
    'Box::<dyn std::error::Error>::from("went wrong")',
    'std::io::Error::other("went wrong")',
    "Box::pin(8u128)",
    "std::rc::Rc::new(5)",
    "std::rc::Rc::new(vec![1u8; 300])",
    '(std::rc::Rc::<str>::from("text"), std::rc::Rc::<[u8]>::from([1, 2, 3]))',
    "{ let one = std::rc::Rc::new(vec![1u8; 200]); (one.clone(), one) }",
    "{ let one = std::rc::Rc::new(5); std::rc::Rc::downgrade(&one) }",
    "std::sync::Arc::new(std::sync::Mutex::new(vec![1u8; 90]))",
    'std::sync::Arc::<str>::from("text")',
    "std::cell::RefCell::new(vec![1u8; 90])",
    'std::cell::OnceCell::from(String::from("once"))',
    'std::sync::OnceLock::from(String::from("once"))',
    "std::sync::RwLock::new(Box::new(4))",
    "std::collections::VecDeque::from(vec![1u8; 70])",
    "(0..50).collect::<std::collections::LinkedList<u64>>()",
    "(0..50).collect::<std::collections::BinaryHeap<u64>>()",
    "(0..500).collect::<std::collections::BTreeSet<u64>>()",
    '(0..500).map(|n| (n, n.to_string())).collect::<std::collections::BTreeMap<_, _>>()',
    "(0..500).collect::<std::collections::HashSet<u64>>()",
    '(0..500).map(|n| (n.to_string(), vec![n; 3])).collect::<std::collections::HashMap<_, _>>()',
    'std::ffi::CString::new("text").unwrap()',
    'std::ffi::OsString::from("text")',
    'std::path::PathBuf::from("/a/b")',
    'std::borrow::Cow::<str>::Owned(String::from("owned"))',
    "std::io::Cursor::new(vec![1u8; 60])",
    "std::io::BufWriter::new(Vec::<u8>::new())",
    "std::io::BufReader::new(std::io::empty())",
    "vec![1u8, 2, 3].into_iter()",
    "{ let (to, from) = std::sync::mpsc::channel::<String>(); to.send(String::from(\"sent\")).unwrap(); (to, from) }",
    "{ let mut command = std::process::Command::new(\"ls\"); command.arg(\"-l\").env(\"A\", \"b\"); command }",
]

JSON = '{"a": [1, 2.5, null, "text"], "b": {"c": true, "d": ["x", "yy", "zzz"]}}'


def rows(data):
    return {row["name"]: row for row in data["variables"]}


def check_sum(data):
    assert data["heap"] == sum(row["heap"] or 0 for row in data["variables"])
    assert data["heap"] + data["heap_shared"] + data["heap_of_session"] == data["live_heap"]


def test_names_are_listed_in_the_order_of_their_cells(fresh_kernel):
    kernel = fresh_kernel
    assert kernel.run("%who").text == "The session has no variables."
    assert kernel.run("%whos").text.startswith("The session has no variables.\n")
    kernel.run("let z = 3; let v = vec![1u8]; let a = Some(vec![2u8]);")
    kernel.run("let m: std::collections::HashMap<String, u64> = Default::default();")
    assert kernel.run("%who").text == "z v a m"
    assert kernel.run("%who Vec").text == "v a"
    assert kernel.run("%who i32 HashMap<String, u64>").text == "z m"
    assert kernel.run("%who f64").text == "The session has no variable of the type `f64`."
    names = [row["name"] for row in kernel.run("%whos").json["variables"]]
    assert names == ["z", "v", "a", "m"]
    kernel.run("let z = 4u8;")
    assert kernel.run("%who").text == "v a m z"


def test_the_heap_of_a_variable_is_what_building_it_has_obtained(fresh_kernel):
    kernel = fresh_kernel
    held = {}
    for number, value in enumerate(VALUES):
        measured = kernel.run(f"%time let value_{number} = {value};").json
        held[f"value_{number}"] = (value, measured["heap_retained"])
    data = kernel.run("%whos").json
    found = rows(data)
    assert len(found) == len(VALUES) >= 50
    for name, (value, retained) in held.items():
        assert found[name]["heap"] == retained, (value, found[name])
        assert found[name]["no_heap"] is None and found[name]["heap_shared"] == 0, value
        assert (found[name]["blocks"] > 0) == (retained > 0), value
    assert found["value_13"]["blocks"] == 20 and found["value_8"]["size"] == 800
    check_sum(data)


def test_values_of_dependencies_have_a_heap_too(fresh_kernel):
    kernel = fresh_kernel
    kernel.run(':dep serde_json = "1"')
    data = kernel.run(f"%time let json: serde_json::Value = serde_json::from_str(r#\"{JSON}\"#)?;").json
    row = rows(kernel.run("%whos").json)["json"]
    assert row["heap"] == data["heap_retained"] > 0
    assert row["type_name"] == "serde_json::Value" and row["value"].startswith("Object {")


def test_shared_heap_is_counted_once(fresh_kernel):
    kernel = fresh_kernel
    shared = kernel.run("%time let one = std::rc::Rc::new(vec![1u8; 10_000]);").json["heap_retained"]
    kernel.run("let other = (one.clone(), Box::new(1u8)); let third = one.clone(); let apart = Box::new(2u64);")
    data = kernel.run("%whos").json
    found = rows(data)
    assert [found[name]["heap_shared"] for name in ("one", "other", "third", "apart")] == [shared] * 3 + [0]
    assert [found[name]["heap"] for name in ("one", "third")] == [0, 0]
    assert found["other"]["blocks"] == 1
    assert data["heap_shared"] == shared
    check_sum(data)
    kernel.run("drop(other); drop(third);")
    assert rows(kernel.run("%whos").json)["one"]["heap"] == shared


def test_the_live_heap_is_that_of_the_session(fresh_kernel):
    kernel = fresh_kernel
    before = kernel.run("%whos").json
    kernel.run("let block = vec![1u8; 64 << 20];")
    after = kernel.run("%whos").json
    assert 64 * MIB <= after["live_heap"] - before["live_heap"] < 64 * MIB + 64 * 1024
    assert abs(after["heap_of_session"] - before["heap_of_session"]) < 64 * 1024


def test_a_drop_reaches_nothing_outside(fresh_kernel, tmp_path):
    kernel = fresh_kernel
    kernel.run(':dep tempfile = "3"')
    kernel.run(
        "use std::io::{Read, Write};\n"
        "let directory = tempfile::tempdir()?;\n"
        "std::fs::write(directory.path().join(\"inside\"), \"kept\")?;\n"
        "let path = directory.path().to_owned();\n"
        "let file = tempfile::NamedTempFile::new()?;\n"
        "let listener = std::net::TcpListener::bind(\"127.0.0.1:0\")?;\n"
        "let stream = std::net::TcpStream::connect(listener.local_addr()?)?;\n"
        "let (accepted, _) = listener.accept()?;\n"
        "let mut to_socket = std::io::BufWriter::new(accepted.try_clone()?);\n"
        "to_socket.write_all(b\"not yet\")?;\n"
        f"let mut buffered = std::io::BufWriter::new(std::fs::File::create(\"{tmp_path}/buffered\")?);\n"
        "buffered.write_all(b\"not yet\")?;"
    )
    kernel.run(
        "struct Ends(std::process::Child);\n"
        "impl Drop for Ends { fn drop(&mut self) { self.0.kill().unwrap(); } }\n"
        "let ends = Ends(std::process::Command::new(\"sleep\").arg(\"1000\").spawn()?);\n"
        "struct Shuts(std::net::TcpStream);\n"
        "impl Drop for Shuts { fn drop(&mut self) { let _ = self.0.shutdown(std::net::Shutdown::Both); } }\n"
        "let shuts = Shuts(stream.try_clone()?);\n"
        "struct Writes(String);\n"
        "impl Drop for Writes { fn drop(&mut self) {\n"
        "    println!(\"dropped\"); let _ = std::fs::write(&self.0, \"written\");\n"
        "    let _ = std::process::Command::new(\"touch\").arg(&self.0).status();\n"
        "} }\n"
        f"let writes = Writes(String::from(\"{tmp_path}/written\"));"
    )
    for _ in range(2):
        cell = kernel.run("%whos")
        assert cell.stdout == ""
        assert all(row["no_heap"] is None for row in cell.json["variables"]), cell.text
    assert not (tmp_path / "written").exists()
    assert (tmp_path / "buffered").read_bytes() == b""
    assert kernel.value("std::fs::read_to_string(path.join(\"inside\"))?") == '"kept"'
    assert kernel.value("file.path().exists()") == "true"
    kernel.run("let mut ends = ends;")
    assert kernel.value("ends.0.try_wait()?.is_none()") == "true"
    kernel.run("(&stream).write_all(b\"alive\")?; let mut text = [0; 5]; (&accepted).read_exact(&mut text)?;")
    assert kernel.value("std::str::from_utf8(&text)?") == '"alive"'
    # The session's own drop does what it is there for.
    kernel.run("drop(buffered); drop(writes);")
    assert (tmp_path / "buffered").read_bytes() == b"not yet" and (tmp_path / "written").exists()
    kernel.run("drop(shuts); drop(directory);")
    assert kernel.value("path.exists()") == "false"


def test_a_row_that_cannot_be_measured_says_why(fresh_kernel):
    kernel = fresh_kernel
    kernel.run(
        "macro_rules! with_drop { ($name:ident, $what:expr) => {\n"
        "    struct $name(#[allow(dead_code)] Vec<u8>);\n"
        "    impl Drop for $name { fn drop(&mut self) { $what; } }\n"
        "} }\n"
        "with_drop!(Panics, panic!(\"not like this\"));\n"
        "with_drop!(Hangs, loop { std::thread::yield_now() });\n"
        "with_drop!(Aborts, std::process::abort());\n"
        "with_drop!(Exits, std::process::exit(0));\n"
        "with_drop!(Crashes, unsafe { std::ptr::null_mut::<u8>().write_volatile(1) });\n"
        "with_drop!(Starts, { std::thread::spawn(|| {}); });"
    )
    kernel.run("let before = vec![1u8; 1000];")
    kernel.run(
        "let panics = Panics(vec![1]); let hangs = Hangs(vec![1]); let aborts = Aborts(vec![1]);\n"
        "let exits = Exits(vec![1]); let crashes = Crashes(vec![1]); let starts = Starts(vec![1]);"
    )
    kernel.run("let after = vec![1u8; 1000];")
    cell = kernel.run("%whos")
    found = rows(cell.json)
    assert found["panics"]["no_heap"] == "its drop panics: not like this"
    assert found["hangs"]["no_heap"] == "its drop takes longer than 1 s"
    assert "SIGABRT" in found["aborts"]["no_heap"]
    assert found["exits"]["no_heap"] == "its drop ends the process (exit code 0)"
    assert "SIGSEGV" in found["crashes"]["no_heap"]
    assert "failed to spawn thread" in found["starts"]["no_heap"]
    assert found["before"]["heap"] >= 1000 and found["after"]["heap"] >= 1000
    assert found["panics"]["heap"] is None and found["panics"]["size"] == 24
    check_sum(cell.json)
    assert "`hangs`: its drop takes longer than 1 s." in cell.text
    # Their destructors must not run in this session.
    kernel.run(
        "for forgotten in [0] { let _ = forgotten; }\n"
        "std::mem::forget((panics, hangs, aborts, exits, crashes, starts));"
    )


def test_values_are_shown_as_their_types_permit(fresh_kernel):
    kernel = fresh_kernel
    kernel.run(
        "struct Silent; struct Displayed;\n"
        "impl std::fmt::Display for Displayed {\n"
        "    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { f.write_str(\"two\\nlines\") }\n}\n"
        "struct Broken; impl std::fmt::Debug for Broken {\n"
        "    fn fmt(&self, _: &mut std::fmt::Formatter) -> std::fmt::Result { panic!() }\n}\n"
        "struct Loud; impl std::fmt::Debug for Loud {\n"
        "    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {\n"
        "        println!(\"printed\"); std::fs::remove_file(\"/tmp/none\").ok(); f.write_str(\"loud\") }\n}\n"
        "struct Endless; impl std::fmt::Debug for Endless {\n"
        "    fn fmt(&self, _: &mut std::fmt::Formatter) -> std::fmt::Result { loop {} }\n}"
    )
    kernel.run("let silent = Silent; let displayed = Displayed; let broken = Broken; let loud = Loud;")
    kernel.run("let endless = Endless; let all = vec![7u8; 100_000_000]; let text = String::from(\"größer\");")
    cell = kernel.run("%whos")
    assert cell.stdout == ""
    values = {name: row["value"] for name, row in rows(cell.json).items()}
    assert values["silent"] is None and values["broken"] is None and values["endless"] is None
    assert values["displayed"] == "two lines" and values["loud"] == "loud"
    assert values["text"] == '"größer"'
    assert values["all"].startswith("[7, 7, ") and values["all"].endswith("…") and len(values["all"]) == 60


def test_a_session_with_threads_is_measured(fresh_kernel):
    kernel = fresh_kernel
    kernel.run(
        "let shared = std::sync::Arc::new(std::sync::Mutex::new(vec![1u8; 5000]));\n"
        "let (stop, stopped) = std::sync::mpsc::channel::<()>();\n"
        "let theirs = shared.clone();\n"
        "let worker = std::thread::spawn(move || { let _ = stopped.recv(); theirs.lock().unwrap().len() });"
    )
    kernel.run(
        "struct Joins(Option<std::thread::JoinHandle<()>>);\n"
        "impl Drop for Joins { fn drop(&mut self) { let _ = self.0.take().unwrap().join(); } }\n"
        "let joins = Joins(Some(std::thread::spawn(|| loop { std::thread::park() })));\n"
        "let plain = vec![1u8; 1000];"
    )
    found = rows(kernel.run("%whos").json)
    assert found["plain"]["heap"] >= 1000 and found["plain"]["no_heap"] is None
    # The thread holds it, too.
    assert found["shared"]["heap"] == 0
    assert "it may wait for another thread, and the fork has none" in found["joins"]["no_heap"]
    kernel.run("std::mem::forget(joins); stop.send(())?;")
    assert kernel.value("worker.join().unwrap()") == "5000"
    found = rows(kernel.run("%whos").json)
    assert found["shared"]["heap"] >= 5000


def test_statics_and_other_cells_are_no_variables(fresh_kernel):
    kernel = fresh_kernel
    kernel.run("static HITS: std::sync::Mutex<Vec<u8>> = std::sync::Mutex::new(Vec::new());")
    kernel.run("HITS.lock().unwrap().resize(1 << 20, 1); let guardian = &HITS;")
    data = kernel.run("%whos").json
    assert [row["heap"] for row in data["variables"]] == [0]
    assert data["heap_of_session"] >= MIB


def test_options_order_and_deliver_the_result(fresh_kernel):
    kernel = fresh_kernel
    kernel.run("let small = 1u8;")
    kernel.run("let large = vec![1u8; 1 << 20];")
    kernel.run("let middle = String::from(\"text\");")
    first = lambda order: [line.split()[0] for line in kernel.run(f"%whos --sort {order}").text.splitlines()[1:4]]
    assert first("size") == ["large", "middle", "small"]
    assert first("name") == ["large", "middle", "small"]
    assert first("type") == ["middle", "large", "small"]
    assert first("cell") == ["small", "large", "middle"]
    cell = kernel.run("%whos")
    header, *lines = cell.text.splitlines()
    assert header.split() == ["Name", "Type", "Heap", "Shared", "Blocks", "Size", "Cell", "Value"]
    assert lines[-1].endswith("live heap") and cell.json["magic"] == "whos"
    assert "<table" in cell.display["text/html"] and "width:100.0%" in cell.display["text/html"]
    kernel.run("%whos -q -v taken")
    assert kernel.value("taken.variables.len()") == "3"
    assert kernel.value("taken.variables[1].heap.unwrap() >= 1 << 20 && taken.live_heap.is_some()") == "true"
    assert kernel.run("%whos -o -q").result.startswith("<WhosResult : 4 variables with 1.0")
    assert "one of cell, name, type and size" in kernel.fails("%whos --sort weight").traceback
    assert "takes no argument" in kernel.fails("%whos large").traceback
    assert "cannot stand in a block" in kernel.fails("for _ in 0..2 {\n    %whos\n}").traceback
    assert kernel.value("(small, large.len(), middle)") == '(1, 1048576, "text")'
    # Names of variables may be words of types, and keywords.
    kernel.run("let vec = vec![1u8]; let std = 3; let r#type = 4;")
    assert [row["value"] for row in kernel.run("%whos").json["variables"][-3:]] == ["[1]", "3", "4"]


@pytest.mark.parametrize("count", [200])
def test_many_variables_are_one_small_cell(fresh_kernel, count):
    kernel = fresh_kernel
    for start in range(0, count, 50):
        kernel.run(" ".join(f"let v{n}: Vec<u64> = vec![{n}; {n + 1}];" for n in range(start, start + 50)))
    cell = kernel.run("%whos")
    assert len(cell.json["variables"]) == count
    assert all(row["heap"] >= 8 * (n + 1) for n, row in enumerate(cell.json["variables"]))
    check_sum(cell.json)
