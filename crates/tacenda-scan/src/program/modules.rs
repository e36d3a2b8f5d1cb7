//! Which file a module is: what an import names, among the files of the scan.

use std::ffi::OsStr;
use std::path::{Component, Path};

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::Unit;

/// Names of parts of a path below which a module is looked for.
const MAX_PARTS: usize = 12;

/// The files of the scan by the names of their modules.
#[derive(Default)]
pub(super) struct Modules<'a> {
    /// By the name that the packages around a file give it: more than one where several directories
    /// that are no packages hold files of one name.
    files: HashMap<&'a str, Vec<u32>>,
    /// The names of all directories and files: what begins with none of them is somewhere else.
    known: HashSet<&'a str>,
}

impl<'a> Modules<'a> {
    /// Enters a file under its name. Nobody imports a notebook; a stub says less than the code beside
    /// it.
    pub(super) fn enter(&mut self, file: u32, unit: &'a Unit, units: &[&'a Unit]) {
        let stub = match unit.path.extension().and_then(OsStr::to_str) {
            Some("ipynb") => return,
            extension => extension == Some("pyi"),
        };
        self.known.extend(parts_of(&unit.path));
        let same = self.files.entry(&unit.module).or_default();
        let here = unit.path.parent();
        let beside = same.iter().position(|other| units[*other as usize].path.parent() == here);
        match beside {
            Some(_) if stub => {}
            Some(at) => same[at] = file,
            None => same.push(file),
        }
    }

    /// The file that a file means by a module: the one of this name, or one whose path ends so in
    /// directories that are no packages; of several, the nearest.
    pub(super) fn find(&self, from: u32, module: &str, units: &[&'a Unit]) -> Option<u32> {
        if let Some(files) = self.files.get(module) {
            return match &files[..] {
                [only] => Some(*only),
                several => self.nearest(from, several.iter().copied(), units),
            };
        }
        let first = module.split('.').next()?;
        if !module.contains('.') || !self.known.contains(first) {
            return None;
        }
        let mut rest = module;
        while let Some((_, inner)) = rest.split_once('.') {
            if let Some(files) = self.files.get(inner) {
                let ending = files
                    .iter()
                    .copied()
                    .filter(|file| ends_so(&units[*file as usize].path, module));
                if let Some(found) = self.nearest(from, ending, units) {
                    return Some(found);
                }
            }
            rest = inner;
        }
        None
    }

    fn nearest(
        &self,
        from: u32,
        files: impl Iterator<Item = u32>,
        units: &[&'a Unit],
    ) -> Option<u32> {
        let here = &units[from as usize].path;
        let shared = |file: &u32| {
            let there = units[*file as usize].path.components();
            here.components().zip(there).take_while(|(one, other)| one == other).count()
        };
        // Of those that are as near, the last one.
        files.max_by_key(shared)
    }
}

/// The names that the parts of a path give modules, the last ones first.
fn parts_of(path: &Path) -> impl Iterator<Item = &str> {
    let directories = path.parent().into_iter().flat_map(Path::components).rev();
    let names = directories.filter_map(|part| match part {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    let stem = path.file_stem().and_then(OsStr::to_str).filter(|stem| *stem != "__init__");
    stem.into_iter().chain(names).take(MAX_PARTS)
}

/// Whether the path of a file ends in the names of a module.
fn ends_so(path: &Path, module: &str) -> bool {
    let mut parts = parts_of(path);
    module.rsplit('.').all(|name| parts.next() == Some(name))
}

/// The directory of a file as the parts of a package, for one that is in none.
pub(super) fn directory(path: &Path) -> Vec<&str> {
    let init = path.file_stem().is_some_and(|stem| stem == "__init__");
    let mut parts: Vec<&str> = parts_of(path).skip(usize::from(!init)).collect();
    parts.reverse();
    parts
}
