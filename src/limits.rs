//! Every bound on what comes from outside, in one place, with its reason.
//!
//! All sizes are bytes. A bound that is hit is an error that names the member and the bound; it never truncates.

/// The bounds on one import and on what may lie in a package.
///
/// `Limits::default()` is what the product uses; tests narrow single fields.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Files in one package: what the 16-bit counts of a plain zip can say.
    pub package_files: u32,
    /// Bytes of one file in a package. The largest published (a machine-learning model) is over 60 MB.
    pub entry_bytes: u64,
    /// Bytes of one package's zip: what the 32-bit offsets of a plain zip can say.
    pub artifact_bytes: u64,
    /// Bytes of one package held in memory while it is imported; files beyond go to the store as they are read.
    pub package_memory_bytes: u64,
    /// Bytes of a package's zip that is held in memory while it is imported, where several are at a time; a larger one is
    /// copied to the data folder. The largest of integrations have 13 MB.
    pub zip_memory_bytes: u64,
    /// Bytes of a file beyond that which is read whole all the same, to see whether the store holds it before it is encoded.
    pub known_file_bytes: u64,
    /// Bytes of a package's zip that are no content of a file: headers, directory, comment, gaps. They are in memory together
    /// when it is imported and when it is served; 65,535 files with paths of 100 bytes have 18 MB.
    pub zip_rest_bytes: u64,
    /// The same compressed, which one row of the store holds.
    pub recipe_bytes: u64,
    /// Bytes of a manifest: parsing holds it in memory whole.
    pub manifest_bytes: u64,
    /// Bytes of all manifests of one package, which are in memory together. Published packages stay under 1 MiB.
    pub package_manifests_bytes: u64,
    /// Nested collections in a YAML document.
    pub yaml_depth: usize,
    /// Aliases expanded in a YAML document, and anchors in it. Published manifests have neither.
    pub yaml_aliases: usize,
    /// Nodes that aliases stand for in all YAML documents of a package: they cost time and no bytes.
    pub yaml_alias_nodes: usize,
    /// Nodes of all YAML documents of a package once their aliases are expanded: the bound on memory, which is some 100
    /// bytes each. Published packages stay under 10,000.
    pub yaml_nodes: usize,
    /// Bytes of a member's path.
    pub path_bytes: usize,
    /// Members of one source, the ignored ones included: a tar of empty members costs time for nothing.
    pub source_members: u64,
    /// Package folders in one source: each is remembered until the source is read. Published ones stay under 2,000.
    pub source_packages: usize,
    /// Base-2 logarithm of the largest zstd window accepted: 2^27 is 128 MiB, `zstd --long`.
    pub zstd_window_log: u32,
    /// Bytes a source may expand to for each of its own, with zstd, gzip or in a zip: a megabyte of bomb then costs under a
    /// second. 8.5.0 does 17 under zstd with a window of 128 MiB, 7.9.0 does 3.5; the text of 8.5.0 alone, without its
    /// pictures, would do about 120. The work of an import, where files, packages and manifests count for more than their
    /// bytes, is held to the same: there 8.5.0 comes to 29 and 7.9.0 to 5.
    pub expansion_ratio: u64,
    /// The same for xz, whose decoder takes several times as long for a byte.
    pub xz_expansion_ratio: u64,
    /// Bytes beyond any ratio: a small source of regular content.
    pub expansion_free_bytes: u64,
    /// Memory an xz decoder may take: presets up to -9 need 65 MiB.
    pub xz_memory_bytes: u64,
    /// Bytes of PAX or GNU extension data before one tar member.
    pub tar_extension_bytes: u64,
    /// Bytes of one document of a container image: parsing holds it in memory whole. Tools write some kilobytes.
    pub image_document_bytes: u64,
    /// Layers of a container image, and images in one file. Runtimes take no more than 127 layers.
    pub image_entries: usize,
    /// Members of the file of a container image: where each lies is remembered.
    pub image_members: usize,
    /// Bytes to remember the paths of packages in a container image by, with what upper layers hide: the 126,000 files of
    /// 8.5.0 as trees need 15 MiB.
    pub image_path_bytes: usize,
    /// Bytes of a version constraint.
    pub constraint_bytes: usize,
    /// Clauses in a version constraint.
    pub constraint_clauses: usize,
    /// Bytes of a file of OpenPGP keys. Elastic's has 3 KiB.
    pub key_file_bytes: u64,
    /// Packets in such a file: each may be a signature to verify, and take a millisecond.
    pub key_packets: usize,
    /// Bytes of a file of certificates or keys for TLS: the roots of a whole operating system have a quarter of it.
    pub certificate_file_bytes: usize,
    /// Certificates in such a file.
    pub certificates: usize,
    /// Bytes of a detached signature. Elastic's have under 1 KiB.
    pub signature_bytes: usize,
    /// Bytes of all signatures of one source that do not lie right behind their zips, and so are remembered.
    pub loose_signatures_bytes: u64,
    /// Bytes of what a Kibana says of its packages, which are in memory together. It takes some 2 KiB for each.
    pub installed_bytes: u64,
    /// Bytes of a file with certificates that are looked at; a bundle of all public authorities has 250 kB.
    pub ca_bytes: u64,
    /// Holds of one distribution that are not over, and package versions that are withdrawn: every catalog that is built looks
    /// at each.
    pub holds: usize,
    /// Bytes of a request's query string.
    pub query_bytes: usize,
    /// Ranges in one `Range` header.
    pub ranges: usize,
}

impl Limits {
    /// Returns the bytes that a member of a source may have: more where its name says that it may be a package's zip.
    pub fn member_bytes(&self, path: &str) -> u64 {
        if path.ends_with(".zip") {
            self.entry_bytes.max(self.artifact_bytes)
        } else {
            self.entry_bytes
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            package_files: 65_535,
            entry_bytes: 2 << 30,
            artifact_bytes: (4 << 30) - 1,
            package_memory_bytes: 8 << 20,
            zip_memory_bytes: 16 << 20,
            known_file_bytes: 2 << 20,
            zip_rest_bytes: 24 << 20,
            recipe_bytes: 4 << 20,
            manifest_bytes: 4 << 20,
            package_manifests_bytes: 16 << 20,
            yaml_depth: 64,
            yaml_aliases: 1_000,
            yaml_alias_nodes: 5_000,
            yaml_nodes: 250_000,
            path_bytes: 512,
            source_members: 10_000_000,
            source_packages: 100_000,
            zstd_window_log: 27,
            expansion_ratio: 250,
            xz_expansion_ratio: 128,
            expansion_free_bytes: 48 << 20,
            xz_memory_bytes: 128 << 20,
            tar_extension_bytes: 1 << 20,
            image_document_bytes: 4 << 20,
            image_entries: 1_000,
            image_members: 100_000,
            image_path_bytes: 48 << 20,
            constraint_bytes: 1 << 10,
            constraint_clauses: 64,
            key_file_bytes: 1 << 20,
            key_packets: 1_000,
            certificate_file_bytes: 1 << 20,
            certificates: 1_000,
            signature_bytes: 16 << 10,
            loose_signatures_bytes: 24 << 20,
            installed_bytes: 16 << 20,
            ca_bytes: 1 << 20,
            holds: 1_000,
            query_bytes: 8 << 10,
            ranges: 16,
        }
    }
}
