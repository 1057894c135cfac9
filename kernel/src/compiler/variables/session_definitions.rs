//! The definitions of a session, as a cell asks for them.
//!
//! Reading all definitions takes longer, the more items a session has. Most cells leave the items as
//! they are, and ask what earlier cells have asked. So answers are kept in a file, with the source
//! that they are about.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use ra_ap_syntax::ast::AstNode as _;
use ra_ap_syntax::{Edition, SourceFile};
use serde::{Deserialize, Serialize};

use super::types;
use crate::compiler::CELL_FUNCTION;
use crate::compiler::definitions::{Definitions, Reached, tokens};
use crate::compiler::kept;

/// The name under which the items are kept that the answers are about.
const NAME: &str = "definitions";

/// What stands in front of the function of a cell.
const ATTRIBUTE: &str = "#[unsafe(no_mangle)]\n";

/// How evcxr ends the function.
const END: &str = "\nevcxr_variable_store\n}\n";

/// Macros that put the content of a file into a source start so. The answers do not say what the file had.
const INCLUDING: &str = "include";

/// The definitions of a session.
pub(super) struct SessionDefinitions {
    source: String,
    /// The length of the items in the source, which end where the function of the cell begins.
    items: usize,
    all: OnceCell<Definitions>,
    answers: RefCell<Answers>,
    /// Whether the answers are those of the file.
    are_kept: RefCell<bool>,
}

/// What is known of the definitions.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Answers {
    crates: BTreeMap<String, u64>,
    /// Numbers of sets of definitions that the session has.
    had: BTreeSet<u64>,
    /// The definitions that types reach.
    reached: BTreeMap<String, BTreeSet<Reached>>,
}

impl SessionDefinitions {
    /// The definitions in the source of a cell. `crates` are the dependencies with their states.
    pub(super) fn of(session: &Path, source: &str, crates: BTreeMap<String, u64>) -> Self {
        let items = length_of_items(source);
        let kept = kept(session, &around(source, items), &crates);
        Self {
            source: source.to_owned(),
            items,
            all: OnceCell::new(),
            are_kept: RefCell::new(kept.is_some()),
            answers: RefCell::new(kept.unwrap_or_else(|| Answers {
                crates,
                ..Answers::default()
            })),
        }
    }

    /// The length of the items in front of the function of the cell.
    pub(super) fn length(&self) -> usize {
        self.items
    }

    /// The definitions of `reached` that the session does not have any more.
    pub(super) fn missing<'a>(&self, reached: &'a BTreeSet<Reached>) -> Vec<&'a Reached> {
        let number = tokens::hash(reached);
        if self.answers.borrow().had.contains(&number) {
            return Vec::new();
        }
        let missing: Vec<_> = reached
            .iter()
            .filter(|reached| !self.all().has(reached))
            .collect();
        if missing.is_empty() {
            self.answers.borrow_mut().had.insert(number);
            *self.are_kept.borrow_mut() = false;
        }
        missing
    }

    /// The definitions that a type reaches.
    pub(super) fn reached_by(&self, of: &str) -> BTreeSet<Reached> {
        if let Some(reached) = self.answers.borrow().reached.get(of) {
            return reached.clone();
        }
        let parsed = types::parsed(of);
        let reached = parsed.map(|parsed| self.all().reached_by(&parsed));
        let reached = reached.unwrap_or_default();
        let mut answers = self.answers.borrow_mut();
        answers.reached.insert(of.to_owned(), reached.clone());
        *self.are_kept.borrow_mut() = false;
        reached
    }

    fn all(&self) -> &Definitions {
        self.all.get_or_init(|| {
            let file = SourceFile::parse(&self.source, Edition::Edition2024).tree();
            Definitions::of(file.syntax(), self.answers.borrow().crates.clone())
        })
    }

    /// Keeps the answers for later cells.
    pub(super) fn keep(&self, session: &Path) -> io::Result<()> {
        let items = around(&self.source, self.items);
        if *self.are_kept.borrow() || items.contains(INCLUDING) {
            return Ok(());
        }
        kept::write(session, NAME, &items, &*self.answers.borrow())
    }
}

/// The answers that are kept, if they are about these items and dependencies.
fn kept(session: &Path, items: &str, crates: &BTreeMap<String, u64>) -> Option<Answers> {
    let (of, answers) = kept::read::<Answers>(session, NAME)?;
    (of == items && answers.crates == *crates).then_some(answers)
}

/// What is around the function of a cell, in front of which are `items` bytes.
fn around(source: &str, items: usize) -> String {
    let end = source.rfind(END).unwrap_or(items);
    [source[..items].trim_end(), &source[end..]].concat()
}

/// The length of what stands in front of the function of the cell, which is the last function.
fn length_of_items(source: &str) -> usize {
    let Some(at) = source.rfind(&format!("fn {CELL_FUNCTION}")) else {
        return 0;
    };
    let line = source[..at].rfind('\n').map_or(0, |line| line + 1);
    let front = source[..line].strip_suffix(ATTRIBUTE);
    front.map_or(line, str::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELL: &str = "#[unsafe(no_mangle)]\npub extern \"C\" fn run_user_code_1() {\n1;\n\
        evcxr_variable_store\n}\n";

    fn of(session: &Path, items: &str, state: u64) -> SessionDefinitions {
        let source = format!("{items}\n\n{CELL}");
        SessionDefinitions::of(session, &source, [("dep".to_owned(), state)].into())
    }

    #[test]
    fn answers_serve_while_items_and_dependencies_are_the_same() {
        let session = tempfile::tempdir().unwrap();
        let session = session.path();
        let first = of(session, "struct P(u8);", 1);
        let reached = first.reached_by("Vec<P>");
        assert!(first.missing(&reached).is_empty());
        first.keep(session).unwrap();
        let again = of(session, "struct P(u8);\n\n\n", 1);
        assert_eq!(again.reached_by("Vec<P>"), reached);
        assert!(again.missing(&reached).is_empty());
        assert!(again.all.get().is_none(), "all has been answered before");
        assert!(!again.reached_by("u8").is_empty());
        assert!(again.all.get().is_some());

        for (items, state) in [("struct P(u16);", 1), ("struct P(u8);", 2), ("", 1)] {
            let other = of(session, items, state);
            assert_eq!(other.missing(&reached).is_empty(), state == 2, "{items}");
            assert!(other.all.get().is_some());
        }
        let cell = format!("struct P(u8);\n{}struct Q;\n", CELL.replace("1;", "2;"));
        let behind = SessionDefinitions::of(session, &cell, [("dep".to_owned(), 1)].into());
        assert!(behind.answers.borrow().had.is_empty());
        std::fs::write(session.join("definitions.json"), "{").unwrap();
        assert!(
            of(session, "struct P(u8);", 1)
                .answers
                .borrow()
                .had
                .is_empty()
        );
    }

    #[test]
    fn a_file_in_an_item_can_change_without_the_item() {
        let session = tempfile::tempdir().unwrap();
        let items = "struct P([u8; include!(\"length\")]);";
        let definitions = of(session.path(), items, 1);
        definitions.reached_by("P");
        definitions.keep(session.path()).unwrap();
        assert!(!session.path().join("definitions.json").exists());
    }

    #[test]
    fn items_end_where_the_cell_begins() {
        let length = |source: &str| length_of_items(source);
        assert_eq!(length(&format!("struct P;\n{CELL}")), "struct P;\n".len());
        assert_eq!(
            length("struct P;\nfn run_user_code_1() {}"),
            "struct P;\n".len()
        );
        assert_eq!(length("fn run_user_code_1() {}"), 0);
        assert_eq!(length("struct P;"), 0);
    }
}
