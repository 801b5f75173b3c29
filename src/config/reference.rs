//! What the reference registry is set by, so that airlock takes the place of its image as it is configured: variables
//! `EPR_…`, one for each of its flags, and a `config.yml` with cache times.
//!
//! Facts: its `main.go` and `flags.go` (1.40.1); `-tls-min-version` is `EPR_TLS_MIN_VERSION`.

use super::Environment;
use super::given::Layers;

/// Gives what the reference's variables say.
pub fn give_variables(_: &Environment, _: &mut Layers, _: &mut Vec<String>) {}

/// Gives what the reference's `config.yml` says.
pub fn give_file(_: &Environment, _: &mut Layers, _: &mut Vec<String>) {}
