//! The variables that are in sight, with a record of changes so that branches can be taken back.

use ruff_python_ast::name::Name;
use rustc_hash::FxHashMap as HashMap;

use crate::value::Value;

/// The variables in sight: those of the module, of the function, of functions around it.
#[derive(Default)]
pub(super) struct Env {
    variables: HashMap<Name, Value>,
    /// What each change replaced.
    changes: Vec<(Name, Option<Value>)>,
    /// Where in `changes` each function began.
    entered: Vec<usize>,
}

/// What a branch changed.
pub(super) type Changes = HashMap<Name, Value>;

impl Env {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.variables.get(name)
    }

    pub(super) fn set(&mut self, name: Name, value: Value) {
        let before = self.variables.insert(name.clone(), value);
        self.changes.push((name, before));
    }

    /// Whether a variable is that of the module, as it was before the function was entered.
    pub(super) fn is_outer(&self, name: &Name) -> bool {
        let entered = self.entered.first().copied().unwrap_or(self.changes.len());
        self.variables.contains_key(name)
            && !self.changes[entered..].iter().any(|(changed, _)| changed == name)
    }

    pub(super) fn enter(&mut self) {
        self.entered.push(self.changes.len());
    }

    pub(super) fn leave(&mut self) {
        let mark = self.entered.pop().expect("entered before");
        self.take_back(mark);
    }

    pub(super) fn mark(&self) -> usize {
        self.changes.len()
    }

    /// Takes back all changes since the mark.
    fn take_back(&mut self, mark: usize) {
        while self.changes.len() > mark {
            let (name, before) = self.changes.pop().expect("longer than the mark");
            match before {
                Some(value) => self.variables.insert(name, value),
                None => self.variables.remove(&name),
            };
        }
    }

    /// What was changed since the mark.
    pub(super) fn since(&self, mark: usize) -> Changes {
        let mut now = Changes::default();
        for (name, _) in &self.changes[mark..] {
            if let Some(value) = self.variables.get(name) {
                now.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        now
    }

    /// Takes back all changes since the mark and tells what they were.
    pub(super) fn undo(&mut self, mark: usize) -> Changes {
        let now = self.since(mark);
        self.take_back(mark);
        now
    }

    /// What holds after one of these branches was taken.
    pub(super) fn merge(&mut self, mut branches: Vec<Changes>) {
        let Some(mut first) = branches.pop() else { return };
        let names: Vec<Name> =
            first.keys().chain(branches.iter().flat_map(HashMap::keys)).cloned().collect();
        for name in names {
            let Some(mut value) =
                first.remove(&name).or_else(|| self.variables.get(&name).cloned())
            else {
                // Bound in other branches only: what they bound.
                let bound = branches.iter_mut().filter_map(|branch| branch.remove(&name));
                if let Some(value) = bound.reduce(|one, two| one.join(&two)) {
                    self.set(name, value);
                }
                continue;
            };
            for branch in &mut branches {
                let other = branch.remove(&name).or_else(|| self.variables.get(&name).cloned());
                if let Some(other) = other {
                    value = value.join(&other);
                }
            }
            self.set(name, value);
        }
    }
}
