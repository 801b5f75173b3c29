//! A tar, read front to back; knows ustar, PAX and GNU headers and creates nothing.
//!
//! Facts: POSIX.1-2017 `pax`, the GNU tar manual, and what GNU tar 1.35 does where these are silent. Where programs
//! disagree on what the bytes mean (CVE-2025-62518 and its kind), the tar is damaged: the reading of the next program
//! might not be ours.

mod header;
mod input;
mod pax;

use std::io::{self, Read};

use self::header::{Type, sparse_block_goes_on};
use self::input::Input;
use self::pax::Pax;
use super::error::{ArchiveError, Inside, Place};
use super::expand::Expanded;
use super::path::{self, MemberPath};
use super::source::{Format, tar_head};
use super::{Member, Refusal, Skipped};
use crate::limits::Limits;

pub(super) use self::header::Header;

/// The smallest size that eleven octal digits cannot say: only above it does a writer need PAX to say another.
const NEEDS_PAX_BYTES: u64 = 1 << 33;

const BLOCK: usize = Header::BYTES;

/// A tar and how far it was read.
pub(super) struct Tar {
    input: Input,
    /// The first block, read to tell a tar from anything else.
    first: Option<Header>,
    /// Bytes of the current member's content not read yet.
    content: u64,
    /// Bytes behind the content up to a whole block.
    padding: u64,
    headers: u64,
    comment: Option<String>,
    link_target: Option<String>,
    ended: bool,
    /// Whether the bytes may end behind any member: their digest says that they are whole.
    may_lack_end: bool,
    limits: Limits,
}

/// What extension headers said of the member behind them.
#[derive(Default)]
struct Extensions {
    bytes: u64,
    pax: Option<Pax>,
    long_name: Option<Vec<u8>>,
}

impl Tar {
    /// Reads the first block; fails when it is not that of a tar.
    pub(super) fn open(expanded: Expanded, limits: &Limits) -> Result<Self, ArchiveError> {
        let inside = match expanded.format() {
            Format::Tar => Inside::Source,
            layer => Inside::Layer(layer),
        };
        let mut input = Input::new(expanded);
        let head = input.head(BLOCK)?;
        Ok(Self {
            first: Some(tar_head(&head, inside)?),
            input,
            content: 0,
            padding: 0,
            headers: 0,
            comment: None,
            link_target: None,
            ended: false,
            may_lack_end: false,
            limits: limits.clone(),
        })
    }

    /// Returns the `comment` of the last global header read, where git writes the commit id.
    pub(super) fn comment(&self) -> Option<&str> {
        self.comment.as_deref()
    }

    /// Takes the end of the bytes behind a member, even before its padding, for the end mark: some tools that build images
    /// write none, and every runtime takes their layers. For bytes whose digest is checked only.
    pub(super) fn may_lack_end(&mut self) {
        self.may_lack_end = true;
    }

    /// Takes files of any size from here on: the layers of an image.
    pub(super) fn take_large_members(&mut self) {
        self.limits.entry_bytes = u64::MAX;
    }

    /// Returns where the current member leads to, if it is a link and its header has room for that.
    pub(super) fn link_target(&self) -> Option<&str> {
        self.link_target.as_deref()
    }

    /// Returns how many bytes of the tar lie before what is read next: at a member, before its content.
    pub(super) fn position(&self) -> u64 {
        self.input.position
    }

    /// Returns the bytes read of the source and those of the tar.
    pub(super) fn traffic(&self) -> (u64, u64) {
        self.input.traffic()
    }

    /// Goes to the next member, past what of the last one was not read.
    ///
    /// `None` only once the source was read to its very end.
    pub(super) fn next(&mut self) -> Result<Option<Member<()>>, ArchiveError> {
        if self.ended {
            return Ok(None);
        }
        self.skip_content()?;
        let mut extensions = Extensions::default();
        while let Some(header) = self.header()? {
            let kind = header.kind();
            if !matches!(
                kind,
                Type::Pax | Type::PaxGlobal | Type::GnuLongName | Type::GnuLongLink
            ) {
                if let Some(member) = self.member(&header, kind, extensions)? {
                    return Ok(Some(member));
                }
                // The root itself: there is nothing to say about it.
                self.skip_content()?;
                extensions = Extensions::default();
                continue;
            }
            self.extension(&header, kind, &mut extensions)?;
        }
        if extensions.pax.is_some() || extensions.long_name.is_some() {
            return Err(self
                .input
                .damaged("an extension header has no member behind it"));
        }
        self.input.read_padding_to_the_end()?;
        self.ended = true;
        Ok(None)
    }

    /// Reads content of the current member; 0 at its end.
    pub(super) fn read(&mut self, buf: &mut [u8]) -> Result<usize, ArchiveError> {
        let wanted = usize::try_from(self.content).map_or(buf.len(), |left| left.min(buf.len()));
        let Some(target) = buf.get_mut(..wanted).filter(|target| !target.is_empty()) else {
            return Ok(0);
        };
        let count = self.input.read_some(target)?;
        self.content -= count as u64;
        Ok(count)
    }

    /// Reads one header; `None` at the end mark.
    fn header(&mut self) -> Result<Option<Header>, ArchiveError> {
        let header = match self.first.take() {
            Some(first) => first,
            None if self.may_lack_end && self.input.is_at_end()? => return Ok(None),
            None => {
                let mut block = [0; BLOCK];
                self.input.read_exact(&mut block)?;
                Header::from_block(&block).ok_or_else(|| self.input.truncated())?
            }
        };
        if header.is_end_mark() {
            return Ok(None);
        }
        if !header.checksum_holds() {
            return Err(self.input.damaged("the checksum of a header does not hold"));
        }
        self.headers += 1;
        if self.headers > self.limits.source_members {
            return Err(ArchiveError::TooManyMembers {
                limit: self.limits.source_members,
            });
        }
        Ok(Some(header))
    }

    /// Reads one extension header, whose size is checked before a byte of it is held.
    fn extension(
        &mut self,
        header: &Header,
        kind: Type,
        extensions: &mut Extensions,
    ) -> Result<(), ArchiveError> {
        let size = header.size().map_err(|why| self.input.damaged(why))?;
        extensions.bytes = extensions.bytes.saturating_add(size);
        let limit = self.limits.tar_extension_bytes;
        let length = usize::try_from(size)
            .ok()
            .filter(|_| extensions.bytes <= limit);
        let Some(length) = length else {
            return Err(ArchiveError::ExtensionTooLarge {
                place: self.input.place.clone(),
                size: extensions.bytes,
                limit,
            });
        };
        let mut bytes = vec![0; length];
        self.input.read_exact(&mut bytes)?;
        self.input.skip(padding_of(size))?;
        match kind {
            Type::PaxGlobal => {
                let global = Pax::parse(&bytes).map_err(|why| self.input.damaged(why))?;
                if global.path.is_some() || global.size.is_some() || global.sparse {
                    return Err(self
                        .input
                        .damaged("a global header gives all members one path or size"));
                }
                if global.comment.is_some() {
                    self.comment = global.comment;
                }
            }
            Type::Pax if extensions.pax.is_some() => {
                return Err(self.input.damaged("two PAX headers describe one member"));
            }
            Type::Pax => {
                extensions.pax = Some(Pax::parse(&bytes).map_err(|why| self.input.damaged(why))?);
            }
            Type::GnuLongName if extensions.long_name.is_some() => {
                return Err(self.input.damaged("two long names describe one member"));
            }
            Type::GnuLongName => {
                let length = bytes
                    .iter()
                    .rposition(|byte| *byte != 0)
                    .map_or(0, |last| last + 1);
                bytes.truncate(length);
                extensions.long_name = Some(bytes);
            }
            // Where a link leads is nobody's business here.
            _ => {}
        }
        Ok(())
    }

    /// Makes a member of a header and its extensions; `None` for the archive's own root.
    fn member(
        &mut self,
        header: &Header,
        kind: Type,
        extensions: Extensions,
    ) -> Result<Option<Member<()>>, ArchiveError> {
        let pax = extensions.pax.unwrap_or_default();
        let two_paths =
            matches!((&extensions.long_name, &pax.path), (Some(gnu), Some(pax)) if gnu != pax);
        let raw = match pax.path.or(extensions.long_name) {
            Some(long) => long.into(),
            None => header.name(),
        };
        let shown = path::shown(&raw, self.limits.path_bytes);
        self.input.place = Place::In(shown.clone());

        let announced = header.size().map_err(|why| self.input.damaged(why))?;
        let size = pax.size.unwrap_or(announced);
        if size != announced && size < NEEDS_PAX_BYTES {
            return Err(self.input.damaged(&format!(
                "its PAX header says {size} bytes, its ustar header {announced}"
            )));
        }
        let has_no_content = matches!(
            kind,
            Type::Directory | Type::HardLink | Type::SymbolicLink | Type::Device | Type::Fifo
        );
        if has_no_content && size > 0 {
            return Err(self
                .input
                .damaged(&format!("it is no file but announces {size} bytes")));
        }
        if kind == Type::GnuSparse && header.has_sparse_blocks() {
            self.skip_sparse_map()?;
        }
        self.content = size;
        self.padding = padding_of(size);
        self.link_target = header
            .link_target()
            .filter(|_| matches!(kind, Type::HardLink | Type::SymbolicLink));

        // Before POSIX had a type for them, directories were empty files with a slash behind. The content of a dumped
        // one is the list of what lay in it.
        let is_directory = matches!(kind, Type::Directory | Type::GnuDumpedDirectory)
            || (kind == Type::File && size == 0 && raw.ends_with(b"/"));
        if is_directory && path::is_root(&raw) {
            return Ok(None);
        }
        let refused = |why| Ok(Some(Member::Refused(shown.clone(), why)));
        if two_paths {
            return refused(Refusal::TwoPaths);
        }
        let path = match MemberPath::parse(&raw, self.limits.path_bytes) {
            Ok(path) => path,
            Err(why) => return refused(why.into()),
        };
        if is_directory {
            return Ok(Some(Member::Directory(path)));
        }
        let skipped = match kind {
            Type::File if !pax.sparse => None,
            Type::File | Type::GnuSparse => Some(Skipped::Sparse),
            Type::HardLink => Some(Skipped::HardLink),
            Type::SymbolicLink => Some(Skipped::SymbolicLink),
            Type::Device => Some(Skipped::Device),
            Type::Fifo => Some(Skipped::Fifo),
            _ => Some(Skipped::Other),
        };
        if let Some(what) = skipped {
            return Ok(Some(Member::Skipped(path, what)));
        }
        if raw.ends_with(b"/") {
            return refused(Refusal::DirectoryWithContent);
        }
        let limit_bytes = self.limits.member_bytes(path.as_str());
        if size > limit_bytes {
            return refused(Refusal::TooLarge {
                size_bytes: size,
                limit_bytes,
            });
        }
        Ok(Some(Member::File {
            path,
            size_bytes: size,
            modified_seconds: pax.modified.or_else(|| header.modified()),
            content: (),
        }))
    }

    fn skip_sparse_map(&mut self) -> Result<(), ArchiveError> {
        let mut block = [0; BLOCK];
        loop {
            self.input.read_exact(&mut block)?;
            if !sparse_block_goes_on(&block) {
                return Ok(());
            }
        }
    }

    fn skip_content(&mut self) -> Result<(), ArchiveError> {
        let content = std::mem::take(&mut self.content);
        self.input.skip(content)?;
        let mut padding = std::mem::take(&mut self.padding);
        while padding > 0 && !(self.may_lack_end && self.input.is_at_end()?) {
            padding -= self.input.skip_some(padding)?;
        }
        if let Place::In(member) = &mut self.input.place {
            self.input.place = Place::After(std::mem::take(member));
        }
        Ok(())
    }
}

impl Read for Tar {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        Ok(Self::read(self, buf)?)
    }
}

/// Returns the bytes between the end of a content and the next block.
fn padding_of(size: u64) -> u64 {
    let over = size % BLOCK as u64;
    if over == 0 { 0 } else { BLOCK as u64 - over }
}
