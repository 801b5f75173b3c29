//! Packages as zips, looked at before they are imported: what Kibana would refuse them for.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use super::error::ImportError;
use crate::archive::{Archive, ArchiveError, Buffers, Entry, ExactZip, Origin};
use crate::limits::Limits;
use crate::package::check::{self, Checked, Finding};

/// Bytes of a zip that are kept in memory; larger ones are copied to `spool`.
const MEMORY_BYTES: u64 = 16 << 20;
/// Bytes of all manifests of a package.
const MANIFESTS_BYTES: u64 = 64 << 20;

/// Checks every package zip in a source: one zip, or a tar of them. What cannot be read as the zip of a package is a finding
/// too. Memory: the manifests of one package.
pub fn check_zips(
    source: Box<dyn Read + Send>,
    spool: &Path,
    limits: &Limits,
) -> Result<Vec<Checked>, ImportError> {
    let archive = Archive::open(Origin::Stream(source), spool, Default::default(), limits);
    let mut archive = archive.map_err(ImportError::source)?;
    let mut checked = Vec::new();
    while let Some(entry) = archive.next().map_err(ImportError::source)? {
        let Entry::File(file) = entry else {
            continue;
        };
        let name = file.path.to_string();
        if !name.ends_with(".zip") {
            continue;
        }
        let zip = file
            .keep(MEMORY_BYTES, &Buffers::default(), spool)
            .map_err(ImportError::source)?;
        checked.push(match ExactZip::open(zip, limits) {
            Ok(zip) => check_zip(&zip, limits),
            Err(error) => Checked {
                package: None,
                findings: vec![Finding {
                    file: name,
                    key: None,
                    why: error.to_string(),
                }],
            },
        });
    }
    Ok(checked)
}

fn check_zip(zip: &ExactZip, limits: &Limits) -> Checked {
    let mut texts = BTreeMap::new();
    let mut findings = Vec::new();
    let mut left = MANIFESTS_BYTES;
    for entry in zip.entries() {
        if !check::is_read(&entry.path) {
            continue;
        }
        let mut find = |why: String| {
            findings.push(Finding {
                file: entry.path.clone(),
                key: None,
                why,
            });
        };
        if entry.size_bytes > limits.manifest_bytes.min(left) {
            find(format!("its {} bytes are too many", entry.size_bytes));
            continue;
        }
        let mut text = Vec::new();
        match zip.content(entry).read_to_end(&mut text) {
            Ok(bytes) => left -= bytes as u64,
            Err(error) => find(ArchiveError::from(error).to_string()),
        }
        texts.insert(entry.path.clone(), text);
    }
    let paths = zip.entries().iter().map(|entry| entry.path.as_str());
    let checked = check::check(zip.root(), paths, &texts, limits);
    findings.extend(checked.findings);
    Checked {
        findings,
        ..checked
    }
}
