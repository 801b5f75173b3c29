//! Where the store is kept where no setting says it: the folder that systemd names, else the user's own.

use std::path::PathBuf;

use super::Environment;
use super::given::{Layers, Origin, Value};

/// Gives the folder of the store that is taken where nobody names one.
pub fn give(environment: &Environment, layers: &mut Layers) {
    // With several state folders in a unit this is a list; the store's is the first (systemd.exec(5)).
    let state = environment.get("STATE_DIRECTORY");
    if let Some(folder) = state.and_then(|folders| folders.split(':').next()) {
        let origin = Origin::Variable("STATE_DIRECTORY".to_owned());
        layers.give("data_dir", Value::Text(folder.to_owned()), origin);
    } else if let Some(folder) = users_own() {
        let value = Value::Text(folder.to_string_lossy().into_owned());
        layers.give("data_dir", value, Origin::Default);
    }
}

fn users_own() -> Option<PathBuf> {
    Some(
        directories::ProjectDirs::from("", "", "airlock")?
            .data_dir()
            .to_owned(),
    )
}
