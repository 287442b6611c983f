//! Files do not use each other in circles and are short, and no two define a type of the same name: read from the source.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const SRC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// The most lines of a file, its unit tests included.
const LONGEST: usize = 300;

/// A module's path within the crate: `["store", "writer"]`.
type Module = Vec<String>;

/// What a `use` names, and under which name where it is used.
struct Use {
    path: Vec<String>,
    name: String,
    /// Whether others may use it from here.
    exported: bool,
}

struct File {
    name: String,
    lines: usize,
    uses: Vec<Use>,
    /// The types that it defines.
    types: Vec<String>,
}

/// All source files by module, without their unit tests.
fn files() -> BTreeMap<Module, File> {
    fn walk(folder: &Path, found: &mut BTreeMap<Module, File>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
                continue;
            }
            let Some(name) = path.strip_prefix(SRC).unwrap().to_str().unwrap().strip_suffix(".rs") else { continue };
            let mut module: Module = name.split('/').map(str::to_owned).collect();
            if module.contains(&"tests".to_owned()) || name == "main" {
                continue;
            }
            module.retain(|part| part != "mod" && part != "lib");
            let text = fs::read_to_string(&path).unwrap();
            let (uses, types) = (uses(&text), types(&text));
            let lines = text.lines().count();
            found.insert(module, File { name: format!("{name}.rs"), lines, uses, types });
        }
    }
    let mut found = BTreeMap::new();
    walk(Path::new(SRC), &mut found);
    assert!(found.len() > 200, "the sources are found");
    found
}

/// The lines of a file before its unit tests, which may look wherever they like.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().take_while(|line| *line != "mod tests {").filter(|line| !line.trim().starts_with("//"))
}

/// The types that a file itself defines: not those of traits and macros, which are indented.
fn types(text: &str) -> Vec<String> {
    const DEFINE: [&str; 5] = ["struct", "enum", "trait", "type", "union"];
    let name = |line: &str| {
        let mut words = line.split(' ').skip_while(|word| word.starts_with("pub") || word.starts_with("crate::"));
        let named = words.next().filter(|word| DEFINE.contains(word)).and(words.next())?;
        Some(named.split(|c: char| !c.is_alphanumeric()).next()?.to_owned())
    };
    code(text).filter_map(name).collect()
}

fn uses(text: &str) -> Vec<Use> {
    let mut found = Vec::new();
    let code = code(text).collect::<Vec<_>>().join("\n");
    for statement in code.split(';') {
        let Some((before, tree)) = statement.rsplit_once("use ").filter(|(_, tree)| !tree.contains("fn ")) else {
            continue;
        };
        let line = before.rsplit('\n').next().unwrap().trim();
        if line.is_empty() || line.starts_with("pub") {
            expand(tree, &[], line.starts_with("pub"), &mut found);
        }
    }
    found
}

fn parts(path: &str) -> impl Iterator<Item = String> {
    path.split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty())
}

/// Takes a tree such as `super::{a::B, c as d}` apart.
fn expand(tree: &str, before: &[String], exported: bool, found: &mut Vec<Use>) {
    let Some((head, inner)) = tree.split_once('{') else {
        let (path, name) = tree.split_once(" as ").unwrap_or((tree, ""));
        let mut path: Vec<String> = before.iter().cloned().chain(parts(path)).collect();
        path.pop_if(|last| last == "self" || last == "*");
        if let Some(last) = path.last().cloned() {
            let name = if name.is_empty() { last } else { name.trim().to_owned() };
            found.push(Use { path, name, exported });
        }
        return;
    };
    let before: Vec<String> = before.iter().cloned().chain(parts(head)).collect();
    let (mut depth, mut from) = (0, 0);
    let inner = inner.rsplit_once('}').unwrap().0;
    for (at, sign) in inner.char_indices().chain([(inner.len(), ',')]) {
        match sign {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&inner[from..at], &before, exported, found);
                from = at + 1;
            }
            _ => {}
        }
    }
}

/// The path from the crate's root; `None` for what is not of this crate.
fn absolute(files: &BTreeMap<Module, File>, from: &Module, path: &[String]) -> Option<Module> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" => Some([from, rest].concat()),
        "super" => {
            let up = path.iter().take_while(|part| *part == "super").count();
            Some([&from[..from.len().checked_sub(up)?], &path[up..]].concat())
        }
        _ => {
            let own = [from.as_slice(), &path[..1]].concat();
            files.contains_key(&own).then(|| [from, path].concat())
        }
    }
}

/// The file that defines what a path names, behind all re-exports.
fn defined_in(files: &BTreeMap<Module, File>, path: &Module) -> Module {
    let modules = (0..=path.len()).rev().find(|count| files.contains_key(&path[..*count])).unwrap();
    let (module, rest) = path.split_at(modules);
    let module = module.to_vec();
    let exported = |own: &&Use| own.exported && Some(&own.name) == rest.first();
    let target = files[&module].uses.iter().find(exported).and_then(|own| absolute(files, &module, &own.path));
    match target {
        Some(target) => defined_in(files, &[target.as_slice(), &rest[1..]].concat()),
        None => module,
    }
}

/// Which files each file uses.
fn arrows(files: &BTreeMap<Module, File>) -> BTreeMap<&Module, BTreeSet<Module>> {
    let used = |module: &Module, file: &File| {
        let paths = file.uses.iter().filter_map(|own| Some((own.exported, absolute(files, module, &own.path)?)));
        let found = paths.map(|(exported, path)| (exported, defined_in(files, &path)));
        // What a file hands on of its own folder it need not know.
        found
            .filter(|(exported, target)| target != module && !(*exported && target.starts_with(module)))
            .map(|(_, target)| target)
            .collect()
    };
    files.iter().map(|(module, file)| (module, used(module, file))).collect()
}

#[test]
fn files_do_not_use_each_other_in_circles() {
    let files = files();
    let mut arrows = arrows(&files);
    let all: usize = arrows.values().map(BTreeSet::len).sum();
    assert!(all > 500, "the arrows are found: {all}");
    // Whoever uses nobody is in no circle; nor is whoever is then used by nobody.
    loop {
        let before = arrows.len();
        let ends: BTreeSet<Module> =
            arrows.iter().filter(|(_, to)| to.is_empty()).map(|(from, _)| (*from).clone()).collect();
        arrows.retain(|from, _| !ends.contains(*from));
        arrows.values_mut().for_each(|to| to.retain(|module| !ends.contains(module)));
        let used: BTreeSet<Module> = arrows.values().flatten().cloned().collect();
        arrows.retain(|from, _| used.contains(*from));
        if arrows.len() == before {
            break;
        }
    }
    let circles: Vec<_> = arrows
        .iter()
        .flat_map(|(from, to)| to.iter().map(|to| format!("{} -> {}", files[*from].name, files[to].name)))
        .collect();
    assert!(circles.is_empty(), "in circles, or between two:\n{}", circles.join("\n"));
}

#[test]
fn files_are_short() {
    let files = files();
    let long: Vec<_> = files
        .values()
        .filter(|file| file.lines > LONGEST)
        .map(|file| format!("{}: {}", file.name, file.lines))
        .collect();
    assert_eq!(long, [] as [&str; 0]);
}

#[test]
fn a_type_has_a_name_of_its_own() {
    let files = files();
    let mut named: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in files.values() {
        file.types.iter().for_each(|of| named.entry(of).or_default().push(&file.name));
    }
    assert!(named.len() > 600 && named.contains_key("SourceNetwork"), "the types are found: {}", named.len());
    named.retain(|_, files| files.len() > 1);
    assert!(named.is_empty(), "{named:?}");
}
