//! An authority of the appliance's own, for sites that have none: it issues the server's certificate and nothing else.

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyUsagePurpose,
    date_time_ymd,
};

use super::certificate::Certificate;
use super::chain::Chain;
use super::check::check;
use super::error::TlsError;
use super::files::Checked;
use super::key::Key;
use super::name::Name;
use super::pem::Pieces;
use super::places::Places;
use super::request::{NewKey, RequestKey, server_parameters};

/// How an authority that was made here is called, before its first name.
const CALLED: &str = "airlock authority of ";
/// Years for which the authority holds: Kibana is told of it once.
const AUTHORITY_YEARS: i32 = 10;
/// Days for which a server's certificate does: what browsers and Apple's systems take from an authority of a site's own.
const SERVER_DAYS: i32 = 825;

/// An authority and its key.
pub struct Authority {
    key: RequestKey,
    certificate: Certificate,
    common_name: String,
}

impl Authority {
    /// Makes an authority, called by the first name that it is made for.
    pub fn generate(first: &Name, now: Timestamp) -> Result<Self, TlsError> {
        let key = RequestKey::generate(NewKey::Ecdsa)?;
        let common_name: String = format!("{CALLED}{first}").chars().take(64).collect();
        let mut parameters = parameters(&common_name);
        hold_for(&mut parameters, now, now_plus(now, AUTHORITY_YEARS * 365));
        let made = parameters.self_signed(key.pair())?;
        let certificate = Certificate::from_der(made.der());
        Ok(Self {
            certificate: certificate.ok_or(rcgen::Error::CouldNotParseCertificate)?,
            key,
            common_name,
        })
    }

    /// Reads the authority that lies at its place; `None` where none does that was made here.
    pub fn read(places: &Places) -> Result<Option<Self>, TlsError> {
        let (path, key) = (places.authority(), places.authority_key());
        if !path.exists() || !key.exists() {
            return Ok(None);
        }
        let certificate = Pieces::certificates(&path)?.remove(0);
        let key = RequestKey::read(&key)?;
        let subject = certificate.subject();
        let common_name = subject.strip_prefix("CN=").unwrap_or_default();
        let is_ours = common_name.starts_with(CALLED)
            && Key::open(&key.to_text(), None, &path)?.belongs_to(&certificate);
        Ok(is_ours.then(|| Self {
            common_name: common_name.to_owned(),
            key,
            certificate,
        }))
    }

    /// Returns its certificate, which clients have to know.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Returns its key as PEM.
    pub fn key_pem(&self) -> String {
        self.key.to_text().to_pem()
    }

    /// Issues a certificate for a server with these names, with a new key, and checks it as any other.
    pub fn issue(&self, names: &[Name], now: Timestamp) -> Result<Checked, TlsError> {
        let key = RequestKey::generate(NewKey::Ecdsa)?;
        let mut wanted = server_parameters(names)?;
        hold_for(&mut wanted, now, now_plus(now, SERVER_DAYS));
        wanted.use_authority_key_identifier_extension = true;
        let own = parameters(&self.common_name);
        let issuer = Issuer::from_params(&own, self.key.pair());
        let made = wanted.signed_by(key.pair(), &issuer)?;
        let made = Certificate::from_der(made.der());
        let made = made.ok_or(rcgen::Error::CouldNotParseCertificate)?;
        let chain = Chain::of(made, &[], std::slice::from_ref(&self.certificate));
        check(&chain, now)?;
        Ok(Checked::new(chain, key.to_text()))
    }
}

fn parameters(common_name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters
        .distinguished_name
        .push(DnType::CommonName, common_name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters
}

fn now_plus(now: Timestamp, days: i32) -> Timestamp {
    let later = now.to_zoned(TimeZone::UTC).checked_add(days.days());
    later.map_or(Timestamp::MAX, |it| it.timestamp())
}

/// Clocks without a network go wrong by hours: it holds from the day before.
fn hold_for(parameters: &mut CertificateParams, now: Timestamp, until: Timestamp) {
    let date = |time: Timestamp| {
        let date = time.to_zoned(TimeZone::UTC).date();
        let part = |number: i8| u8::try_from(number).unwrap_or(1);
        date_time_ymd(i32::from(date.year()), part(date.month()), part(date.day()))
    };
    parameters.not_before = date(now_plus(now, -1));
    parameters.not_after = date(until);
}
