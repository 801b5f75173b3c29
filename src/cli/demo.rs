//! `airlock demo`: the sample release, served from a temporary folder.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use rust_embed::RustEmbed;

use super::serve::{Setup, serve};
use super::{CliError, print};
use crate::admin::{OperationError, PeerUser};
use crate::config::{Config, Flags};
use crate::distribution::{BranchKind, Consent, DistributionName};
use crate::import::{self, Progress, StageRequest};
use crate::limits::Limits;
use crate::people::Actor;
use crate::server::{CONTROL_SOCKET, Inherited};
use crate::store::Store;

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Listen at this address
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: String,
}

/// A release of our own making with every kind of package.
#[derive(RustEmbed)]
#[folder = "sample/"]
struct Sample;

pub(super) fn run(args: &DemoArgs) -> Result<ExitCode, CliError> {
    let failed = |error: io::Error| CliError::new("cannot set up the demo").caused_by(&error);
    let folder = tempfile::Builder::new()
        .prefix("airlock-demo-")
        .tempdir()
        .map_err(failed)?;
    let store = Store::open(folder.path()).map_err(OperationError::from)?;
    let sample = sample_archive().map_err(failed)?;
    let release =
        DistributionName::parse("sample").map_err(|error| CliError::new(error.to_string()))?;
    let request = StageRequest {
        source_name: "the sample release".to_owned(),
        who: Actor::here(PeerUser::own().name()),
        target: Some((release, BranchKind::Release)),
        may_ask: false,
        signatures: None,
        image: None,
    };
    let source = Box::new(io::Cursor::new(sample));
    let staged = import::stage(
        &store,
        source,
        &request,
        &Arc::new(Progress::default()),
        &Limits::default(),
    )
    .map_err(OperationError::from)?;
    import::commit(&store, staged.stage, &request.who, Consent::default())
        .map_err(OperationError::from)?;
    // A demo is the same everywhere: it asks neither file nor environment.
    let flags = Flags {
        listen: vec![args.listen.clone()],
        ..Flags::default()
    };
    let config = Config::from_flags(&flags)?;
    let setup = Setup {
        control_socket: folder.path().join(CONTROL_SOCKET),
        config,
        read_again: Arc::new(move || Config::from_flags(&flags)),
        inherited: Inherited::default(),
    };
    serve(Arc::new(store), setup, |address| {
        // The server runs whether or not somebody reads this.
        let _ = print(&format!(
            "# kibana.yml\nxpack.fleet.registryUrl: \"http://{address}\"\nxpack.fleet.isAirGapped: true # Kibana 8.13 and later\n"
        ));
    })
}

/// Returns the sample as the tar that people would bring.
fn sample_archive() -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for path in Sample::iter() {
        let file = Sample::get(&path).ok_or(io::ErrorKind::NotFound)?;
        let mut header = tar::Header::new_gnu();
        header.set_size(file.data.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, &*path, &*file.data)?;
    }
    archive.into_inner()
}
