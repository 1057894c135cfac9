//! The result of `%whos`.

use memit_measurement::{NoHeap, VariableMeasurement, VariablesMeasurement};
use serde::Serialize;

use super::rust_value::RustValue;
use crate::ellipsis::shortened;
use crate::failure::signal;
use crate::magic::SessionVariable;
use crate::visible;

/// Characters of a value.
const VALUE: usize = 60;

/// The variables of a session. Sizes are in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "magic", rename = "whos")]
pub struct WhosResult {
    /// The variables, in the order in which cells have made them.
    pub variables: Vec<WhosVariable>,
    /// Heap that single variables hold: the sum of the rows.
    pub heap: u64,
    /// Heap that variables share, each block once; absent if it could not be measured.
    pub heap_shared: Option<u64>,
    /// Heap that no variable of the table holds; absent where the allocator does not tell the live heap.
    pub heap_of_session: Option<u64>,
    /// Heap that the allocator has handed out; absent where the allocator does not tell.
    pub live_heap: Option<u64>,
}

/// A variable. Sizes are in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WhosVariable {
    /// The name.
    pub name: String,
    /// The type, as people write it.
    pub type_name: String,
    /// The number that front-ends show for the cell that has made the variable.
    pub cell: u64,
    /// Size of the value itself, without what it holds elsewhere.
    pub size: u64,
    /// Heap that the variable alone holds; absent if it could not be measured.
    pub heap: Option<u64>,
    /// Heap that the variable shares with other variables; absent if it could not be measured.
    pub heap_shared: Option<u64>,
    /// Blocks of the heap that the variable alone holds; absent if they could not be counted.
    pub blocks: Option<u64>,
    /// Why the heap could not be measured.
    pub no_heap: Option<String>,
    /// The value as text in one line of at most 60 characters; absent if the type has no text.
    pub value: Option<String>,
}

/// The order of a table of variables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhosOrder {
    /// As cells have made them.
    #[default]
    Cell,
    /// By name.
    Name,
    /// By type.
    Type,
    /// The largest first, with all that it holds. What is not known comes last.
    Size,
}

impl WhosOrder {
    /// The order with this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "cell" => Some(Self::Cell),
            "name" => Some(Self::Name),
            "type" => Some(Self::Type),
            "size" => Some(Self::Size),
            _ => None,
        }
    }
}

impl WhosVariable {
    fn new(measured: &VariableMeasurement, known: &SessionVariable, threads: u32) -> Self {
        let heap = measured.heap.as_ref();
        let value = measured.value.as_deref();
        Self {
            name: known.name.clone(),
            type_name: known.of.clone(),
            cell: known.cell,
            size: measured.size,
            heap: heap.map(|heap| heap.own),
            heap_shared: heap.and_then(|heap| heap.shared),
            blocks: heap.map(|heap| heap.blocks),
            no_heap: measured.no_heap.as_ref().map(|why| reason(why, threads)),
            value: value.map(|value| shortened(&visible(value), VALUE)),
        }
    }

    /// The value and its heap; `None` if the heap is not known.
    pub fn total(&self) -> Option<u64> {
        Some(self.size + self.heap? + self.heap_shared.unwrap_or(0))
    }
}

impl WhosResult {
    /// The result of a measurement of these variables.
    pub fn new(measurement: &VariablesMeasurement, known: &[SessionVariable]) -> Self {
        let measured = measurement.variables.iter().zip(known);
        let variables: Vec<_> = measured
            .map(|(measured, known)| WhosVariable::new(measured, known, measurement.threads))
            .collect();
        let heap: u64 = variables.iter().filter_map(|variable| variable.heap).sum();
        let together = measurement.freed_together;
        let of_variables = together.unwrap_or(heap);
        let live = measurement.live_heap;
        Self {
            heap,
            heap_shared: together.map(|together| together.saturating_sub(heap)),
            heap_of_session: live.map(|live| live.saturating_sub(of_variables)),
            live_heap: live,
            variables,
        }
    }

    /// The variables in this order.
    pub fn ordered(&self, order: WhosOrder) -> Vec<&WhosVariable> {
        let mut variables: Vec<_> = self.variables.iter().collect();
        match order {
            WhosOrder::Cell => {}
            WhosOrder::Name => variables.sort_by(|one, other| one.name.cmp(&other.name)),
            WhosOrder::Type => variables.sort_by(|one, other| one.type_name.cmp(&other.type_name)),
            WhosOrder::Size => {
                variables.sort_by_key(|variable| std::cmp::Reverse(variable.total()));
            }
        }
        variables
    }

    /// This result as a `WhosResult`, with the fields of the JSON.
    pub fn rust_value(&self) -> RustValue {
        RustValue::of(self)
    }
}

/// Why the heap of a variable is not known, as a clause.
fn reason(why: &NoHeap, threads: u32) -> String {
    match why {
        NoHeap::Panicked { message } => format!("its drop panics: {}", visible(message)),
        NoHeap::TimedOut { seconds } if threads > 1 => format!(
            "its drop takes longer than {seconds} s: it may wait for another thread, and the fork has none"
        ),
        NoHeap::TimedOut { seconds } => format!("its drop takes longer than {seconds} s"),
        NoHeap::Signal { number } => format!("its drop was ended by {}", signal(*number)),
        NoHeap::Exited { code } => format!("its drop ends the process (exit code {code})"),
        NoHeap::Refused { message } => format!("the system refused a fork: {message}"),
        NoHeap::NotShielded { message } => {
            format!("the system cannot keep a drop from what is outside of the fork: {message}")
        }
        NoHeap::CannotFork { why } => format!("the session cannot be forked: {why}"),
        NoHeap::Missing => "the session process does not have the variable".to_owned(),
        NoHeap::NotCounted => "the heap is not counted on this system".to_owned(),
    }
}

// `&'static str`: rustc takes long for many thousands of calls that make a `String`.
rust_struct! {
    WhosVariable as "WhosVariable" {
        name: String::as_str, type_name: String::as_str, cell, size, heap, heap_shared, blocks,
        no_heap: Option::as_deref, value: Option::as_deref,
    }
}

rust_struct! {
    WhosResult as "WhosResult" {
        variables, heap, heap_shared, heap_of_session, live_heap,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use memit_measurement::HeapOfVariable;

    use super::super::rust_value::tests::run_with;
    use super::*;

    pub(crate) fn sample() -> WhosResult {
        let known = |name: &str, of: &str, cell| SessionVariable {
            name: name.to_owned(),
            of: of.to_owned(),
            cell,
            ..SessionVariable::default()
        };
        let measured = |size, own, blocks, shared, value: &str| VariableMeasurement {
            size,
            heap: Some(HeapOfVariable {
                own,
                blocks,
                shared: Some(shared),
            }),
            no_heap: None,
            value: Some(value.to_owned()),
        };
        let measurement = VariablesMeasurement {
            variables: vec![
                measured(24, 100 << 20, 1, 0, &"[1, ".repeat(30)),
                measured(8, 0, 0, 1024, "\"shared\""),
                measured(8, 24, 1, 1024, "\"shared\""),
                measured(4, 0, 0, 0, "3"),
                VariableMeasurement {
                    size: 16,
                    no_heap: Some(NoHeap::Panicked {
                        message: "no\nway".to_owned(),
                    }),
                    ..VariableMeasurement::default()
                },
            ],
            freed_together: Some((100 << 20) + 24 + 1024),
            live_heap: Some(101 << 20),
            threads: 1,
        };
        let known = [
            known("all", "Vec<u8>", 1),
            known("one", "Rc<String>", 2),
            known("other", "(Box<u8>, Rc<String>)", 2),
            known("n", "i32", 4),
            known("odd", "Odd", 5),
        ];
        WhosResult::new(&measurement, &known)
    }

    #[test]
    fn the_parts_are_the_live_heap() {
        let result = sample();
        let parts = result.heap + result.heap_shared.unwrap() + result.heap_of_session.unwrap();
        assert_eq!(Some(parts), result.live_heap);
        assert_eq!(result.heap_shared, Some(1024));
    }

    #[test]
    fn a_value_has_at_most_60_characters() {
        let value = sample().variables[0].value.clone().unwrap();
        assert_eq!(value.chars().count(), 60);
        assert!(value.ends_with('…'));
    }

    #[test]
    fn the_order_is_that_of_the_users_choice() {
        let first = |order| sample().ordered(order)[0].name.clone();
        assert_eq!(first(WhosOrder::Cell), "all");
        assert_eq!(first(WhosOrder::Name), "all");
        assert_eq!(first(WhosOrder::Type), "other");
        let result = sample();
        let by_size: Vec<_> = result.ordered(WhosOrder::Size);
        let names: Vec<_> = by_size.iter().map(|each| each.name.as_str()).collect();
        assert_eq!(names, ["all", "other", "one", "n", "odd"]);
    }

    #[test]
    fn reasons_are_clauses() {
        let texts = [
            NoHeap::TimedOut { seconds: 1 },
            NoHeap::Signal { number: 6 },
            NoHeap::Exited { code: 3 },
            NoHeap::NotCounted,
        ];
        insta::assert_snapshot!(texts.map(|why| reason(&why, 2)).join("\n"), @"
        its drop takes longer than 1 s: it may wait for another thread, and the fork has none
        its drop was ended by SIGABRT (abort: a stack overflow, a failed allocation or a call of `abort`)
        its drop ends the process (exit code 3)
        the heap is not counted on this system
        ");
    }

    #[test]
    fn a_program_can_read_the_result_as_a_rust_value() {
        let printed = run_with(
            &sample().rust_value(),
            "whos",
            r#"print!("{} {:?} {:?}", r.variables[1].type_name, r.heap_shared, r.variables[4].no_heap)"#,
        );
        assert_eq!(
            printed,
            "Rc<String> Some(1024) Some(\"its drop panics: no way\")"
        );
    }
}
