//! Where packages lie in a source: which path belongs to which package, from the path alone.
//!
//! People bring a whole package-storage checkout (`packages/nginx/1.5.0/…`), with or without the leading folder that
//! `git archive` and code hosts add, or just the folder of packages. Everything else in it (Go code, `vendor/`,
//! `testdata/`) is no package, though it may look like one; so a folder called `packages` is preferred to any other, and
//! else the folder that holds most.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::package::{PackageId, PackageName, PackageVersion};

/// Where packages lie in a container image.
const IMAGE_ROOT: &str = "packages";

/// What a path in a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// A file of a package.
    Package(InPackage<'a>),
    /// A package in a zip of its own, `{name}-{version}.zip`; its path in itself is empty.
    Zip(InPackage<'a>),
    /// The signature of such a zip, beside it; the place is the zip's.
    Signature(InPackage<'a>),
    /// The file that pins the registry version, `Dockerfile`.
    Dockerfile {
        /// The leading folder, or nothing.
        lead: &'a str,
    },
    /// The file that sets cache times, `deployment/package-registry.yml`.
    RegistryConfiguration {
        /// The leading folder, or nothing.
        lead: &'a str,
    },
    /// Anything else.
    Stray,
}

/// A path taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InPackage<'a> {
    /// The folder of packages: `package-storage-8.5.0/packages`, or nothing.
    pub root: &'a str,
    /// The package's own folder with its root: `package-storage-8.5.0/packages/nginx/1.5.0`.
    pub folder: &'a str,
    /// The path inside the package.
    pub path: &'a str,
}

/// Returns what `path` is. Packages lie in the root, in `packages`, in one leading folder, or in `packages` inside it.
pub(super) fn place(path: &str) -> Place<'_> {
    if let Some(found) = in_package(path) {
        return Place::Package(found);
    }
    if let Some(found) = package_zip(path) {
        return Place::Zip(found);
    }
    if let Some(found) = path.strip_suffix(".sig").and_then(package_zip) {
        return Place::Signature(found);
    }
    match path {
        "Dockerfile" => return Place::Dockerfile { lead: "" },
        "deployment/package-registry.yml" => return Place::RegistryConfiguration { lead: "" },
        _ => {}
    }
    match path.split_once('/') {
        Some((lead, "Dockerfile")) => Place::Dockerfile { lead },
        Some((lead, "deployment/package-registry.yml")) => Place::RegistryConfiguration { lead },
        _ => Place::Stray,
    }
}

/// Zips are found wherever they lie: nothing else is named so.
fn package_zip(path: &str) -> Option<InPackage<'_>> {
    let (root, file) = path.rsplit_once('/').unwrap_or(("", path));
    zip_name(file).map(|_| InPackage {
        root,
        folder: path,
        path: "",
    })
}

/// Returns the package version that a file called `{name}-{version}.zip` is to hold.
pub fn zip_name(file: &str) -> Option<PackageId> {
    // No name has a dash, many versions have.
    let (name, version) = file.strip_suffix(".zip")?.split_once('-')?;
    PackageId::parse(name, version).ok()
}

/// Returns what `path` is in a container image: packages lie in `/packages`, and in the folders in it that the registry
/// of the image is set up to read, such as `/packages/package-storage`. All of these are one folder of packages.
pub(super) fn place_in_image(path: &str) -> Place<'_> {
    let is_inside = |root: &str| {
        let below = root.strip_prefix(IMAGE_ROOT);
        below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
    };
    let zip = |path| {
        let found = package_zip(path).filter(|found| is_inside(found.root))?;
        Some(InPackage {
            root: IMAGE_ROOT,
            ..found
        })
    };
    if let Some(found) = zip(path) {
        return Place::Zip(found);
    }
    if let Some(found) = path.strip_suffix(".sig").and_then(zip) {
        return Place::Signature(found);
    }
    let found = in_package(path).filter(|found| found.root == IMAGE_ROOT);
    let in_folder = || {
        let (root, rest) = path.split_at_checked(IMAGE_ROOT.len())?;
        let (_, inside) = rest.strip_prefix('/')?.split_once('/')?;
        let found = in_package(inside).filter(|found| found.root.is_empty())?;
        let folder = path.get(..path.len() - inside.len() + found.folder.len())?;
        Some(InPackage {
            root,
            folder,
            path: found.path,
        })
    };
    match found.or_else(in_folder) {
        Some(found) if found.root == IMAGE_ROOT => Place::Package(found),
        _ => Place::Stray,
    }
}

fn in_package(path: &str) -> Option<InPackage<'_>> {
    // Where each of the first components begins; a package is at most four deep: lead/packages/name/version/file.
    let mut starts = vec![0];
    starts.extend(path.match_indices('/').take(4).map(|(at, _)| at + 1));
    let component = |n: usize| path.get(starts[n]..starts.get(n + 1)? - 1);
    for depth in 0..=2 {
        if starts.len() < depth + 3 {
            return None;
        }
        let root = path.get(..starts[depth].saturating_sub(1))?;
        if depth == 2 && component(1) != Some("packages") {
            return None;
        }
        let (name, version) = (component(depth)?, component(depth + 1)?);
        if PackageName::parse(name).is_ok() && PackageVersion::parse(version).is_ok() {
            return Some(InPackage {
                root,
                folder: &path[..starts[depth + 2] - 1],
                path: &path[starts[depth + 2]..],
            });
        }
    }
    None
}

/// Returns the root whose packages are meant, of those of all packages in the order they were met: one that is called
/// `packages`, then the one with most packages, then the first. `None` where there is no package.
pub(super) fn preferred<'a>(roots: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut counts: HashMap<&str, (usize, usize)> = HashMap::new();
    for (number, root) in roots.enumerate() {
        counts.entry(root).or_insert((0, number)).0 += 1;
    }
    let is_packages = |root: &str| root.rsplit('/').next() == Some("packages");
    counts
        .into_iter()
        .max_by_key(|(root, (count, first))| (is_packages(root), *count, Reverse(*first)))
        .map(|(root, _)| root)
}

/// Returns the leading folder of a source whose packages lie under `root`: what `git archive --prefix` was given.
pub(super) fn leading_folder(root: &str) -> Option<&str> {
    let lead = root.split('/').next()?;
    (!lead.is_empty() && lead != "packages").then_some(lead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_found_in_every_form_a_checkout_comes_in() {
        for (root, path) in [
            ("", "nginx/1.5.0/docs/README.md"),
            ("packages", "packages/nginx/1.5.0/docs/README.md"),
            ("lead", "lead/nginx/1.5.0/docs/README.md"),
            ("lead/packages", "lead/packages/nginx/1.5.0/docs/README.md"),
        ] {
            let folder = path.strip_suffix("/docs/README.md").unwrap();
            let found = InPackage {
                root,
                folder,
                path: "docs/README.md",
            };
            assert_eq!(place(path), Place::Package(found));
        }
    }

    #[test]
    fn in_an_image_packages_lie_in_one_folder_or_in_folders_of_it() {
        for folder in [
            "packages/nginx/1.5.0",
            "packages/package-storage/nginx/1.5.0",
            "packages/production/nginx/1.5.0",
        ] {
            let path = format!("{folder}/docs/README.md");
            let found = InPackage {
                root: "packages",
                folder,
                path: "docs/README.md",
            };
            assert_eq!(place_in_image(&path), Place::Package(found), "{path}");
        }
        for path in [
            "packages/nginx-1.5.0.zip",
            "packages/package-storage/nginx-1.5.0.zip",
        ] {
            let found = InPackage {
                root: "packages",
                folder: path,
                path: "",
            };
            assert_eq!(place_in_image(path), Place::Zip(found), "{path}");
            let signature = format!("{path}.sig");
            assert_eq!(place_in_image(&signature), Place::Signature(found));
        }
        for path in [
            "nginx/1.5.0/manifest.yml",
            "opt/nginx/1.5.0/manifest.yml",
            "opt/packages/nginx/1.5.0/manifest.yml",
            "usr/share/nginx/1.5.0/manifest.yml",
            "packages/a/b/nginx/1.5.0/manifest.yml",
            "packages/nginx/1.5.0",
            "packages",
            "usr/share/nginx-1.5.0.zip",
            "usr/share/nginx-1.5.0.zip.sig",
            "packages.d/nginx-1.5.0.zip",
            "packages/",
            "packageſ/x/nginx/1.5.0/manifest.yml",
            "",
        ] {
            assert_eq!(place_in_image(path), Place::Stray, "{path}");
        }
    }

    #[test]
    fn what_only_looks_like_a_package_is_stray() {
        for path in [
            "main.go",
            "packages/nginx/README.md",
            "packages/nginx/1.5/manifest.yml",
            "packages/Nginx/1.5.0/manifest.yml",
            "lead/testdata/nginx/1.5.0/manifest.yml",
            "lead/vendor/packages/nginx/1.5.0/manifest.yml",
            "nginx/1.5.0",
            "",
            "/",
        ] {
            assert_eq!(place(path), Place::Stray, "{path}");
        }
    }

    #[test]
    fn zips_of_packages_are_found_at_any_depth_and_others_are_stray() {
        for (root, file) in [
            ("", "nginx-1.5.0.zip"),
            ("packages", "nginx-1.5.0-rc.1+x.zip"),
            ("packages/package-storage", "elastic_agent-0.0.1.zip"),
            ("a/b/c/d/e", "1-1.0.0.zip"),
        ] {
            let path = format!("{root}/{file}").trim_start_matches('/').to_owned();
            let found = InPackage {
                root,
                folder: &path,
                path: "",
            };
            assert_eq!(place(&path), Place::Zip(found));
            assert_eq!(place(&format!("{path}.sig")), Place::Signature(found));
        }
        for path in [
            "nginx-1.5.0.zip.asc",
            "nginx-1.5.0.sig",
            "nginx-1.5.zip",
            "nginx.zip",
            "Nginx-1.5.0.zip",
            "nginx-1.5.0.zip/x",
            "-1.5.0.zip",
        ] {
            assert_eq!(place(path), Place::Stray, "{path}");
        }
        let inside = place("packages/nginx/1.5.0/other-1.0.0.zip");
        assert!(matches!(inside, Place::Package(_)), "a file of a package");
    }

    #[test]
    fn the_repository_tells_its_registry_and_cache_times_with_and_without_a_leading_folder() {
        for lead in ["", "package-storage-7.9.0"] {
            let path = |name| format!("{lead}/{name}").trim_start_matches('/').to_owned();
            assert_eq!(place(&path("Dockerfile")), Place::Dockerfile { lead });
            assert_eq!(
                place(&path("deployment/package-registry.yml")),
                Place::RegistryConfiguration { lead }
            );
        }
        assert_eq!(place("vendor/x/Dockerfile"), Place::Stray);
    }

    #[test]
    fn a_folder_called_packages_is_preferred_then_the_fullest_then_the_first() {
        for (roots, meant) in [
            (&["lead", "lead", "lead/packages"][..], "lead/packages"),
            (&["packages", "testdata", "testdata"], "packages"),
            (&["testdata", "", ""], ""),
            (&["a", "b"], "a"),
            (&["b", "a"], "b"),
            (&["packages", "lead/packages"], "packages"),
        ] {
            assert_eq!(preferred(roots.iter().copied()), Some(meant), "{roots:?}");
        }
        assert_eq!(preferred(std::iter::empty()), None);
    }

    #[test]
    fn the_leading_folder_is_the_one_before_packages() {
        let leads = ["", "packages", "lead", "lead/packages"].map(leading_folder);
        assert_eq!(leads, [None, None, Some("lead"), Some("lead")]);
    }
}
