//! What rustc's errors say about the variables that a cell puts into the store.
//!
//! The cell is compiled with a call for each variable. An error in such a call is not the user's: a
//! moved variable has nothing to put, a borrow cannot be kept, a type may have another name. The
//! decision that the error leads to changes the call, and the cell is compiled again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_json::Value;

use super::{Left, rewrite::Rewritten, types};

/// The decisions about variables of a cell, by [`slot`]. A variable without one is put with evcxr's
/// type.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    pub(super) of: BTreeMap<String, Decision>,
    /// Variables that end before the others are put, because they borrow from them.
    pub(super) ended: BTreeSet<String>,
    /// Types that are still to be tried, by [`slot`], the next one last.
    others: BTreeMap<String, Vec<String>>,
}

/// The name of a variable that the cell binds, or of one that the cell has taken: a cell can have both
/// under one name.
pub(super) fn slot(variable: &str, is_new: bool) -> String {
    let of = if is_new { "" } else { " of the session" };
    format!("{variable}{of}")
}

/// What becomes of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// Put with this type.
    Typed(String),
    /// Put with the type that rustc infers.
    Inferred,
    /// Moved by this line.
    Moved(String),
    /// Not put.
    Left(Left),
}

impl Decisions {
    /// Learns from the errors of rustc, `messages`, one JSON object a line, about the compiled
    /// `source`. Returns whether a decision has changed.
    pub(crate) fn learn(&mut self, rewritten: &Rewritten, source: &str, messages: &[u8]) -> bool {
        let puts = Puts::of(rewritten, source);
        let mut has_changed = false;
        for message in parsed(messages) {
            if message["level"] == "error" {
                has_changed |= self.learn_from(&Message(&message), &puts, rewritten, source);
            }
        }
        has_changed
    }

    fn learn_from(
        &mut self,
        message: &Message<'_>,
        puts: &Puts<'_>,
        rewritten: &Rewritten,
        source: &str,
    ) -> bool {
        let primary = puts.at(message.spans(true));
        match message.code() {
            "E0382" => match primary.first() {
                Some(moved) => self.decide(moved, Decision::Moved(message.moved_by(puts))),
                None => false,
            },
            "E0381" | "E0425" if !message.is_about_a_type() => match primary.first() {
                Some(unset) => self.decide(unset, Decision::Left(Left::Unset)),
                None => false,
            },
            code if BORROWS.contains(&code) || message.is_about_lifetimes() => {
                self.learn_of_borrow(message, &primary, puts, rewritten)
            }
            _ => match primary.first() {
                Some(variable) => self.try_another_type(variable, message, rewritten, source),
                None => false,
            },
        }
    }

    /// The variable that borrows is not put. If it is not known, everything ends that may borrow.
    fn learn_of_borrow(
        &mut self,
        message: &Message<'_>,
        primary: &[&str],
        puts: &Puts<'_>,
        rewritten: &Rewritten,
    ) -> bool {
        let others = puts.at(message.spans(false));
        let borrower = match (message.code(), others.first()) {
            ("E0505", None) => None,
            (_, Some(other)) => Some(*other),
            (_, None) => primary.first().copied(),
        };
        if let Some(borrower) = borrower {
            let borrows = message.quoted().filter(|name| *name != borrower);
            let left = Left::Borrows(borrows.map(str::to_owned));
            return self.decide(borrower, Decision::Left(left));
        }
        let Some(lender) = primary.first() else {
            return false;
        };
        let before = self.ended.len();
        self.ended.extend(rewritten.can_borrow.iter().cloned());
        self.ended.len() > before || self.decide(lender, Decision::Left(Left::Borrows(None)))
    }

    /// rustc may know the path of a name; otherwise it infers the type; a type that has no name is
    /// the end.
    fn try_another_type(
        &mut self,
        slot: &str,
        message: &Message<'_>,
        rewritten: &Rewritten,
        source: &str,
    ) -> bool {
        let put = rewritten.puts.iter().find(|put| put.slot == slot);
        let Some(of) = put.and_then(|put| put.of.as_deref()) else {
            return self.decide(slot, Decision::Left(Left::Unnamed));
        };
        let qualified = message.quoted().zip(message.import());
        let qualified = qualified.and_then(|(name, path)| types::qualified(of, name, &path));
        if let Some((missing, parent)) = message.missing_in_crate() {
            let others = || types::renamed(of, missing, parent, source);
            self.others.entry(slot.to_owned()).or_insert_with(others);
        }
        let next = qualified.or_else(|| self.others.get_mut(slot)?.pop());
        self.decide(slot, next.map_or(Decision::Inferred, Decision::Typed))
    }

    pub(super) fn decide(&mut self, slot: &str, decision: Decision) -> bool {
        let is_new = self.of.get(slot) != Some(&decision);
        self.of.insert(slot.to_owned(), decision);
        is_new
    }
}

/// Errors about values that are borrowed too long.
const BORROWS: [&str; 14] = [
    "E0310", "E0311", "E0373", "E0499", "E0502", "E0503", "E0505", "E0506", "E0515", "E0521",
    "E0597", "E0621", "E0713", "E0716",
];

/// The variables that the cell puts, with the bytes of the calls.
pub(super) struct Puts<'a>(Vec<(&'a str, Range<usize>)>);

impl<'a> Puts<'a> {
    pub(super) fn of(rewritten: &'a Rewritten, source: &str) -> Self {
        let place = |text: &str| {
            let start = source.rfind(text)?;
            Some(start..start + text.len())
        };
        let puts = rewritten.puts.iter();
        let found = puts.filter_map(|put| Some((put.slot.as_str(), place(&put.text)?)));
        Self(found.collect())
    }

    /// The variables of the calls at these places.
    pub(super) fn at(&self, spans: impl Iterator<Item = Range<usize>>) -> Vec<&'a str> {
        spans.filter_map(|span| self.variable_at(&span)).collect()
    }

    fn variable_at(&self, span: &Range<usize>) -> Option<&'a str> {
        let is_inside = |call: &Range<usize>| call.start <= span.start && span.end <= call.end;
        let (variable, _) = self.0.iter().find(|(_, call)| is_inside(call))?;
        Some(variable)
    }
}

/// The messages of rustc, one JSON object a line.
pub(super) fn parsed(messages: &[u8]) -> impl Iterator<Item = Value> {
    let lines = messages.split(|byte| *byte == b'\n');
    lines.filter_map(|line| serde_json::from_slice(line).ok())
}

/// A message of rustc.
pub(super) struct Message<'a>(pub(super) &'a Value);

impl<'a> Message<'a> {
    pub(super) fn code(&self) -> &'a str {
        self.0["code"]["code"].as_str().unwrap_or_default()
    }

    fn title(&self) -> &'a str {
        self.0["message"].as_str().unwrap_or_default()
    }

    /// `lifetime may not live long enough` has no code.
    fn is_about_lifetimes(&self) -> bool {
        self.code().is_empty() && self.title().contains("lifetime")
    }

    /// Values, types and traits that are not found can have one code.
    fn is_about_a_type(&self) -> bool {
        let title = self.title();
        ["type", "trait", "struct"]
            .iter()
            .any(|kind| title.starts_with(&format!("cannot find {kind} ")))
    }

    /// The name of a crate that another crate exports under another name, and the name of that crate. The
    /// messages of rustc name a type by the first name.
    fn missing_in_crate(&self) -> Option<(&'a str, &'a str)> {
        let mut quoted = self.title().split('`').skip(1).step_by(2);
        let names = quoted.next().zip(quoted.next());
        names.filter(|_| self.code() == "E0433")
    }

    /// The first name in backquotes.
    fn quoted(&self) -> Option<&'a str> {
        self.title().split('`').nth(1)
    }

    pub(super) fn all_spans(&self) -> impl Iterator<Item = &'a Value> {
        self.0["spans"].as_array().into_iter().flatten()
    }

    /// The places of the message, primary or not.
    pub(super) fn spans(&self, is_primary: bool) -> impl Iterator<Item = Range<usize>> {
        let of_kind = move |span: &&Value| span["is_primary"].as_bool() == Some(is_primary);
        self.all_spans().filter(of_kind).filter_map(range)
    }

    /// The line that moves the variable.
    fn moved_by(&self, puts: &Puts<'_>) -> String {
        let says_moved = |span: &&Value| {
            let label = span["label"].as_str();
            label.is_some_and(|label| label.contains("moved"))
        };
        let is_users =
            |span: &&Value| range(span).is_some_and(|span| puts.variable_at(&span).is_none());
        let mut spans: Vec<_> = self
            .all_spans()
            .filter(says_moved)
            .filter(is_users)
            .collect();
        // The closure of the whole cell begins before the statement that moves the variable.
        spans.sort_by_key(|span| range(span).map(|span| span.start));
        let line = spans
            .last()
            .and_then(|span| span["text"][0]["text"].as_str());
        line.unwrap_or_default().trim().to_owned()
    }

    /// The path that rustc would import.
    fn import(&self) -> Option<String> {
        let children = self.0["children"].as_array()?.iter();
        let spans = children
            .filter_map(|child| child["spans"].as_array())
            .flatten();
        let paths: Vec<_> = spans
            .filter_map(|span| span["suggested_replacement"].as_str())
            .filter_map(|text| text.trim().strip_prefix("use ")?.strip_suffix(';'))
            .collect();
        let of_std = paths.iter().find(|path| path.starts_with("std::"));
        of_std.or(paths.first()).map(|path| (*path).to_owned())
    }
}

fn range(span: &Value) -> Option<Range<usize>> {
    let place = |name: &str| usize::try_from(span[name].as_u64()?).ok();
    Some(place("byte_start")?..place("byte_end")?)
}

#[cfg(test)]
mod tests {
    use super::super::rewrite::PutCall;
    use super::*;
    use serde_json::json;

    const SOURCE: &str = "let some = &all[2..]; drop(v); put(all); put(some); put(v);";

    fn rewritten() -> Rewritten {
        let put = |variable: &str| PutCall {
            slot: slot(variable, true),
            variable: variable.to_owned(),
            is_evident: false,
            of: Some("Box<dyn Any>".to_owned()),
            text: format!("put({variable});"),
        };
        Rewritten::of_puts(["all", "some", "v"].map(put).into())
    }

    /// A part of the source in a message.
    fn span(text: &str, is_primary: bool, label: &str) -> Value {
        let start = SOURCE.rfind(text).unwrap();
        json!({
            "byte_start": start,
            "byte_end": start + text.len(),
            "is_primary": is_primary,
            "label": label,
            "text": [{"text": format!("  {text};")}],
        })
    }

    fn learned(decisions: &mut Decisions, code: &str, title: &str, spans: &[Value]) -> bool {
        let message = json!({
            "level": "error", "message": title, "code": {"code": code}, "spans": spans,
            "children": [{"spans": [{"suggested_replacement": "use std::any::Any;\n"}]}],
        });
        decisions.learn(&rewritten(), SOURCE, message.to_string().as_bytes())
    }

    #[test]
    fn a_moved_variable_is_not_put() {
        let mut decisions = Decisions::default();
        let spans = [
            span("put(v)", true, "value used here after move"),
            span("drop(v)", false, "value moved here"),
        ];
        assert!(learned(
            &mut decisions,
            "E0382",
            "use of moved value: `v`",
            &spans
        ));
        assert_eq!(decisions.of["v"], Decision::Moved("drop(v);".to_owned()));
        assert!(!learned(
            &mut decisions,
            "E0382",
            "use of moved value: `v`",
            &spans
        ));
    }

    #[test]
    fn what_borrows_is_not_put() {
        let mut decisions = Decisions::default();
        let spans = [
            span("put(all)", true, "move out of `all` occurs here"),
            span("put(some)", false, "borrow later used here"),
        ];
        let title = "cannot move out of `all` because it is borrowed";
        assert!(learned(&mut decisions, "E0505", title, &spans));
        let left = Left::Borrows(Some("all".to_owned()));
        assert_eq!(decisions.of["some"], Decision::Left(left));
        assert!(!decisions.of.contains_key("all"));
    }

    #[test]
    fn a_type_is_tried_with_paths_then_as_inferred() {
        let mut decisions = Decisions::default();
        let spans = [span("put(v)", true, "")];
        let title = "cannot find trait `Any` in this scope";
        assert!(learned(&mut decisions, "E0405", title, &spans));
        let typed = Decision::Typed("Box<dyn ::std::any::Any>".to_owned());
        assert_eq!(decisions.of["v"], typed);
        assert!(learned(&mut decisions, "E0308", "mismatched types", &spans));
        assert_eq!(decisions.of["v"], Decision::Inferred);
    }

    #[test]
    fn a_type_that_is_not_found_is_no_missing_value() {
        let mut decisions = Decisions::default();
        let spans = [span("put(v)", true, "")];
        let title = "cannot find type `Any` in this scope";
        assert!(learned(&mut decisions, "E0425", title, &spans));
        assert_ne!(decisions.of["v"], Decision::Left(Left::Unset));
        let title = "cannot find value `v` in this scope";
        assert!(learned(&mut decisions, "E0425", title, &spans));
        assert_eq!(decisions.of["v"], Decision::Left(Left::Unset));
    }

    #[test]
    fn errors_of_the_user_decide_nothing() {
        let mut decisions = Decisions::default();
        let spans = [span("&all[2..]", true, "")];
        assert!(!learned(
            &mut decisions,
            "E0308",
            "mismatched types",
            &spans
        ));
        assert!(decisions.of.is_empty());
    }
}
