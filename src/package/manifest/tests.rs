//! What manifests the reference takes, and what it reads.
