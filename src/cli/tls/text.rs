//! What `airlock tls` says.

use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Outcome, Shown, TakenUp};
use crate::admin::tls::Requested;
use crate::admin::wording::counted;
use crate::crypto::tls::CertificateReport;

pub(super) fn requested(requested: &Requested) -> String {
    let key = if requested.is_new_key {
        "New key"
    } else {
        "Same key"
    };
    format!(
        "{key:9} {}\nRequest   {}, for {}\nGive the request to your authority: it is to issue a certificate for a \
         server, with these names. Then:\n  airlock tls install CERT --chain FILE --ca FILE\n",
        requested.key.display(),
        requested.request.display(),
        requested.names.join(", "),
    )
}

pub(super) fn installed(outcome: &Outcome) -> String {
    let installed = &outcome.installed;
    let mut text = format!("Installed {}\n", installed.certificate.display());
    text.push_str(&certificate(&installed.report));
    let is_known = installed.report.root.is_some() || installed.report.is_self_signed;
    if !is_known {
        text.push_str(&format!(
            "Its root is not here. Kibana will believe it if {} is a root that it knows: `airlock tls install --ca FILE` \
             looks.\n",
            last_issuer(&installed.report)
        ));
    }
    if let Some(ca) = &installed.ca {
        text.push_str(&kibana(ca));
    }
    if !outcome.is_in_settings {
        text.push_str(&format!(
            "The settings do not name it yet. Set these two below the [tls] of airlock.toml, and restart the server: \
             `sudo systemctl restart airlock-private`, or `airlock`\n  certificate = {:?}\n  key = {:?}\n",
            installed.certificate, installed.key,
        ));
        return text;
    }
    text.push_str(&match &outcome.server {
        TakenUp::Served => "The running server serves it.\n".to_owned(),
        TakenUp::NoServer => "No server runs here now; it will be served by the next.\n".to_owned(),
        TakenUp::Refused(failure) => format!(
            "The running server does not take it up: {}{}\n",
            failure.error,
            failure
                .causes
                .iter()
                .map(|cause| format!(": {cause}"))
                .collect::<String>(),
        ) + "`sudo systemctl restart airlock-private`, or `airlock`, takes up the settings with it.\n",
    });
    text
}

/// Names where Node and with it Kibana looks for authorities of a site's own.
fn kibana(ca: &Path) -> String {
    format!(
        "Kibana has to know its root. Copy {} to each Kibana, and start Kibana with\n  \
         NODE_EXTRA_CA_CERTS=/etc/kibana/airlock-ca.pem\n`airlock kibana-config --ca {}` prints the lines.\n",
        ca.display(),
        ca.display(),
    )
}

pub(super) fn shown(shown: &Shown) -> String {
    let mut text = format!(
        "{}\n{}",
        shown.path.display(),
        certificate(&shown.installed)
    );
    if let Some(served) = &shown.served {
        text.push_str(&format!(
            "The running server serves another:\n{}",
            certificate(served)
        ));
    }
    text
}

fn certificate(report: &CertificateReport) -> String {
    let issuer = match report.is_self_signed {
        true => "itself",
        false => report.issuer.as_str(),
    };
    let mut text = format!(
        "  names     {}\n  subject   {}\n  issuer    {issuer}\n  holds     {} to {}, {}\n  key       {}\n  sha256    \
         {}\n",
        report.names.join(", "),
        report.subject,
        date(report.not_before),
        date(report.not_after),
        days(report.days_left),
        report.key,
        report.sha256,
    );
    for link in &report.chain {
        text.push_str(&format!(
            "  sent too  {}, to {}\n",
            link.subject,
            date(link.not_after)
        ));
    }
    if let Some(root) = &report.root {
        text.push_str(&format!(
            "  root      {}, to {}\n",
            root.subject,
            date(root.not_after)
        ));
    }
    text
}

fn last_issuer(report: &CertificateReport) -> &str {
    report
        .chain
        .last()
        .map_or(&report.issuer, |link| &link.issuer)
}

fn date(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).date().to_string()
}

fn days(left: i64) -> String {
    match left {
        // Days begun and days gone by are one apart.
        -1 => "expired within the last day".to_owned(),
        ..0 => format!(
            "expired {} ago",
            counted(left.unsigned_abs() - 1, "day", "days")
        ),
        _ => format!("{} left", counted(left.unsigned_abs(), "day", "days")),
    }
}
