//! How the appliance is.

use actix_web::web::Data;

use super::{Answer, Operator, perform};
use crate::admin::status::{self, StatusReport};

pub(super) async fn show(operator: Data<Operator>) -> Answer<StatusReport> {
    let service = operator.service.report();
    perform(&operator, move |store| status::look(store, Some(service))).await
}
