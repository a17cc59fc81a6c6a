//! Checks the dependencies between the modules inside each crate.
//!
//! The manifests (`src/proto`, `src/core`, `src/sandbox`, `src/simulator`) and the `clippy.toml`
//! files next to them limit what each crate may use. This test checks the modules inside a crate,
//! which no manifest separates. It parses the syntax tree, so that it finds every spelling of a
//! `use`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use syn::visit::{self, Visit};

/// The modules of a crate, from the bottom up, and the other modules that each may use. `tests` may
/// use everything.
struct Crate {
    dir: &'static str,
    rooms: &'static [(&'static str, &'static [&'static str])],
}

const BELOW_TABLES: &[&str] = &[
    "shape", "answer", "config", "fields", "wire", "proto", "policy",
];
const BELOW_WORLD: &[&str] = &[
    "table", "shape", "answer", "config", "wire", "proto", "policy",
];
const BELOW_SERVICES: &[&str] = &[
    "commands", "request", "state", "world", "table", "answer", "fields", "wire", "proto", "policy",
];

const CRATES: &[Crate] = &[
    Crate {
        dir: "src/core",
        rooms: &[
            ("policy", &[]),
            ("ledger", &["proto"]),
            ("session", &["ledger", "policy", "proto"]),
            ("account", &["session", "ledger", "policy", "proto"]),
            ("alerts", &["account", "policy", "proto"]),
        ],
    },
    Crate {
        dir: "src/sandbox",
        rooms: &[
            ("shape", &[]),
            ("answer", &["proto"]),
            ("config", &["proto"]),
            ("fields", &["proto"]),
            ("wire", &["proto", "config"]),
            ("table", BELOW_TABLES),
            ("world", BELOW_WORLD),
            ("request", &["world", "proto", "policy"]),
            ("state", &["world", "table", "config", "proto", "policy"]),
            (
                "commands",
                &["request", "state", "world", "wire", "proto", "policy"],
            ),
            ("service", BELOW_SERVICES),
            (
                "snapshot",
                &["state", "world", "table", "shape", "proto", "policy"],
            ),
            ("seed", &["state", "world", "proto", "policy"]),
            ("rest", &["service", "request", "state", "proto", "policy"]),
        ],
    },
    Crate {
        dir: "src",
        rooms: &[
            ("config", &["proto"]),
            ("store", &["proto"]),
            ("gateway", &["config", "session", "proto", "policy"]),
            ("traces", &["config", "gateway", "proto", "policy"]),
            ("rest", &["gateway", "proto"]),
            (
                "account",
                &["rest", "gateway", "session", "proto", "policy"],
            ),
            (
                "supervisor",
                &["account", "rest", "gateway", "config", "proto", "policy"],
            ),
            (
                "bot",
                &["account", "store", "traces", "gateway", "config", "proto"],
            ),
        ],
    },
];

/// Modules above all others.
const TOP: &[&str] = &[
    "admin",
    "alerts",
    "app",
    "cli",
    "fleet",
    "sandbox",
    "simulator",
    "dispatch",
    "shell",
];

/// The files of a module that is a folder or a file.
fn sources_of(room: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    if room.is_dir() {
        sources(room, &mut found);
    } else {
        found.push(room.with_extension("rs"));
    }
    found
}

fn sources(path: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("tests") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("tests.rs")
        {
            found.push(path);
        }
    }
}

/// The modules that a file uses: the segments after `crate` in a path or in a `use` tree.
#[derive(Default)]
struct Named(BTreeSet<String>);

impl Named {
    fn of(text: &str) -> Self {
        let mut named = Self::default();
        named.visit_file(&syn::parse_file(text).unwrap());
        named
    }

    fn tree(&mut self, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => drop(self.0.insert(path.ident.to_string())),
            syn::UseTree::Name(name) => drop(self.0.insert(name.ident.to_string())),
            syn::UseTree::Rename(name) => drop(self.0.insert(name.ident.to_string())),
            syn::UseTree::Glob(_) => drop(self.0.insert("*".to_owned())),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree)),
        }
    }
}

impl<'ast> Visit<'ast> for Named {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.ident != "tests" {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_use_path(&mut self, path: &'ast syn::UsePath) {
        if path.ident == "crate" {
            self.tree(&path.tree);
        }
        visit::visit_use_path(self, path);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut segments = path.segments.iter();
        if segments.next().is_some_and(|first| first.ident == "crate")
            && let Some(room) = segments.next()
        {
            self.0.insert(room.ident.to_string());
        }
        visit::visit_path(self, path);
    }
}

#[test]
fn no_room_looks_up() {
    let mut wrong = Vec::new();
    for Crate { dir, rooms } in CRATES {
        let names: Vec<&str> = rooms
            .iter()
            .map(|(room, _)| *room)
            .chain(TOP.iter().copied())
            .collect();
        for (room, allowed) in *rooms {
            let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
            let files = sources_of(&dir.join(room));
            assert!(!files.is_empty(), "no files in {room}");
            for path in files {
                for name in Named::of(&fs::read_to_string(&path).unwrap()).0 {
                    let is_room = name == "*" || names.contains(&name.as_str());
                    if is_room && name != *room && !allowed.contains(&name.as_str()) {
                        wrong.push(format!("{} names {name}", path.display()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_check_itself_sees_groups_renames_and_paths() {
    let text = "use crate::{\n  proto::{id::UserId, code},\n  gateway as way,\n};\n\
                fn f() -> crate::supervisor::Order { crate::bot::x() }\n\
                mod tests { use crate::cli; }";
    let named: Vec<String> = Named::of(text).0.into_iter().collect();
    assert_eq!(named, ["bot", "gateway", "proto", "supervisor"]);
}
