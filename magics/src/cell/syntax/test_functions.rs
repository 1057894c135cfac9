//! The `#[test]` functions of a cell.
//!
//! `rustc` drops such a function unless it compiles a test harness. The attributes are therefore replaced by
//! blanks, and functions in modules become public, so that the cell can call them. Lines stay lines, and
//! columns change only where a function in a module is not indented.

use std::ops::Range;

use ra_ap_syntax::ast::{self, AstNode, HasAttrs, HasModuleItem, HasName, HasVisibility};
use ra_ap_syntax::{NodeOrToken, SyntaxKind, SyntaxNode};

use super::Statements;

/// A `#[test]` function. Texts are Rust literals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TestFunction {
    /// The path of the function.
    pub(crate) path: String,
    /// The reason in `#[ignore = "…"]`, or an empty text.
    pub(crate) ignored: Option<String>,
    /// The message in `#[should_panic(expected = "…")]`, or an empty text.
    pub(crate) should_panic: Option<String>,
}

/// The tests of a cell.
#[derive(Debug, Default)]
pub(crate) struct TestFunctions {
    /// The functions, in the order in which they stand.
    pub(crate) functions: Vec<TestFunction>,
    /// The source without the attributes of tests.
    pub(crate) source: String,
    /// The bytes of the first attribute of another test harness, such as `#[tokio::test]`.
    pub(crate) foreign: Option<Range<usize>>,
}

impl TestFunctions {
    /// Finds the tests in `code`.
    pub(crate) fn of(code: &str) -> Self {
        let mut found = Found::default();
        for node in Statements::parse(code).statements() {
            found.take(&node, &[]);
        }
        let mut source = code.as_bytes().to_vec();
        for range in found.blanks {
            for byte in &mut source[range] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
        }
        found.private.sort_unstable();
        for at in found.private.into_iter().rev() {
            let indent = at.checked_sub(PUBLIC.len()).map(|start| start..at);
            match indent {
                Some(indent) if source[indent.clone()].iter().all(|byte| *byte == b' ') => {
                    source[indent].copy_from_slice(PUBLIC);
                }
                _ => drop(source.splice(at..at, PUBLIC.iter().copied())),
            }
        }
        Self {
            functions: found.functions,
            // Only whole characters were overwritten, with blanks.
            source: String::from_utf8(source).unwrap_or_else(|_| code.to_owned()),
            foreign: found.foreign,
        }
    }
}

const PUBLIC: &[u8] = b"pub ";

#[derive(Default)]
struct Found {
    functions: Vec<TestFunction>,
    /// The bytes of the attributes.
    blanks: Vec<Range<usize>>,
    /// Where the visibility of a private item in a module would stand.
    private: Vec<usize>,
    foreign: Option<Range<usize>>,
}

impl Found {
    /// Takes an item in these modules.
    fn take(&mut self, node: &SyntaxNode, modules: &[String]) {
        let Some(item) = ast::Item::cast(node.clone()) else {
            return;
        };
        let known = self.functions.len();
        let mut test = None;
        for attribute in item.attrs() {
            let written = attribute.syntax().text().to_string();
            let range = attribute.syntax().text_range();
            let range = Statements::byte(range.start())..Statements::byte(range.end());
            let inside = written
                .trim_start_matches("#[")
                .trim_end_matches(']')
                .trim();
            let (name, value) = match inside.split_once('=') {
                Some((name, value)) => (name, value.trim().trim_end_matches(')').trim()),
                None => (inside, "\"\""),
            };
            let name = name.split('(').next().unwrap_or_default().trim();
            match name {
                "test" => drop(test.get_or_insert_with(TestFunction::default)),
                "ignore" => {
                    test.get_or_insert_with(TestFunction::default).ignored = Some(value.to_owned());
                }
                "should_panic" => {
                    let test = test.get_or_insert_with(TestFunction::default);
                    test.should_panic = Some(value.to_owned());
                }
                "cfg" if inside.replace(' ', "") == "cfg(test)" => {}
                _ if name.ends_with("::test") => {
                    self.foreign.get_or_insert(range);
                    continue;
                }
                _ => continue,
            }
            self.blanks.push(range);
        }
        let path = |name: Option<ast::Name>| {
            let name = name.map(|name| name.text().to_string()).unwrap_or_default();
            [modules, &[name]].concat()
        };
        match &item {
            ast::Item::Fn(function) => {
                if let Some(test) = test {
                    let path = path(function.name()).join("::");
                    self.functions.push(TestFunction { path, ..test });
                    self.publish(node, function.visibility().is_some(), modules);
                }
            }
            ast::Item::Module(module) => {
                let modules_within = path(module.name());
                for inner in module.item_list().into_iter().flat_map(|list| list.items()) {
                    self.take(inner.syntax(), &modules_within);
                }
                if self.functions.len() > known {
                    self.publish(node, module.visibility().is_some(), modules);
                }
            }
            _ => {}
        }
    }

    /// Notes an item that the cell must be able to name.
    fn publish(&mut self, node: &SyntaxNode, is_public: bool, modules: &[String]) {
        if is_public || modules.is_empty() {
            return;
        }
        let first = node.children_with_tokens().find(|part| {
            let is_before = match part {
                NodeOrToken::Node(node) => node.kind() == SyntaxKind::ATTR,
                NodeOrToken::Token(token) => token.kind().is_trivia(),
            };
            !is_before
        });
        self.private
            .extend(first.map(|first| Statements::byte(first.text_range().start())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_with_the_attribute_are_tests_wherever_they_are() {
        let code = "fn f() {}
#[test]
fn one() {}
#[test] #[should_panic] fn two() {}
#[cfg(test)]
mod tests {
    use super::*;
    /// Says é.
    #[test]
    #[ignore = \"slow (é)\"]
    fn three() -> Result<(), String> { Ok(()) }
mod deep {
#[test]
#[should_panic(expected = \"no (way)\")]
#[allow(unused)]
fn four() {}
        #[test] pub fn five() {}
        fn six() {}
}
}
let x = 1;";
        let found = TestFunctions::of(code);
        let told = found.functions.iter().map(|test| {
            let TestFunction {
                path,
                ignored,
                should_panic,
            } = test;
            format!("{path} {ignored:?} {should_panic:?}")
        });
        insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r#"
        one None None
        two None Some("\"\"")
        tests::three Some("\"slow (é)\"") None
        tests::deep::four None Some("\"no (way)\"")
        tests::deep::five None None
        "#);
        insta::assert_snapshot!(found.source.replace(' ', "."), @r"
        fn.f().{}
        .......
        fn.one().{}
        ........................fn.two().{}
        ............
        mod.tests.{
        ....use.super::*;
        ....///.Says.é.
        ...........
        ...........................
        pub.fn.three().->.Result<(),.String>.{.Ok(()).}
        pub.mod.deep.{
        .......
        ......................................
        #[allow(unused)]
        pub.fn.four().{}
        ................pub.fn.five().{}
        ........fn.six().{}
        }
        }
        let.x.=.1;
        ");
        assert_eq!(found.foreign, None);
        assert_eq!(found.source.lines().count(), code.lines().count());
    }

    #[test]
    fn tests_of_other_harnesses_are_found() {
        let found = TestFunctions::of("#[tokio::test]\nasync fn f() {}");
        assert_eq!((found.foreign, found.functions.len()), (Some(0..14), 0));
    }
}
