//! Records, and the key that signs them.

use actix_web::web::{Data, Path};

use super::{Answer, Operator, perform};
use crate::admin::record::{self, SignedRecord};
use crate::admin::signer::{self, SignerReport};

pub(super) async fn record(operator: Data<Operator>, number: Path<i64>) -> Answer<SignedRecord> {
    perform(&operator, move |store| record::record(store, *number)).await
}

pub(super) async fn signer(operator: Data<Operator>) -> Answer<SignerReport> {
    perform(&operator, signer::show).await
}
