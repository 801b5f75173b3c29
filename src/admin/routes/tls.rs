//! The certificate in force, and taking up what was installed.

use actix_web::HttpRequest;
use actix_web::web::Data;
use jiff::Timestamp;
use serde_json::Value;

use super::{Answer, Operator, perform, who};
use crate::admin::OperationError;
use crate::crypto::tls::CertificateReport;
use crate::store::audit;

pub(super) async fn show(operator: Data<Operator>) -> Answer<CertificateReport> {
    let served = operator.service.tls.clone().ok_or(OperationError::NoTls)?;
    perform(&operator, move |_| {
        Ok::<_, OperationError>(served.report(Timestamp::now()))
    })
    .await
}

pub(super) async fn reload(
    operator: Data<Operator>,
    request: HttpRequest,
) -> Answer<CertificateReport> {
    let who = who(&request);
    let served = operator.service.tls.clone().ok_or(OperationError::NoTls)?;
    perform(&operator, move |store| {
        let report = served.reload().map_err(OperationError::from)?;
        let at = Timestamp::now();
        store.write(|conn| audit::note(conn, at, &who, "tls reload", "", Value::Null))?;
        Ok::<_, OperationError>(report)
    })
    .await
}
