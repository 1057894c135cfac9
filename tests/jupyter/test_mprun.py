"""%mprun: what each line of a function does to memory, to the byte."""

import re
from textwrap import dedent

import pytest

from lines import figures, function
from noting import NOTE, sizes


@pytest.fixture(scope="module")
def noting(module_kernel):
    module_kernel.run(NOTE)
    return module_kernel


def test_each_line_is_charged_to_the_byte(noting):
    noting.run(dedent("""
        fn exact() -> Vec<u64> {
            let a = vec![1u8; 1_000];
            note(0, &a);
            let b = vec![2u8; 300_000];
            note(1, &b);
            drop(a);
            let (c, ()) = (vec![3u16; 5_000], drop(b));
            note(2, &c);
            let longer = [c.as_slice(), &[4; 7]].concat();
            note(3, &longer);
            vec![longer[5].into(); 10]
        }
    """))
    cell = noting.run("%mprun -f exact { let kept = exact(); note(4, &kept); sizes::tell(); kept }")
    a, b, c, longer, kept, *_ = sizes(cell)
    lines = figures(cell.json, "exact")
    assert lines["let a"]["increment"] == a
    assert lines["let b"]["increment"] == b
    assert lines["drop(a)"]["increment"] == -a
    assert lines["drop(b)"]["increment"] == c - b
    assert lines["let longer"]["increment"] == longer
    assert lines["vec![longer"]["increment"] == kept
    assert lines.last()["increment"] == -c - longer
    assert lines["drop(b)"]["peak"] == c
    assert lines["let b"]["memory"] == a + b
    assert lines["drop(a)"]["memory"] == b
    assert lines["let a"]["allocations"] == 1
    assert lines["drop(a)"]["allocations"] == 0
    assert lines["note(0"] == {
        "hits": 1, "memory": a, "increment": 0, "peak": 0, "allocations": 0, "time_ns": 0,
    }
    assert lines.sum("increment") == kept
    assert function(cell.json, "exact")["calls"] == 1


def test_a_peak_within_a_line_is_seen(noting):
    noting.run(dedent("""
        fn brief(n: usize) -> usize {
            let before = vec![1u8; 10_000];
            let sum = { let taken = vec![1u8; n]; note(0, &taken); taken.len() };
            sum + std::hint::black_box(&before).len()
        }
        fn calls_brief() -> usize {
            brief(50_000) + brief(200_000)
        }
    """))
    cell = noting.run("%mprun -f calls_brief -f brief { let n = calls_brief(); sizes::tell(); n }")
    taken = sizes(cell)[0]
    brief = figures(cell.json, "brief")
    assert brief["let sum"]["increment"] == 0
    largest = brief["let sum"]["peak"]
    assert 200_000 <= largest < taken
    outer = figures(cell.json, "calls_brief")["brief(50_000)"]
    assert outer["peak"] == largest + brief["let before"]["peak"]
    assert outer["increment"] == 0
    assert outer["allocations"] == 4
    assert [each["name"] for each in cell.json["functions"]] == ["calls_brief", "brief"]


def test_loops_add_up(noting):
    noting.run(dedent("""
        fn loops(n: usize) -> Vec<Vec<u8>> {
            let mut all = Vec::with_capacity(n);
            for i in 0..n {
                let block = vec![i as u8; 3_000];
                note(0, &block);
                all.push(block);
            }
            note(1, &all);
            let mut left = n;
            while left > n / 4 {
                if let Some(block) = all.pop() {
                    note(2, &block);
                }
                left -= 1;
            }
            all
        }
    """))
    cell = noting.run("%mprun -f loops { let all = loops(1000); sizes::tell(); all }")
    blocks, own, dropped, *_ = sizes(cell)
    lines = figures(cell.json, "loops")
    assert lines["let block"] | {"memory": 0, "peak": 0} == {
        "hits": 1000, "memory": 0, "increment": blocks, "peak": 0, "allocations": 1000, "time_ns": 0,
    }
    assert lines["for i"]["hits"] == 1001
    assert lines["while left"]["hits"] == 751
    assert lines["with_capacity"]["increment"] == own
    assert lines["all.push"]["increment"] == 0
    assert lines.sum("increment") == blocks + own - dropped
    assert lines["left -= 1"]["hits"] == 750


def test_recursion_counts_each_byte_once(noting):
    noting.run(dedent("""
        struct Node { data: Vec<u8>, children: Vec<Node> }
        fn grow(depth: u32) -> Node {
            let data = vec![1u8; 1_000];
            note(0, &data);
            if depth == 0 {
                return Node { data, children: Vec::new() };
            }
            let children = vec![grow(depth - 1), grow(depth - 1)];
            note(1, &children);
            Node { data, children }
        }
    """))
    cell = noting.run("%mprun -f grow { let node = grow(6); sizes::tell(); node.data.len() + node.children.len() }")
    data, children, *_ = sizes(cell)
    lines = figures(cell.json, "grow")
    assert lines["let data"]["increment"] == data
    assert lines["let children"]["increment"] == children
    assert lines["let data"]["hits"] == 127
    assert lines["return"]["hits"] == 64
    assert lines.sum("increment") == data + children
    assert function(cell.json, "grow")["calls"] == 127
    assert lines["let children"]["peak"] == data + children - data // 127


def test_functions_of_every_kind_are_found(noting):
    noting.run(dedent("""
        struct Stack<T> { items: Vec<T> }
        impl<T: Clone> Stack<T> {
            fn push(&mut self, item: T) -> &mut Self {
                self.items.push(item);
                self
            }
        }
        trait Describe {
            fn describe(&self) -> String;
            fn twice(&self) -> String {
                let once = self.describe();
                once.repeat(2)
            }
        }
        impl Describe for Stack<u8> {
            fn describe(&self) -> String {
                format!("{:?}", self.items)
            }
        }
        mod inner {
            pub fn deep() -> Vec<u8> {
                fn deeper() -> Vec<u8> {
                    vec![1; 10]
                }
                deeper()
            }
        }
    """))
    cell = noting.run(
        "%mprun -f Stack::push -f twice -f Stack::describe -f inner::deep -f deeper "
        "{ let mut s = Stack { items: vec![1u8] }; s.push(2).push(3); let mut t = Stack { items: vec![] }; "
        "t.push(\"a\"); (s.twice(), t.items.len(), inner::deep()) }"
    )
    assert function(cell.json, "Stack::push")["calls"] == 3
    assert figures(cell.json, "Describe::twice").hits()[1:3] == [1, 1]
    assert figures(cell.json, "Stack::describe")["format!"]["hits"] == 1
    assert figures(cell.json, "inner::deep::deeper")["vec!"]["allocations"] == 1
    assert function(cell.json, "inner::deep")["calls"] == 1


def test_closures_and_what_runs_them_are_told_apart(noting):
    noting.run(dedent("""
        fn closures(n: usize) -> Vec<Vec<u8>> {
            let all: Vec<_> = (0..n)
                .map(|i| {
                    let block = vec![i as u8; 2_000];
                    note(0, &block);
                    block
                })
                .collect();
            note(1, &all);
            all
        }
        fn returns_one() -> impl FnMut() -> usize {
            let mut kept = Vec::new();
            move || {
                kept.push(vec![1u8; 10]);
                kept.len()
            }
        }
    """))
    cell = noting.run(
        "%mprun -f closures -f returns_one { let all = closures(50); sizes::tell(); "
        "let mut f = returns_one(); let outside = vec![1u8; 70_000]; (f() + f() + outside.len(), all) }"
    )
    blocks, own, *_ = sizes(cell)
    lines = figures(cell.json, "closures")
    assert lines["let block"]["increment"] == blocks
    assert lines["let block"]["hits"] == 50
    assert lines["let all"]["increment"] == own
    assert lines["let all"]["hits"] == 1
    assert lines.sum("increment") == blocks + own
    returned = figures(cell.json, "returns_one")
    assert returned["kept.push"]["hits"] == 2
    # What is done between two calls of it is not its own.
    assert returned.sum("increment") < 1_000


PAUSE = dedent("""
    use std::future::Future;
    use std::task::{Context, Poll, Waker};
    struct Pause(bool);
    impl Future for Pause {
        type Output = ();
        fn poll(mut self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
        }
    }
""")


def test_a_future_is_charged_only_while_it_is_polled(noting):
    noting.run(PAUSE + dedent("""
        async fn waits(n: usize) -> Vec<u8> {
            let a = vec![1u8; n];
            note(0, &a);
            Pause(false).await;
            let b = vec![2u8; 2 * n];
            note(1, &b);
            Pause(false).await;
            b
        }
        fn poll_both() -> usize {
            let mut one = Box::pin(waits(1_000));
            let mut two = Box::pin(waits(5_000));
            let mut context = Context::from_waker(Waker::noop());
            let mut sum = 0;
            let mut outside = Vec::new();
            for _ in 0..3 {
                for each in [&mut one, &mut two] {
                    outside.push(vec![3u8; 100_000]);
                    if let Poll::Ready(done) = each.as_mut().poll(&mut context) {
                        sum += done.len();
                    }
                }
            }
            sum + outside.len()
        }
    """))
    cell = noting.run("%mprun -f waits { let n = poll_both(); sizes::tell(); n }")
    a, b, *_ = sizes(cell)
    lines = figures(cell.json, "waits")
    assert lines["let a"]["increment"] == a
    assert lines["let b"]["increment"] == b
    assert lines.sum("increment") == b
    assert lines.last()["increment"] == -a
    assert function(cell.json, "waits")["calls"] == 2


def test_an_async_function_is_charged_with_the_drop_of_what_it_owns(noting):
    noting.run(PAUSE + dedent("""
        struct Held(Vec<u8>);
        impl Held {
            async fn given(self, more: Vec<u8>) -> Result<usize, std::fmt::Error> {
                note(0, &self.0);
                note(1, &more);
                Pause(false).await;
                Ok(self.0.len())
            }
            async fn left(mut self, early: bool) -> usize {
                note(0, &self.0);
                if early {
                    return 1;
                }
                Pause(false).await;
                2
            }
        }
        fn finish<F: Future>(future: F) -> F::Output {
            let mut future = Box::pin(future);
            let mut context = Context::from_waker(Waker::noop());
            loop {
                if let Poll::Ready(done) = future.as_mut().poll(&mut context) { return done; }
            }
        }
    """))
    cell = noting.run(
        "%mprun -f given { let held = Held(vec![1; 5_000]); let n = finish(held.given(vec![2; 700])); sizes::tell(); n }"
    )
    held, more, *_ = sizes(cell)
    lines = figures(cell.json, "Held::given")
    assert lines.last()["increment"] == -(held + more)
    assert lines.sum("increment") == -(held + more)
    for early in ("true", "false"):
        cell = noting.run(f"%mprun -f left {{ let n = finish(Held(vec![1; 9_000]).left({early})); sizes::tell(); n }}")
        # A `return` drops what the function owns.
        lines = figures(cell.json, "Held::left")
        dropping = lines["return 1"] if early == "true" else lines.last()
        assert dropping["increment"] == -sizes(cell)[0]


def test_the_rest_of_an_array_is_dropped_at_the_end_of_the_function(noting):
    noting.run(dedent("""
        fn head([first, ..]: [Vec<u8>; 3]) -> usize {
            note(0, &first);
            first.len()
        }
    """))
    cell = noting.run("%mprun -f head { let n = head([0, 1, 2].map(|_| vec![1; 3_000])); sizes::tell(); n }")
    assert figures(cell.json, "head").last()["increment"] == -3 * sizes(cell)[0]


def test_threads_are_counted_exactly(noting):
    noting.run(dedent("""
        fn work(n: u64) -> u64 {
            let mut sum = 0;
            for i in 0..n {
                sum += i % 7;
            }
            sum
        }
        fn spawn(threads: u64) -> u64 {
            let threads: Vec<_> = (0..threads)
                .map(|_| std::thread::spawn(|| work(20_000)))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        }
    """))
    cell = noting.run("%mprun -f work -f spawn spawn(4)")
    work = figures(cell.json, "work")
    assert work["sum += i"]["hits"] == 80_000
    assert work["for i"]["hits"] == 80_004
    assert function(cell.json, "work")["calls"] == 4
    assert cell.json["threaded"] is True
    assert figures(cell.json, "spawn")["let threads"]["hits"] == 1
    assert "thread" in cell.text.splitlines()[-1]


def test_a_line_is_charged_with_its_own_thread_alone(noting):
    noting.run(dedent("""
        fn takes(n: usize) -> usize {
            let a = vec![1u8; n];
            let b = vec![2u8; 2 * n];
            std::hint::black_box((&a, &b));
            drop(a);
            b.len()
        }
        fn holds_nothing(n: u64) -> u64 {
            let mut sum = 0;
            for i in 0..n {
                sum ^= std::hint::black_box(i);
            }
            sum
        }
        fn both() -> usize {
            for _ in 0..300 {
                takes(10_000);
            }
            holds_nothing(200_000) as usize
        }
        fn passes_on() -> usize {
            let (sender, receiver) = std::sync::mpsc::channel::<Vec<u8>>();
            let thread = std::thread::spawn(move || frees(receiver));
            let made = vec![1u8; 100_000];
            sender.send(made).unwrap();
            drop(sender);
            thread.join().unwrap()
        }
        fn frees(receiver: std::sync::mpsc::Receiver<Vec<u8>>) -> usize {
            let taken = receiver.recv().unwrap();
            let n = taken.len();
            drop(taken);
            n
        }
    """))
    for call in (
        "std::thread::scope(|s| { for _ in 0..3 { s.spawn(both); } both() })",
        "(0..4).map(|_| std::thread::spawn(both)).collect::<Vec<_>>().into_iter().map(|t| t.join().unwrap()).sum::<usize>()",
    ):
        data = noting.run(f"%mprun -f takes -f holds_nothing {call}").json
        takes = figures(data, "takes")
        each = takes["let a"]["increment"] // 1200
        assert 10_000 <= each < 10_100
        assert takes["let a"]["increment"] == 1200 * each
        assert takes["let a"]["allocations"] == takes["let b"]["allocations"] == 1200
        assert takes["drop(a)"]["increment"] == -1200 * each
        assert takes["let b"]["increment"] == -takes.last()["increment"]
        assert takes["let b"]["peak"] < 20_100
        nothing = figures(data, "holds_nothing")
        assert (nothing.sum("increment"), nothing.sum("allocations")) == (0, 0)
        assert nothing["sum ^="]["hits"] == 800_000
    # The thread that frees a block is charged, whichever thread has obtained it.
    cell = noting.run("%mprun -f frees -f passes_on passes_on()")
    assert -100_100 < figures(cell.json, "frees")["drop(taken)"]["increment"] <= -100_000
    assert 100_000 <= figures(cell.json, "passes_on")["let made"]["increment"] < 100_100
    assert "charged with what its own thread allocates and frees" in cell.text


def test_what_a_function_owns_is_freed_at_its_brace(noting):
    noting.run(dedent("""
        struct Held { v: Vec<u8>, n: usize }
        trait Ends { fn ends(self) -> usize; }
        impl Ends for Held {
            fn ends(mut self) -> usize {
                self.n += 1;
                if self.n > 100 {
                    return self.v.len();
                }
                self.v.len() + self.n
            }
        }
        impl Held {
            fn new() -> Self { Held { v: vec![1; 1_000], n: 0 } }
            fn eat(self) -> usize {
                self.v.len()
            }
            fn boxed(self: Box<Self>) -> usize {
                let n = self.n;
                n + 1
            }
            fn gives_part(self) -> Vec<u8> {
                let v = self.v;
                v
            }
            fn borrows(self, other: &mut Vec<u8>) -> &mut u8 {
                other.push(self.v[0]);
                &mut other[0]
            }
            fn opaque(self) -> impl Iterator<Item = usize> {
                let n = self.v.len();
                0..n
            }
        }
        fn pair((a, mut b): (Vec<u8>, Vec<u8>)) -> usize {
            b[0] = 1;
            a.len() + b.len()
        }
        fn fields(Held { v, n: _ }: Held, _: Vec<u8>) -> usize {
            let n = v.len();
            n + 1
        }
        fn with_closure(all: Vec<Vec<u8>>) -> usize {
            all.into_iter()
                .map(|v| {
                    let n = v.len();
                    n + 1
                })
                .sum()
        }
    """))

    def freed(name, call):
        lines = figures(noting.run(f"%mprun -f {name} {call}").json, name)
        return -lines.last()["increment"]

    assert freed("Held::eat", "Held::new().eat()") in range(1_000, 1_100)
    assert freed("Held::ends", "Held::new().ends()") in range(1_000, 1_100)
    assert freed("Held::boxed", "Box::new(Held::new()).boxed()") in range(1_030, 1_200)
    assert freed("Held::borrows", "*Held::new().borrows(&mut vec![0; 1])") in range(1_000, 1_100)
    assert freed("Held::opaque", "Held::new().opaque().sum::<usize>()") in range(1_000, 1_100)
    assert freed("pair", "pair((vec![1; 500], vec![2; 700]))") in range(1_200, 1_300)
    assert freed("fields", "fields(Held::new(), vec![1; 500])") in range(1_500, 1_700)
    parts = figures(noting.run("%mprun -f gives_part Held::new().gives_part()").json, "Held::gives_part")
    assert parts.sum("increment") == 0
    closure = noting.run("%mprun -f with_closure with_closure(vec![vec![1; 1_000]; 50])").json
    lines = figures(closure, "with_closure")
    braces = [line["figures"] for line in lines.lines if line["source"].strip() == "})"]
    assert braces[0]["increment"] in range(-55_000, -49_999)
    assert lines["let n"]["increment"] == 0


PANICS = [
    ("fn dies(n: usize) -> u8 {\n    let v = vec![1u8; 3];\n    v[n]\n}", "dies(9)", 3),
    ("fn divides(b: u32) -> u32 {\n    let v = vec![1u8; 100];\n    let c = v.len() as u32; return c / b;\n}", "divides(0)", 3),
    ("fn checks(n: u32) -> u32 {\n    if n > 1 {\n        assert!(n < 5, \"é\"); n\n    } else { n }\n}", "checks(9)", 3),
    ("fn unwraps(n: Option<u32>) -> u32 {\n    let v = vec![1u8; 100];\n    match n { None if v.is_empty() => 1, other => other.unwrap() }\n}", "unwraps(None)", 3),
]


@pytest.mark.parametrize(("source", "call", "line"), PANICS)
def test_a_panic_is_where_it_is_without_probes(noting, source, call, line):
    def place(traceback):
        return [row for row in traceback.splitlines() if re.match(r" *(-->|\d* *\|)", row)]

    noting.run(source)
    name = call.split("(")[0]
    plain = place(noting.fails(call, ename="Panic").traceback)
    assert len(plain) >= 3
    for magic in ("%mprun", "%lprun"):
        cell = noting.fails(f"{magic} -f {name} {call}", ename="Panic")
        assert place(cell.traceback) == plain
        assert function(cell.json, name)["stopped_at"] == line
        assert "is the line that was running" in cell.text
    memory = noting.fails(f"%mprun -f {name} {call}").json
    # The message of the panic is that of the line; the report is not.
    assert figures(memory, name).sum("allocations") <= 4
    noting.run(f"#[profile]\n{source}")
    marked = place(noting.fails(call, ename="Panic").traceback)
    assert [re.sub(rf"\b{line + 1}(?=:| \|)", f"{line}", row, count=1) for row in marked] == plain


def test_a_panic_that_is_caught_stops_no_line(noting):
    noting.run(dedent("""
        fn catches() -> usize {
            let caught = std::panic::catch_unwind(|| panic!("caught")).is_err();
            let v = std::hint::black_box(vec![1u8; 1_000]);
            v.len() + usize::from(caught)
        }
    """))
    data = noting.run("%mprun -f catches catches()").json
    assert function(data, "catches")["stopped_at"] is None
    assert figures(data, "catches")["let v"]["increment"] in range(1_000, 1_100)


def test_a_function_that_a_macro_makes_is_named_as_such(noting):
    noting.run("macro_rules! make { ($name:ident) => { fn $name() -> u8 { 1 } } }\nmake!(made);")
    for magic in ("%mprun", "%lprun"):
        error = noting.fails(f"{magic} -f made made()").traceback
        assert "the macro `make!` makes `made`" in error
    error = noting.fails("%mprun -f unmade 1 + 1").traceback
    assert "there is no function `unmade`" in error


def test_resident_memory_can_be_charged_instead(noting):
    noting.run(dedent("""
        fn touches(pages: usize) -> usize {
            let mut v = vec![0u8; pages << 12];
            let half = v.len() / 2;
            for i in (0..half).step_by(4096) {
                v[i] = 1;
            }
            std::hint::black_box(&v);
            drop(v);
            half
        }
    """))
    for backend in ("rss", "pss", "uss"):
        data = noting.run(f"%mprun --backend {backend} -f touches touches(20_000)").json
        lines = figures(data, "touches")
        assert abs(lines["let mut v"]["increment"]) < 1 << 20
        touched = lines["v[i] = 1"]["increment"] + lines["for i"]["increment"]
        # Resident memory is all kinds of pages, and the system may take some back meanwhile.
        assert abs(touched - (10_000 << 12)) < 2 << 20
        assert lines["drop(v)"]["increment"] < -(9_500 << 12)
        assert data["kind"]["backend"] == backend
        assert data["kind"]["baseline"] > 0


def test_child_processes_can_be_included(noting):
    noting.run(dedent("""
        fn parent() -> bool {
            let status = std::process::Command::new("python3")
                .args(["-c", "import time; b = bytearray(60_000_000); time.sleep(0.5)"])
                .status();
            status.is_ok()
        }
    """))
    with_children = noting.run("%mprun -c -f parent parent()").json
    assert with_children["kind"] == {**with_children["kind"], "backend": "rss", "children": True}
    assert figures(with_children, "parent")["let status"]["peak"] > 55_000_000
    alone = noting.run("%mprun -b rss -f parent parent()").json
    assert figures(alone, "parent")["let status"]["peak"] < 20_000_000
