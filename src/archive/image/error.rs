//! What is wrong with an image as a whole.

/// Why an image cannot be read. Nothing of it is taken then.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Neither `index.json` nor `manifest.json`.
    #[error("the image has neither index.json nor manifest.json")]
    NoManifest,
    /// It names no image that a computer could run.
    #[error("{document} names no image")]
    NoImage {
        /// Which document.
        document: String,
    },
    /// Several, and nobody said which.
    #[error("the file holds several images: {}", names.join(", "))]
    SeveralImages {
        /// Their names.
        names: Vec<String>,
    },
    /// The one that was asked for is not among them.
    #[error("the file does not hold the image {wanted}, but {}", names.join(", "))]
    NoSuchImage {
        /// What was asked for.
        wanted: String,
        /// What there is.
        names: Vec<String>,
    },
    /// A document is not what its specification says.
    #[error("{document} cannot be understood: {why}")]
    Document {
        /// Which.
        document: String,
        /// What is wrong, in one line.
        why: String,
    },
    /// A document or layer is announced and not there.
    #[error("{what} is missing")]
    Missing {
        /// Which.
        what: String,
    },
    /// A digest that is no SHA-256.
    #[error("the digest {0:?} is not sha256: and 64 hexadecimal digits")]
    UnknownDigest(String),
    /// Bytes are not those that were announced.
    #[error("{what} has the digest {found}, not {announced}")]
    WrongDigest {
        /// Of what.
        what: String,
        /// What was announced.
        announced: String,
        /// What was found.
        found: String,
    },
    /// A size is not the one that was announced.
    #[error("{what} has {found} bytes, not {announced}")]
    WrongSize {
        /// Of what.
        what: String,
        /// What was announced.
        announced: u64,
        /// What was found.
        found: u64,
    },
    /// Something that is no part of an image.
    #[error("{what} is of the type {media_type:?}, which is not known")]
    MediaType {
        /// What.
        what: String,
        /// Its type.
        media_type: String,
    },
    /// A layer whose content is to be fetched from elsewhere.
    #[error("{what} is not in the file but to be fetched from elsewhere, which is never done")]
    Foreign {
        /// Which layer.
        what: String,
    },
    /// Lists of images within lists, deeper than any tool writes.
    #[error("the list of images goes deeper than {limit} levels")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// More than `Limits::image_entries` layers, or images in a list.
    #[error("{document} has more than {limit} entries")]
    TooMany {
        /// Where.
        document: String,
        /// `Limits::image_entries`.
        limit: usize,
    },
    /// More than `Limits::image_path_bytes` to remember of what layers hide.
    #[error("the paths in the layers take more than {limit_bytes} bytes to remember")]
    TooManyPaths {
        /// `Limits::image_path_bytes`.
        limit_bytes: usize,
    },
    /// The members of an image in reading order are not those announced.
    #[error("the layers do not come in the order announced: {0}")]
    Order(String),
}
