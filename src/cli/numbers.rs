//! Numbers as people read them.

pub(super) use crate::admin::wording::{counted, grouped, size};
