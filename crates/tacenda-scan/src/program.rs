//! All files of a scan together: which function, class and module a name stands for.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use modules::Modules;
use ruff_python_ast::name::Name;

mod modules;

use crate::files::Source;
use crate::ir::{Class_, Expr, ExprKind, Function, Module, Stmt, StmtKind};
use crate::suppress::Suppressions;

/// Names are followed through so many files that import them from another.
const MAX_HOPS: u32 = 6;
/// And through so many that import all of its names, from so many modules at most.
const MAX_STARRED: u32 = 3;
const MAX_STARS: usize = 32;
/// So many classes at most are asked for what a class has from those that it is built on.
const MAX_BASES: usize = 16;

/// A file of the scan.
#[derive(Debug)]
pub(crate) struct Unit {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its name as a module: `package.module`.
    pub(crate) module: String,
    /// What stands in it.
    pub(crate) ir: Module,
    /// The comments in it that suppress findings.
    pub(crate) suppressions: Suppressions,
}

/// What another text of a file made different.
pub(crate) struct Replaced {
    /// The places of the functions that are gone.
    pub(crate) gone: Vec<usize>,
    /// The functions, or the classes that they are methods of, that came or went.
    pub(crate) names: HashSet<Name>,
}

/// A function that can be called by name.
pub(crate) struct FunctionEntry<'a> {
    /// The function.
    pub(crate) function: &'a Function,
    /// Whether it is called on an object: its first parameter is the object.
    pub(crate) bound: bool,
    /// Its file; nothing if it is there no more.
    file: Option<u32>,
    /// The class that it stands in.
    class: Option<&'a Name>,
}

impl FunctionEntry<'_> {
    /// Whether it stands in one of these files.
    pub(crate) fn is_in(&self, files: &[usize]) -> bool {
        self.file.is_some_and(|own| files.contains(&(own as usize)))
    }
}

/// A class.
pub(crate) struct ClassEntry<'a> {
    /// The class.
    pub(crate) class: &'a Class_,
    /// Its methods, by name.
    pub(crate) methods: HashMap<Name, usize>,
}

/// The names of a file.
#[derive(Default)]
struct Scope<'a> {
    functions: HashMap<Name, usize>,
    classes: HashMap<Name, ClassEntry<'a>>,
    /// The names that it imports, with what they stand for.
    imports: HashMap<Name, String>,
    /// The modules of which it imports all names.
    stars: Vec<String>,
    /// Names that stand for another one of the file: `Client = HttpClient`.
    aliases: HashMap<Name, Name>,
}

/// All files of a scan.
pub(crate) struct Program<'a> {
    /// The files.
    pub(crate) units: Vec<&'a Unit>,
    /// The functions.
    pub(crate) functions: Vec<FunctionEntry<'a>>,
    /// The methods, by name.
    methods: HashMap<Name, Vec<usize>>,
    /// The names of each file.
    scopes: Vec<Scope<'a>>,
    modules: Modules<'a>,
    /// By package, what the configuration is called from which a credential is read somewhere.
    configurations: HashMap<&'a str, HashSet<&'a str>>,
    /// The names of all properties.
    pub(crate) properties: HashSet<Name>,
    /// Where the functions of a file that is being replaced had their places, by class and name.
    places: HashMap<(Option<Name>, Name), VecDeque<usize>>,
}

/// Where a function stands: file, class, name, and how many of that name stand before it.
pub(crate) type Standing = (u32, Option<Name>, Name, usize);

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A function.
    Function(usize),
    /// A class: file and place in its table is by name.
    Class(u32),
}

impl<'a> Program<'a> {
    /// Reads which names there are.
    pub(crate) fn new(units: &'a [Unit]) -> Self {
        let mut program = Self {
            units: units.iter().collect(),
            functions: Vec::new(),
            methods: HashMap::default(),
            scopes: Vec::with_capacity(units.len()),
            modules: Modules::default(),
            configurations: HashMap::default(),
            properties: HashSet::default(),
            places: HashMap::default(),
        };
        for (file, unit) in units.iter().enumerate() {
            let file = u32::try_from(file).expect("fewer than four billion files");
            program.modules.enter(file, unit, &program.units);
            program.configured(unit);
            let mut scope = Scope::default();
            program.gather(file, &unit.ir.body, None, &mut scope, 0);
            program.scopes.push(scope);
        }
        program
    }

    fn gather(
        &mut self,
        file: u32,
        block: &'a [Stmt],
        class: Option<&'a Class_>,
        scope: &mut Scope<'a>,
        depth: u32,
    ) {
        for stmt in block {
            match &stmt.kind {
                StmtKind::Function(function) => {
                    if function.is_decorated(&["property", "cached_property"]) {
                        self.properties.insert(function.name.name.clone());
                    }
                    let fixed = function.decorators.iter().any(|decorator| {
                        decorator.last_name().is_some_and(|ident| ident.name == "staticmethod")
                    });
                    if depth <= 1 {
                        let place = self.enter(FunctionEntry {
                            function,
                            bound: class.is_some() && !fixed,
                            file: Some(file),
                            class: class.map(|class| &class.name),
                        });
                        match class {
                            Some(class) => {
                                let entry = scope.classes.get_mut(&class.name);
                                entry
                                    .expect("entered before its body")
                                    .methods
                                    .insert(function.name.name.clone(), place);
                            }
                            None => {
                                scope.functions.insert(function.name.name.clone(), place);
                            }
                        }
                    }
                    self.gather(file, &function.body, None, scope, depth + 2);
                }
                StmtKind::Class(inner) if depth == 0 => {
                    let entry = ClassEntry { class: inner, methods: HashMap::default() };
                    scope.classes.insert(inner.name.clone(), entry);
                    self.gather(file, &inner.body, Some(inner), scope, depth + 1);
                }
                // `say = lambda text: …`
                StmtKind::Assign(targets, Some(value), _) if depth == 0 => {
                    if let ([target], ExprKind::Lambda(function)) = (&targets[..], &value.kind)
                        && let ExprKind::Name(ident) = &target.kind
                    {
                        let place = self.enter(FunctionEntry {
                            function,
                            bound: false,
                            file: Some(file),
                            class: None,
                        });
                        scope.functions.insert(ident.name.clone(), place);
                    } else if let ([target], ExprKind::Name(of)) = (&targets[..], &value.kind)
                        && let ExprKind::Name(ident) = &target.kind
                    {
                        scope.aliases.insert(ident.name.clone(), of.name.clone());
                    }
                }
                StmtKind::Import(bound) => {
                    for (name, whole) in bound {
                        let path = self.absolute(file, whole);
                        match path.strip_suffix(".*") {
                            Some(module) => scope.stars.push(module.to_owned()),
                            None => {
                                scope.imports.entry(name.clone()).or_insert(path);
                            }
                        }
                    }
                }
                StmtKind::If(_, one, two)
                | StmtKind::For(_, _, one, two)
                | StmtKind::While(_, one, two) => {
                    self.gather(file, one, class, scope, depth);
                    self.gather(file, two, class, scope, depth);
                }
                StmtKind::With(_, body) => self.gather(file, body, class, scope, depth),
                StmtKind::Try(body, handlers, orelse, last) => {
                    self.gather(file, body, class, scope, depth);
                    for handler in handlers {
                        self.gather(file, &handler.body, class, scope, depth);
                    }
                    self.gather(file, orelse, class, scope, depth);
                    self.gather(file, last, class, scope, depth);
                }
                _ => {}
            }
        }
    }

    /// Gives a function its place: that of the function which it replaces, or a new one.
    fn enter(&mut self, entry: FunctionEntry<'a>) -> usize {
        let key = (entry.class.cloned(), entry.function.name.name.clone());
        match self.places.get_mut(&key).and_then(VecDeque::pop_front) {
            Some(place) => {
                self.functions[place] = entry;
                place
            }
            None => {
                let place = self.functions.len();
                if entry.class.is_some() {
                    self.methods.entry(key.1).or_default().push(place);
                }
                self.functions.push(entry);
                place
            }
        }
    }

    /// Notes what the configuration is called from which a file reads a credential.
    fn configured(&mut self, unit: &'a Unit) {
        let holders = unit.ir.context.holders.iter();
        let named = holders.filter_map(|name| configuration(name));
        self.configurations.entry(package(unit)).or_default().extend(named);
    }

    /// Whether what has this name is a configuration from which the package of a file reads a
    /// credential.
    pub(crate) fn is_configuration(&self, file: u32, name: &str) -> bool {
        let Some(name) = configuration(name) else { return false };
        let package = package(self.units[file as usize]);
        self.configurations.get(package).is_some_and(|names| names.contains(name))
    }

    /// Puts another text of a file in place of the one before, or a new file behind the others.
    /// Functions keep their places by their names.
    pub(crate) fn replace(&mut self, file: u32, unit: &'a Unit) -> Replaced {
        let at = file as usize;
        if at == self.units.len() {
            self.units.push(unit);
            self.scopes.push(Scope::default());
        }
        self.units[at] = unit;
        self.modules.enter(file, unit, &self.units);
        self.configured(unit);
        let functions = self.functions.iter().enumerate();
        for (place, entry) in functions.filter(|(_, entry)| entry.file == Some(file)) {
            let key = (entry.class.cloned(), entry.function.name.name.clone());
            self.places.entry(key).or_default().push_back(place);
        }
        let before = self.functions.len();
        let mut scope = Scope::default();
        self.gather(file, &unit.ir.body, None, &mut scope, 0);
        self.scopes[at] = scope;
        let gone: Vec<usize> = std::mem::take(&mut self.places).into_values().flatten().collect();
        for place in &gone {
            self.functions[*place].file = None;
        }
        let others = gone.iter().copied().chain(before..self.functions.len());
        let entries = others.map(|place| &self.functions[place]);
        let names = entries.map(|entry| entry.class.unwrap_or(&entry.function.name.name).clone());
        Replaced { names: names.collect(), gone }
    }

    /// The numbers of the functions that are there, and where these stand.
    pub(crate) fn numbering(&self) -> Vec<(usize, Standing)> {
        let mut seen: HashMap<(u32, Option<&Name>, &Name), usize> = HashMap::default();
        let numbered = |(place, entry): (usize, &FunctionEntry<'a>)| {
            let name = &entry.function.name.name;
            let file = entry.file?;
            let before = seen.entry((file, entry.class, name)).or_default();
            *before += 1;
            Some((place, (file, entry.class.cloned(), name.clone(), *before)))
        };
        self.functions.iter().enumerate().filter_map(numbered).collect()
    }

    /// The import path of a function: `module.function`, `module.Class.method`.
    pub(crate) fn path_of(&self, function: usize) -> Option<String> {
        let entry = &self.functions[function];
        let module = &self.units[entry.file? as usize].module;
        let name = &entry.function.name.name;
        Some(match entry.class {
            Some(class) => format!("{module}.{class}.{name}"),
            None => format!("{module}.{name}"),
        })
    }

    /// The files that import one of these names of this one, or all of it.
    pub(crate) fn importers(
        &self,
        file: u32,
        names: &HashSet<Name>,
    ) -> impl Iterator<Item = usize> {
        let module = self.units[file as usize].module.as_str();
        let of_it = move |path: &String| match path.strip_prefix(module) {
            Some("") => true,
            Some(rest) => rest.strip_prefix('.').is_some_and(|rest| {
                let name = rest.split('.').next().unwrap_or(rest);
                names.contains(name)
            }),
            None => false,
        };
        let imports = move |scope: &Scope<'_>| {
            scope.imports.values().any(of_it) || scope.stars.iter().any(|one| one == module)
        };
        let scopes = self.scopes.iter().enumerate();
        scopes.filter(move |(_, scope)| imports(scope)).map(|(file, _)| file)
    }

    /// `..sibling.name` as a whole path.
    fn absolute(&self, file: u32, path: &str) -> String {
        let dots = path.bytes().take_while(|byte| *byte == b'.').count();
        if dots == 0 {
            return path.to_owned();
        }
        let unit = self.units[file as usize];
        let mut parts: Vec<&str> = unit.module.split('.').collect();
        let package = unit.path.file_stem().is_some_and(|stem| stem == "__init__");
        let up = dots - usize::from(package);
        if up >= parts.len() {
            // Above the packages are directories that are none.
            parts = modules::directory(&unit.path);
            parts.truncate((parts.len() + 1).saturating_sub(dots));
        } else {
            parts.truncate(parts.len() - up);
        }
        parts.push(&path[dots..]);
        parts.join(".")
    }

    /// A path with its first name replaced by what the file imports under it.
    pub(crate) fn resolve(&self, file: u32, path: &str) -> Option<String> {
        let (first, rest) = match path.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (path, None),
        };
        let whole = self.imported(file, first)?;
        Some(match rest {
            Some(rest) => format!("{whole}.{rest}"),
            None => whole.to_owned(),
        })
    }

    /// Whether the file imports something under this name: what it is called where it is from.
    pub(crate) fn imported(&self, file: u32, name: &str) -> Option<&str> {
        let mut whole = self.scopes[file as usize].imports.get(name)?;
        // `from .compat import json`, which imports it itself.
        for _ in 0..MAX_HOPS {
            let handed_on = whole.rsplit_once('.').and_then(|(module, last)| {
                let scope = &self.scopes[self.file(file, module)? as usize];
                scope.imports.get(last).filter(|_| !scope.functions.contains_key(last))
            });
            match handed_on {
                Some(further) if further != whole => whole = further,
                _ => break,
            }
        }
        Some(whole)
    }

    /// The file that a file means by a module.
    fn file(&self, from: u32, module: &str) -> Option<u32> {
        self.modules.find(from, module, &self.units)
    }

    /// What a name of a file stands for.
    pub(crate) fn lookup(&self, file: u32, name: &Name) -> Option<Target> {
        self.defined(file, name, 0, &|scope, file, name| match scope.functions.get(name) {
            Some(function) => Some(Target::Function(*function)),
            None => scope.classes.contains_key(name).then_some(Target::Class(file)),
        })
    }

    /// What `find` gives for a name in the file that defines it, from wherever this one has it.
    fn defined<T>(
        &self,
        file: u32,
        name: &str,
        hops: u32,
        find: &impl Fn(&Scope<'a>, u32, &str) -> Option<T>,
    ) -> Option<T> {
        let scope = &self.scopes[file as usize];
        if let Some(found) = find(scope, file, name) {
            return Some(found);
        }
        if hops > MAX_HOPS {
            return None;
        }
        if let Some(other) = scope.aliases.get(name).filter(|other| *other != name) {
            return self.defined(file, other, hops + 1, find);
        }
        if let Some(whole) = scope.imports.get(name) {
            return self.defined_at(file, whole, hops + 1, find);
        }
        // What imports all names of very many modules is a list of them.
        if name.starts_with('_') || hops > MAX_STARRED || scope.stars.len() > MAX_STARS {
            return None;
        }
        scope.stars.iter().find_map(|module| {
            let other = self.file(file, module)?;
            self.defined(other, name, hops + 1, find)
        })
    }

    /// The same of `package.module.name`.
    fn defined_at<T>(
        &self,
        from: u32,
        path: &str,
        hops: u32,
        find: &impl Fn(&Scope<'a>, u32, &str) -> Option<T>,
    ) -> Option<T> {
        let (module, name) = path.rsplit_once('.')?;
        let file = self.file(from, module)?;
        self.defined(file, name, hops, find)
    }

    /// What a name of a module stands for that a file knows by this path.
    pub(crate) fn lookup_in(&self, from: u32, module: &str, name: &Name) -> Option<Target> {
        self.lookup(self.file(from, module)?, name)
    }

    /// A class by name, as a file knows it: its file and entry.
    pub(crate) fn class(&self, file: u32, name: &Name) -> Option<(u32, &ClassEntry<'a>)> {
        let find = |scope: &Scope<'a>, file: u32, name: &str| {
            scope.classes.contains_key(name).then(|| (file, Name::new(name)))
        };
        let found = self.defined(file, name, 0, &find);
        let (file, name) = match found {
            Some(found) => found,
            None => self.defined_at(file, name, 0, &find)?,
        };
        self.scopes[file as usize].classes.get(&name).map(|entry| (file, entry))
    }

    /// A class by name, as a file knows it: its file and its own name.
    pub(crate) fn class_of(&self, file: u32, name: &Name) -> Option<(u32, Name)> {
        self.class(file, name).map(|(file, entry)| (file, entry.class.name.clone()))
    }

    /// Whether two files belong to one package.
    pub(crate) fn same_package(&self, one: u32, other: u32) -> bool {
        let top = |file: u32| package(self.units[file as usize]);
        one == other || top(one) == top(other)
    }

    /// The classes that a class is built on, and what these are built on.
    pub(crate) fn bases(&self, file: u32, class: &Name) -> Vec<(u32, Name)> {
        let mut bases = Vec::new();
        self.inherited(file, class, &mut |file, entry| {
            bases.push((file, entry.class.name.clone()));
            None::<()>
        });
        bases.retain(|(_, name)| name != class);
        bases
    }

    /// A method of a class or of what it is built on, its first base first.
    pub(crate) fn method(&self, file: u32, class: &Name, method: &Name) -> Option<usize> {
        self.inherited(file, class, &mut |_, entry| entry.methods.get(method).copied())
    }

    /// Whether a function stands in another file.
    pub(crate) fn is_elsewhere(&self, file: u32, function: usize) -> bool {
        self.functions[function].file != Some(file)
    }

    /// Whether a method stands in a class itself.
    pub(crate) fn has_method(&self, file: u32, class: &Name, method: usize) -> bool {
        self.class(file, class)
            .is_some_and(|(_, entry)| entry.methods.values().any(|own| *own == method))
    }

    /// The methods of this name in classes that are built on one that has it, and leaves it open.
    pub(crate) fn overriding(&self, file: u32, class: &Name, method: &Name) -> Vec<usize> {
        let left_open = self.scopes[file as usize]
            .classes
            .get(class)
            .and_then(|entry| entry.methods.get(method))
            .is_some_and(|own| is_left_open(&self.functions[*own].function.body));
        if !left_open {
            return Vec::new();
        }
        let built_on = |place: &usize| {
            let entry = &self.functions[*place];
            let (Some(other), Some(name)) = (entry.file, entry.class) else { return false };
            let own = self.scopes[other as usize].classes.get(name);
            own.and_then(|own| own.methods.get(method)) == Some(place)
                && self.bases(other, name).contains(&(file, class.clone()))
        };
        let methods = self.methods.get(method).into_iter().flatten().copied();
        methods.filter(built_on).take(MAX_BASES).collect()
    }

    /// What `find` gives for a class, or else for one of those that it is built on.
    pub(crate) fn inherited<T>(
        &self,
        file: u32,
        class: &Name,
        find: &mut impl FnMut(u32, &ClassEntry<'a>) -> Option<T>,
    ) -> Option<T> {
        let mut open = vec![(file, class)];
        for _ in 0..MAX_BASES {
            let (file, class) = open.pop()?;
            let Some((file, entry)) = self.class(file, class) else { continue };
            if let Some(found) = find(file, entry) {
                return Some(found);
            }
            let bases = entry.class.bases.iter().rev().filter_map(Expr::last_name);
            open.extend(bases.map(|base| (file, &base.name)));
        }
        None
    }
}

/// The package that a file belongs to.
fn package(unit: &Unit) -> &str {
    unit.module.split('.').next().unwrap_or_default()
}

/// What a configuration is called: `config` of `self._config`, `**configs`.
fn configuration(name: &str) -> Option<&str> {
    let name = name.trim_start_matches('_');
    let name = name.strip_suffix('s').unwrap_or(name);
    matches!(name, "config" | "conf" | "cfg" | "configuration" | "setting").then_some(name)
}

/// `...`, `raise NotImplementedError`
fn is_left_open(body: &[Stmt]) -> bool {
    match body {
        [] => true,
        [only] => match &only.kind {
            StmtKind::Expr(expr) => matches!(expr.kind, ExprKind::Constant(_)),
            StmtKind::Raise(Some(raised)) => {
                raised.last_name().is_some_and(|ident| ident.name == "NotImplementedError")
            }
            _ => false,
        },
        _ => false,
    }
}

/// Which directories are packages: those that hold an `__init__.py`, among the files of the scan or
/// on disk.
pub(crate) struct Packages {
    /// What each directory of a file is called as a package; nothing for one that is none.
    names: HashMap<PathBuf, String>,
}

impl Packages {
    pub(crate) fn of(sources: &[Source]) -> Self {
        let is_init = |path: &Path| path.file_stem().is_some_and(|stem| stem == "__init__");
        let mut packages: HashMap<&Path, bool> = HashMap::default();
        for source in sources.iter().filter(|source| is_init(&source.path)) {
            packages.extend(source.path.parent().map(|directory| (directory, true)));
        }
        let mut names = HashMap::default();
        for source in sources {
            let Some(directory) = source.path.parent() else { continue };
            if names.contains_key(directory) {
                continue;
            }
            let mut parts: Vec<&str> = Vec::new();
            for here in directory.ancestors().take(12) {
                let package =
                    *packages.entry(here).or_insert_with(|| here.join("__init__.py").is_file());
                if !package {
                    break;
                }
                parts.extend(here.file_name().and_then(|name| name.to_str()));
            }
            parts.reverse();
            names.insert(directory.to_owned(), parts.join("."));
        }
        Self { names }
    }

    /// The name of a file as a module: the directories above it count as long as they are packages.
    pub(crate) fn module(&self, path: &Path) -> String {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let package = path.parent().and_then(|directory| self.names.get(directory));
        match (package.map_or("", String::as_str), stem) {
            (package, "__init__") => package.to_owned(),
            ("", stem) => stem.to_owned(),
            (package, stem) => format!("{package}.{stem}"),
        }
    }
}
