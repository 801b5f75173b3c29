//! Records, and the key that signs them.

use actix_web::web::{Data, Path, Query};

use super::{Answer, Operator, parse_name, perform};
use crate::admin::offer_record::{self, MomentRequest, OfferRecord};
use crate::admin::record::{self, SignedRecord};
use crate::admin::signer::{self, SignerReport};

pub(super) async fn record(operator: Data<Operator>, number: Path<i64>) -> Answer<SignedRecord> {
    perform(&operator, move |store| record::record(store, *number)).await
}

pub(super) async fn offer_record(
    operator: Data<Operator>,
    name: Path<String>,
    moment: Query<MomentRequest>,
) -> Answer<SignedRecord<OfferRecord>> {
    let name = parse_name(&name)?;
    perform(&operator, move |store| {
        offer_record::record(store, &name, &moment)
    })
    .await
}

pub(super) async fn signer(operator: Data<Operator>) -> Answer<SignerReport> {
    perform(&operator, signer::show).await
}
