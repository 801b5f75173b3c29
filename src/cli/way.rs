//! Which way leads to a store, found before anything is opened: this process where the store is its own, else the server
//! that has it. Root becomes the owner where no server runs; a stranger is told what is missing.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Access, access};

use super::control::{ControlClient, ControlError};
use super::door::Door;
use super::owner::Owner;
use super::{CliError, Common, data_folder_of};
use crate::accounts;
use crate::admin::{OperationError, PeerUser};
use crate::config::{Config, Origin, check_file};
use crate::server::CONTROL_SOCKET;
use crate::store::{Store, StoreError};

/// A way to a store that was found; nothing is opened yet.
pub(super) enum Way {
    /// This process, which is its owner's.
    Here {
        folder: PathBuf,
        /// Where a server that has it can be asked.
        sockets: Vec<PathBuf>,
    },
    /// The server that has it.
    There(ControlClient),
}

impl Way {
    /// Finds the way to the store that the settings name.
    ///
    /// Root becomes the owner of a store of another user's, if no server has it: call this before there are other threads.
    pub(super) fn find(common: &Common) -> Result<Self, CliError> {
        let config = common.settings(&[])?;
        let folder = data_folder_of(&config)?;
        let sockets = sockets(common, &config, &folder)?;
        let own = PeerUser::own();
        // A folder that others may write to, as a container's volume is: who makes the store there owns it.
        let may_make = |owner: &Owner| {
            let may_write = access(&folder, Access::WRITE_OK | Access::EXEC_OK);
            own.0 != 0 && !owner.has_store && may_write.is_ok()
        };
        let owner = Owner::of(&folder).filter(|owner| owner.user != own && !may_make(owner));
        let Some(owner) = owner else {
            // A folder that lies where this user may not look is another's; its server may be reached all the same.
            let is_hidden = folder
                .metadata()
                .is_err_and(|error| error.kind() == ErrorKind::PermissionDenied);
            if is_hidden && let Ok(client) = ControlClient::connect_first(&sockets) {
                return Ok(Self::There(client));
            }
            return Ok(Self::Here { folder, sockets });
        };
        match ControlClient::connect_first(&sockets) {
            Ok(client) => Ok(Self::There(client)),
            Err(_) if own.0 == 0 => {
                owner
                    .become_it(None)
                    .map_err(|error| cannot_become(owner, &error))?;
                Ok(Self::Here { folder, sockets })
            }
            Err(error) => Err(stranger(&config, &folder, owner, error)),
        }
    }

    /// Opens the store, or goes to the server that has opened it meanwhile.
    pub(super) fn open(self) -> Result<Door, CliError> {
        let (folder, sockets) = match self {
            Self::There(client) => return Ok(Door::There(client)),
            Self::Here { folder, sockets } => (folder, sockets),
        };
        match Store::open(&folder) {
            Ok(store) => Ok(Door::Here(Arc::new(store))),
            Err(in_use @ StoreError::InUse { .. }) => {
                match ControlClient::connect_first(&sockets) {
                    Ok(client) => Ok(Door::There(client)),
                    Err(cause) => {
                        Err(CliError::from(OperationError::from(in_use)).caused_by(&cause))
                    }
                }
            }
            Err(error) => Err(OperationError::from(error).into()),
        }
    }
}

/// Makes this process the owner's of the store in `folder`, where it is root's and the store is not: one that may open
/// its socket to the group that the settings name.
pub(super) fn become_owner(config: &Config, folder: &Path) -> Result<(), CliError> {
    let group = config.control.group.value.as_deref();
    let group = group.and_then(accounts::group_id);
    let owner = Owner::of(folder).filter(|owner| owner.user != PeerUser::own());
    match owner {
        Some(owner) if PeerUser::own().0 == 0 => owner
            .become_it(group)
            .map_err(|error| cannot_become(owner, &error)),
        _ => Ok(()),
    }
}

/// Returns where the server of the store in `folder` may be asked, the likelier place first.
///
/// The socket that settings name belongs to the store that the same settings name: with another `--data-dir`, it is the
/// socket of a store that is not meant.
pub(super) fn sockets(
    common: &Common,
    config: &Config,
    folder: &Path,
) -> Result<Vec<PathBuf>, CliError> {
    let beside = folder.join(CONTROL_SOCKET);
    let Some(socket) = config.control.socket.value.clone() else {
        return Ok(vec![beside]);
    };
    let file = match &config.control.socket.origin {
        Origin::File { file, .. } => check_file(file).ok(),
        _ => None,
    };
    let meant = match file.filter(|file| file.data_dir.origin != Origin::Default) {
        Some(file) => file.data_dir.value,
        None => common.settings_without_folder()?.data_dir.value,
    };
    Ok(match meant.is_some_and(|meant| is_same(&meant, folder)) {
        true => vec![socket, beside],
        false => vec![beside],
    })
}

fn is_same(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    a == b || real(a) == real(b)
}

fn cannot_become(owner: Owner, error: &io::Error) -> CliError {
    let name = owner.user.name();
    CliError::new(format!(
        "cannot become {name}, who owns the store, and root's files beside it would lock {name} out"
    ))
    .caused_by(error)
    .hint(format!("`sudo -u {name} airlock …` does it as {name}"))
}

/// Says to somebody who is neither the owner nor asked a server what keeps them out.
fn stranger(config: &Config, folder: &Path, owner: Owner, error: ControlError) -> CliError {
    let name = owner.user.name();
    let own = PeerUser::own().name();
    let shown = folder.display();
    let is_kept_out = match &error {
        ControlError::Connect { source, .. } => source.kind() == ErrorKind::PermissionDenied,
        _ => false,
    };
    let group = config.control.group.value.as_deref();
    let missing = group.filter(|group| !is_member(group));
    let join = |group: &str| {
        format!("`sudo usermod -aG {group} {own}` lets {own} in, from the next login on")
    };
    match (is_kept_out, missing, group) {
        (true, Some(group), _) => CliError::new(format!(
            "{own} is not in the group {group}, whose members may use the store in {shown}"
        ))
        .caused_by(&error)
        .hint(join(group)),
        (true, None, Some(group)) => {
            CliError::new(format!("{own} may not use the store in {shown}"))
                .caused_by(&error)
                .hint(format!(
                    "the service has to run with the same `control.group = \"{group}\"` and `control.socket`: `sudo systemctl restart airlock-private`, or `airlock`"
                ))
        }
        (true, None, None) => CliError::new(format!(
            "only {name}, who owns it, and root may use the store in {shown}"
        ))
        .caused_by(&error)
        .hint("`control.group` and `control.socket` in airlock.toml let the members of a group use it: see docs/install.md"),
        (false, missing, _) => {
            let told = CliError::new(format!(
                "the service is not running, and only {name} may open the store in {shown} without it"
            ))
            .caused_by(&error)
            .hint("`sudo systemctl start airlock-private` starts it, or `airlock` where that one is enabled");
            match missing {
                Some(group) => told.hint(join(group)),
                None => told,
            }
        }
    }
}

fn is_member(group: &str) -> bool {
    let Some(id) = accounts::group_id(group) else {
        return false;
    };
    let mut groups = rustix::process::getgroups().unwrap_or_default();
    groups.push(rustix::process::getegid());
    groups.iter().any(|group| group.as_raw() == id)
}
