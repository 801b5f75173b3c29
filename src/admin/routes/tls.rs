//! The certificate in force, and taking up what was installed.

use actix_web::web::Data;
use jiff::Timestamp;

use super::{Answer, Operator, perform};
use crate::admin::OperationError;
use crate::crypto::tls::CertificateReport;

pub(super) async fn show(operator: Data<Operator>) -> Answer<CertificateReport> {
    let served = operator.service.tls.clone().ok_or(OperationError::NoTls)?;
    perform(&operator, move |_| {
        Ok::<_, OperationError>(served.report(Timestamp::now()))
    })
    .await
}

pub(super) async fn reload(operator: Data<Operator>) -> Answer<CertificateReport> {
    let served = operator.service.tls.clone().ok_or(OperationError::NoTls)?;
    perform(&operator, move |_| served.reload()).await
}
