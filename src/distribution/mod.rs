//! Which package versions are offered where: branches and their rules, editions, precedence, plans.
//!
//! Domain only: it knows packages, and neither the store nor a clock.

mod branch;
mod built_in;
mod cache_times;
mod diff;
mod edition;
mod exact;
mod fingerprint;
mod hold;
mod image_tag;
mod name;
mod outlook;
mod plan;
mod precedence;
mod proposal;
mod reason;
mod signatures;

pub use branch::{BranchKind, Consent, Permission};
pub use built_in::built_in;
pub use cache_times::{CacheSettings, CacheTimes};
pub use diff::{PackageChanges, package_changes};
pub use edition::{Differences, next_edition, release_of};
pub use exact::{Exact, InvalidExact};
pub use fingerprint::Fingerprint;
pub use hold::{Hold, HoldRule, Holds, KeptBack};
pub use image_tag::target_of_image;
pub use name::{DistributionName, InvalidName};
pub use outlook::Outlook;
pub use plan::{Change, Held, Plan, RefusedChange, plan_import};
pub use precedence::{Offered, offers};
pub use proposal::release_in_name;
pub use reason::{InvalidReason, Reason};
pub use signatures::{InvalidPolicy, SignatureCounts, SignaturePolicy, SignatureStatus};
