//! Clients that speak TLS, and clients that have to say who they are.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use airlock::crypto::tls::{asks_for_certificate, with_anyone};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};

use crate::certificates::{Made, named, root};
use crate::handshakes::Site;
use crate::shared::{answer, long};

/// What a client knows, shows and speaks.
#[derive(Clone)]
pub struct Known {
    root: Vec<u8>,
    shows: Option<(Vec<u8>, Vec<u8>)>,
    versions: Vec<&'static SupportedProtocolVersion>,
    protocols: Vec<Vec<u8>>,
}

impl Known {
    pub fn root(root: &Made) -> Self {
        Self {
            root: root.der.clone(),
            shows: None,
            versions: rustls::ALL_VERSIONS.to_vec(),
            protocols: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        }
    }

    pub fn only(mut self, version: &'static SupportedProtocolVersion) -> Self {
        self.versions = vec![version];
        self
    }

    pub fn speaking(mut self, protocols: &[&[u8]]) -> Self {
        self.protocols = protocols.iter().map(|it| it.to_vec()).collect();
        self
    }

    fn showing(mut self, certificate: &Made) -> Self {
        self.shows = Some((certificate.der.clone(), certificate.key.serialize_der()));
        self
    }

    pub fn config(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.root.clone())).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&self.versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match &self.shows {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.clone()));
                let chain = vec![CertificateDer::from(certificate.clone())];
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        config.alpn_protocols = self.protocols.clone();
        Arc::new(config)
    }
}

/// A connection after its handshake.
#[derive(Debug)]
pub struct Client(StreamOwned<ClientConnection, TcpStream>);

impl Client {
    pub fn connect(address: SocketAddr, known: &Known) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let name = ServerName::try_from("epr.site").unwrap();
        let mut connection = ClientConnection::new(known.config(), name).unwrap();
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        Ok(Self(StreamOwned::new(connection, stream)))
    }

    /// Returns the answer, head and body; fails where there is none.
    pub fn get(&mut self, path: &str) -> io::Result<String> {
        write!(self.0, "GET {path} HTTP/1.1\r\nhost: epr.site\r\n\r\n")?;
        answer(&mut self.0)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
        self.0.flush().unwrap();
    }

    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }

    /// Returns what else comes until the connection ends.
    pub fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).map(|_| rest)
    }

    pub fn version(&self) -> ProtocolVersion {
        self.0.conn.protocol_version().unwrap()
    }

    pub fn protocol(&self) -> Option<Vec<u8>> {
        self.0.conn.alpn_protocol().map(<[u8]>::to_vec)
    }

    /// Returns the certificate that the server has shown.
    pub fn shown(&self) -> Vec<u8> {
        self.0.conn.peer_certificates().unwrap()[0].to_vec()
    }
}

#[test]
fn a_client_shows_a_certificate_of_the_right_authority_or_is_refused() {
    let clients = root("Clients");
    let folder = tempfile::tempdir().unwrap();
    let (ca, _) = clients.write(folder.path(), "clients");
    let site = Site::with(long(), |files| files.client_ca = Some(ca));
    let right = site.known.clone().showing(&clients.issue(named("kibana")));
    let mut client = Client::connect(site.server.address, &right).unwrap();
    assert!(client.get("/").unwrap().ends_with("hello\n"));
    let other = site
        .known
        .clone()
        .showing(&root("Clients").issue(named("kibana")));
    for known in [site.known.clone(), other] {
        for version in rustls::ALL_VERSIONS {
            let known = known.clone().only(version);
            // With TLS 1.3 the client hears of it only after its own handshake.
            let answered =
                Client::connect(site.server.address, &known).and_then(|mut it| it.get("/"));
            assert!(answered.is_err(), "{answered:?}");
        }
    }
    // Who looks only whether it speaks TLS learns that it does.
    let mut looks = with_anyone(TcpStream::connect(site.server.address).unwrap(), "x").unwrap();
    let error = write!(looks, "GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .and_then(|()| looks.read(&mut [0]))
        .unwrap_err();
    assert!(asks_for_certificate(&error), "{error:?}");
    site.server.stop();
}
