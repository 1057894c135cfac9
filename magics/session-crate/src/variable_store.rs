//! The store that holds a session's variables between its cells.
//!
//! evcxr puts a module with these names into the source of every cell, and compiling a small cell
//! is mostly compiling that module. This module is compiled once per session instead, with the
//! crate. Its functions are generic only where they must be, so that a cell compiles only calls.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

/// Tells evcxr that the variable named after the colon now has another type.
const VARIABLE_CHANGED_TYPE: &str = "EVCXR_VARIABLE_CHANGED_TYPE:";
/// Tells evcxr that a `?` ended a cell.
pub const USER_ERROR_OCCURRED: &str = "EVCXR_ERROR_OCCURRED";

/// Variables by name.
pub struct VariableStore {
    variables: HashMap<String, Box<dyn Any>>,
}

/// An empty store, which lives as long as the session.
#[inline(never)]
pub fn create_variable_store() -> *mut VariableStore {
    Box::into_raw(Box::new(VariableStore::new()))
}

impl VariableStore {
    fn new() -> Self {
        Self {
            variables: HashMap::new(),
        }
    }

    /// Keeps a variable.
    #[inline]
    pub fn put_variable<T: 'static>(&mut self, name: &str, value: T) {
        self.put(name, Box::new(value));
    }

    /// Whether the variable has this type or does not exist. Otherwise tells evcxr.
    #[inline]
    pub fn check_variable<T: 'static>(&mut self, name: &str) -> bool {
        self.check(name, TypeId::of::<T>())
    }

    /// Takes a variable out of the store.
    ///
    /// # Panics
    ///
    /// If there is no such variable, or if it has another type: call `check_variable` first.
    #[inline]
    pub fn take_variable<T: 'static>(&mut self, name: &str) -> T {
        match self.take(name).downcast() {
            Ok(value) => *value,
            Err(value) => has_another_type(name, value),
        }
    }

    /// Shares a value that `create` makes when a cell asks for it first.
    ///
    /// # Panics
    ///
    /// If a variable of this name has another type.
    pub fn lazy_arc<T: 'static, F: FnOnce() -> T>(&mut self, name: &str, create: F) -> Arc<T> {
        if self.get(name).is_none() {
            self.put(name, Box::new(Arc::new(create())));
        }
        match self.get(name).and_then(|value| value.downcast_ref()) {
            Some(value) => Arc::clone(value),
            None => has_another_type(name, self.take(name)),
        }
    }

    #[inline(never)]
    fn check(&self, name: &str, expected: TypeId) -> bool {
        let is_fine = self
            .get(name)
            .is_none_or(|value| value.type_id() == expected);
        if !is_fine {
            eprintln!("The type of the variable {name} was redefined, so was lost.");
            println!("{VARIABLE_CHANGED_TYPE}{name}");
        }
        is_fine
    }

    #[inline(never)]
    fn put(&mut self, name: &str, value: Box<dyn Any>) {
        self.variables.insert(name.to_owned(), value);
    }

    #[inline(never)]
    fn get(&self, name: &str) -> Option<&dyn Any> {
        self.variables.get(name).map(|value| &**value)
    }

    #[inline(never)]
    fn take(&mut self, name: &str) -> Box<dyn Any> {
        match self.variables.remove(name) {
            Some(value) => value,
            None => panic!("Variable '{name}' has gone missing"),
        }
    }
}

#[cold]
#[inline(never)]
fn has_another_type(name: &str, _value: Box<dyn Any>) -> ! {
    panic!("Variable '{name}' changed type")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_of_any_type_is_kept() {
        let mut store = VariableStore::new();
        store.put_variable::<Vec<String>>("v", vec!["kept".to_owned()]);
        assert!(store.check_variable::<Vec<String>>("v"));
        assert_eq!(store.take_variable::<Vec<String>>("v"), ["kept"]);
        assert!(store.check_variable::<Vec<String>>("v"), "there is none");
    }

    #[test]
    fn a_variable_of_another_type_is_noticed() {
        let mut store = VariableStore::new();
        store.put_variable::<u8>("n", 1);
        assert!(!store.check_variable::<i8>("n"));
        assert!(store.check_variable::<u8>("n"));
    }

    #[test]
    fn a_lazy_value_is_made_once() {
        let mut store = VariableStore::new();
        let first = store.lazy_arc("lazy", || String::from("made"));
        let second = store.lazy_arc("lazy", || unreachable!());
        assert!(Arc::ptr_eq(&first, &second));
    }
}
