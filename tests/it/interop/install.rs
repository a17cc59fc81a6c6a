//! Installs the official SDK once.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The folder of the SDK, as the registry delivers it.
#[derive(Debug)]
pub(super) struct Sdk {
    folder: PathBuf,
}

const PACKAGE: &str = "node_modules/@tencentcloud/chat";
const OLDEST_NODE: u32 = 18;

/// Returns the SDK. Tests that need it are ignored by default, and fail if it cannot be installed.
pub(super) fn sdk() -> &'static Sdk {
    static SDK: OnceLock<Result<Sdk, String>> = OnceLock::new();
    match SDK.get_or_init(install) {
        Ok(sdk) => sdk,
        Err(reason) => panic!("the official SDK cannot be run: {reason}"),
    }
}

impl Sdk {
    /// The first argument of `node`: the driver. [`Self::folder`] is the next one.
    pub(super) fn driver() -> PathBuf {
        sources().join("client.cjs")
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the full build, which `require` loads.
    pub(super) fn full(&self) -> Vec<String> {
        vec![text(&self.folder.join(PACKAGE).join("index.js"))]
    }

    /// Returns the full build, configured to believe that it runs in a browser window.
    pub(super) fn in_window(&self) -> Vec<String> {
        let mut words = self.full();
        words.push("window".to_owned());
        words
    }

    /// Returns the full build of one of the versions in `package.json`.
    pub(super) fn version(&self, version: &str) -> Vec<String> {
        let file = if version.starts_with("2.") {
            "tim-js-sdk/tim-js.js".to_owned()
        } else if version == "3.6.6" {
            "@tencentcloud/chat/index.js".to_owned()
        } else {
            format!("chat-{version}/index.js")
        };
        let mut words = vec![text(&self.folder.join("node_modules").join(file))];
        // Versions before 3.4 only run in browsers.
        if version < "3.4" {
            words.push("window".to_owned());
        }
        words
    }

    /// Returns the build without modules.
    pub(super) fn lean(&self) -> Vec<String> {
        vec![text(&self.folder.join("es/index.es.js"))]
    }

    /// Returns the build without modules, plus every available module.
    pub(super) fn modular(&self) -> Vec<String> {
        let mut files = self.lean();
        for name in [
            "group-module",
            "relationship-module",
            "signaling-module",
            "follow-module",
            "cloud-search-module",
        ] {
            let path = self.folder.join("es/modules").join(format!("{name}.js"));
            files.push(format!("{name}={}", text(&path)));
        }
        files
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop")
}

fn install() -> Result<Sdk, String> {
    let version = run(Command::new("node").arg("--version"), "node")?;
    let major = version.trim_start_matches('v').split('.').next();
    if major.and_then(|major| major.parse().ok()) < Some(OLDEST_NODE) {
        return Err(format!("Node.js {} is too old", version.trim()));
    }
    let lock = fs::read(sources().join("package-lock.json")).map_err(|error| error.to_string())?;
    // The folder name contains the versions, so an existing folder is complete and current.
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = scratch.join(format!("interop-{:08x}", crc32fast::hash(&lock)));
    if !folder.exists() {
        let fresh = tempfile::tempdir_in(scratch).map_err(|error| error.to_string())?;
        download(fresh.path())?;
        if let Err(error) = fs::rename(fresh.path(), &folder)
            && !folder.exists()
        {
            return Err(error.to_string());
        }
        // If another process was faster, its copy is used and the own one is removed.
    }
    Ok(Sdk { folder })
}

fn download(into: &Path) -> Result<(), String> {
    for name in ["package.json", "package-lock.json", ".npmrc"] {
        fs::copy(sources().join(name), into.join(name)).map_err(|error| error.to_string())?;
    }
    let npm = [
        "ci",
        "--ignore-scripts",
        "--prefer-offline",
        "--fetch-retries=1",
        "--fetch-timeout=60000",
    ];
    run(Command::new("npm").args(npm).current_dir(into), "npm ci")?;
    copy_as_module(&into.join(PACKAGE), &into.join("es")).map_err(|error| error.to_string())
}

/// Copies the ES build unchanged. Node.js only loads it from a folder that is marked as containing
/// ES modules.
fn copy_as_module(package: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to.join("modules"))?;
    fs::write(to.join("package.json"), r#"{"type":"module"}"#)?;
    fs::copy(package.join("index.es.js"), to.join("index.es.js"))?;
    for entry in fs::read_dir(package.join("modules"))? {
        let entry = entry?;
        fs::copy(entry.path(), to.join("modules").join(entry.file_name()))?;
    }
    Ok(())
}

fn run(command: &mut Command, name: &str) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("cannot run {name}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let words = String::from_utf8_lossy(&output.stderr);
        Err(format!("{name} failed: {}", words.trim()))
    }
}
