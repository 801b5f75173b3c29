//! A container image in a file: what `docker save`, `podman save` and skopeo write, and the OCI layout in a tar.
//!
//! Such a file has its layers first, in any order, and what they are last; and whether a file of a layer is seen in the
//! image depends on the layers above it. So the file is put in reading order first ([`ArrangedImage`]): what the layers
//! are, then the layers from the topmost down. A file on disk is arranged without a copy, by its headers alone; of a
//! stream a copy is made, gone with its handle. Then each layer is read once, and what an upper layer has removed or
//! replaced is not handed out.
//!
//! It knows no packages but the folder they lie in, runs nothing and fetches nothing. Facts and their sources stand at the
//! head of each file.

mod arranged;
mod choose;
mod documents;
mod error;
mod files;
mod hidden;
mod layers;

use std::io::{self, Seek};
use std::path::Path;
use std::sync::Arc;

pub use self::arranged::ArrangedImage;
pub use self::error::ImageError;
pub use self::files::Pieces;
pub(super) use self::files::Span;
pub(super) use self::layers::Image;

use self::files::Files;
use super::error::ArchiveError;
use super::expand::Expanded;
use super::source::Format;
use super::tar::Tar;
use super::{BeforeCopy, Member, MemberPath, Refusal};
use crate::limits::Limits;

/// Says whether a member's path is one of those that the file of an image has; packages never lie there.
pub(super) fn is_of_image(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or(path);
    let is_id = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    match first {
        "blobs" => true,
        "oci-layout" | "index.json" | "manifest.json" | "repositories" => first == path,
        _ => is_id(
            first
                .strip_suffix(".tar")
                .or_else(|| first.strip_suffix(".json"))
                .unwrap_or(first),
        ),
    }
}

/// Puts the image in a file, or in the pieces of one, in reading order. `wanted` says which where there are several.
///
/// `None` where the file is no plain tar or holds no image; what it is else is for [`Archive`](super::Archive) to tell.
pub fn arrange_image(
    pieces: Pieces,
    wanted: Option<&str>,
    limits: &Limits,
) -> Result<Option<ArrangedImage>, ArchiveError> {
    let pieces = Arc::new(pieces);
    let open = || {
        let span = Span::of(&pieces, 0, pieces.total_bytes());
        let large = Limits {
            entry_bytes: u64::MAX,
            ..limits.clone()
        };
        Tar::open(Expanded::seekable(span, limits), &large)
    };
    let first = open().and_then(|mut tar| tar.next());
    match first {
        Ok(Some(member)) if member.path().is_some_and(is_of_image) => {}
        _ => return Ok(None),
    }
    let files = Files::of_tar(open()?, pieces, limits)?;
    let chosen = choose::choose(&files, wanted, limits)?;
    Ok(Some(ArrangedImage::new(&files, chosen)?))
}

/// Puts the image that an OCI layout on disk holds in reading order; `None` where the folder is no such layout.
pub fn arrange_folder(
    folder: &Path,
    wanted: Option<&str>,
    limits: &Limits,
) -> Result<Option<ArrangedImage>, ArchiveError> {
    if !folder.join("oci-layout").is_file() {
        return Ok(None);
    }
    let files = Files::of_folder(folder, limits)?;
    let chosen = choose::choose(&files, wanted, limits)?;
    Ok(Some(ArrangedImage::new(&files, chosen)?))
}

/// Copies the members of a tar from `first` on to a file without a name in `folder`, and puts the image in reading order.
/// `ask` is told the size of each before it is copied.
pub(super) fn arrange_copy(
    mut tar: Tar,
    first: Member<()>,
    folder: &Path,
    ask: &mut BeforeCopy,
    wanted: Option<&str>,
    limits: &Limits,
) -> Result<ArrangedImage, ArchiveError> {
    let failed = |source| ArchiveError::ImageCopy {
        folder: folder.display().to_string(),
        source,
    };
    tar.take_large_members();
    let mut copy = tempfile::tempfile_in(folder).map_err(failed)?;
    let mut members = Vec::new();
    let mut next = Some(large(first, limits));
    while let Some(member) = next {
        let position = copy.stream_position().map_err(failed)?;
        let link = tar.link_target().map(str::to_owned);
        let content_bytes = match &member {
            Member::File { size_bytes, .. } => Some(*size_bytes),
            _ => None,
        };
        members.push((member, link, position));
        if let Some(bytes) = content_bytes {
            ask(bytes).map_err(failed)?;
            io::copy(&mut tar, &mut copy).map_err(|error| {
                match error.downcast::<ArchiveError>() {
                    Ok(of_the_stream) => of_the_stream,
                    Err(of_the_copy) => failed(of_the_copy),
                }
            })?;
        }
        if members.len() > limits.image_members {
            return Err(ArchiveError::TooManyMembers {
                limit: limits.image_members as u64,
            });
        }
        next = tar.next()?;
    }
    let pieces = Pieces::of_file(copy, "the temporary copy of the image".to_owned())?;
    let mut files = Files::new(Arc::new(pieces), limits);
    for (member, link, position) in members {
        files.note(member, link, position);
    }
    let chosen = choose::choose(&files, wanted, limits)?;
    ArrangedImage::new(&files, chosen)
}

/// Returns an image in reading order as the layers to be read.
pub(super) fn read_arranged(
    arranged: ArrangedImage,
    limits: &Limits,
) -> Result<Image, ArchiveError> {
    let source = super::source::Source::new(Box::new(arranged), "the image".to_owned());
    let (format, raw) = source.detect()?;
    debug_assert_eq!(format, Format::Tar, "it is written by this module");
    let mut tar = Tar::open(Expanded::new(raw, format, limits)?, limits)?;
    match tar.next()? {
        Some(Member::File { size_bytes, .. }) => Image::open(tar, size_bytes, limits),
        _ => Err(ImageError::NoManifest.into()),
    }
}

/// Takes a member that is too large for a package: a layer may be.
fn large(member: Member<()>, limits: &Limits) -> Member<()> {
    match member {
        Member::Refused(shown, why @ Refusal::TooLarge { size_bytes, .. }) => {
            match MemberPath::parse(shown.as_bytes(), limits.path_bytes) {
                Ok(path) => Member::File {
                    path,
                    size_bytes,
                    modified_seconds: None,
                    content: (),
                },
                Err(_) => Member::Refused(shown, why),
            }
        }
        member => member,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_an_image_is_told_by_its_first_member() {
        let id = "0f".repeat(32);
        for path in [
            "blobs",
            "blobs/sha256/x",
            "oci-layout",
            "index.json",
            "manifest.json",
            "repositories",
            &id,
            &format!("{id}.tar"),
            &format!("{id}.json"),
            &format!("{id}/layer.tar"),
        ] {
            assert!(is_of_image(path), "{path}");
        }
        for path in [
            "packages/nginx/1.5.0/manifest.yml",
            "package-storage-8.5.0",
            "nginx/1.5.0/manifest.yml",
            "index.json/x",
            "0f0f/layer.tar",
            "",
        ] {
            assert!(!is_of_image(path), "{path}");
        }
    }
}
