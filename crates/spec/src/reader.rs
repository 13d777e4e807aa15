//! Reading a run's keys: what is missing or breaks a rule is collected, each thing at its key.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::key::Key;
use crate::literal::Literal;
use crate::tables::MethodName;
use crate::value::Value;
use crate::values::Values;

/// A group of keys that are read and written together.
pub trait Part: Sized {
    /// Adds its keys in the order of the docs.
    fn keys(keys: &mut Vec<&'static Key>);

    /// Reads it; none where something is wrong, which the reader then holds.
    fn read(reader: &mut Reader<'_>) -> Option<Self>;

    /// Writes its keys.
    fn write(&self, values: &mut Values);
}

/// Where keys have their values.
pub trait Lookup {
    /// The value of a key; none where it is not set.
    fn literal(&self, path: &str) -> Option<Literal>;

    /// Whether a table is there, be it empty.
    fn has_table(&self, path: &str) -> bool;
}

/// What is wrong with a run's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The path of the key or table it is about.
    pub key: String,
    /// What is wrong.
    pub kind: FaultKind,
}

/// In which way a key is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// It must be there and is not.
    Missing,
    /// One of several keys must be there and none is.
    Lacks {
        /// Which, in words.
        message: String,
        /// The way out.
        hint: String,
    },
    /// It is set and nothing reads it, whatever its value.
    Unread {
        /// Why, in words.
        message: String,
        /// The way out.
        hint: String,
    },
    /// Its value is of another type or outside its range; said where the value stands, once for all runs.
    Value,
    /// It breaks a rule.
    Rule {
        /// Which, in words.
        message: String,
        /// The way out.
        hint: String,
    },
}

/// Reads keys and collects what is wrong.
pub struct Reader<'l> {
    lookup: &'l dyn Lookup,
    /// The method, once it is known: some defaults depend on it.
    pub(crate) method: Option<MethodName>,
    read: RefCell<BTreeSet<&'static str>>,
    faults: Vec<Fault>,
}

impl<'l> Reader<'l> {
    pub(crate) fn new(lookup: &'l dyn Lookup) -> Self {
        Self {
            lookup,
            method: None,
            read: RefCell::default(),
            faults: Vec::new(),
        }
    }

    /// The value of a key or its default; none where it is missing or wrong.
    pub(crate) fn value<T: Value>(&mut self, key: &'static Key) -> Option<T> {
        self.read.borrow_mut().insert(key.path);
        let Some(literal) = self.lookup.literal(key.path) else {
            let default = key.default.literal(self.method);
            let value = default.as_ref().map_or_else(T::absent, T::from_literal);
            if value.is_none() {
                self.fault(key.path, FaultKind::Missing);
            }
            return value;
        };
        let value = T::from_literal(&literal).filter(|_| key.range.expected(&literal).is_none());
        if value.is_none() {
            self.fault(key.path, FaultKind::Value);
        }
        value
    }

    /// Whether a key is set.
    pub(crate) fn is_set(&self, key: &Key) -> bool {
        self.lookup.literal(key.path).is_some()
    }

    /// Whether a table is there, be it empty.
    pub(crate) fn has_table(&self, path: &str) -> bool {
        self.lookup.has_table(path)
    }

    /// Whether something asked for a key.
    pub(crate) fn has_read(&self, path: &str) -> bool {
        self.read.borrow().contains(path)
    }

    /// Notes that a rule is broken.
    pub(crate) fn rule(&mut self, key: &str, message: String, hint: &str) {
        let hint = hint.to_owned();
        self.fault(key, FaultKind::Rule { message, hint });
    }

    /// Notes that none of several keys is there.
    pub(crate) fn lacks(&mut self, key: &str, message: String, hint: &str) {
        let hint = hint.to_owned();
        self.fault(key, FaultKind::Lacks { message, hint });
    }

    /// Notes that a key or a table is set and not read.
    pub(crate) fn unread(&mut self, key: &str, but: &str, hint: String) {
        let message = format!("`{key}` is set, but {but}");
        self.fault(key, FaultKind::Unread { message, hint });
    }

    /// Refuses a key that is set against a rule: "`key` is set, but ...".
    pub(crate) fn refuse(&mut self, set: bool, key: &str, is: &str, but: &str, hint: &str) {
        if set {
            self.rule(key, format!("`{key}` {is}, but {but}"), hint);
        }
    }

    fn fault(&mut self, key: &str, kind: FaultKind) {
        let key = key.to_owned();
        self.faults.push(Fault { key, kind });
    }

    pub(crate) fn into_faults(self) -> Vec<Fault> {
        self.faults
    }
}
