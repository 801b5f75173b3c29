//! Whose a store is, and becoming its owner.
//!
//! Root must leave no file of its own beside the store of another user: that user's service could not open it any more. So
//! root becomes that user before it opens the store, and keeps one right: to read, for the source may lie where only root
//! may look. Facts: credentials(7), capabilities(7).

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::OnceLock;

use rustix::process::{Gid, Uid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, set_capabilities, set_keep_capabilities,
    set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use crate::admin::PeerUser;

/// Who owns a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    /// The user.
    pub user: PeerUser,
    group: u32,
    /// Whether there is a store; else it is the folder's owner.
    pub has_store: bool,
}

/// Who this process was before it became another user.
static BEFORE: OnceLock<PeerUser> = OnceLock::new();

/// Returns the user that asks: who this process runs as, or ran as before it became the owner of a store.
pub(super) fn asking_user() -> PeerUser {
    BEFORE.get().copied().unwrap_or_else(PeerUser::own)
}

impl Owner {
    /// Returns who owns the store in `folder`: the file, or the folder where there is none yet or it cannot be seen. `None`
    /// where there is no folder either: then it is the one who makes it.
    pub(super) fn of(folder: &Path) -> Option<Self> {
        let file = fs::symlink_metadata(folder.join("airlock.db"));
        let has_store = file.is_ok();
        let found = file.or_else(|_| fs::metadata(folder)).ok()?;
        Some(Self {
            user: PeerUser(found.uid()),
            group: found.gid(),
            has_store,
        })
    }

    /// Makes this process, which is root's, the owner's, in the group `besides` too. It may still read every file, as root
    /// may, and bind low ports; see [`let_go_of_rights`].
    ///
    /// Fails where there are other threads already: they would stay root's.
    pub(super) fn become_it(self, besides: Option<u32>) -> io::Result<()> {
        if fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() != 1) {
            return Err(io::Error::other("other threads run already"));
        }
        let before = PeerUser::own();
        let wanted = [
            // A container's root often has the second and not the first.
            CapabilitySet::DAC_READ_SEARCH,
            CapabilitySet::DAC_OVERRIDE,
        ];
        let had = capabilities(None)?.permitted;
        let reads = wanted.into_iter().find(|right| had.contains(*right));
        let kept =
            (reads.unwrap_or(CapabilitySet::empty()) | CapabilitySet::NET_BIND_SERVICE) & had;

        let (user, group) = (Uid::from_raw(self.user.0), Gid::from_raw(self.group));
        set_keep_capabilities(true)?;
        set_thread_groups(besides.map(Gid::from_raw).as_slice())?;
        set_thread_res_gid(group, group, group)?;
        set_thread_res_uid(user, user, user)?;
        set_keep_capabilities(false)?;
        set_rights(kept)?;
        // Set once: a process becomes another user once.
        let _ = BEFORE.set(before);
        Ok(())
    }
}

/// Lets the rights go that were kept of root's: before anything is served.
pub(super) fn let_go_of_rights() -> io::Result<()> {
    match BEFORE.get() {
        Some(_) => set_rights(CapabilitySet::empty()),
        None => Ok(()),
    }
}

fn set_rights(rights: CapabilitySet) -> io::Result<()> {
    let sets = CapabilitySets {
        effective: rights,
        permitted: rights,
        inheritable: CapabilitySet::empty(),
    };
    Ok(set_capabilities(None, sets)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_its_files_owners_and_one_that_is_not_there_is_nobodys() {
        let folder = tempfile::tempdir().unwrap();
        let own = Some(PeerUser::own());
        assert_eq!(Owner::of(folder.path()).map(|it| it.user), own);
        fs::write(folder.path().join("airlock.db"), "").unwrap();
        assert_eq!(Owner::of(folder.path()).map(|it| it.user), own);
        assert_eq!(Owner::of(&folder.path().join("data")), None);
    }
}
