//! A store with somebody of each role, the web that is served of it, and a clock that is set by hand.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use actix_web::http::header::HeaderName;
use actix_web::web::Data;
use airlock::admin::entrance::{Web, WebRules};
use airlock::admin::jobs::Jobs;
use airlock::admin::routes::Operator;
use airlock::admin::status::Service;
use airlock::admin::{Kibanas, PeerUser, Role, Roles};
use airlock::api::access::{Access, Hosts};
use airlock::catalog::Catalogs;
use airlock::crypto::Secret;
use airlock::crypto::password::PasswordHash;
use airlock::limits::Limits;
use airlock::store::users::User;
use airlock::store::{Store, StoreError, audit, sessions, tokens, users};
use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

/// The password of everybody.
pub const PASSWORD: &str = "a lighthouse in fog";
/// The proxy that is trusted.
pub const PROXY: &str = "10.0.0.1:4711";
/// The header in which it names who has logged in there.
pub const USER_HEADER: &str = "x-remote-user";
/// Wrong passwords after which somebody is locked.
pub const FAILURES: u32 = 3;
pub const IDLE: SignedDuration = SignedDuration::from_mins(30);
pub const LONGEST: SignedDuration = SignedDuration::from_hours(12);

pub struct World {
    pub store: Arc<Store>,
    pub operator: Data<Operator>,
    pub web: Data<Web>,
    pub clock: Arc<Mutex<Timestamp>>,
    _folder: TempDir,
}

/// A session as its browser knows it.
pub struct Session {
    pub cookie: String,
    pub csrf: String,
}

impl World {
    /// Somebody of each role, called as the role is.
    pub fn new() -> Self {
        Self::with_access(Access {
            trusted_proxies: vec![PROXY.parse::<SocketAddr>().unwrap().ip().into()],
            ..Access::default()
        })
    }

    /// Nobody yet.
    pub fn empty() -> Self {
        Self::of(&[], Access::default())
    }

    /// Somebody of each role, where the registry has these rules.
    pub fn with_access(access: Access) -> Self {
        Self::of(&Role::ALL, access)
    }

    fn of(roles: &[Role], access: Access) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path()).unwrap());
        let start: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let clock = Arc::new(Mutex::new(start));
        let hash = PasswordHash::make(PASSWORD.as_bytes());
        for &role in roles {
            let inserted =
                store.write(|conn| users::insert(conn, role.name(), role, Some(&hash), start));
            inserted.unwrap().unwrap();
        }
        let operator = Data::new(Operator {
            store: Arc::clone(&store),
            catalogs: Arc::new(Catalogs::load(&store).unwrap()),
            limits: Limits::default(),
            jobs: Jobs::default(),
            roles: ArcSwap::from_pointee(Roles {
                always_admin: vec![PeerUser::own()],
                of_members: Role::Admin,
                named: BTreeMap::new(),
            }),
            service: Service {
                since: start,
                addresses: Vec::new(),
                kibanas: Data::new(Kibanas::default()),
                tls: None,
            },
        });
        let rules = WebRules {
            hosts: Hosts::only(
                vec!["epr.site".to_owned()],
                &["127.0.0.1:8080".parse().unwrap()],
            ),
            user_header: Some(HeaderName::from_static(USER_HEADER)),
            banner: None,
            idle: IDLE,
            longest: LONGEST,
            failures: FAILURES,
            password_length: 12,
        };
        let told = Arc::clone(&clock);
        let web = Web::new(rules, Arc::new(ArcSwap::from_pointee(access)), None);
        let web = Data::new(web.with_clock(move || *told.lock().unwrap()));
        Self {
            store,
            operator,
            web,
            clock,
            _folder: folder,
        }
    }

    pub fn now(&self) -> Timestamp {
        *self.clock.lock().unwrap()
    }

    /// Lets time pass.
    pub fn wait(&self, time: SignedDuration) {
        let mut clock = self.clock.lock().unwrap();
        *clock = clock.checked_add(time).unwrap();
    }

    pub fn user(&self, name: &str) -> User {
        let found = self.store.read(|conn| users::find(conn, name)).unwrap();
        found.unwrap()
    }

    /// Begins a session of this user, without a password.
    pub fn session(&self, name: &str) -> Session {
        let (secret, user) = (Secret::random(), self.user(name));
        let (digest, now) = (secret.digest(), self.now());
        let begun = self
            .store
            .write(|conn| sessions::begin(conn, digest, &user, now, "192.0.2.7", 20));
        begun.unwrap();
        Session {
            cookie: secret.reveal(),
            csrf: secret.derived("csrf").reveal(),
        }
    }

    /// Makes a token of this user with the user's role, which lasts this long.
    pub fn token(&self, name: &str, lasts: SignedDuration) -> String {
        let (secret, user) = (Secret::random(), self.user(name));
        let new = tokens::NewToken {
            name: &secret.digest().to_string()[..8],
            digest: secret.digest(),
            role: user.role,
            owner: name,
            at: self.now(),
            expires: self.now().checked_add(lasts).unwrap(),
        };
        let inserted = self.store.write(|conn| tokens::insert(conn, &new));
        inserted.unwrap().unwrap();
        format!("airlock_{}", secret.reveal())
    }

    /// Returns what the audit log has, a line an entry.
    pub fn audited(&self) -> Vec<String> {
        let entries = self
            .store
            .read(|conn| audit::after(conn, 0, 1_000))
            .unwrap();
        let line = |it: audit::Entry| {
            let (who, from, outcome) = (it.who, it.from, it.outcome.name());
            format!(
                "{who}|{from}|{}|{}|{outcome}|{}",
                it.action, it.subject, it.detail
            )
        };
        entries.into_iter().map(line).collect()
    }

    /// Returns how many sessions, failures and change sets there are: what a refused request leaves as it was.
    pub fn counts(&self) -> (u64, u32, i64) {
        self.store
            .read::<_, StoreError>(|conn| {
                let failures = users::all(conn)?.iter().map(|user| user.failures).sum();
                let changes =
                    conn.query_row("SELECT count(*) FROM change_set", [], |row| row.get(0))?;
                Ok((sessions::count(conn)?, failures, changes))
            })
            .unwrap()
    }
}
