//! Functions of every form compute the same with probes as without, and each line is counted as
//! often as it runs. All of them are one program, which the real compiler compiles.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use memit_instrument::{Runtime, Which, instrument};

struct Case {
    /// The name of the function that gets probes.
    name: &'static str,
    source: &'static str,
    /// Calls it; its value must implement `Debug`.
    call: &'static str,
    /// How often each line runs, from the first line of the source.
    hits: &'static [usize],
}

const CASES: &[Case] = &[
    Case {
        name: "f",
        source: "fn f(a: u32) -> u32 {\n    let b = a + 1;\n    b * 2\n}",
        call: "f(3)",
        hits: &[0, 1, 1],
    },
    Case {
        name: "f",
        source: "fn f() -> u8 { 5 }",
        call: "f() + f()",
        hits: &[2],
    },
    Case {
        name: "f",
        source: "fn f(n: u32) -> u32 {\n    let mut sum = 0;\n    for i in 0..n {\n        sum += i;\n    }\n    sum\n}",
        call: "f(4)",
        hits: &[0, 1, 5, 4, 0, 1],
    },
    Case {
        name: "f",
        source: "fn f(mut n: u32) -> u32 {\n    let mut steps = 0;\n    while n > 1 || n == 7 {\n        if n % 2 == 0 {\n            n /= 2;\n            continue;\n        }\n        n = 3 * n + 1;\n        steps += 1;\n    }\n    steps\n}",
        call: "f(6)",
        hits: &[0, 1, 9, 8, 6, 6, 0, 2, 2, 0, 1],
    },
    Case {
        name: "f",
        source: "fn f(mut s: Vec<u32>) -> u32 {\n    let mut sum = 0;\n    while let Some(x) = s.pop() {\n        sum += x;\n    }\n    sum\n}",
        call: "f(vec![1, 2, 3])",
        hits: &[0, 1, 4, 3, 0, 1],
    },
    Case {
        name: "f",
        source: "fn f() -> u32 {\n    let mut n = 0;\n    'outer: loop {\n        for i in 0.. {\n            n += i;\n            if n > 10 {\n                break 'outer n;\n            } else if i == 3 {\n                continue 'outer;\n            } else {\n                n += 1;\n            }\n        }\n    }\n}",
        call: "f()",
        hits: &[0, 1, 1, 6, 6, 6, 1, 5, 1, 0, 4],
    },
    Case {
        name: "f",
        source: "fn f(x: Option<u32>) -> &'static str {\n    match x {\n        None => \"none\",\n        Some(0) => return \"zero\",\n        Some(n) if n % 2 == 0 => {\n            \"even\"\n        }\n        Some(_) =>\n            \"odd\",\n    }\n}",
        call: "(f(None), f(Some(0)), f(Some(2)), f(Some(3)), f(Some(5)))",
        hits: &[0, 5, 1, 1, 0, 1, 0, 0, 2],
    },
    Case {
        name: "f",
        source: "fn f(text: &str) -> Result<i32, std::num::ParseIntError> {\n    let first = text.parse::<i32>()?;\n    let second = first\n        .checked_add(1)\n        .unwrap_or(0);\n    Ok(second)\n}",
        call: "(f(\"1\").ok(), f(\"x\").is_err())",
        hits: &[0, 2, 1, 0, 0, 1],
    },
    Case {
        name: "f",
        source: "fn f(n: u64) -> u64 {\n    if n < 2 {\n        return n;\n    }\n    f(n - 1) + f(n - 2)\n}",
        call: "f(5)",
        hits: &[0, 15, 8, 0, 7],
    },
    Case {
        name: "f",
        source: "fn f(v: &[i32]) -> Vec<i32> {\n    v.iter()\n        .map(|x| {\n            let y = x * 2;\n            y + 1\n        })\n        .filter(|x|\n            x % 3 != 0)\n        .collect()\n}",
        call: "f(&[1, 2, 3])",
        hits: &[0, 1, 0, 3, 3, 0, 0, 3],
    },
    Case {
        name: "S::total",
        source: "struct S<T>(Vec<T>);\nimpl<T: Copy + Into<u64>> S<T> {\n    fn total(&self) -> u64 {\n        let mut total = 0;\n        for x in &self.0 {\n            total += (*x).into();\n        }\n        total\n    }\n}",
        call: "(S(vec![1u8, 2]).total(), S(vec![3u32]).total())",
        hits: &[0, 0, 0, 2, 5, 3, 0, 2],
    },
    Case {
        name: "S::fmt",
        source: "struct S;\nimpl std::fmt::Display for S {\n    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {\n        f.write_str(\"a\")?;\n        write!(f, \"{}\", 1)\n    }\n}",
        call: "S.to_string()",
        hits: &[0, 0, 0, 1, 1],
    },
    Case {
        name: "f",
        source: "fn f() -> Box<dyn Fn(i32) -> i32> {\n    let k = 3;\n    Box::new(move |x| {\n        x + k\n    })\n}",
        call: "f()(4)",
        hits: &[0, 1, 1, 1],
    },
    Case {
        name: "f",
        source: "fn f() -> i32 {\n    let handle = std::thread::spawn(move ||\n        7);\n    handle.join().unwrap()\n}",
        call: "f()",
        hits: &[0, 1, 0, 1],
    },
    Case {
        name: "f",
        source: "fn f(x: Option<i32>) -> i32 {\n    let Some(x) = x else {\n        return -1;\n    };\n    fn inner(y: i32) -> i32 {\n        y + 1\n    }\n    const K: i32 = { 1 + 1 };\n    inner(x) + K\n}",
        call: "(f(Some(1)), f(None))",
        hits: &[0, 2, 1, 0, 0, 0, 0, 0, 1],
    },
    Case {
        name: "f",
        source: "fn f(x: i32) -> i32 {\n    let y = if x > 0 {\n        1\n    } else {\n        2\n    };\n    let z = { let a = y; a + 1 };\n    unsafe {\n        std::hint::black_box(z)\n    }\n}",
        call: "f(1) + f(-1)",
        hits: &[0, 2, 1, 0, 1, 0, 2, 2, 2],
    },
    Case {
        name: "f",
        source: "fn f(v: &mut Vec<String>) -> usize {\n    for s in v.iter_mut() {\n        s.push('x');\n    }\n    for s in &mut *v { s.push('y'); }\n    v.iter().map(String::len).sum()\n}",
        call: "f(&mut vec![String::new(), String::from(\"a\")])",
        hits: &[0, 3, 2, 0, 3, 1],
    },
    Case {
        name: "f",
        source: "fn f<'a>(a: &'a str, b: &'a str) -> &'a str {\n    if a.len() > b.len() && let Some(c) = a.chars().next()\n        && c == 'a'\n    {\n        a\n    } else {\n        b\n    }\n}",
        call: "(f(\"abc\", \"d\"), f(\"x\", \"yy\"))",
        hits: &[0, 2, 0, 0, 1, 0, 1],
    },
    Case {
        name: "f",
        source: "async fn f(n: u32) -> u32 {\n    let a = async {\n        n + 1\n    }.await;\n    a * 2\n}",
        call: "{ let mut future = std::pin::pin!(f(2)); let waker = std::task::Waker::noop(); match future.as_mut().poll(&mut std::task::Context::from_waker(waker)) { std::task::Poll::Ready(x) => x, std::task::Poll::Pending => 0 } }",
        hits: &[0, 1, 1, 0, 1],
    },
    Case {
        name: "f",
        source: "fn f() -> impl Iterator<Item = u32> {\n    let mut n = 0;\n    std::iter::from_fn(move || {\n        n += 1;\n        (n < 4).then_some(n)\n    })\n}",
        call: "f().collect::<Vec<_>>()",
        hits: &[0, 1, 1, 4, 4],
    },
    Case {
        name: "f",
        source: "fn f(n: i32) -> i32 {\n    let r = std::panic::catch_unwind(|| {\n        if n > 1 {\n            panic!(\"boo\");\n        }\n        n\n    });\n    r.unwrap_or(-1)\n}",
        call: "{ std::panic::set_hook(Box::new(|_| {})); (f(1), f(2)) }",
        hits: &[0, 2, 2, 1, 0, 1, 0, 2],
    },
    Case {
        name: "f",
        source: "fn f() -> String {\n    let mut out = String::new();\n    println!(\"{}\",\n        1);\n    use std::fmt::Write;\n    write!(out, \"é{}\", 2).unwrap(); out.push('ü');\n    out\n}",
        call: "f()",
        hits: &[0, 1, 1, 0, 0, 1, 1],
    },
    Case {
        name: "f",
        source: "fn f(n: i32) -> i32 {\n    let x = 'a: {\n        if n > 1 {\n            break 'a 10;\n        }\n        20\n    };\n    x + 1\n}",
        call: "(f(1), f(2))",
        hits: &[0, 2, 2, 1, 0, 1, 0, 2],
    },
    Case {
        name: "f",
        source: "fn f() -> u32 {\n    let mut n = 0;\n    let last = loop {\n        n += 1;\n        if n == 3 { break n * 2; }\n    };\n    last\n}",
        call: "f()",
        hits: &[0, 1, 1, 3, 3, 0, 1],
    },
    Case {
        name: "f",
        source: "fn f(v: &[(u8, &str)]) -> usize {\n    let mut total = 0;\n    for (i, (n, s)) in v\n        .iter()\n        .enumerate()\n    {\n        total += i * usize::from(*n) + s.len();\n    }\n    total\n}",
        call: "f(&[(1, \"a\"), (2, \"bc\")])",
        hits: &[0, 1, 3, 0, 0, 0, 2, 0, 1],
    },
    Case {
        name: "f",
        source: "fn f(v: &[i32]) -> &'static str {\n    match v {\n        [] => \"none\",\n        [one] if *one < 0\n            => \"negative\",\n        [_, .., last] => if *last == 0 {\n            \"zero\"\n        } else { \"more\" },\n        _ => { \"one\" }\n    }\n}",
        call: "(f(&[]), f(&[-1]), f(&[1, 0]), f(&[1, 2]), f(&[3]))",
        hits: &[0, 5, 1, 0, 1, 2, 1, 1, 1],
    },
    Case {
        name: "T::twice",
        source: "trait T {\n    fn once(&self) -> i32;\n    fn twice(&self) -> i32 {\n        let a = self.once();\n        a + self.once()\n    }\n}\nimpl T for i32 { fn once(&self) -> i32 { *self } }\nimpl T for u8 { fn once(&self) -> i32 { 1 } }",
        call: "(3.twice(), 4u8.twice())",
        hits: &[0, 0, 0, 2, 2],
    },
    Case {
        name: "D::drop",
        source: "struct D<'a>(&'a std::cell::Cell<u32>);\nimpl Drop for D<'_> {\n    fn drop(&mut self) {\n        self.0.set(self.0.get() + 1);\n    }\n}",
        call: "{ let c = std::cell::Cell::new(0); { let _a = D(&c); let _b = D(&c); } c.get() }",
        hits: &[0, 0, 0, 2],
    },
    Case {
        name: "V::add",
        source: "#[derive(Debug, Clone, Copy, PartialEq)]\nstruct V { x: f64, y: f64 }\nimpl std::ops::Add for V {\n    type Output = Self;\n    fn add(self, other: Self) -> Self {\n        Self {\n            x: self.x + other.x,\n            ..V { x: 0.0, y: self.y + other.y }\n        }\n    }\n}",
        call: "V { x: 1.0, y: 2.0 } + V { x: 3.0, y: 4.0 }",
        hits: &[0, 0, 0, 0, 0, 1],
    },
    Case {
        name: "Count::next",
        source: "struct Count(u32);\nimpl Iterator for Count {\n    type Item = u32;\n    fn next(&mut self) -> Option<u32> {\n        if self.0 == 0 { return None; }\n        self.0 -= 1;\n        Some(self.0)\n    }\n}",
        call: "Count(3).collect::<Vec<_>>()",
        hits: &[0, 0, 0, 0, 4, 3, 3],
    },
    Case {
        name: "f",
        source: "unsafe fn f(p: *const u8) -> u8 {\n    // SAFETY: a comment, and a line that does not run\n    unsafe { *p }\n}",
        call: "unsafe { f(&7) }",
        hits: &[0, 0, 1],
    },
    Case {
        name: "f",
        source: "extern \"C\" fn f(a: i32) -> i32 { // é 🦀\n    /* ü */ let b = a; /* one line */ let c = b + 1;\n\n    c\n}",
        call: "f(1)",
        hits: &[0, 1, 0, 1],
    },
    Case {
        name: "f",
        source: "fn f(a: Option<u8>, b: Result<u8, u8>) -> u8 {\n    if let Some(a) = a {\n        a\n    } else if let Ok(b) = b {\n        b\n    }\n    else if let Err(e @ 1..=9) = b\n        && e != 5 {\n        e\n    } else {\n        0\n    }\n}",
        call: "(f(Some(1), Ok(2)), f(None, Ok(3)), f(None, Err(4)), f(None, Err(5)))",
        hits: &[0, 4, 1, 3, 1, 0, 2, 0, 1, 0, 1],
    },
    Case {
        name: "f",
        source: "fn f(n: u8) -> u8 {\n    #[allow(unused_mut)]\n    let mut a = n;\n    #[cfg(any())]\n    let a = 100;\n    macro_rules! add {\n        ($x:expr) => {\n            a += $x\n        };\n    }\n    add!(1);\n    add!(\n        2\n    );\n    a\n}",
        call: "f(1)",
        hits: &[0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1],
    },
    Case {
        name: "r#type",
        source: "fn r#type(r#in: u8) -> u8 {\n    r#in + 1\n}",
        call: "r#type(1)",
        hits: &[0, 1],
    },
    Case {
        name: "inner::f",
        source: "mod inner {\n    pub fn f() -> u8 {\n        1\n    }\n}\nfn f() -> u8 {\n    2\n}",
        call: "(f(), inner::f())",
        hits: &[0, 0, 1],
    },
    Case {
        name: "f",
        source: "fn f(n: u32) -> u32 {\n    let fib = |n: u32| -> u32 {\n        let (mut a, mut b) = (0, 1);\n        for _ in 0..n { (a, b) = (b, a + b); }\n        a\n    };\n    let twice = |x| fib(x) * 2;\n    twice(n) + fib(\n        n,\n    )\n}",
        call: "f(5)",
        hits: &[0, 1, 2, 12, 2, 0, 1, 1],
    },
    Case {
        name: "f",
        source: "fn f<F>(n: usize, g: F) -> Vec<usize>\nwhere\n    F: Fn(usize) -> usize,\n{\n    let mut v = Vec::new();\n    while v.len() < n && v.len() != 100 { v.push(g(v.len())) }\n    v\n}",
        call: "f(3, |x| x * x)",
        hits: &[0, 0, 0, 0, 1, 4, 1],
    },
    Case {
        name: "f",
        source: "fn f(x: &mut i32) -> &mut i32 {\n    *x += 1;\n    let y = &mut *x;\n    match *y {\n        1 => y,\n        _ => {\n            *y = 0;\n            y\n        }\n    }\n}",
        call: "{ let mut a = 0; let b = *f(&mut a); let c = *f(&mut a); (b, c) }",
        hits: &[0, 2, 2, 2, 1, 0, 1, 1],
    },
    Case {
        name: "f",
        source: "fn f(n: i32) -> Result<i32, String> {\n    let checked = (|| -> Result<i32, String> {\n        let m = if n < 0 { Err(\"negative\") } else { Ok(n) }?;\n        Ok(m * 2)\n    })()\n    .map_err(|e|\n        format!(\"bad: {e}\"))?;\n    return match checked {\n        0 => Err(\"zero\".to_owned()),\n        m => Ok(m),\n    };\n}",
        call: "(f(-1), f(0), f(2))",
        hits: &[0, 3, 3, 2, 0, 0, 1, 2, 1, 1],
    },
    Case {
        name: "f",
        source: "fn f() -> Vec<Box<dyn Fn() -> usize>> {\n    let mut all: Vec<Box<dyn Fn() -> usize>> = vec![];\n    for i in 0..2 {\n        all.push(Box::new(move || i));\n        all.push(Box::new(move ||\n            i + 10));\n    }\n    all\n}",
        call: "f().iter().map(|g| g()).collect::<Vec<_>>()",
        hits: &[0, 1, 3, 2, 2, 2, 0, 1],
    },
    Case {
        name: "even",
        source: "fn even(n: u32) -> bool {\n    if n == 0 { true } else { odd(n - 1) }\n}\nfn odd(n: u32) -> bool { n != 0 && even(n - 1) }",
        call: "(even(4), even(3))",
        hits: &[0, 5],
    },
];

#[test]
fn probes_count_and_change_nothing() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus");
    std::fs::create_dir_all(&directory).unwrap();
    let runtime = Runtime {
        path: "crate::counters",
    };
    let mut program =
        String::from("#![allow(warnings)]\nmod counters;\nuse std::future::Future as _;\n");
    let mut main = String::new();
    for (number, case) in CASES.iter().enumerate() {
        let probed = instrument(case.source, Which::Named(&[case.name]), runtime).unwrap();
        assert_eq!(
            probed.source.lines().count(),
            case.source.lines().count(),
            "{}",
            probed.source
        );
        let (plain, probed) = (case.source, probed.source);
        let call = case.call;
        let _ = write!(
            program,
            "mod plain_{number} {{ use std::future::Future as _; {plain}\npub fn call() -> String {{ format!(\"{{:?}}\", {call}) }} }}\n\
             mod probed_{number} {{ use std::future::Future as _; {probed}\npub fn call() -> String {{ format!(\"{{:?}}\", {call}) }} }}\n",
        );
        let _ = writeln!(
            main,
            "    eprintln!(\"{number}\\t{{}}\\t{{}}\\t{{:?}}\\t{{}}\", plain_{number}::call(), probed_{number}::call(), counters::HITS.take(), counters::DEPTH.get());",
        );
    }
    let _ = write!(program, "fn main() {{\n{main}}}\n");
    std::fs::write(directory.join("main.rs"), program).unwrap();
    std::fs::write(directory.join("counters.rs"), include_str!("counters.rs")).unwrap();
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let compiled = Command::new(rustc)
        .args(["--edition=2024", "-o", "corpus", "main.rs"])
        .current_dir(&directory)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{errors}");
    let output = Command::new(directory.join("corpus")).output().unwrap();
    let results = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(results.lines().count(), CASES.len(), "{results}");
    let mut wrong = String::new();
    for (case, result) in CASES.iter().zip(results.lines()) {
        let [_, plain, probed, hits, depth] = result.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{result}");
        };
        assert_eq!(plain, probed, "{}", case.source);
        assert_eq!(depth, "0", "{}", case.source);
        let counted: Vec<usize> = hits
            .trim_matches(['[', ']'])
            .split(", ")
            .map(|line| line.parse().unwrap())
            .collect();
        let counted: Vec<usize> = (1..=case.source.lines().count())
            .map(|line| counted.iter().filter(|counted| **counted == line).count())
            .collect();
        let mut hits = case.hits.to_vec();
        hits.resize(counted.len(), 0);
        if counted != hits {
            let _ = writeln!(
                wrong,
                "{}\ncounted: {counted:?}\nexpected: {hits:?}",
                case.source
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
