//! A server on real sockets, and a client that sends bytes.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use actix_web::body::{BoxBody, SizedStream};
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use airlock::admin::PeerUser;
use airlock::api::body::Announced;
use airlock::crypto::tls::{Acceptor, ServedTls};
use airlock::server::{ControlSocket, Listeners, ServeError, Settings, Stopped, TimeOuts, serve};
use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::oneshot;

pub use crate::answers::answer;

pub const SHORT: Duration = Duration::from_millis(400);
pub const LONG: Duration = Duration::from_secs(60);

pub struct Server {
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<Stopped, ServeError>>,
}

impl Server {
    /// Starts a server of two workers with these time-outs.
    pub fn start(time_outs: TimeOuts) -> Self {
        let settings = Settings {
            workers: 2,
            time_outs,
            ..Settings::default()
        };
        Self::serving(&settings, None, answers)
    }

    /// Starts a server with these settings that speaks TLS, or none.
    #[allow(dead_code, reason = "not every test target speaks TLS")]
    pub fn speaking<A>(settings: &Settings, tls: Option<Arc<ServedTls>>, api: A) -> Self
    where
        A: Fn(&mut ServiceConfig) + Clone + Send + 'static,
    {
        Self::listening(settings, None, tls, api)
    }

    /// Starts a server with these settings, and a control socket at `control`.
    pub fn serving<A>(settings: &Settings, control: Option<&Path>, api: A) -> Self
    where
        A: Fn(&mut ServiceConfig) + Clone + Send + 'static,
    {
        Self::listening(settings, control, None, api)
    }

    fn listening<A>(
        settings: &Settings,
        control: Option<&Path>,
        tls: Option<Arc<ServedTls>>,
        api: A,
    ) -> Self
    where
        A: Fn(&mut ServiceConfig) + Clone + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, asked) = oneshot::channel();
        let settings = settings.clone();
        let socket = control.map(|path| ControlSocket::bind(path).unwrap());
        let ended = thread::spawn(move || {
            let (_file, control) = socket.unzip();
            let listeners = Listeners {
                api: vec![listener],
                are_inherited: false,
                tls: tls.map(Acceptor::new),
                api_sockets: Vec::new(),
                control,
            };
            let asked = async { drop(asked.await) };
            serve(listeners, &settings, api, control_answers, |_| asked)
        });
        Self {
            address,
            stop,
            ended,
        }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream
    }

    pub fn stop(self) -> Stopped {
        self.stop.send(()).unwrap();
        self.ended.join().unwrap().unwrap()
    }
}

pub fn long() -> TimeOuts {
    TimeOuts {
        handshake: LONG,
        idle: LONG,
        head: LONG,
        body: LONG,
        write: LONG,
        stop: LONG,
    }
}

/// How many bytes `/endless` has given out, by all servers of this process.
pub static GIVEN: AtomicUsize = AtomicUsize::new(0);

pub fn answers(app: &mut ServiceConfig) {
    app.route("/", web::to(|| async { "hello\n" }));
    app.route(
        "/slow",
        web::to(|| async {
            tokio::time::sleep(Duration::from_millis(600)).await;
            "slow\n"
        }),
    );
    // Not counted: see GIVEN.
    app.route(
        "/flowing",
        web::to(|| async {
            let chunks =
                stream::repeat_with(|| Ok::<_, io::Error>(Bytes::from_static(&[0; 1 << 18])));
            HttpResponse::Ok().body(SizedStream::new(1 << 40, chunks))
        }),
    );
    app.route(
        "/large",
        web::to(|| async { Bytes::from_static(&[0; 16 << 20]) }),
    );
    app.route(
        "/announced",
        web::to(|| async { HttpResponse::Ok().body(BoxBody::new(Announced(1 << 40))) }),
    );
    app.route(
        "/endless",
        web::to(|| async {
            let chunks = stream::repeat_with(|| {
                GIVEN.fetch_add(1 << 18, Ordering::Relaxed);
                Ok::<_, io::Error>(Bytes::from_static(&[0; 1 << 18]))
            });
            HttpResponse::Ok().body(SizedStream::new(1 << 40, chunks))
        }),
    );
    app.route(
        "/damaged",
        web::to(|| async {
            let first = stream::iter([Ok(Bytes::from_static(b"half"))]);
            let chunks = first.chain(stream::once(async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                Err(io::Error::other("checksum"))
            }));
            let chunks = Box::pin(chunks);
            HttpResponse::Ok().body(SizedStream::new(8, chunks))
        }),
    );
}

fn control_answers(app: &mut ServiceConfig) {
    app.route(
        "/upload",
        web::post().to(|body: web::Payload| async { uploaded(body).await }),
    );
    app.route(
        "/who",
        web::to(|request: HttpRequest| async move {
            let PeerUser(id) = request.conn_data().unwrap();
            id.to_string()
        }),
    );
}

pub fn ask(mut stream: impl Write, path: &str) {
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
}

pub fn is_closed(mut stream: &TcpStream) -> bool {
    matches!(stream.read(&mut [0; 64]), Ok(0))
}

/// Tells how many bytes of a body came, and how it ended.
async fn uploaded(mut body: web::Payload) -> String {
    let mut bytes = 0;
    while let Some(chunk) = body.next().await {
        match chunk {
            Ok(chunk) => bytes += chunk.len(),
            Err(error) => return format!("{bytes} and {error}"),
        }
    }
    format!("{bytes} and the end")
}
