//! The layers of an image in reading order, as the one file system that they make.
//!
//! Only what lies below `packages/` is handed out: that is where the reference registry looks, and everything else in an
//! image (a whole operating system) is nobody's package. Each layer's digests are checked once it was read to its end.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use super::arranged::{ORDER, Order, OrderedLayer};
use super::documents::{parse, shown};
use super::error::ImageError;
use super::files::check_digest;
use super::hidden::Hidden;
use crate::archive::Member;
use crate::archive::error::ArchiveError;
use crate::archive::expand::Expanded;
use crate::archive::source::{Format, Source};
use crate::archive::tar::Tar;
use crate::crypto::{Digest, Hasher};
use crate::limits::Limits;

/// The folder that packages lie in.
const PACKAGES: &str = "packages";

/// An image that is read.
pub(in crate::archive) struct Image {
    outer: Arc<Mutex<Tar>>,
    name: Option<String>,
    registry_version: Option<String>,
    layers: std::vec::IntoIter<OrderedLayer>,
    number: usize,
    current: Option<Current>,
    hidden: Hidden,
    /// What the layers that were read took and gave: they share one allowance.
    bytes_in: u64,
    bytes_out: u64,
    limits: Limits,
}

/// The layer that is read now.
struct Current {
    tar: Tar,
    about: OrderedLayer,
    packed: Arc<Mutex<Hasher>>,
    /// The same as `packed` where there is no compression.
    plain: Arc<Mutex<Hasher>>,
}

/// The bytes of a layer as they lie in the outer tar.
struct LayerBytes {
    outer: Arc<Mutex<Tar>>,
    hasher: Arc<Mutex<Hasher>>,
}

impl Read for LayerBytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut outer = self.outer.lock().unwrap_or_else(PoisonError::into_inner);
        let count = outer.read(buffer)?;
        if let Some(bytes) = buffer.get(..count) {
            let mut hasher = self.hasher.lock().unwrap_or_else(PoisonError::into_inner);
            hasher.update(bytes);
        }
        Ok(count)
    }
}

impl Image {
    /// Says whether a path is that of the first member of an image in reading order.
    pub(in crate::archive) fn begins_with(path: &str) -> bool {
        path == ORDER
    }

    /// Reads what the layers are; `outer` stands at that member, of `bytes`.
    pub(in crate::archive) fn open(
        mut outer: Tar,
        bytes: u64,
        limits: &Limits,
    ) -> Result<Self, ArchiveError> {
        if bytes > limits.image_document_bytes {
            return Err(ImageError::Order(format!("{ORDER} has {bytes} bytes")).into());
        }
        let mut document = vec![0; usize::try_from(bytes).unwrap_or_default()];
        let mut filled = 0;
        while let Some(rest) = document.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            filled += outer.read(rest)?;
        }
        let order: Order = parse(ORDER, &document)?;
        if order.layers.len() > limits.image_entries {
            return Err(ImageError::TooMany {
                document: ORDER.to_owned(),
                limit: limits.image_entries,
            }
            .into());
        }
        outer.take_large_members();
        Ok(Self {
            outer: Arc::new(Mutex::new(outer)),
            name: order.name.as_deref().map(shown),
            registry_version: order.registry_version,
            layers: order.layers.into_iter(),
            number: 0,
            current: None,
            hidden: Hidden::new(limits.image_path_bytes),
            bytes_in: 0,
            bytes_out: 0,
            limits: limits.clone(),
        })
    }

    /// Returns the image's name, such as `docker.elastic.co/package-registry/distribution:9.2.0`.
    pub(in crate::archive) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns the registry version that the image's label says.
    pub(in crate::archive) fn registry_version(&self) -> Option<&str> {
        self.registry_version.as_deref()
    }

    /// Goes to the next member that is seen in the image.
    pub(in crate::archive) fn next(&mut self) -> Result<Option<Member<()>>, ArchiveError> {
        loop {
            let Some(current) = &mut self.current else {
                if !self.begin_layer()? {
                    return Ok(None);
                }
                continue;
            };
            let member = current
                .tar
                .next()
                .map_err(|error| in_layer(&current.about, error))?;
            let Some(member) = member else {
                self.end_layer()?;
                continue;
            };
            let is_seen = match &member {
                Member::File { path, .. } | Member::Skipped(path, _) => {
                    self.sees(path.as_str(), false)?
                }
                // Nothing is to be known of a folder but what it hides.
                Member::Directory(path) => {
                    self.sees(path.as_str(), true)?;
                    false
                }
                Member::Refused(path, _) => {
                    let path = path.strip_prefix("./").unwrap_or(path);
                    path.split('/').next() == Some(PACKAGES)
                }
            };
            if is_seen {
                return Ok(Some(member));
            }
        }
    }

    /// Reads content of the current member; 0 at its end.
    pub(in crate::archive) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ArchiveError> {
        match &mut self.current {
            Some(current) => current
                .tar
                .read(buffer)
                .map_err(|error| in_layer(&current.about, error)),
            None => Ok(0),
        }
    }

    fn sees(&mut self, path: &str, is_directory: bool) -> Result<bool, ImageError> {
        // Removals at the root may be of the folder of packages.
        let is_of_interest = !path.contains('/') || path.split('/').next() == Some(PACKAGES);
        let is_below = path.starts_with("packages/");
        Ok(is_of_interest && self.hidden.sees(path, is_directory)? && is_below)
    }

    /// Begins the next layer, or passes over one without a byte; `false` once there is none.
    fn begin_layer(&mut self) -> Result<bool, ArchiveError> {
        let mut outer = self.outer.lock().unwrap_or_else(PoisonError::into_inner);
        let member = outer.next()?;
        let Some(about) = self.layers.next() else {
            return match member {
                None => Ok(false),
                Some(_) => Err(ImageError::Order("there are more than announced".into()).into()),
            };
        };
        let expected = self.number.to_string();
        let bytes = match member {
            Some(Member::File {
                path, size_bytes, ..
            }) if path.as_str() == expected => size_bytes,
            _ => {
                return Err(
                    ImageError::Order(format!("{} is not next", shown(&about.path))).into(),
                );
            }
        };
        drop(outer);
        self.number += 1;
        let packed = Arc::default();
        let mut plain = Arc::clone(&packed);
        let blob = LayerBytes {
            outer: Arc::clone(&self.outer),
            hasher: Arc::clone(&packed),
        };
        if bytes == 0 {
            // Some tools write an empty layer as no bytes at all.
            check(&about, &Arc::default(), &Arc::default())?;
            return Ok(true);
        }
        let allowed = self.bytes_in.saturating_mul(self.limits.expansion_ratio);
        let limits = Limits {
            expansion_free_bytes: allowed
                .saturating_add(self.limits.expansion_free_bytes)
                .saturating_sub(self.bytes_out),
            ..self.limits.clone()
        };
        let open = || {
            let source = Source::new(Box::new(blob), shown(&about.path));
            let (format, raw) = source.detect()?;
            let mut expanded = Expanded::new(raw, format, &limits)?;
            if format != Format::Tar {
                plain = Arc::default();
                expanded = expanded.hashed(Arc::clone(&plain));
            }
            Tar::open(expanded, &limits)
        };
        let mut tar = open().map_err(|error| in_layer(&about, error))?;
        tar.may_lack_end();
        self.current = Some(Current {
            tar,
            about,
            packed,
            plain,
        });
        Ok(true)
    }

    /// Checks what was read of the current layer, which has come to its end.
    fn end_layer(&mut self) -> Result<(), ArchiveError> {
        if let Some(current) = self.current.take() {
            let (bytes_in, bytes_out) = current.tar.traffic();
            self.bytes_in = self.bytes_in.saturating_add(bytes_in);
            self.bytes_out = self.bytes_out.saturating_add(bytes_out);
            check(&current.about, &current.packed, &current.plain)?;
            self.hidden.end_layer();
        }
        Ok(())
    }
}

fn check(
    about: &OrderedLayer,
    packed: &Mutex<Hasher>,
    plain: &Mutex<Hasher>,
) -> Result<(), ImageError> {
    let finished = |hasher: &Mutex<Hasher>| {
        let hasher = hasher.lock().unwrap_or_else(PoisonError::into_inner);
        hasher.clone().finish()
    };
    let announced = |text: &str| -> Result<Digest, ImageError> {
        text.parse()
            .map_err(|_| ImageError::UnknownDigest(shown(text)))
    };
    let what = format!("the layer {}", shown(&about.path));
    if let Some(sha256) = &about.sha256 {
        check_digest(what.clone(), &announced(sha256)?, &finished(packed))?;
    }
    check_digest(
        format!("the content of {what}"),
        &announced(&about.diff_id)?,
        &finished(plain),
    )
}

/// Says in which layer something is wrong. Failures of the source itself are no layer's.
fn in_layer(about: &OrderedLayer, error: ArchiveError) -> ArchiveError {
    match error {
        error @ (ArchiveError::Io { .. } | ArchiveError::Image(_) | ArchiveError::Layer { .. }) => {
            error
        }
        error => ArchiveError::Layer {
            layer: shown(&about.path),
            source: Box::new(error),
        },
    }
}
