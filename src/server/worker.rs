//! One worker: a thread that accepts connections and answers their requests.
//!
//! Every worker has a runtime of one thread and accepts from the same sockets, so a connection never moves between
//! threads. Accepting is ours and not actix-server's because of how it stops: a connection that is closed before its
//! first byte is asked for again by its client at once, so the sockets stay open for a moment after idle connections
//! were closed, and what waits in the kernel's queue is taken out before they are closed (see [`super::door`]).

use std::future::{Future, poll_fn};
use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::os::unix::net::UnixListener as StdUnixListener;
use std::pin::pin;
use std::rc::Rc;
use std::task::ready;
use std::time::Duration;

use actix_http::{HttpService, KeepAlive};
use actix_service::{Service, ServiceFactory, map_config};
use actix_web::App;
use actix_web::dev::AppConfig;
use actix_web::web::ServiceConfig;
use futures_util::future::{Either, FutureExt, LocalBoxFuture, select, try_join_all};
use socket2::SockRef;
use tokio::net::{TcpListener, UnixListener};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use super::connection::{Stopping, TimeOuts, TimedStream};
use super::door;
use super::handshake::Handshake;
use super::places::{Places, Taken};
use super::pulse::{self, Asked};
use super::request_body;
use super::request_log::{Begun, Watching};
use super::transport::Transport;
use crate::crypto::tls::Acceptor;

/// How long new connections are accepted after the idle ones were closed: their clients ask again within it.
const ACCEPT_GRACE: Duration = Duration::from_millis(250);

/// How long begun handshakes are given to end.
const HANDSHAKE_GRACE: Duration = Duration::from_millis(50);

/// How long a connection is read on after its request was refused unread, so that the client sees why.
const LINGER: Duration = Duration::from_secs(30);

/// Bytes that the kernel keeps for one of many clients beyond those it has sent.
const UNSENT_BYTES: u32 = 128 << 10;

/// Pause after a failed accept: most often there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections of the command line at a time.
const CONTROL_CONNECTIONS: usize = 64;

/// What every listener of a worker has in common.
#[derive(Clone)]
pub struct Terms {
    /// Connections of one listener in one worker at a time.
    pub max_connections: usize,
    /// Their time-outs.
    pub time_outs: TimeOuts,
    /// What looks at each request.
    pub watching: Watching,
    /// Since when the server is stopping.
    pub stopping: Stopping,
    /// Changes once, when the server is asked to stop.
    pub asked_to_stop: watch::Receiver<bool>,
}

/// What one worker serves.
pub struct Worker<A, C> {
    /// TCP sockets, shared with the other workers.
    pub api_listeners: Vec<StdTcpListener>,
    /// Whether they outlive this process.
    pub are_inherited: bool,
    /// What is spoken on them; `None` is plain HTTP.
    pub tls: Option<Acceptor>,
    /// Unix sockets with the same answers, shared with the other workers.
    pub api_sockets: Vec<StdUnixListener>,
    /// The socket of the command line.
    pub control_listener: Option<StdUnixListener>,
    /// Where it is asked whether it answers.
    pub asked: Asked,
    /// Configures what is served on TCP.
    pub api: A,
    /// Configures what is served to the command line.
    pub control: C,
    /// Threads that read the store.
    pub blocking_threads: usize,
    /// What every listener has in common.
    pub terms: Terms,
}

impl<A, C> Worker<A, C>
where
    A: Fn(&mut ServiceConfig) + Clone + 'static,
    C: Fn(&mut ServiceConfig) + Clone + 'static,
{
    /// Serves until the server has stopped; blocks the calling thread. Returns how many connections were cut.
    pub fn run(self) -> io::Result<usize> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(self.blocking_threads.max(1))
            .build_local(LocalOptions::default())?;
        let mut served: Vec<LocalBoxFuture<'static, io::Result<usize>>> = Vec::new();
        for listener in self.api_listeners {
            let served_here = serve_tcp(
                listener,
                self.are_inherited,
                self.tls.clone(),
                self.terms.clone(),
                self.api.clone(),
            );
            served.push(served_here.boxed_local());
        }
        for listener in self.api_sockets {
            let served_here = serve_unix(listener, self.terms.clone(), self.api.clone());
            served.push(served_here.boxed_local());
        }
        served.push(pulse::answer(self.asked, self.api).boxed_local());
        if let Some(listener) = self.control_listener {
            let terms = Terms {
                max_connections: CONTROL_CONNECTIONS,
                ..self.terms
            };
            served.push(serve_unix(listener, terms, self.control).boxed_local());
        }
        let cut = runtime.block_on(try_join_all(served));
        // Does not wait for reads whose connections were cut.
        runtime.shutdown_background();
        Ok(cut?.into_iter().sum())
    }
}

async fn serve_tcp<A>(
    listener: StdTcpListener,
    is_inherited: bool,
    tls: Option<Acceptor>,
    terms: Terms,
    app: A,
) -> io::Result<usize>
where
    A: Fn(&mut ServiceConfig) + 'static,
{
    let address = listener.local_addr()?;
    listener.set_nonblocking(true)?;
    let door = (!is_inherited).then(|| listener.try_clone()).transpose()?;
    let listener = TcpListener::from_std(listener)?;
    let places = Places::new(terms.max_connections);
    let crowd = Rc::clone(&places);
    let accept = async move || {
        let (stream, peer) = listener.accept().await?;
        stream.set_nodelay(true)?;
        if crowd.are_crowded() {
            // Else the kernel takes most of a zip for a client that reads none of it. What is under way does not count.
            let _ = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT_BYTES);
        }
        Ok((Transport::Tcp(stream), Some(peer)))
    };
    serve(accept, places, door, address, tls, terms, app).await
}

async fn serve_unix<A>(listener: StdUnixListener, terms: Terms, app: A) -> io::Result<usize>
where
    A: Fn(&mut ServiceConfig) + 'static,
{
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener)?;
    let accept = async move || Ok((Transport::Unix(listener.accept().await?.0), None));
    let places = Places::new(terms.max_connections);
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
    serve(accept, places, None, nowhere, None, terms, app).await
}

async fn serve<A>(
    accept: impl AsyncFn() -> io::Result<(Transport, Option<SocketAddr>)>,
    places: Rc<Places>,
    door: Option<StdTcpListener>,
    address: SocketAddr,
    tls: Option<Acceptor>,
    terms: Terms,
    app: A,
) -> io::Result<usize>
where
    A: Fn(&mut ServiceConfig) + 'static,
{
    let watching = Rc::new(terms.watching);
    let app = App::new()
        .wrap_fn(move |mut request, service| {
            request_body::bound(&mut request, terms.time_outs.body);
            let begun = Begun::new(&request, &watching);
            let answer = service.call(request);
            async move { Ok(begun.answered(answer.await?)) }
        })
        .configure(app);
    let service = HttpService::build()
        // Of all time-outs only the one for lingering is left to actix: see `connection`.
        .keep_alive(KeepAlive::Os)
        .client_request_timeout(Duration::ZERO)
        .client_disconnect_timeout(LINGER)
        .local_addr(address)
        .on_connect_ext(|stream: &TimedStream<Transport>, data| {
            data.insert(stream.connection());
            if let Some(user) = stream.get_ref().peer_user() {
                data.insert(user);
            }
            if let Some(over_tls) = stream.get_ref().over_tls() {
                data.insert(over_tls);
            }
        })
        .h1(map_config(app, |_| AppConfig::default()))
        .new_service(())
        .await
        .map_err(|()| io::Error::other("the service cannot be built"))?;
    let service = Rc::new(service);

    let begin = |accepted: Transport, peer: Option<SocketAddr>, taken: Taken| {
        let place = taken.place();
        let stopping = terms.stopping.clone();
        let time_outs = terms.time_outs;
        let mut asked_to_stop = terms.asked_to_stop.clone();
        let handshake = Handshake {
            acceptor: tls.clone(),
            time_out: time_outs.handshake,
            asked_to_stop: asked_to_stop.clone(),
        };
        let service = Rc::clone(&service);
        let task = tokio::task::spawn_local(async move {
            let place = taken.place();
            // In a box of its own: the memory of a handshake is free again once it is over.
            let Some(stream) = Box::pin(handshake.shake(accepted, &place)).await else {
                return;
            };
            let stream = TimedStream::new(stream, time_outs, place, stopping);
            let answers = pin!(service.call((stream, peer)));
            let asked = pin!(asked_to_stop.wait_for(|is_asked| *is_asked));
            // Being asked to stop ends nothing here: it wakes the connection, which then looks whether it is idle.
            let result = match select(answers, asked).await {
                Either::Left((result, _)) => result,
                Either::Right((_, answers)) => answers.await,
            };
            if let Err(error) = result {
                tracing::debug!(%error, "connection ended");
            }
            drop(taken);
        });
        place.occupy(task.abort_handle());
    };
    let accept_one = async || {
        let mut accepted = pin!(accept());
        let accepted = poll_fn(|cx| {
            // Looked for each time: what is not accepted here may be by another worker.
            ready!(places.poll_room(cx));
            accepted.as_mut().poll(cx)
        });
        match accepted.await {
            Ok((stream, peer)) => begin(stream, peer, places.take()),
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    };

    let mut asked_to_stop = terms.asked_to_stop.clone();
    until(asked_to_stop.wait_for(|is_asked| *is_asked), &accept_one).await;
    places.begin_to_stop();
    let since = terms.stopping.since().unwrap_or_else(Instant::now);
    until(sleep(ACCEPT_GRACE), &accept_one).await;
    if door.is_none() {
        // Nobody else answers here before this process is gone: as long as one client keeps it, others are not to wait.
        let old_gone = poll_fn(|cx| places.poll_old_gone(cx));
        let last_call = since + terms.time_outs.stop / 6 * 5;
        until(timeout_at(last_call, old_gone), &accept_one).await;
    }
    if let Some(door) = door {
        if let Err(error) = door::take_no_more(&door) {
            tracing::debug!(%error, "a connection may be lost now");
        }
        until(sleep(HANDSHAKE_GRACE), &accept_one).await;
        empty_queue(terms.max_connections, &accept_one).await;
    }
    drop(accept);

    let all_ended = poll_fn(|cx| places.poll_empty(cx));
    let _ = timeout_at(since + terms.time_outs.stop, all_ended).await;
    Ok(places.taken())
}

/// Accepts what waits in the kernel's queue, `most` connections at most.
async fn empty_queue(most: usize, accept_one: &impl AsyncFn()) {
    // Lets the reactor see what came last.
    tokio::task::yield_now().await;
    for _ in 0..most {
        let one = tokio::task::unconstrained(accept_one());
        if one.now_or_never().is_none() {
            return;
        }
    }
}

/// Accepts one connection after the other until `end` has come.
async fn until(end: impl Future, accept_one: &impl AsyncFn()) {
    let mut end = pin!(end);
    loop {
        let one = pin!(accept_one());
        match select(end.as_mut(), one).await {
            Either::Left(_) => return,
            Either::Right(_) => {}
        }
    }
}
