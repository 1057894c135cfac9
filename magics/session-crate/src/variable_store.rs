//! The store that holds a session's variables between its cells.
//!
//! evcxr puts a module with these names into the source of every cell, and compiling a small cell
//! is mostly compiling that module. This module is compiled once per session instead, with the
//! crate. Its functions are generic only where they must be, so that a cell compiles only calls.

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::abi::entry_points::{
    memit_set_store, memit_variable_leaked, memit_variable_lost, memit_variable_named,
};

/// Variables by name.
pub struct VariableStore {
    variables: HashMap<String, Stored>,
}

/// A variable between two cells.
struct Stored {
    value: Box<dyn Any>,
    /// The fingerprints of the definitions that its type reached in the cell that put it here. A
    /// `TypeId` does not contain what the fields of a type are made of.
    definitions: Box<[u64]>,
}

impl Stored {
    /// Whether a cell with these definitions, sorted by fingerprint, may read the value. A cell may
    /// know more definitions, but none that the value is made of may have changed.
    fn fits(&self, expected: TypeId, definitions: &[u64]) -> bool {
        let is_known = |definition| definitions.binary_search(definition).is_ok();
        (*self.value).type_id() == expected && self.definitions.iter().all(is_known)
    }
}

/// The store at `store`. If there is none, tells the kernel that these variables are lost.
///
/// # Safety
///
/// `store` must be null or come from [`create_variable_store`], and nothing else may use the store as
/// long as the reference lives.
#[inline(never)]
pub unsafe fn store_of<'a>(
    store: *mut VariableStore,
    names: &[&str],
) -> Option<&'a mut VariableStore> {
    // SAFETY: the caller guarantees that the pointer is null or the only one to a store.
    let store = unsafe { store.as_mut() };
    if store.is_none() {
        for &name in names {
            memit_variable_lost(name.into());
        }
    }
    store
}

/// Drops variables of the store at `store`, if there is a store.
///
/// # Safety
///
/// `store` must be null or come from [`create_variable_store`], and nothing else may use the store.
#[inline(never)]
pub unsafe fn give_up(store: *mut VariableStore, names: &[&str]) {
    // SAFETY: the caller guarantees that the pointer is null or the only one to a store.
    if let Some(store) = unsafe { store.as_mut() } {
        store.give_up(names);
    }
}

/// An empty store, which lives as long as the session.
#[inline(never)]
pub fn create_variable_store() -> *mut VariableStore {
    let store = Box::into_raw(Box::new(VariableStore::new()));
    memit_set_store(store.cast());
    store
}

impl VariableStore {
    fn new() -> Self {
        Self {
            variables: HashMap::new(),
        }
    }

    /// Keeps a variable whose type reaches these definitions.
    #[inline]
    pub fn put_variable_of<T: 'static>(&mut self, name: &str, value: T, definitions: &[u64]) {
        self.put(name, Box::new(value), definitions);
    }

    /// Keeps a variable whose type only rustc knows, and tells the kernel how rustc names the type.
    #[inline]
    pub fn put_unnamed<T: 'static>(&mut self, name: &str, value: T) {
        memit_variable_named(name.into(), type_name::<T>().into());
        self.put_variable_of(name, value, &[]);
    }

    /// Whether there is a variable of this type, in a cell with these definitions, sorted. If not,
    /// tells the kernel that the variable is lost.
    #[inline]
    pub fn check_variable_of<T: 'static>(&mut self, name: &str, definitions: &[u64]) -> bool {
        self.check(name, TypeId::of::<T>(), definitions)
    }

    /// Takes a variable out of the store, in a cell with these definitions, sorted.
    ///
    /// # Panics
    ///
    /// If there is no such variable, or if its type or a definition that its type reaches is
    /// another one: call `check_variable_of` first.
    #[inline]
    pub fn take_variable_of<T: 'static>(&mut self, name: &str, definitions: &[u64]) -> T {
        match self.take(name, TypeId::of::<T>(), definitions).downcast() {
            Ok(value) => *value,
            Err(value) => has_another_type(name, value),
        }
    }

    /// Drops variables by the code of the cells that put them here. A panic of a destructor is not one
    /// of the cell that runs.
    #[inline(never)]
    pub fn give_up(&mut self, names: &[&str]) {
        for &name in names {
            let given_up = self.variables.remove(name);
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(given_up))) {
                // The payload may have a destructor of its own.
                std::mem::forget(payload);
                memit_variable_leaked(name.into());
            }
        }
    }

    /// The value of a variable, to be looked at.
    pub(crate) fn value_mut(&mut self, name: &str) -> Option<&mut Box<dyn Any>> {
        self.variables.get_mut(name).map(|stored| &mut stored.value)
    }

    /// Shares a value that `create` makes when a cell asks for it first.
    ///
    /// # Panics
    ///
    /// If a variable of this name has another type.
    pub fn lazy_arc<T: 'static, F: FnOnce() -> T>(&mut self, name: &str, create: F) -> Arc<T> {
        if self.get(name).is_none() {
            self.put(name, Box::new(Arc::new(create())), &[]);
        }
        match self
            .get(name)
            .and_then(|stored| stored.value.downcast_ref())
        {
            Some(value) => Arc::clone(value),
            None => has_another_type(name, Box::new(())),
        }
    }

    #[inline(never)]
    fn check(&self, name: &str, expected: TypeId, definitions: &[u64]) -> bool {
        let is_fine = self
            .get(name)
            .is_some_and(|stored| stored.fits(expected, definitions));
        if !is_fine {
            memit_variable_lost(name.into());
        }
        is_fine
    }

    #[inline(never)]
    fn put(&mut self, name: &str, value: Box<dyn Any>, definitions: &[u64]) {
        let definitions = definitions.into();
        let stored = Stored { value, definitions };
        self.variables.insert(name.to_owned(), stored);
    }

    #[inline(never)]
    fn get(&self, name: &str) -> Option<&Stored> {
        self.variables.get(name)
    }

    #[inline(never)]
    fn take(&mut self, name: &str, expected: TypeId, definitions: &[u64]) -> Box<dyn Any> {
        match self.variables.remove(name) {
            Some(stored) if stored.fits(expected, definitions) => stored.value,
            Some(stored) => has_another_type(name, stored.value),
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
    use crate::abi::Text;

    #[unsafe(no_mangle)]
    extern "C" fn memit_variable_lost(_name: Text<'_>) {}

    #[unsafe(no_mangle)]
    extern "C" fn memit_variable_named(name: Text<'_>, of: Text<'_>) {
        assert_eq!((name.as_str(), of.as_str()), ("n", "alloc::vec::Vec<u8>"));
    }

    #[unsafe(no_mangle)]
    extern "C" fn memit_variable_leaked(_name: Text<'_>) {}

    #[unsafe(no_mangle)]
    extern "C" fn memit_set_store(_store: *mut std::ffi::c_void) {}

    #[test]
    fn a_variable_of_any_type_is_kept() {
        let mut store = VariableStore::new();
        store.put_variable_of::<Vec<String>>("v", vec!["kept".to_owned()], &[]);
        assert!(store.check_variable_of::<Vec<String>>("v", &[]));
        assert_eq!(store.take_variable_of::<Vec<String>>("v", &[]), ["kept"]);
        assert!(
            !store.check_variable_of::<Vec<String>>("v", &[]),
            "there is none"
        );
    }

    #[test]
    fn a_variable_of_another_type_is_noticed() {
        let mut store = VariableStore::new();
        store.put_variable_of::<u8>("n", 1, &[]);
        assert!(!store.check_variable_of::<i8>("n", &[]));
        assert!(store.check_variable_of::<u8>("n", &[]));
    }

    #[test]
    fn a_variable_is_read_only_where_its_definitions_are_known() {
        let mut store = VariableStore::new();
        store.put_variable_of::<u8>("n", 1, &[7, 3]);
        assert!(
            store.check_variable_of::<u8>("n", &[3, 5, 7]),
            "one was added"
        );
        assert!(
            !store.check_variable_of::<u8>("n", &[3, 8]),
            "one has changed"
        );
        assert!(!store.check_variable_of::<u8>("n", &[]));
        assert_eq!(store.take_variable_of::<u8>("n", &[3, 7]), 1);
    }

    #[test]
    #[should_panic(expected = "Variable 'n' changed type")]
    fn a_variable_with_other_definitions_is_never_returned() {
        let mut store = VariableStore::new();
        store.put_variable_of::<u8>("n", 1, &[7]);
        store.take_variable_of::<u8>("n", &[8]);
    }

    #[test]
    fn a_variable_that_is_given_up_is_dropped() {
        let shared = Arc::new(());
        let mut store = VariableStore::new();
        store.put_variable_of("n", Arc::clone(&shared), &[]);
        store.give_up(&["n", "there is none"]);
        assert_eq!(Arc::strong_count(&shared), 1);
    }

    #[test]
    fn a_type_that_only_rustc_knows_is_told_to_the_kernel() {
        let mut store = VariableStore::new();
        store.put_unnamed("n", vec![1u8]);
        assert_eq!(store.take_variable_of::<Vec<u8>>("n", &[]), [1]);
    }

    #[test]
    fn a_session_without_a_store_has_nothing_to_give_up() {
        let shared = Arc::new(());
        let mut store = VariableStore::new();
        store.put_variable_of("n", Arc::clone(&shared), &[]);
        // SAFETY: the pointers are null and the only one to a store.
        unsafe {
            give_up(std::ptr::null_mut(), &["n"]);
            give_up(&raw mut store, &["n"]);
            assert!(store_of(std::ptr::null_mut(), &["n"]).is_none());
            assert!(store_of(&raw mut store, &["n"]).is_some());
        }
        assert_eq!(Arc::strong_count(&shared), 1);
    }

    #[test]
    fn a_destructor_that_panics_ends_nothing_else() {
        struct Panics;
        impl Drop for Panics {
            fn drop(&mut self) {
                panic!("dropped");
            }
        }
        let mut store = VariableStore::new();
        store.put_variable_of("n", Panics, &[]);
        store.give_up(&["n"]);
        assert!(store.get("n").is_none());
    }

    #[test]
    fn a_lazy_value_is_made_once() {
        let mut store = VariableStore::new();
        let first = store.lazy_arc("lazy", || String::from("made"));
        let second = store.lazy_arc("lazy", || unreachable!());
        assert!(Arc::ptr_eq(&first, &second));
    }
}
