//! A source becomes a branch: *stage* it (read once, stored, offered to nobody), *plan* what it would change, *commit*
//! that in one short transaction.
//!
//! It knows sources as entries of an archive, never as files on a disk, and answers no requests.

mod approval;
mod check;
mod collect;
mod commit;
mod edition;
mod encode;
mod error;
mod found;
mod known;
mod layout;
mod leaf_pages;
mod new_contents;
mod package;
mod paths;
mod plan;
mod progress;
mod reader;
mod recent;
mod report;
mod repository;
mod signatures;
mod source_reader;
mod space;
mod stage;
mod stored;
mod stream_writer;
mod work;
mod zip_contents;
mod zip_entries;
mod zip_package;

pub use check::check_zips;
pub use commit::commit;
pub use edition::settle_edition;
pub use error::{ImportError, PackageError, SourceFault};
pub use layout::zip_name;
pub use plan::{Outcome, Waiting, drop_stage, outcome, plan, set_target, waiting};
pub use progress::{Progress, ProgressReport};
pub use report::{Committed, EditionReport, PlanReport, Problem, SignatureReport, SourceReport};
pub use signatures::{judge_again, judge_again_of};
pub use stage::{StageRequest, Staged, stage};
