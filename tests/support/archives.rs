//! Builders of archives, sound and hostile: one line makes one.
//!
//! They write what they are told, byte for byte, and check nothing.
#![allow(dead_code, reason = "each test target uses some of it")]
#![allow(clippy::unwrap_used, reason = "in a test, what fails may panic")]

use std::io::{Read, Write};

/// Starts a tar.
pub fn tar() -> Tar {
    Tar { bytes: Vec::new() }
}

/// Starts a zip.
pub fn zip() -> Zip {
    Zip {
        entries: Vec::new(),
        comment: Vec::new(),
        zip64: false,
        last_gap: Vec::new(),
    }
}

/// A tar in the making, written down member by member.
#[derive(Clone)]
pub struct Tar {
    bytes: Vec<u8>,
}

impl Tar {
    /// Adds a file; a path over 100 bytes gets a PAX header.
    pub fn file(self, path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        let content = content.as_ref();
        self.member(path.as_ref(), b'0', |header| {
            header.set_size(content.len() as u64)
        })
        .padded(content)
    }

    /// Adds a directory.
    pub fn directory(self, path: impl AsRef<[u8]>) -> Self {
        self.member(path.as_ref(), b'5', |_| {})
    }

    /// Adds a symbolic link.
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.link(path, target, b'2')
    }

    /// Adds a hard link.
    pub fn hardlink(self, path: &str, target: &str) -> Self {
        self.link(path, target, b'1')
    }

    /// Adds a member of any type flag, without content.
    pub fn special(self, path: &str, flag: u8) -> Self {
        self.member(path.as_bytes(), flag, |_| {})
    }

    /// Adds a PAX header for the next member.
    pub fn pax(self, records: &[(&str, &str)]) -> Self {
        self.extension("PaxHeaders/0", b'x', &pax_records(records))
    }

    /// Adds a global PAX header, as git writes one in front.
    pub fn global(self, records: &[(&str, &str)]) -> Self {
        self.extension("pax_global_header", b'g', &pax_records(records))
    }

    /// Adds a GNU long name for the next member.
    pub fn long_name(self, path: impl AsRef<[u8]>) -> Self {
        let path = [path.as_ref(), b"\0"].concat();
        self.extension("././@LongLink", b'L', &path)
    }

    /// Adds an extension header of any type flag with any content.
    pub fn extension(self, name: &str, flag: u8, content: &[u8]) -> Self {
        self.member(name.as_bytes(), flag, |header| {
            header.set_size(content.len() as u64)
        })
        .padded(content)
    }

    /// Adds the header of an empty file `x` after `change`; its checksum is made to hold.
    pub fn header(self, change: impl FnOnce(&mut ::tar::Header)) -> Self {
        self.member(b"x", b'0', change)
    }

    /// Adds the header of an empty file `x` after `change`, which may break its checksum.
    pub fn raw_header(mut self, change: impl FnOnce(&mut ::tar::Header)) -> Self {
        let mut header = plain_header(b"x", b'0');
        header.set_cksum();
        change(&mut header);
        self.bytes.extend_from_slice(header.as_bytes());
        self
    }

    /// Adds bytes as they are.
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Adds bytes, filled up to a whole block.
    pub fn padded(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
        self
    }

    /// Returns the tar with its end mark.
    pub fn bytes(&self) -> Vec<u8> {
        [self.bytes.as_slice(), &[0; 1024]].concat()
    }

    /// Returns the tar without the end mark.
    pub fn open_ended(&self) -> Vec<u8> {
        self.bytes.clone()
    }

    /// Returns the tar under gzip.
    pub fn gz(&self) -> Vec<u8> {
        gz(&self.bytes())
    }

    /// Returns the tar under zstd.
    pub fn zst(&self) -> Vec<u8> {
        zst(&self.bytes())
    }

    /// Returns the tar under zstd, its frame asking for a window of `2^window_log` bytes.
    pub fn zst_with_window(&self, window_log: u32) -> Vec<u8> {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(window_log).unwrap();
        encoder.write_all(&self.bytes()).unwrap();
        encoder.finish().unwrap()
    }

    /// Returns the tar under xz.
    pub fn xz(&self) -> Vec<u8> {
        xz(&self.bytes())
    }

    fn link(self, path: &str, target: &str, flag: u8) -> Self {
        self.member(path.as_bytes(), flag, |header| {
            header.set_link_name_literal(target).unwrap();
        })
    }

    fn member(mut self, path: &[u8], flag: u8, change: impl FnOnce(&mut ::tar::Header)) -> Self {
        if path.len() > 100 {
            let record = pax_record(b"path", path);
            self = self.extension("PaxHeaders/0", b'x', &record);
        }
        let mut header = plain_header(path, flag);
        change(&mut header);
        header.set_cksum();
        self.bytes.extend_from_slice(header.as_bytes());
        self
    }
}

fn plain_header(path: &[u8], flag: u8) -> ::tar::Header {
    let mut header = ::tar::Header::new_ustar();
    let length = path.len().min(100);
    header.as_old_mut().name[..length].copy_from_slice(&path[..length]);
    header.as_old_mut().linkflag[0] = flag;
    header.set_size(0);
    header.set_mode(0o644);
    header.set_mtime(1_667_289_600);
    header
}

/// Returns one PAX record.
pub fn pax_record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = [b" ", key, b"=", value, b"\n"].concat();
    let length = (1..9)
        .map(|digits| rest.len() + digits)
        .find(|length| length.to_string().len() + rest.len() == *length)
        .unwrap();
    [length.to_string().as_bytes(), &rest].concat()
}

fn pax_records(records: &[(&str, &str)]) -> Vec<u8> {
    records
        .iter()
        .flat_map(|(key, value)| pax_record(key.as_bytes(), value.as_bytes()))
        .collect()
}

/// Returns `bytes` under gzip, one member.
pub fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Returns `bytes` under zstd, one frame with a checksum.
pub fn zst(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Returns `bytes` under xz, one stream.
pub fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    liblzma::read::XzEncoder::new(bytes, 0)
        .read_to_end(&mut packed)
        .unwrap();
    packed
}

/// One layer of compression around a tar, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// None.
    Plain,
    /// One gzip member.
    Gzip,
    /// One zstd frame.
    Zstd,
    /// One xz stream.
    Xz,
}

impl Layer {
    /// Returns `bytes` under this layer. Whole streams may follow each other: a tar may be made of several.
    pub fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Plain => bytes.to_vec(),
            Self::Gzip => gz(bytes),
            Self::Zstd => zst(bytes),
            Self::Xz => xz(bytes),
        }
    }
}

/// Returns zeros under zstd, many in few bytes.
pub fn zst_of_zeros(bytes: u64) -> Vec<u8> {
    zstd::encode_all(std::io::repeat(0).take(bytes), 1).unwrap()
}

/// A zip in the making.
#[derive(Clone)]
pub struct Zip {
    entries: Vec<ZipEntry>,
    comment: Vec<u8>,
    zip64: bool,
    last_gap: Vec<u8>,
}

/// An entry of a zip, every field of which may lie.
#[derive(Clone)]
pub struct ZipEntry {
    /// The path in the central directory.
    pub path: Vec<u8>,
    /// The path in the local header.
    pub local_path: Vec<u8>,
    /// 0 stored, 8 deflated.
    pub method: u16,
    /// The general purpose flags; bit 3 adds a data descriptor and leaves the local sizes 0.
    pub flags: u16,
    /// The announced CRC-32.
    pub crc32: u32,
    /// The announced size.
    pub size: u32,
    /// The size in the local header.
    pub local_size: u32,
    /// The bytes between the headers.
    pub packed: Vec<u8>,
    /// A Unix mode; 0 for none.
    pub unix_mode: u32,
    /// Extra fields of the central header.
    pub extra: Vec<u8>,
    /// Bytes in front of the local header.
    pub gap: Vec<u8>,
    /// Takes the place of where the local header really is.
    pub offset: Option<u32>,
    /// Extra fields of the local header.
    pub local_extra: Vec<u8>,
    /// The comment in the central header.
    pub comment: Vec<u8>,
    /// Takes the place of the data descriptor that flag 3 adds.
    pub descriptor: Option<Vec<u8>>,
    /// Whether both headers leave the sizes to a zip64 extra field.
    pub zip64: bool,
}

impl ZipEntry {
    fn new(path: &[u8], method: u16, content: &[u8]) -> Self {
        let mut packed = content.to_vec();
        if method == 8 {
            let mut encoder =
                flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(content).unwrap();
            packed = encoder.finish().unwrap();
        }
        Self {
            path: path.to_vec(),
            local_path: path.to_vec(),
            method,
            flags: 0,
            crc32: crc32fast::hash(content),
            size: content.len() as u32,
            local_size: content.len() as u32,
            packed,
            unix_mode: 0,
            extra: Vec::new(),
            gap: Vec::new(),
            offset: None,
            local_extra: Vec::new(),
            comment: Vec::new(),
            descriptor: None,
            zip64: false,
        }
    }

    /// Returns sizes as a header gives them, and its extra fields.
    fn sizes(&self, sizes: [u32; 2], extra: &[u8]) -> ([u32; 2], Vec<u8>) {
        if !self.zip64 {
            return (sizes, extra.to_vec());
        }
        let [packed, size] = sizes.map(u64::from).map(u64::to_le_bytes);
        let wide = zip_extra(1, &[size, packed].concat());
        ([u32::MAX; 2], [&wide, extra].concat())
    }
}

impl Zip {
    /// Adds a stored file.
    pub fn stored(self, path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        self.stored_but(path, content, |_| {})
    }

    /// Adds a deflated file.
    pub fn deflated(self, path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        self.deflated_but(path, content, |_| {})
    }

    /// Adds a stored file after `change`.
    pub fn stored_but(
        mut self,
        path: impl AsRef<[u8]>,
        content: impl AsRef<[u8]>,
        change: impl FnOnce(&mut ZipEntry),
    ) -> Self {
        let mut entry = ZipEntry::new(path.as_ref(), 0, content.as_ref());
        change(&mut entry);
        self.entries.push(entry);
        self
    }

    /// Adds a deflated file after `change`.
    pub fn deflated_but(
        mut self,
        path: impl AsRef<[u8]>,
        content: impl AsRef<[u8]>,
        change: impl FnOnce(&mut ZipEntry),
    ) -> Self {
        let mut entry = ZipEntry::new(path.as_ref(), 8, content.as_ref());
        change(&mut entry);
        self.entries.push(entry);
        self
    }

    /// Adds an entry made before.
    pub fn entry(mut self, entry: ZipEntry) -> Self {
        self.entries.push(entry);
        self
    }

    /// Returns the first entry.
    pub fn first(&self) -> &ZipEntry {
        &self.entries[0]
    }

    /// Sets the comment, where git writes the commit id.
    pub fn comment(mut self, comment: impl AsRef<[u8]>) -> Self {
        self.comment = comment.as_ref().to_vec();
        self
    }

    /// Puts bytes between the last entry and the central directory.
    pub fn last_gap(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.last_gap = bytes.as_ref().to_vec();
        self
    }

    /// Lists the entries the other way round than they lie.
    pub fn listed_backwards(&self) -> Vec<u8> {
        self.written(|directory| directory.into_iter().rev().collect())
    }

    /// Adds a zip64 end record, and has the plain one say that it must be looked at.
    pub fn zip64(mut self) -> Self {
        self.zip64 = true;
        self
    }

    /// Returns the zip.
    pub fn bytes(&self) -> Vec<u8> {
        self.written(|directory| directory)
    }

    fn written(&self, order: impl FnOnce(Vec<Vec<u8>>) -> Vec<Vec<u8>>) -> Vec<u8> {
        let mut out = Vec::new();
        let mut directory = Vec::new();
        for entry in &self.entries {
            out.extend_from_slice(&entry.gap);
            let offset = entry.offset.unwrap_or(out.len() as u32);
            entry.write_local(&mut out);
            let mut central = Vec::new();
            entry.write_central(&mut central, offset);
            directory.push(central);
        }
        out.extend_from_slice(&self.last_gap);
        let start = out.len();
        let directory = order(directory).concat();
        out.extend_from_slice(&directory);
        if self.zip64 {
            self.write_end64(&mut out, directory.len(), start);
        }
        let (count, bytes, start) = match self.zip64 {
            true => (u16::MAX, u32::MAX, u32::MAX),
            false => (
                self.entries.len() as u16,
                directory.len() as u32,
                start as u32,
            ),
        };
        out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        put16(&mut out, &[count, count]);
        put32(&mut out, &[bytes, start]);
        put16(&mut out, &[self.comment.len() as u16]);
        out.extend_from_slice(&self.comment);
        out
    }

    fn write_end64(&self, out: &mut Vec<u8>, directory_bytes: usize, directory_start: usize) {
        let record_start = out.len() as u64;
        out.extend_from_slice(b"PK\x06\x06");
        out.extend_from_slice(&44_u64.to_le_bytes());
        put16(out, &[45, 45]);
        put32(out, &[0, 0]);
        let count = self.entries.len() as u64;
        for number in [count, count, directory_bytes as u64, directory_start as u64] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(b"PK\x06\x07\0\0\0\0");
        out.extend_from_slice(&record_start.to_le_bytes());
        put32(out, &[1]);
    }
}

impl ZipEntry {
    fn write_local(&self, out: &mut Vec<u8>) {
        let later = self.flags & 8 != 0;
        let packed = self.packed.len() as u32;
        let now = |value: u32| if later { 0 } else { value };
        out.extend_from_slice(b"PK\x03\x04");
        put16(out, &[20, self.flags, self.method, 0, 0x21]);
        let sizes = [now(packed), now(self.local_size)];
        let (sizes, extra) = self.sizes(sizes, &self.local_extra);
        put32(out, &[now(self.crc32), sizes[0], sizes[1]]);
        put16(out, &[self.local_path.len() as u16, extra.len() as u16]);
        out.extend_from_slice(&self.local_path);
        out.extend_from_slice(&extra);
        out.extend_from_slice(&self.packed);
        if let Some(descriptor) = &self.descriptor {
            out.extend_from_slice(descriptor);
        } else if later {
            out.extend_from_slice(b"PK\x07\x08");
            put32(out, &[self.crc32, packed, self.size]);
        }
    }

    fn write_central(&self, out: &mut Vec<u8>, offset: u32) {
        let made_by = if self.unix_mode == 0 { 20 } else { 3 << 8 | 20 };
        out.extend_from_slice(b"PK\x01\x02");
        put16(out, &[made_by, 20, self.flags, self.method, 0, 0x21]);
        let (sizes, extra) = self.sizes([self.packed.len() as u32, self.size], &self.extra);
        let comment_bytes = self.comment.len() as u16;
        put32(out, &[self.crc32, sizes[0], sizes[1]]);
        put16(
            out,
            &[
                self.path.len() as u16,
                extra.len() as u16,
                comment_bytes,
                0,
                0,
            ],
        );
        put32(out, &[self.unix_mode << 16, offset]);
        out.extend_from_slice(&self.path);
        out.extend_from_slice(&extra);
        out.extend_from_slice(&self.comment);
    }
}

/// Returns an extra field of a zip.
pub fn zip_extra(id: u16, content: &[u8]) -> Vec<u8> {
    let mut field = Vec::new();
    put16(&mut field, &[id, content.len() as u16]);
    field.extend_from_slice(content);
    field
}

fn put16(out: &mut Vec<u8>, values: &[u16]) {
    out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn put32(out: &mut Vec<u8>, values: &[u32]) {
    out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

/// A container image in the making, its lowest layer first.
#[derive(Clone)]
pub struct Image {
    layers: Vec<Vec<u8>>,
    plain: Vec<Vec<u8>>,
    labels: Vec<(String, String)>,
    names: Vec<String>,
    form: ImageForm,
}

/// What an image is saved as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageForm {
    /// `docker save` before version 25: a folder for each layer, the documents behind them.
    DockerLegacy,
    /// skopeo's docker-archive and `podman save`: files named by digests, links for the older names.
    DockerArchive,
    /// The OCI layout in a tar, blobs first.
    Oci,
    /// `docker save` since version 25: the OCI layout with `manifest.json` beside it.
    DockerOci,
}

impl ImageForm {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::DockerLegacy,
        Self::DockerArchive,
        Self::Oci,
        Self::DockerOci,
    ];
}

/// Starts an image of layers that are not compressed, the lowest first.
pub fn image(form: ImageForm, layers: &[Tar]) -> Image {
    image_under(form, Layer::Plain, layers)
}

/// Starts an image of layers under compression, the lowest first.
pub fn image_under(form: ImageForm, layer: Layer, layers: &[Tar]) -> Image {
    let plain: Vec<_> = layers.iter().map(Tar::bytes).collect();
    Image {
        layers: plain.iter().map(|bytes| layer.of(bytes)).collect(),
        plain,
        labels: Vec::new(),
        names: Vec::new(),
        form,
    }
}

/// Returns the 64 digits of a SHA-256 digest.
pub fn hex(bytes: &[u8]) -> String {
    airlock::crypto::Digest::of(bytes).to_string()
}

/// Returns where the content of the last member of a tar ends, in front of its padding.
fn end_of_last_member(tar: &[u8]) -> usize {
    let (mut start, mut end) = (0, 0);
    while tar[start] != 0 {
        let size = std::str::from_utf8(&tar[start + 124..start + 135]).unwrap();
        end = start + 512 + usize::from_str_radix(size.trim(), 8).unwrap();
        start = end.next_multiple_of(512);
    }
    end
}

impl Image {
    /// Leaves out the end mark of each layer that is not compressed, and the padding in front of it.
    pub fn without_ends(mut self) -> Self {
        for (layer, plain) in self.layers.iter_mut().zip(&mut self.plain) {
            assert_eq!(layer, plain, "it is not compressed");
            let end = end_of_last_member(plain);
            plain.truncate(end);
            layer.truncate(end);
        }
        self
    }

    /// Takes the last byte of each layer that is not compressed.
    pub fn cut(mut self) -> Self {
        for (layer, plain) in self.layers.iter_mut().zip(&mut self.plain) {
            plain.pop();
            layer.clone_from(plain);
        }
        self
    }

    /// Adds a name with a tag.
    pub fn tag(mut self, name: &str) -> Self {
        self.names.push(name.to_owned());
        self
    }

    /// Adds a label.
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.labels.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Returns the file.
    pub fn bytes(&self) -> Vec<u8> {
        self.files()
            .iter()
            .fold(tar(), |tar, (path, bytes)| match path.strip_suffix("@") {
                Some(link) => tar.symlink(link, std::str::from_utf8(bytes).unwrap()),
                None => tar.file(path, bytes),
            })
            .bytes()
    }

    /// Returns the digest of the `number`th layer as it lies in the file.
    pub fn layer(&self, number: usize) -> String {
        hex(&self.layers[number])
    }

    /// Returns the OCI layout's documents: index, manifest, configuration.
    pub fn oci_documents(&self) -> (String, String, String) {
        let config = self.config();
        let kind = |bytes: &[u8]| match bytes {
            [0x1f, 0x8b, ..] => "+gzip",
            [0x28, 0xb5, ..] => "+zstd",
            _ => "",
        };
        let layers: Vec<_> = self
            .layers
            .iter()
            .map(|bytes| {
                let media_type = format!("application/vnd.oci.image.layer.v1.tar{}", kind(bytes));
                descriptor(&media_type, bytes)
            })
            .collect();
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("application/vnd.oci.image.config.v1+json", config.as_bytes()),
            "layers": layers,
        })
        .to_string();
        let mut pointer = descriptor(
            "application/vnd.oci.image.manifest.v1+json",
            manifest.as_bytes(),
        );
        let mut manifests = Vec::new();
        for name in &self.names {
            pointer["annotations"] =
                serde_json::json!({ "org.opencontainers.image.ref.name": name });
            manifests.push(pointer.clone());
        }
        if manifests.is_empty() {
            manifests.push(pointer);
        }
        let index = serde_json::json!({ "schemaVersion": 2, "manifests": manifests }).to_string();
        (index, manifest, config)
    }

    fn config(&self) -> String {
        let labels: serde_json::Map<_, _> = self
            .labels
            .iter()
            .map(|(key, value)| (key.clone(), value.as_str().into()))
            .collect();
        let diff_ids: Vec<_> = self
            .plain
            .iter()
            .map(|bytes| format!("sha256:{}", hex(bytes)))
            .collect();
        serde_json::json!({
            "architecture": "amd64",
            "os": "linux",
            "config": { "Labels": labels },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        })
        .to_string()
    }

    /// Returns the files by path, in the order tools write them; a link has `@` behind its path.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let config = self.config();
        let config_id = hex(config.as_bytes());
        let manifest = |config: &str, layers: &[String]| {
            serde_json::json!([{ "Config": config, "RepoTags": self.names, "Layers": layers }])
                .to_string()
                .into_bytes()
        };
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        match self.form {
            ImageForm::DockerLegacy => {
                let mut paths = Vec::new();
                for (number, bytes) in self.layers.iter().enumerate() {
                    let id = hex(format!("{number}").as_bytes());
                    files.push((format!("{id}/VERSION"), b"1.0".to_vec()));
                    files.push((format!("{id}/json"), b"{}".to_vec()));
                    files.push((format!("{id}/layer.tar"), bytes.clone()));
                    paths.push(format!("{id}/layer.tar"));
                }
                let config_path = format!("{config_id}.json");
                files.push((config_path.clone(), config.into_bytes()));
                files.push(("manifest.json".into(), manifest(&config_path, &paths)));
                files.push(("repositories".into(), b"{}".to_vec()));
            }
            ImageForm::DockerArchive => {
                let mut paths = Vec::new();
                for (number, bytes) in self.layers.iter().enumerate() {
                    let path = format!("{}.tar", hex(&self.plain[number]));
                    let id = hex(format!("{number}").as_bytes());
                    if !paths.contains(&path) {
                        files.push((path.clone(), bytes.clone()));
                    }
                    files.push((
                        format!("{id}/layer.tar@"),
                        format!("../{path}").into_bytes(),
                    ));
                    // One of the older names is as good as the other.
                    paths.push(match number % 2 {
                        0 => path,
                        _ => format!("{id}/layer.tar"),
                    });
                }
                let config_path = format!("{config_id}.json");
                files.push((config_path.clone(), config.into_bytes()));
                files.push(("repositories".into(), b"{}".to_vec()));
                files.push(("manifest.json".into(), manifest(&config_path, &paths)));
            }
            ImageForm::Oci | ImageForm::DockerOci => {
                let (index, oci_manifest, config) = self.oci_documents();
                let blob = |bytes: &[u8]| format!("blobs/sha256/{}", hex(bytes));
                for bytes in [config.as_bytes(), oci_manifest.as_bytes()]
                    .into_iter()
                    .chain(self.layers.iter().map(Vec::as_slice))
                {
                    files.push((blob(bytes), bytes.to_vec()));
                }
                files.sort();
                files.dedup();
                files.push(("index.json".into(), index.into_bytes()));
                if self.form == ImageForm::DockerOci {
                    let paths: Vec<_> = self.layers.iter().map(|bytes| blob(bytes)).collect();
                    let document = manifest(&blob(config.as_bytes()), &paths);
                    files.push(("manifest.json".into(), document));
                }
                files.push((
                    "oci-layout".into(),
                    br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec(),
                ));
            }
        }
        files
    }
}

/// Returns what points to `bytes`.
pub fn descriptor(media_type: &str, bytes: &[u8]) -> serde_json::Value {
    serde_json::json!({
        "mediaType": media_type,
        "digest": format!("sha256:{}", hex(bytes)),
        "size": bytes.len(),
    })
}
