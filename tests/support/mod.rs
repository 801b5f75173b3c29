//! Packages of our own, a registry that holds them, and whole answers as text.
//!
//! A [`TestRegistry`] is the product from its import to its answers, in this process: no socket, port, sleep or child.
#![allow(dead_code, reason = "each test target uses some of it")]
#![allow(clippy::unwrap_used, reason = "in a test, what fails may panic")]

pub mod archives;
pub mod packages;
pub mod responses;

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use actix_web::body::to_bytes;
use actix_web::http::Method;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpResponse};
use airlock::admin::distributions::{self, LayersRequest};
use airlock::api::access::Access;
use airlock::api::{self, State};
use airlock::catalog::Catalogs;
use airlock::distribution::{BranchKind, Consent, DistributionName, SignaturePolicy};
use airlock::import::{self, Committed, Progress, StageRequest};
use airlock::limits::Limits;
use airlock::people::Actor;
use airlock::store::Store;

pub use packages::{Package, package};

/// When the packages of a [`TestRegistry`] were last changed: Tue, 01 Nov 2022 08:00:00 GMT, the date of
/// [`archives::tar`]'s members, which a tar with a commit id makes the date of its packages.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// The release that [`TestRegistry::holding`] imports.
pub const RELEASE: &str = "9.2.0";

/// A store in a folder of its own, and everything that answers from it.
pub struct TestRegistry {
    pub store: Arc<Store>,
    pub catalogs: Arc<Catalogs>,
    state: Data<State>,
    /// The policy for signatures that the next imports ask for.
    pub policy: Mutex<Option<SignaturePolicy>>,
    folder: tempfile::TempDir,
}

impl TestRegistry {
    /// Returns a registry that holds nothing.
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path()).unwrap());
        let catalogs = Arc::new(Catalogs::load(&store).unwrap());
        let state = State::new(Arc::clone(&store), Arc::clone(&catalogs));
        Self {
            state: Data::new(state),
            policy: Mutex::default(),
            store,
            catalogs,
            folder,
        }
    }

    /// Returns a registry that answers with these packages at `/`: those of the release [`RELEASE`].
    pub async fn holding(packages: impl IntoIterator<Item = Package>) -> Self {
        let registry = Self::empty();
        registry.release(RELEASE, packages);
        registry
    }

    /// Imports packages into a release that is not here yet, and takes up the change.
    pub fn release(&self, name: &str, packages: impl IntoIterator<Item = Package>) -> Committed {
        self.import(name, BranchKind::Release, packages)
    }

    /// Imports packages into a branch, whose kind its name says, and takes up the change.
    pub fn branch(&self, name: &str, packages: impl IntoIterator<Item = Package>) -> Committed {
        self.import(name, BranchKind::of_name(name), packages)
    }

    fn import(
        &self,
        name: &str,
        kind: BranchKind,
        packages: impl IntoIterator<Item = Package>,
    ) -> Committed {
        let committed = self.commit(name, kind, &packages::tar_of(packages).bytes());
        self.reload();
        committed
    }

    /// Imports a tar and says nothing to the catalogs.
    pub fn commit(&self, name: &str, kind: BranchKind, tar: &[u8]) -> Committed {
        let request = StageRequest {
            source_name: "packages.tar".into(),
            who: Actor::here("tester"),
            target: Some((DistributionName::parse(name).unwrap(), kind)),
            may_ask: false,
            signatures: *self.policy.lock().unwrap(),
            image: None,
        };
        let source = Box::new(Cursor::new(tar.to_vec()));
        let progress = Arc::<Progress>::default();
        let limits = Limits::default();
        let staged = import::stage(&self.store, source, &request, &progress, &limits).unwrap();
        import::commit(
            &self.store,
            staged.stage,
            &Actor::here("tester"),
            Consent::default(),
        )
        .unwrap()
    }

    /// Makes a distribution of branches, the winning one first, and takes up the change.
    pub fn distribution(&self, name: &str, branches: &[&str]) {
        let name = DistributionName::parse(name).unwrap();
        let mut branches = branches.iter().map(ToString::to_string);
        let layers = LayersRequest {
            from: branches.next(),
            with: branches.collect(),
            ..LayersRequest::default()
        };
        distributions::create(&self.store, &Actor::here("tester"), &name, &layers).unwrap();
        self.reload();
    }

    /// Makes a branch what answers at `/`, and takes up the change.
    pub fn activate(&self, branch: &str) {
        let branch = DistributionName::parse(branch).unwrap();
        distributions::activate(&self.store, &Actor::here("tester"), &branch).unwrap();
        self.reload();
    }

    /// Takes up what was committed, as a server does after each change.
    pub fn reload(&self) {
        self.catalogs.reload(&self.store).unwrap();
    }

    /// Returns the file that the store is.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("airlock.db")
    }

    /// Has these rules say who may ask.
    pub fn admit(&self, access: Access) {
        self.state.access.store(Arc::new(access));
    }

    /// Answers a request; the body is still to be read.
    pub async fn answer(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> HttpResponse {
        self.answer_to("127.0.0.1:9", method, path, headers).await
    }

    /// Answers a request that comes from `peer`; the body is still to be read.
    pub async fn answer_to(
        &self,
        peer: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> HttpResponse {
        let app = App::new()
            .app_data(self.state.clone())
            .configure(api::configure);
        let service = init_service(app).await;
        let request = headers.iter().fold(
            TestRequest::with_uri(path)
                .method(method)
                .peer_addr(peer.parse().unwrap()),
            |request, header| request.append_header(*header),
        );
        call_service(&service, request.to_request())
            .await
            .into_parts()
            .1
    }

    /// Returns the whole answer to a request as text.
    pub async fn request(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> String {
        responses::text(self.answer(method, path, headers).await).await
    }

    /// Returns the whole answer to a GET as text.
    pub async fn get(&self, path: &str) -> String {
        self.request(Method::GET, path, &[]).await
    }

    /// Returns the whole answer to a GET with headers as text.
    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> String {
        self.request(Method::GET, path, headers).await
    }

    /// Returns status and body of the answer to a GET.
    pub async fn body(&self, path: &str, headers: &[(&str, &str)]) -> (u16, Bytes) {
        let answer = self.answer(Method::GET, path, headers).await;
        let status = answer.status().as_u16();
        (status, to_bytes(answer.into_body()).await.unwrap())
    }

    /// Returns the package versions that a search finds, as `name version, …`; for what is no search, the status.
    pub async fn found(&self, path: &str) -> String {
        let (status, body) = self.body(path, &[]).await;
        let Ok(serde_json::Value::Array(elements)) = serde_json::from_slice(&body) else {
            return format!("{status} {}", String::from_utf8_lossy(&body).trim_end());
        };
        let id = |element: &serde_json::Value| {
            let text = |key: &str| element[key].as_str().unwrap().to_owned();
            format!("{} {}", text("name"), text("version"))
        };
        elements.iter().map(id).collect::<Vec<_>>().join(", ")
    }
}

/// Returns the value of a header, in quotes where it has some.
pub fn header(answer: &HttpResponse, name: &str) -> String {
    let value = answer.headers().get(name);
    value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
}
