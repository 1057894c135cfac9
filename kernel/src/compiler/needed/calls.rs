//! The functions that a cell can call.
//!
//! Names are not resolved: a name reaches every function of that name, and words in strings and in
//! comments count. A function that is missed is found when the cell has been linked.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use memit_magics::cell::syntax::words;

use super::items::Items;

/// What a cell reaches.
struct Search<'a> {
    source: &'a str,
    items: &'a Items,
    reached: HashSet<&'a str>,
    /// Names whose definitions have not been looked at.
    open: Vec<&'a str>,
    /// For each function, whether the cell can call the function.
    called: Vec<bool>,
}

/// For each function, whether the cell can call the function. Functions that are not `known` and
/// exported ones count as called.
pub(super) fn called(source: &str, items: &Items, known: &[bool]) -> Vec<bool> {
    let mut search = Search {
        source,
        items,
        reached: HashSet::new(),
        open: Vec::new(),
        called: vec![false; items.functions.len()],
    };
    for root in items.roots.iter().chain(&items.cell) {
        search.read(root);
    }
    for (index, (function, is_known)) in items.functions.iter().zip(known).enumerate() {
        if function.is_exported || !is_known {
            search.call(index);
        }
    }
    search.run();
    search.called
}

impl Search<'_> {
    fn run(&mut self) {
        let mut free = HashMap::<_, Vec<usize>>::new();
        for (index, function) in self.items.functions.iter().enumerate() {
            if function.of.is_none() {
                free.entry(function.name.as_str()).or_default().push(index);
            }
        }
        let mut defined = HashMap::<_, Vec<&Range<usize>>>::new();
        for definition in &self.items.definitions {
            for name in &definition.names {
                let ranges = defined.entry(name.as_str()).or_default();
                ranges.push(&definition.range);
            }
        }
        let mut implementations: Vec<_> = (0..self.items.implementations.len()).collect();
        let mut are_reached = vec![false; implementations.len()];
        loop {
            while let Some(name) = self.open.pop() {
                for range in defined.remove(name).into_iter().flatten() {
                    self.read(range);
                }
                for index in free.remove(name).into_iter().flatten() {
                    self.call(index);
                }
            }
            implementations.retain(|index| {
                let is_reached = self.is_reached(*index, &defined);
                are_reached[*index] = is_reached;
                !is_reached
            });
            let methods: Vec<_> = (0..self.called.len())
                .filter(|index| self.is_called_method(*index, &are_reached))
                .collect();
            for index in methods {
                self.call(index);
            }
            let reached = self.items.implementations.iter().zip(&are_reached);
            for (implementation, _) in reached.filter(|(_, is_reached)| **is_reached) {
                self.read(&implementation.header);
                for other in &implementation.others {
                    self.read(other);
                }
            }
            if self.open.is_empty() {
                return;
            }
        }
    }

    /// Whether the cell can have a value of the type of an `impl`: `unreached` are the session's
    /// definitions that the cell does not reach.
    fn is_reached(&self, index: usize, unreached: &HashMap<&str, Vec<&Range<usize>>>) -> bool {
        let of_type = &self.items.implementations[index].of_type;
        words(&self.source[of_type.clone()])
            .iter()
            .all(|name| !unreached.contains_key(*name))
    }

    /// Whether the cell can call a method that has not been found before. Traits call methods without
    /// naming them.
    fn is_called_method(&self, index: usize, are_reached: &[bool]) -> bool {
        let function = &self.items.functions[index];
        let Some(of) = function.of else { return false };
        !self.called[index]
            && are_reached[of]
            && (self.items.implementations[of].is_of_trait
                || self.reached.contains(function.name.as_str()))
    }

    fn call(&mut self, index: usize) {
        self.called[index] = true;
        self.read(&self.items.functions[index].range);
    }

    fn read(&mut self, range: &Range<usize>) {
        for word in words(&self.source[range.clone()]) {
            if self.reached.insert(word) {
                self.open.push(word);
            }
        }
    }
}
