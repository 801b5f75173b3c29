//! Manifests of data streams by their text: four of five are the same in the next version of a package, and reading one
//! costs several times as much as copying what was read.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::{DataStreamManifest, ManifestError, Needed, read_within};
use crate::limits::Limits;

/// Bytes of memory that all of them take, and how many manifests these are likely to be: those of a few large packages.
const MOST_BYTES: u64 = 8 << 20;
const LIKELY: usize = 1000;
/// Bytes of memory that a node of a manifest's YAML takes once it was read, at most.
const NODE_BYTES: usize = 100;

/// Manifests of data streams that were read lately, by whoever renders with the same one.
#[derive(Debug)]
pub struct KnownDataStreams(Cache<Box<[u8]>, Arc<Known>, ByMemory>);

#[derive(Debug)]
struct Known {
    manifest: DataStreamManifest,
    needed: Needed,
}

/// Weighs a manifest by the memory it takes.
#[derive(Debug, Clone)]
struct ByMemory;

impl Default for KnownDataStreams {
    fn default() -> Self {
        Self(Cache::with_weighter(LIKELY, MOST_BYTES, ByMemory))
    }
}

impl KnownDataStreams {
    /// As [`read`](super::read), with the same answer and the same limits left.
    pub(in crate::package) fn read(
        &self,
        text: &[u8],
        limits: &mut Limits,
    ) -> Result<DataStreamManifest, ManifestError> {
        let known = self.0.get(text);
        let known = match known.filter(|known| known.needed.is_within(limits)) {
            Some(known) => known,
            None => {
                let (manifest, needed) = read_within(text, limits)?;
                let known = Arc::new(Known { manifest, needed });
                self.0.insert(text.into(), Arc::clone(&known));
                known
            }
        };
        known.needed.take_off(limits);
        Ok(known.manifest.clone())
    }
}

impl Weighter<Box<[u8]>, Arc<Known>> for ByMemory {
    fn weight(&self, text: &Box<[u8]>, known: &Arc<Known>) -> u64 {
        (2 * text.len() + NODE_BYTES * known.needed.yaml_nodes) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"title: t\ntype: logs\nstreams: [&a {input: i}, *a]\n";

    #[test]
    fn a_manifest_that_is_known_reads_and_counts_as_when_it_was_new() {
        let known = KnownDataStreams::default();
        let mut left = Limits::default();
        let new = known.read(TEXT, &mut left).unwrap();
        let after_new = (left.yaml_nodes, left.yaml_alias_nodes);
        assert_ne!(after_new.1, Limits::default().yaml_alias_nodes);
        let mut left = Limits::default();
        assert_eq!(known.read(TEXT, &mut left).unwrap(), new);
        assert_eq!((left.yaml_nodes, left.yaml_alias_nodes), after_new);
        assert_eq!(known.0.len(), 1);
    }

    #[test]
    fn a_manifest_that_is_known_is_refused_where_too_little_is_left() {
        let full = Limits::default();
        let read_with = |known: &KnownDataStreams, yaml_nodes, yaml_alias_nodes| {
            let mut left = Limits {
                yaml_nodes,
                yaml_alias_nodes,
                ..full.clone()
            };
            known.read(TEXT, &mut left).map_err(|why| why.to_string())
        };
        let known = KnownDataStreams::default();
        let mut left = full.clone();
        known.read(TEXT, &mut left).unwrap();
        let nodes = full.yaml_nodes - left.yaml_nodes;
        let alias_nodes = full.yaml_alias_nodes - left.yaml_alias_nodes;
        for (nodes, alias_nodes, is_enough) in [
            (nodes, alias_nodes, true),
            (nodes - 1, alias_nodes, false),
            (nodes, alias_nodes - 1, false),
        ] {
            let anew = KnownDataStreams::default();
            let answer = read_with(&known, nodes, alias_nodes);
            assert_eq!(answer.is_ok(), is_enough, "{nodes} {alias_nodes}");
            assert_eq!(answer, read_with(&anew, nodes, alias_nodes));
        }
    }

    #[test]
    fn a_manifest_that_cannot_be_read_is_not_kept() {
        let known = KnownDataStreams::default();
        let refused = known.read(b"title: t\n", &mut Limits::default());
        assert!(
            matches!(refused, Err(ManifestError::Read(_))),
            "{refused:?}"
        );
        assert_eq!(known.0.len(), 0);
    }

    #[test]
    fn what_is_kept_is_bounded_by_its_memory() {
        let known = KnownDataStreams::default();
        for number in 0..200 {
            let text = format!("title: t{number}\ntype: logs\n# {}\n", "x".repeat(100_000));
            known.read(text.as_bytes(), &mut Limits::default()).unwrap();
        }
        assert!(known.0.weight() <= MOST_BYTES);
        assert!(known.0.len() > 10);
    }
}
