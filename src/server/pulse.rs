//! Whether the workers answer: each is asked over a stream in memory, by the thread and the application that answer
//! Kibana.
//!
//! So it does not matter what lies before them: no address need be reached (a service with a network of its own reaches
//! none), no certificate shown, no list passed. What a disk does is no part of it: answers come out of memory while a
//! disk hangs, and a start anew would not help there.

use std::io;
use std::rc::Rc;

use actix_http::HttpService;
use actix_service::{Service, ServiceFactory, map_config};
use actix_web::App;
use actix_web::dev::AppConfig;
use actix_web::web::ServiceConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;

/// Asks the workers.
#[derive(Debug)]
pub struct Pulse(Vec<mpsc::Sender<DuplexStream>>);

/// Where a worker is asked.
pub(super) type Asked = mpsc::Receiver<DuplexStream>;

const QUESTION: &[u8] = b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
/// What every answer begins with, whatever it is: one that refuses is one, too.
const ANSWER: &[u8] = b"HTTP/1.1 ";

impl Pulse {
    /// Returns the one that asks, and where each of `workers` is asked.
    pub(super) fn of(workers: usize) -> (Self, Vec<Asked>) {
        let (ask, asked) = (0..workers).map(|_| mpsc::channel(1)).unzip();
        (Self(ask), asked)
    }

    /// Waits until every worker has answered once from now on. Fails when one is gone; waits for ever for one that hangs.
    pub async fn beat(&self) -> io::Result<()> {
        for worker in &self.0 {
            let (mut stream, end) = tokio::io::duplex(4096);
            let gone = |_| io::Error::other("a worker is gone");
            worker.send(end).await.map_err(gone)?;
            stream.write_all(QUESTION).await?;
            let mut answer = [0; ANSWER.len()];
            stream.read_exact(&mut answer).await?;
            if answer != ANSWER {
                return Err(io::Error::other("a worker gives an answer that is none"));
            }
        }
        Ok(())
    }
}

/// Answers what a worker is `asked`, until nobody asks any more.
pub(super) async fn answer<A>(mut asked: Asked, app: A) -> io::Result<usize>
where
    A: Fn(&mut ServiceConfig) + 'static,
{
    let app = App::new().configure(app);
    let service = HttpService::build()
        .h1(map_config(app, |_| AppConfig::default()))
        .new_service(())
        .await
        .map_err(|()| io::Error::other("the service cannot be built"))?;
    let service = Rc::new(service);
    while let Some(stream) = asked.recv().await {
        let service = Rc::clone(&service);
        // Who asked may have gone: then nobody is told.
        tokio::task::spawn_local(async move { service.call((stream, None)).await });
    }
    Ok(0)
}
