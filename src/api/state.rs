//! What the API answers from, shared by all workers.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::access::SharedAccess;
use super::blocks::Blocks;
use super::file::StoredFile;
use crate::catalog::Catalogs;
use crate::distribution::CacheSettings;
use crate::limits::Limits;
use crate::store::Store;
use crate::store::artifacts::ArtifactId;

/// Bytes of all small files that are kept in memory.
const KEPT_BYTES: u64 = 8 << 20;
/// How many of them the cache expects.
const EXPECTED_FILES: usize = 2000;

/// What the API answers from.
#[derive(Debug)]
pub struct State {
    /// The store, for files and zips.
    pub store: Arc<Store>,
    /// What is offered.
    pub catalogs: Arc<Catalogs>,
    /// The bounds on requests.
    pub limits: Limits,
    /// Who may ask.
    pub access: SharedAccess,
    /// How long answers may be kept where the settings say it.
    pub cache: CacheSettings,
    /// Held while a catalog of the past is built.
    pub(super) building: tokio::sync::Mutex<()>,
    /// Files that were asked for lately. An artifact never changes, so they outlive catalogs.
    pub(super) files: Cache<(ArtifactId, Box<str>), Arc<StoredFile>, ByBytes>,
    /// The blocks of what is too large for that.
    pub(super) blocks: Blocks,
}

/// Weighs a kept file by the memory it takes.
#[derive(Debug, Clone)]
pub(super) struct ByBytes;

impl State {
    /// Returns the state of a server of `store`, whose catalogs are `catalogs`; everybody may ask.
    pub fn new(store: Arc<Store>, catalogs: Arc<Catalogs>) -> Self {
        let files = Cache::with_weighter(EXPECTED_FILES, KEPT_BYTES, ByBytes);
        Self {
            store,
            catalogs,
            limits: Limits::default(),
            access: SharedAccess::default(),
            cache: CacheSettings::default(),
            building: tokio::sync::Mutex::default(),
            files,
            blocks: Blocks::default(),
        }
    }
}

impl Weighter<(ArtifactId, Box<str>), Arc<StoredFile>> for ByBytes {
    fn weight(&self, (_, path): &(ArtifactId, Box<str>), file: &Arc<StoredFile>) -> u64 {
        path.len() as u64 + file.memory_bytes() + 256
    }
}
