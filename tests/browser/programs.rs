//! The programs that a browser test takes of the system: found, or installed on Debian by root.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest node that runs the scripts.
const OLDEST_NODE: u32 = 18;
const CHROMIUMS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// Where they are.
pub struct Programs {
    pub chromium: PathBuf,
    pub node: PathBuf,
    pub npm: PathBuf,
}

impl Programs {
    /// Finds them, after installing what is missing where that can be done; else says in one line what is missing.
    pub fn find_or_install() -> Result<Self, String> {
        let missing = match Self::find() {
            Ok(programs) => return Ok(programs),
            Err(missing) => missing,
        };
        let hint = format!(
            "{} (apt-get install {}); AIRLOCK_CHROMIUM may name a Chromium",
            missing.join(" and "),
            missing.join(" ")
        );
        if !rustix::process::geteuid().is_root() || in_path("apt-get").is_none() {
            return Err(format!("no {hint}"));
        }
        apt_get(&["update", "-qq"]).map_err(|said| format!("no {hint}: {said}"))?;
        let names = missing.join(" ");
        let names = names.split(' ');
        let args: Vec<_> = ["install", "-qq", "-y", "--no-install-recommends"]
            .into_iter()
            .chain(names)
            .collect();
        apt_get(&args).map_err(|said| format!("no {hint}: {said}"))?;
        Self::find().map_err(|missing| format!("still no {}", missing.join(" and ")))
    }

    fn find() -> Result<Self, Vec<&'static str>> {
        let named = std::env::var_os("AIRLOCK_CHROMIUM").map(PathBuf::from);
        let chromium = named
            .filter(|it| it.is_file())
            .or_else(|| CHROMIUMS.into_iter().find_map(in_path));
        let node = in_path("node").filter(|node| is_new_enough(node));
        match (chromium, node, in_path("npm")) {
            (Some(chromium), Some(node), Some(npm)) => Ok(Self {
                chromium,
                node,
                npm,
            }),
            (chromium, node, npm) => {
                let all = [
                    ("chromium", chromium.is_none()),
                    ("nodejs", node.is_none()),
                    ("npm", npm.is_none()),
                ];
                Err(all.into_iter().filter(|it| it.1).map(|it| it.0).collect())
            }
        }
    }
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|it| it.is_file())
}

fn is_new_enough(node: &Path) -> bool {
    let Ok(said) = Command::new(node).arg("--version").output() else {
        return false;
    };
    let said = String::from_utf8_lossy(&said.stdout);
    let major = said
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|it| it.parse::<u32>().ok());
    major.is_some_and(|it| it >= OLDEST_NODE)
}

fn apt_get(args: &[&str]) -> Result<(), String> {
    let ended = Command::new("apt-get")
        .args(args)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .output();
    let ended = ended.map_err(|error| error.to_string())?;
    if ended.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&ended.stderr)
        .trim()
        .replace('\n', "; "))
}
