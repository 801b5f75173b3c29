//! Each route, each role: what is served to whom.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_http::HttpService;
use actix_service::{Service as _, ServiceFactory, map_config};
use actix_web::App;
use actix_web::dev::AppConfig;
use actix_web::web::Data;
use airlock::admin::routes::{Operator, configure, served};
use airlock::admin::status::Service;
use airlock::admin::{PeerUser, Role, Roles};
use airlock::catalog::Catalogs;
use airlock::limits::Limits;
use airlock::store::Store;
use arc_swap::ArcSwap;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// A user number for each role, none of them root's or the store's owner's.
const USERS: [(Role, u32); 4] = [
    (Role::Viewer, 4_000_000_001),
    (Role::Publisher, 4_000_000_002),
    (Role::Approver, 4_000_000_003),
    (Role::Admin, 4_000_000_004),
];

fn operator(store: &Arc<Store>) -> Data<Operator> {
    let named = USERS.map(|(role, user)| (user.to_string(), role));
    Data::new(Operator {
        store: Arc::clone(store),
        catalogs: Arc::new(Catalogs::load(store).unwrap()),
        limits: Limits::default(),
        jobs: Default::default(),
        roles: ArcSwap::from_pointee(Roles {
            always_admin: vec![PeerUser::own()],
            of_members: Role::Viewer,
            named: BTreeMap::from(named),
        }),
        service: Service::default(),
    })
}

/// Asks as `peer`, on a connection of its own, and returns the status and the body.
async fn ask(
    operator: &Data<Operator>,
    peer: Option<PeerUser>,
    method: &str,
    path: &str,
) -> (u16, String) {
    let app = App::new().app_data(operator.clone()).configure(configure);
    let service = HttpService::build()
        .on_connect_ext(move |_: &DuplexStream, data| {
            if let Some(peer) = peer {
                data.insert(peer);
            }
        })
        .h1(map_config(app, |_| AppConfig::default()))
        .new_service(())
        .await
        .unwrap();
    let (mut client, end) = tokio::io::duplex(64 << 10);
    let ask = format!(
        "{method} /admin/api/v1{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
    );
    client.write_all(ask.as_bytes()).await.unwrap();
    let serving = actix_web::rt::spawn(service.call((end, None)));
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    let _ = serving.await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

/// Returns a path with something in each of its places.
fn filled(path: &str) -> String {
    let part = |part: &str| match part {
        "{id}" | "{number}" => "7".to_owned(),
        "{fingerprint}" => "0123456789abcdef".to_owned(),
        part if part.starts_with('{') => "nothing".to_owned(),
        part => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[test]
fn this_is_served_and_each_needs_this_role() {
    let lines = served().into_iter().map(|it| {
        let needs = it.needs.map_or("nobody", Role::name);
        let (method, path) = (it.method, it.path);
        format!("{needs:9} {method:6} {path}")
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r"
    viewer    GET /sources/known
    publisher POST /imports
    viewer    GET /plans
    viewer    GET /plans/{id}
    publisher DELETE /plans/{id}
    publisher PUT /plans/{id}/target
    approver  POST /plans/{id}/commit
    approver  POST /branches/{branch}/remove
    approver  POST /promotions
    approver  POST /releases
    admin     POST /releases/{release}/delete
    approver  POST /additions
    viewer    GET /distributions/{name}/record
    viewer    GET /records/{number}
    viewer    GET /signer
    viewer    GET /tls
    admin     POST /tls/reload
    admin     POST /gc
    viewer    GET /sizes
    approver  POST /rollbacks
    viewer    GET /distributions
    approver  POST /distributions
    viewer    GET /distributions/{name}
    approver  PUT /distributions/{name}
    approver  DELETE /distributions/{name}
    approver  PUT /distributions/default/{branch}
    approver  POST /distributions/{name}/holds
    approver  POST /withdrawals
    viewer    GET /holds
    approver  POST /holds/{number}/release
    viewer    GET /history
    admin     POST /history/prune
    viewer    GET /history/{number}
    viewer    GET /diff
    viewer    GET /explain
    viewer    GET /packages/{name}/{version}
    viewer    POST /preflight
    viewer    GET /keys
    admin     POST /keys
    admin     DELETE /keys/{fingerprint}
    viewer    GET /quarantine
    publisher POST /quarantine/retry
    approver  POST /quarantine/drop
    viewer    GET /signatures
    viewer    GET /signatures/{branch}
    admin     PUT /signatures/{branch}
    viewer    GET /jobs
    viewer    GET /jobs/{id}
    publisher DELETE /jobs/{id}
    viewer    GET /jobs/{id}/events
    publisher POST /uploads
    publisher GET /uploads/{id}
    publisher PUT /uploads/{id}
    publisher DELETE /uploads/{id}
    viewer    GET /openapi.json
    viewer    GET /status
    viewer    GET /session
    nobody    POST /session
    viewer    DELETE /session
    nobody    POST /setup
    admin     GET /users
    admin     POST /users
    admin     PUT /users/{name}
    admin     DELETE /users/{name}
    admin     POST /users/{name}/unlock
    viewer    PUT /users/{name}/password
    viewer    GET /tokens
    viewer    POST /tokens
    viewer    DELETE /tokens/{number}
    admin     POST /setup-link
    viewer    GET /audit
    viewer    GET /audit/verification
    ");
}

#[actix_web::test]
async fn each_route_is_served_to_its_role_and_those_after_it_and_to_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(folder.path()).unwrap());
    let operator = operator(&store);
    for route in served() {
        let path = filled(route.path);
        let method = route.method.as_str();
        for (role, user) in USERS {
            let peer = Some(PeerUser(user));
            let (status, body) = ask(&operator, peer, method, &path).await;
            let shown = format!("{role} {method} {path}: {status} {body}");
            let Some(needs) = route.needs else {
                // Nobody logs in here.
                assert!(status == 400 && body.contains("control.sock"), "{shown}");
                continue;
            };
            assert_eq!(status == 403, role < needs, "{shown}");
            if status == 403 {
                assert!(body.contains("\"needs-role\""), "{shown}");
                let needed = format!("needs the role {needs}, and uid {user} has {role}");
                assert!(body.contains(&needed), "{shown}");
            }
            // Every answer is one of the operation's own, none a miss of the router's.
            let is_of_the_operation = status != 404 || body.contains("\"kind\"");
            assert!(is_of_the_operation && status != 405, "{shown}");
        }
        let (status, _) = ask(&operator, None, method, &path).await;
        let refused = if route.needs.is_some() { 403 } else { 400 };
        assert_eq!(status, refused, "nobody {method} {path}");
    }
}

#[actix_web::test]
async fn what_is_not_in_the_table_is_not_served() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(folder.path()).unwrap());
    let operator = operator(&store);
    let root = Some(PeerUser(0));
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/no-such-thing"),
        ("DELETE", "/plans"),
        ("PATCH", "/gc"),
        ("GET", "/gc"),
        ("POST", "/status"),
    ] {
        let (status, body) = ask(&operator, root, method, path).await;
        assert_eq!((status, body.as_str()), (404, ""), "{method} {path}");
    }
}

#[actix_web::test]
async fn what_a_branch_believes_is_the_admins_also_by_way_of_an_import() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(folder.path()).unwrap());
    let operator = operator(&store);
    let path =
        "/imports?source_name=x&branch=local&may_ask=false&job=0123456789abcdef0123456789abcdef";
    for (role, user) in USERS {
        let peer = Some(PeerUser(user));
        let (status, body) = ask(&operator, peer, "POST", path).await;
        assert_eq!(status == 403, role < Role::Publisher, "{role}: {body}");
        let path = format!("{path}&signatures=off");
        let (status, body) = ask(&operator, peer, "POST", &path).await;
        assert_eq!(status == 403, role < Role::Admin, "{role}: {body}");
    }
}
