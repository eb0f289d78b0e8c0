//! The files that the rules look at.

use crate::shell::Failure;
use crate::tidy::code::Code;
use crate::workspace::{Package, Workspace, from_root};
use std::fs;
use std::path::Path;

/// All texts of the project, and its packages.
pub(super) struct Tree {
    pub(super) files: Vec<TextFile>,
    pub(super) packages: Vec<Package>,
}

/// One text.
pub(super) struct TextFile {
    /// From the root, with `/` between.
    pub(super) path: String,
    pub(super) text: String,
    /// What is code in it; of a file that is not Rust, nothing.
    pub(super) code: Code,
}

/// Kinds of files that people write here.
const TEXTS: [&str; 5] = ["rs", "md", "toml", "yml", "yaml"];

/// Folders of hidden name that belong to the project.
const HIDDEN: [&str; 3] = [".cargo", ".ci", ".github"];

impl Tree {
    /// Reads everything below `root` that is not built.
    pub(super) fn read(root: &Path, workspace: Workspace) -> Result<Self, Failure> {
        let mut tree = Tree {
            files: Vec::new(),
            packages: workspace.packages,
        };
        tree.read_folder(root, root)?;
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(tree)
    }

    pub(super) fn file(&self, path: &str) -> Option<&TextFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The Rust files among the texts.
    pub(super) fn rust(&self) -> impl Iterator<Item = &TextFile> {
        self.files.iter().filter(|file| file.is_rust())
    }

    fn read_folder(&mut self, folder: &Path, root: &Path) -> Result<(), Failure> {
        let failure = |error| Failure::new(format!("{}: {error}", folder.display()));
        for entry in fs::read_dir(folder).map_err(failure)? {
            let entry = entry.map_err(failure)?;
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            let kind = entry.file_type().map_err(failure)?;
            if kind.is_dir() {
                let built = name == "target" || path.join("CACHEDIR.TAG").exists();
                if !built && (!name.starts_with('.') || HIDDEN.contains(&&*name)) {
                    self.read_folder(&path, root)?;
                }
            } else if kind.is_file() && is_text(&path) {
                // A file of another encoding is not one that people write here.
                if let Ok(text) = fs::read_to_string(&path) {
                    self.files
                        .push(TextFile::new(&from_root(&path, root), &text));
                }
            }
        }
        Ok(())
    }
}

impl TextFile {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let code = if path.ends_with(".rs") {
            Code::of(text)
        } else {
            Code::default()
        };
        TextFile {
            path: path.to_owned(),
            text: text.to_owned(),
            code,
        }
    }

    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether it is part of a crate, not a test, an example or a benchmark of it.
    pub(super) fn is_source(&self) -> bool {
        self.is_rust() && self.path.split('/').any(|folder| folder == "src")
    }
}

fn is_text(path: &Path) -> bool {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| TEXTS.contains(&extension))
        || name.starts_with("LICENSE")
        || !name.contains('.')
}

#[cfg(test)]
impl Tree {
    /// A made-up tree of paths and texts.
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| TextFile::new(path, text))
            .collect();
        Tree {
            files,
            packages: Vec::new(),
        }
    }
}
