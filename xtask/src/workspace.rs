//! What cargo knows about the workspace.

use crate::json::Json;
use crate::shell::{self, Failure};
use std::path::{Path, PathBuf};

/// The workspace, as `cargo metadata` describes it.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    pub(crate) packages: Vec<Package>,
    pub(crate) target_directory: PathBuf,
}

/// A member of the workspace.
#[derive(Debug, Default, Clone)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// The folder of its Cargo.toml, from the root, with `/` between.
    pub(crate) folder: String,
    pub(crate) dependencies: Vec<Dependency>,
    /// The root files of its libraries and programs, from the root.
    pub(crate) roots: Vec<String>,
}

/// An edge to another package.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Whether only tests, examples and benchmarks need it.
    pub(crate) for_development: bool,
    /// The `cfg(..)` or triple under which alone it is needed.
    pub(crate) target: Option<String>,
}

/// The folder of the workspace's Cargo.toml.
pub(crate) fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    own.parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

impl Workspace {
    /// Asks cargo, without a network.
    pub(crate) fn load() -> Result<Self, Failure> {
        let text = shell::output(shell::cargo().args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ]))
        .ok_or_else(|| {
            Failure::new("`cargo metadata` failed: is every Cargo.toml of the workspace readable?")
        })?;
        let metadata =
            Json::parse(&text).map_err(|error| Failure::new(format!("cargo metadata: {error}")))?;
        Self::from_metadata(&metadata)
            .ok_or_else(|| Failure::new("cargo metadata has an unexpected shape"))
    }

    fn from_metadata(metadata: &Json) -> Option<Self> {
        let root = PathBuf::from(metadata.get("workspace_root")?.text()?);
        let packages: Option<Vec<_>> = metadata
            .get("packages")?
            .items()
            .iter()
            .map(|package| Package::from_metadata(package, &root))
            .collect();
        let mut packages = packages?;
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        Some(Workspace {
            packages,
            target_directory: metadata.get("target_directory")?.text()?.into(),
        })
    }

    /// Those of `names` that exist.
    pub(crate) fn existing<'a>(&self, names: &[&'a str]) -> Vec<&'a str> {
        names
            .iter()
            .copied()
            .filter(|name| self.packages.iter().any(|package| package.name == *name))
            .collect()
    }
}

impl Package {
    fn from_metadata(package: &Json, root: &Path) -> Option<Self> {
        let manifest = package.get("manifest_path")?.text()?;
        let dependencies = package
            .get("dependencies")?
            .items()
            .iter()
            .map(Dependency::from_metadata);
        Some(Package {
            name: package.get("name")?.text()?.to_owned(),
            folder: from_root(Path::new(manifest).parent()?, root),
            dependencies: dependencies.collect::<Option<_>>()?,
            roots: package
                .get("targets")?
                .items()
                .iter()
                .filter_map(|target| root_file(target, root))
                .collect(),
        })
    }
}

impl Dependency {
    fn from_metadata(dependency: &Json) -> Option<Self> {
        Some(Dependency {
            name: dependency.get("name")?.text()?.to_owned(),
            for_development: dependency.get("kind")?.text() == Some("dev"),
            target: dependency.get("target")?.text().map(str::to_owned),
        })
    }
}

fn root_file(target: &Json, root: &Path) -> Option<String> {
    let kinds: Vec<_> = target
        .get("kind")?
        .items()
        .iter()
        .filter_map(Json::text)
        .collect();
    let is_product = kinds
        .iter()
        .any(|kind| kind.ends_with("lib") || ["bin", "proc-macro"].contains(kind));
    is_product.then_some(from_root(Path::new(target.get("src_path")?.text()?), root))
}

/// The path from the root of the workspace, with `/` between on every platform.
pub(crate) fn from_root(path: &Path, root: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    relative.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_becomes_packages_edges_and_roots() {
        let text = r#"{"workspace_root": "/w", "target_directory": "/w/target", "packages": [{
            "name": "corio-core", "manifest_path": "/w/crates/corio-core/Cargo.toml",
            "dependencies": [
                {"name": "parking_lot", "kind": null, "target": null},
                {"name": "loom", "kind": "dev", "target": "cfg(loom)"}],
            "targets": [
                {"kind": ["lib"], "src_path": "/w/crates/corio-core/src/lib.rs"},
                {"kind": ["test"], "src_path": "/w/crates/corio-core/tests/a.rs"}]}]}"#;
        let workspace = Workspace::from_metadata(&Json::parse(text).unwrap()).unwrap();
        let package = &workspace.packages[0];
        assert_eq!(package.folder, "crates/corio-core");
        assert_eq!(package.roots, ["crates/corio-core/src/lib.rs"]);
        let loom = Dependency {
            name: "loom".into(),
            for_development: true,
            target: Some("cfg(loom)".into()),
        };
        let parking_lot = Dependency {
            name: "parking_lot".into(),
            ..Dependency::default()
        };
        assert_eq!(package.dependencies, [parking_lot, loom]);
        assert_eq!(
            workspace.existing(&["corio-core", "corio-net"]),
            ["corio-core"]
        );
    }

    #[test]
    fn this_very_workspace_can_be_read() {
        let workspace = Workspace::load().unwrap();
        assert!(
            workspace
                .packages
                .iter()
                .any(|package| package.folder == "xtask")
        );
    }
}
