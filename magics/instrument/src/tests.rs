//! Sources with probes, as users of the crate get them.

use proc_macro2::TokenStream;

use crate::{
    Error, Function, Options, Runtime, Which, instrument, instrument_item, plain_column, whole_name,
};

const RUNTIME: Runtime<'_> = Runtime { path: "::rt" };

fn body(source: &str) -> String {
    let source = instrument(source, Which::Named(&["f"]), RUNTIME)
        .unwrap()
        .source;
    let guard = "MEMIT_FUNCTION.enter(); ";
    let start = source.find(guard).unwrap() + guard.len();
    let body = source[start..].replace("MEMIT_FUNCTION.", "");
    body.replace(" let _memit_guard =", "")
        .replace("_memit_guard.", "")
}

#[test]
fn a_function_gets_its_counters_and_each_line_a_probe() {
    let source = "fn f() -> u8 {\n    let a = 1;\n    a + 1\n}\n";
    let done = instrument(source, Which::Named(&["f"]), RUNTIME).unwrap();
    assert_eq!(
        done.source,
        "#[inline(never)] fn f() -> u8 { static MEMIT_FUNCTION: ::rt::Function<2> = \
         ::rt::Function::new(\"f\", ::core::file!(), 1, 4, [::rt::Line::new(2), ::rt::Line::new(3)]); \
         let _memit_guard = MEMIT_FUNCTION.enter(); \n    \
         _memit_guard.line(0); let a = 1;\n    _memit_guard.line(1); a + 1\n}\n"
    );
    let function = Function {
        name: "f".into(),
        first: 1,
        last: 4,
        lines: vec![2, 3],
        options: Options::default(),
        switched: false,
    };
    assert_eq!(done.functions, [function]);
}

#[test]
fn a_switched_function_has_its_body_with_probes_and_without() {
    let switched = |source: &str| {
        let done = instrument(source, Which::Switched(&["f"]), RUNTIME).unwrap();
        assert_eq!(done.source.lines().count(), source.lines().count());
        (done.functions[0].switched, done.source)
    };
    let (is_switched, source) = switched("fn f(n: u8) -> u8 {\n    n + 1\n}\n");
    assert!(is_switched);
    assert_eq!(
        source,
        "fn f(n: u8) -> u8 { ::rt::switched!([static MEMIT_FUNCTION: ::rt::Function<1> = \
         ::rt::Function::new(\"f\", ::core::file!(), 1, 3, [::rt::Line::new(2)]).switched();] \
         [const MEMIT_FUNCTION: ::rt::NoProbes = ::rt::NoProbes;] [move || -> u8] { \
         let _memit_guard = MEMIT_FUNCTION.enter(); \n    \
         _memit_guard.line(0); n + 1\n })}\n"
    );
    // A closure cannot be awaited.
    let (is_switched, source) = switched("async fn f() {\n    g().await\n}\n");
    assert!(is_switched && !source.contains("move ||"), "{source}");
    let (is_switched, source) = switched("fn f() -> impl Fn() {\n    || ()\n}\n");
    assert!(!is_switched && !source.contains("switched"), "{source}");
    let (is_switched, source) = switched("fn f() {\n    static N: u8 = 3;\n    g(N);\n}\n");
    assert!(
        !is_switched && source.starts_with("#[inline(never)] "),
        "{source}"
    );
}

#[test]
fn names_of_the_probes_are_none_that_the_user_mentions() {
    for (users, ours) in [
        (
            "_memit_guard",
            "let _memit_guard_ = MEMIT_FUNCTION.enter();",
        ),
        (
            "MEMIT_FUNCTION",
            "let _memit_guard = MEMIT_FUNCTION_.enter();",
        ),
        (
            "_memit_end(MEMIT_FUNCTION_)",
            "let _memit_end_ = _memit_guard.end(",
        ),
        ("println", "let _memit_guard = MEMIT_FUNCTION.enter();"),
    ] {
        let source = format!("fn f() {{\n    let v = vec![1];\n    {users}\n}}\n");
        let done = instrument(&source, Which::Named(&["f"]), RUNTIME).unwrap();
        assert!(done.source.contains(ours), "{}", done.source);
        assert!(
            done.source.contains(&format!("; {users}\n")),
            "{}",
            done.source
        );
    }
}

#[test]
fn headers_count_each_time_round() {
    assert_eq!(
        body("fn f() {\nwhile a {\nb();\n}\n'l: for x in &mut y {\nz();\n}\n}"),
        "\nwhile header(0) && a {\nline(1); b();\n}\nhere(2); 'l: for x in each(2, &mut y) {\n\
         line(3); z();\n}\n}"
    );
    assert_eq!(
        body("fn f() {\nwhile a || b {}\nwhile let Some(x) = s.pop() {}\n}"),
        "\nwhile header(0) && (a || b) {}\nwhile let Some(x) = value(line(1), s.pop()) {}\n}"
    );
}

#[test]
fn what_is_on_a_line_of_its_own_has_a_probe_of_its_own() {
    assert_eq!(
        body("fn f() {\nif a { b() }\nelse if c {\nd()\n}\nelse { e() }\n}"),
        "\nline(0); if a { b() }\nelse if header(1) && c {\nline(2); d()\n}\n\
         else { line(3); e() }\n}"
    );
    assert_eq!(
        body("fn f() {\nmatch a {\nb => c,\nd => {\ne\n}\n}\n}"),
        "\nline(0); match a {\nb => { line(1); c },\nd => {\nline(2); e\n}\n}\n}"
    );
    assert_eq!(
        body("fn f() {\na.map(|x| x)\n.map(|y|\ny)\n}"),
        "\nline(0); a.map(|x| x)\n.map(|y|\n{ within(); let y = y; { line(1); y } })\n}"
    );
}

#[test]
fn items_within_are_left_alone() {
    assert_eq!(
        body("fn f() {\nuse a::b;\nfn g() {\nh();\n}\ng();\n}"),
        "\nuse a::b;\nfn g() {\nh();\n}\nline(0); g();\n}"
    );
}

#[test]
fn variables_are_dropped_at_the_end_of_their_block() {
    assert_eq!(
        body("fn f(v: Vec<u8>, n: usize) {\nfor i in 0..n {\nlet s = g();\nh(s);\n}\nv.len()\n}"),
        "let v = v; \nhere(0); for i in each(0, 0..n) {\nline(1); let s = g();\nline(2); h(s);\n\
         line(3); }\nlet _memit_end = end(4); line(5); v.len()\n}"
    );
    assert_eq!(
        body("fn f((a, mut b): (A, B), _: C, S { d, .. }: S) {\ng();\n}"),
        "let a = a; let mut b = b; let _memit_owned2 = _memit_owned2; let d = d; \n\
         line(0); g();\nline(1); }"
    );
    assert_eq!(
        body("fn f([a, ..]: [A; 3], [.., [_, b @ ..]]: [[A; 2]; 2]) {\ng();\n}"),
        "let a = a; let _memit_owned1 = _memit_owned1; let _memit_owned2 = _memit_owned2; \
         let _memit_owned3 = _memit_owned3; let b = b; \nline(0); g();\nline(1); }"
    );
    let unowned = "fn f(r: &[u8], mut n: usize) {\nlet c = n as u8;\nlet d: f64 = c.into();\nd\n}";
    assert!(!body(unowned).contains("end("));
}

#[test]
fn what_owns_itself_is_dropped_within() {
    let of = |source: &str| {
        let done = instrument(source, Which::Named(&["f"]), RUNTIME).unwrap();
        done.source
    };
    let boxed = of("impl S { fn f(self: Box<Self>) -> u8 {\ng()\n} }");
    assert!(
        boxed.contains(
            "_memit_guard.owning(move || -> u8 { let _ = &self; \n\
             let _memit_end = _memit_guard.end(0); _memit_guard.line(1); g()\n })} }"
        ),
        "{boxed}"
    );
    let opaque = of("impl S { fn f(mut self) -> impl Fn() {\ng()\n} }");
    assert!(
        opaque.contains("owning(move || { let _ = &self; "),
        "{opaque}"
    );
    let awaited = of("impl S { async fn f(self) -> u8 {\ng().await\n} }");
    assert!(
        awaited.contains(
            "let _memit_guard = &MEMIT_FUNCTION.enter(); \
             _memit_guard.owning_async::<u8, _>(async move { let _ = &self; \n\
             let _memit_end = _memit_guard.end(0); _memit_guard.line(1); \
             _memit_guard.awaited(1, g()).await\n }).await} }"
        ),
        "{awaited}"
    );
    for borrows in [
        "&self",
        "&mut self",
        "self: &Self",
        "self: Pin<&mut Self>",
        "self: std::pin::Pin<& Self>",
    ] {
        let source = of(&format!("impl S {{ fn f({borrows}) {{\ng();\n}} }}"));
        assert!(!source.contains("owning"), "{source}");
    }
}

#[test]
fn closures_own_their_parameters() {
    assert_eq!(
        body("fn f() {\na.map(|v| {\ng(&v)\n})\n.map(|(w, _)|\nw)\n.map(|n: u8| {\nn\n})\n}"),
        "\nline(0); a.map(|v| { within(); let v = v; \nlet _memit_end = end(1); line(2); g(&v)\n})\n\
         .map(|(w, _)|\n{ within(); let w = w; { line(3); w } })\n\
         .map(|n: u8| { within();\nline(4); n\n})\n}"
    );
}

#[test]
fn columns_are_those_without_probes() {
    let source = "fn f(é: u8) -> u8 {\n    if é > 1 { g() } else { h() }\n}\n";
    let done = instrument(source, Which::Named(&["f"]), RUNTIME).unwrap();
    let lines: Vec<_> = done.source.lines().collect();
    for (line, text) in [(2, "if é"), (2, "g()"), (2, "h()"), (3, "}"), (1, "fn f")] {
        let column = |of: &str| of[..of.find(text).unwrap()].chars().count() + 1;
        let probed = column(lines[line - 1]);
        let plain = column(source.lines().nth(line - 1).unwrap());
        assert_eq!(
            plain_column(&done.insertions, line, probed),
            plain,
            "{text}"
        );
    }
    // A column within a probe is that of the code behind the probe.
    assert_eq!(plain_column(&done.insertions, 2, 7), 5);
}

#[test]
fn functions_that_a_macro_makes_are_told_apart() {
    let made_by =
        |source: &str, name: &str| match instrument(source, Which::Named(&[name]), RUNTIME) {
            Err(Error::Unknown { made_by, .. }) => made_by,
            other => panic!("{other:?}"),
        };
    let named = "macro_rules! make { ($name:ident) => { fn $name() {} } }\nmake!(made);";
    assert_eq!(made_by(named, "made").as_deref(), Some("make"));
    assert_eq!(made_by(named, "S::made").as_deref(), Some("make"));
    let fixed = "macro_rules! fixed { () => { fn made() {} } }\nmod m { fixed!(); }";
    assert_eq!(made_by(fixed, "made").as_deref(), Some("fixed"));
    assert_eq!(made_by(fixed, "other"), None);
    assert_eq!(made_by("fn f() { println!(\"{}\", made); }", "made"), None);
}

#[test]
fn a_future_waits_on_a_line() {
    assert_eq!(
        body("async fn f() {\nlet a = g(1).await;\nasync { b.await }.await\n}"),
        "\nline(0); let a = awaited(0, g(1)).await;\n\
         let _memit_end = end(1); line(2); awaited(2, \
         async { within(); awaited(2, b).await }).await\n}"
    );
}

#[test]
fn marks_are_blanked_out_and_tell_what_they_ask_for() {
    let source = "#[profile(precision = 2)]\nfn f() {\n    g();\n}\n#[memit::profile] fn g() {}\n";
    let marked = instrument(source, Which::Marked, RUNTIME).unwrap();
    let names: Vec<_> = marked.functions.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["f", "g"]);
    assert_eq!(marked.functions[0].options.precision, Some(2));
    let blanked = instrument(source, Which::Nothing, RUNTIME).unwrap();
    assert_eq!(
        blanked.source,
        format!(
            "{:25}\nfn f() {{\n    g();\n}}\n{:17} fn g() {{}}\n",
            "", ""
        )
    );
}

#[test]
fn marked_functions_are_given_spans_instead_of_probes() {
    fn last(name: &str) -> &str {
        name.rsplit("::").next().unwrap()
    }
    let source = "#[profile]\nfn f() {\n    g();\n}\nmod m { #[profile] fn g() {} fn h() {} }\n";
    let spanned = instrument(source, Which::Spans { name: last }, RUNTIME).unwrap();
    assert!(spanned.functions.is_empty());
    let path = RUNTIME.path;
    assert_eq!(
        spanned.source,
        format!(
            "{:10}\nfn f() {{ let _memit_span = {path}::phase(\"f\"); \n    g();\n}}\n\
             mod m {{ {:10} fn g() {{ let _memit_span = {path}::phase(\"g\"); }} fn h() {{}} }}\n",
            "", ""
        )
    );
    let constant = instrument(
        "#[profile] const fn c() {}",
        Which::Spans { name: last },
        RUNTIME,
    );
    assert_eq!(
        constant,
        Err(Error::Const {
            name: "c".to_owned()
        })
    );
}

#[test]
fn an_attribute_gets_the_tokens_that_a_cell_gets() {
    for source in [
        "fn f(v: Vec<u8>) -> usize {\nlet n = v.iter().map(|x|\nx + 1).count();\nn\n}",
        "pub(crate) async fn f<T>(x: T)\nwhere T: Future {\nx.await;\nif a {\nb()\n} else if c {\nd[e]\n}\n}",
        "fn f(&mut self) {\nwhile let Some(x) = self.0.pop() {\nmatch x {\n1 => 2,\n_ =>\n3,\n};\n}\n}",
    ] {
        let tokens = |source: &str| source.parse::<TokenStream>().unwrap();
        let (woven, function) =
            instrument_item(tokens(source), Options::default(), RUNTIME).unwrap();
        let wrapped = format!("impl S {{ {source} }}");
        let whole = if source.contains("self") {
            &wrapped
        } else {
            source
        };
        let text = instrument(whole, Which::Named(&["f"]), RUNTIME).unwrap();
        let expected = text.source.replace("\"S::f\"", "\"f\"");
        let expected = match expected.strip_prefix("impl S { ") {
            Some(inner) => inner.strip_suffix(" }").unwrap(),
            None => &expected,
        };
        assert_eq!(woven.to_string(), tokens(expected).to_string());
        assert_eq!(function.unwrap().name, "f");
    }
}

#[test]
fn a_line_and_a_name_tell_the_whole_name() {
    let source = "fn f() {}\nimpl S { fn f() {} fn g() {} }";
    assert_eq!(whole_name(source, 1, "f").as_deref(), Some("f"));
    assert_eq!(whole_name(source, 2, "f").as_deref(), Some("S::f"));
    assert_eq!(whole_name(source, 1, "g"), None);
}

#[test]
fn an_attribute_leaves_what_has_no_lines() {
    let tokens = |source: &str| source.parse::<TokenStream>().unwrap();
    let item = |item| instrument_item(item, Options::default(), RUNTIME);
    assert!(item(tokens("fn f(&self);")).unwrap().1.is_none());
    assert!(
        item(quote::quote!(
            fn f() {
                g();
            }
        ))
        .unwrap()
        .1
        .is_none()
    );
    let error = |source| item(tokens(source)).unwrap_err().to_string();
    assert_eq!(
        error("pub const fn f() {}"),
        "`f` is a `const fn`, which cannot be profiled"
    );
    assert!(error("struct S;").starts_with("expected"));
}

#[test]
fn what_cannot_be_profiled_is_said() {
    let error = |source, name| {
        instrument(source, Which::Named(&[name]), RUNTIME)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error("fn f() {} impl S { fn g() {} }", "h"),
        "there is no function `h`, but there is `f`, `S::g`"
    );
    assert_eq!(
        error("const fn f() {}", "f"),
        "`f` is a `const fn`, which cannot be profiled"
    );
    assert!(error("fn f() {\n let = 1; }", "f").starts_with("line 2: expected one of"));
}
