//! The path of a request in, what it asks for out.
//!
//! Reads the raw, percent-encoded path itself: a router that decodes leniently turns `%ff` into U+FFFD and so lets two
//! paths name one file. The path is decoded once, has to be UTF-8, and is then cut at its slashes, as the reference
//! registry does it; `%2f` is therefore a slash. Empty segments are dropped, so that a base address with a trailing
//! slash and a missing final slash are answered at once instead of with a redirect that would lose a base path.
//! Knows nothing of what exists: whether a package or a distribution is there is for others to say.

use percent_encoding::percent_decode_str;

use super::error::ApiError;
use crate::distribution::DistributionName;
use crate::limits::Limits;
use crate::package::{PackageId, PackageName, PackageVersion};
use crate::store::change_sets::ChangeSetId;

/// What a request asks for, and of which distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The name in `/d/{distribution}/…`; the distribution at `/` when there is none.
    pub distribution: Option<DistributionName>,
    /// The number in `/d/{distribution}@{change set}/…`: as it was right after that.
    pub change_set: Option<ChangeSetId>,
    /// What is asked of it.
    pub resource: Resource,
}

/// One of the things the registry API answers with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// `/` and `/index.json`
    Index,
    /// `/health`
    Health,
    /// `/favicon.ico`
    Favicon,
    /// `/search`
    Search,
    /// `/categories`
    Categories,
    /// `/package/{name}/{version}/`
    Document(Asked),
    /// `/package/{name}/{version}/{path}`, with the path inside the package, decoded.
    File(Asked, Box<str>),
    /// `/epr/{name}/{name}-{version}.zip`
    Artifact(Asked),
    /// `/epr/{name}/{name}-{version}.zip.sig`
    Signature(Asked),
    /// `/epr/{name}/{name}-{version}.tar.gz`, which only the oldest dialect has.
    Tarball(Asked),
}

/// A name and a version as a path gives them: not yet known to be either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    name: Box<str>,
    version: Box<str>,
    /// Whether the folder in `/epr/{folder}/{name}-{version}.zip` is the name, or [`PROXIED_FOLDER`].
    is_consistent: bool,
}

/// The folder that the reference registry in proxy mode sends its clients to, whatever the package.
const PROXIED_FOLDER: &str = "package";

impl Route {
    /// Returns the route of a raw request path (without its query), or `None` when no route of the API is like it.
    ///
    /// Dot segments, NUL, what is not UTF-8, and files whose path is longer than [`Limits::path_bytes`] are like none.
    pub fn parse(raw_path: &str, limits: &Limits) -> Option<Self> {
        let path = decoded(raw_path)?;
        if !path.starts_with('/') {
            return None;
        }
        let segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
        if segments.iter().any(|s| matches!(*s, "." | "..")) {
            return None;
        }
        let (address, rest) = match segments.as_slice() {
            ["d", address, rest @ ..] => (Some(*address), rest),
            rest => (None, rest),
        };
        let (name, change_set) = match address.and_then(|address| address.split_once('@')) {
            Some((name, number)) => (Some(name), Some(change_set(number)?)),
            None => (address, None),
        };
        let distribution = match name {
            Some(name) => Some(DistributionName::parse(name).ok()?),
            None => None,
        };
        Some(Self {
            distribution,
            change_set,
            resource: Resource::parse(rest, limits)?,
        })
    }
}

impl Resource {
    fn parse(segments: &[&str], limits: &Limits) -> Option<Self> {
        match segments {
            [] | ["index.json"] => Some(Self::Index),
            ["health"] => Some(Self::Health),
            ["favicon.ico"] => Some(Self::Favicon),
            ["search"] => Some(Self::Search),
            ["categories"] => Some(Self::Categories),
            ["package", name, version] => Some(Self::Document(Asked::new(name, version))),
            ["package", name, version, file @ ..] => {
                let path = file.join("/");
                (path.len() <= limits.path_bytes)
                    .then(|| Self::File(Asked::new(name, version), path.into()))
            }
            ["epr", folder, file] => Self::parse_artifact(folder, file),
            _ => None,
        }
    }

    fn parse_artifact(folder: &str, file: &str) -> Option<Self> {
        let (stem, kind): (_, fn(Asked) -> Self) = if let Some(stem) = file.strip_suffix(".zip") {
            (stem, Self::Artifact)
        } else if let Some(stem) = file.strip_suffix(".zip.sig") {
            (stem, Self::Signature)
        } else {
            (file.strip_suffix(".tar.gz")?, Self::Tarball)
        };
        // Names hold no hyphen, prereleases do: the first one ends the name.
        let (name, version) = stem.split_once('-')?;
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if name.is_empty() || version.is_empty() || !name.bytes().all(is_plain) {
            return None;
        }
        Some(kind(Asked {
            is_consistent: folder == name || folder == PROXIED_FOLDER,
            ..Asked::new(name, version)
        }))
    }
}

impl Asked {
    fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            is_consistent: true,
        }
    }

    /// Returns the package version that is meant.
    ///
    /// Fails with 400 when the version is not strictly semver, whatever the name; with `absent` when the name cannot be
    /// one or the folder of an artifact is another package's.
    pub fn package_id(&self, absent: ApiError) -> Result<PackageId, ApiError> {
        let version = PackageVersion::parse(&self.version).map_err(|_| ApiError::InvalidVersion)?;
        match PackageName::parse(&self.name) {
            Ok(name) if self.is_consistent => Ok(PackageId { name, version }),
            _ => Err(absent),
        }
    }
}

/// Returns the change set that `text` numbers, in the one way there is to write the number.
fn change_set(text: &str) -> Option<ChangeSetId> {
    let number: i64 = text.parse().ok()?;
    (number > 0 && number.to_string() == text).then_some(ChangeSetId(number))
}

/// Returns `raw` without its percent-encoding; `None` when an escape is cut short, or for NUL or what is not UTF-8.
fn decoded(raw: &str) -> Option<String> {
    let is_escape =
        |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|b| b.is_ascii_hexdigit());
    if !raw.split('%').skip(1).all(is_escape) {
        return None;
    }
    let path = percent_decode_str(raw).decode_utf8().ok()?;
    (!path.contains('\0')).then(|| path.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(path: &str) -> Option<Resource> {
        Route::parse(path, &Limits::default()).map(|route| route.resource)
    }

    fn document(name: &str, version: &str) -> Option<Resource> {
        Some(Resource::Document(Asked::new(name, version)))
    }

    fn file(name: &str, version: &str, path: &str) -> Option<Resource> {
        Some(Resource::File(Asked::new(name, version), path.into()))
    }

    #[test]
    fn each_path_of_the_contract_has_its_resource() {
        for (path, expected) in [
            ("/", Resource::Index),
            ("/index.json", Resource::Index),
            ("/health", Resource::Health),
            ("/favicon.ico", Resource::Favicon),
            ("/search", Resource::Search),
            ("/search/", Resource::Search),
            ("/categories", Resource::Categories),
            ("/categories/", Resource::Categories),
            (
                "/epr/nginx/nginx-1.5.0.zip",
                Resource::Artifact(Asked::new("nginx", "1.5.0")),
            ),
            (
                "/epr/nginx/nginx-1.5.0-rc.1.zip",
                Resource::Artifact(Asked::new("nginx", "1.5.0-rc.1")),
            ),
            (
                "/epr/nginx/nginx-1.5.0.zip.sig",
                Resource::Signature(Asked::new("nginx", "1.5.0")),
            ),
            (
                "/epr/nginx/nginx-1.5.0.tar.gz",
                Resource::Tarball(Asked::new("nginx", "1.5.0")),
            ),
            (
                "/epr/nginx/nginx-foo.zip",
                Resource::Artifact(Asked::new("nginx", "foo")),
            ),
        ] {
            assert_eq!(resource(path), Some(expected), "{path}");
        }
        assert_eq!(
            resource("/package/nginx/1.5.0/"),
            document("nginx", "1.5.0")
        );
        assert_eq!(resource("/package/nginx/1.5.0"), document("nginx", "1.5.0"));
        assert_eq!(
            resource("/package/nginx/1.5.0/kibana/search/All%20Logs.json"),
            file("nginx", "1.5.0", "kibana/search/All Logs.json")
        );
    }

    #[test]
    fn doubled_and_encoded_slashes_are_slashes() {
        for path in [
            "//package/nginx/1.5.0/",
            "/package//nginx/1.5.0//",
            "/package%2Fnginx/1.5.0",
        ] {
            assert_eq!(resource(path), document("nginx", "1.5.0"), "{path}");
        }
        assert_eq!(
            resource("/package/nginx/1.5.0//img%2flogo.svg"),
            file("nginx", "1.5.0", "img/logo.svg")
        );
        assert_eq!(resource("//"), Some(Resource::Index));
    }

    #[test]
    fn what_no_route_is_like_has_none() {
        for path in [
            "",
            "*",
            "search",
            "/nope",
            "/search/x",
            "/index.json/x",
            "/package",
            "/package/nginx",
            "/epr",
            "/epr/nginx",
            "/epr/nginx/nginx.zip",
            "/epr/nginx/nginx-1.5.0",
            "/epr/nginx/Nginx-1.5.0.zip",
            "/epr/nginx/-1.5.0.zip",
            "/epr/nginx/nginx-.zip",
            "/epr/nginx/x/nginx-1.5.0.zip",
            "/package/nginx/1.5.0/../1.5.0/manifest.yml",
            "/package/nginx/1.5.0/%2e%2e/%2e%2e/manifest.yml",
            "/package/nginx/1.5.0/%2e/manifest.yml",
            "/package/nginx/1.5.0/docs/..%2fmanifest.yml",
            "/package/nginx/1.5.0/%ff",
            "/package/nginx/1.5.0/%c3",
            "/package/nginx/1.5.0/a%00b",
            "/package/nginx/1.5.0/a%zz",
            "/package/nginx/1.5.0/a%4",
            "/package/nginx/1.5.0/a%",
            "/Search",
        ] {
            assert_eq!(resource(path), None, "{path}");
        }
        let long = format!("/package/nginx/1.5.0/{}", "a".repeat(513));
        assert_eq!(resource(&long), None);
        assert!(resource(&long[..long.len() - 1]).is_some());
    }

    #[test]
    fn every_path_is_also_there_under_a_distribution() {
        for (path, name, expected) in [
            ("/d/8.5.0", "8.5.0", Some(Resource::Index)),
            ("/d/8.5.0/", "8.5.0", Some(Resource::Index)),
            ("/d/8.5.0/index.json", "8.5.0", Some(Resource::Index)),
            (
                "/d/9.2.0+2026-11-22/search",
                "9.2.0+2026-11-22",
                Some(Resource::Search),
            ),
            (
                "/d/9.2.0%2B2026-11-22//search",
                "9.2.0+2026-11-22",
                Some(Resource::Search),
            ),
            (
                "//d/default/package/nginx/1.5.0",
                "default",
                document("nginx", "1.5.0"),
            ),
            ("/d/d/package/d/1.0.0/d", "d", file("d", "1.0.0", "d")),
        ] {
            let route = Route::parse(path, &Limits::default()).unwrap();
            assert_eq!(
                route.distribution.as_ref().map(DistributionName::as_str),
                Some(name),
                "{path}"
            );
            assert_eq!(Some(route.resource), expected, "{path}");
        }
        let long = format!("/d/{}/search", "a".repeat(65));
        for path in [
            "/d",
            "/d/",
            "/d/Default/",
            "/d/-a/",
            "/d/a b/",
            "/d/..",
            "/d/%2e%2e/search",
            "/d/a/d/b/search",
            &long,
        ] {
            assert_eq!(Route::parse(path, &Limits::default()), None, "{path}");
        }
    }

    #[test]
    fn a_version_is_judged_before_names() {
        let asked = |path: &str| match resource(path) {
            Some(
                Resource::Document(a)
                | Resource::File(a, _)
                | Resource::Artifact(a)
                | Resource::Signature(a),
            ) => a
                .package_id(ApiError::PackageNotFound)
                .map(|id| id.to_string())
                .map_err(|e| e.to_string()),
            other => panic!("{path}: {other:?}"),
        };
        for (path, expected) in [
            ("/package/nginx/1.5.0", Ok("nginx 1.5.0")),
            ("/package/nginx/v1.5.0", Err("invalid package version")),
            ("/package/nginx/1.5", Err("invalid package version")),
            (
                "/package/nginx/foo/manifest.yml",
                Err("invalid package version"),
            ),
            ("/package/Ngi-nx/foo", Err("invalid package version")),
            ("/package/Ngi-nx/1.5.0", Err("package revision not found")),
            ("/epr/nginx/nginx-foo.zip", Err("invalid package version")),
            ("/epr/other/nginx-foo.zip", Err("invalid package version")),
            (
                "/epr/other/nginx-1.5.0.zip",
                Err("package revision not found"),
            ),
            ("/epr/nginx/nginx-1.5.0.zip.sig", Ok("nginx 1.5.0")),
            ("/epr/package/nginx-1.5.0.zip.sig", Ok("nginx 1.5.0")),
        ] {
            assert_eq!(
                asked(path),
                expected.map(str::to_owned).map_err(str::to_owned),
                "{path}"
            );
        }
    }
}
