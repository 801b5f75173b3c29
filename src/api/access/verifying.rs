//! The thread that verifies passwords: one at a time, beside those that answer and those that read the store.
//!
//! So a flood of wrong passwords costs one core, makes new ones wait, and holds up nobody whose password is known.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use actix_web::{HttpMessage, HttpRequest};
use tokio::sync::oneshot;

use super::User;
use super::users::{Credentials, Seen, Users};
use crate::api::error::ApiError;
use crate::crypto::Digest;

/// Passwords that wait to be verified; a second's work.
const MOST_WAITING: usize = 32;

/// The way to the thread, which ends with this.
#[derive(Debug)]
pub struct Verifier(SyncSender<Work>);

struct Work {
    tag: Digest,
    sent: Credentials,
    answer: oneshot::Sender<Option<Arc<str>>>,
}

impl Verifier {
    pub fn begin(seen: &Arc<Seen>) -> io::Result<Self> {
        let (sender, work) = sync_channel::<Work>(MOST_WAITING);
        let seen = Arc::clone(seen);
        let verify = move || {
            for work in work {
                // Nobody waits for what a client has given up.
                if !work.answer.is_closed() {
                    let _ = work.answer.send(seen.verify(work.tag, &work.sent));
                }
            }
        };
        thread::Builder::new()
            .name("airlock-passwords".to_owned())
            .spawn(verify)?;
        Ok(Self(sender))
    }
}

/// A request whose password is to be verified.
pub struct Attempt {
    users: Arc<Users>,
    request: HttpRequest,
    tag: Digest,
    sent: Credentials,
}

impl Attempt {
    pub(super) fn new(
        users: &Arc<Users>,
        request: &HttpRequest,
        tag: Digest,
        sent: Credentials,
    ) -> Self {
        Self {
            users: Arc::clone(users),
            request: request.clone(),
            tag,
            sent,
        }
    }

    /// Waits until the password is verified. Fails where it is wrong, or too many wait.
    pub async fn decide(self) -> Result<(), ApiError> {
        let (answer, verified) = oneshot::channel();
        let work = Work {
            tag: self.tag,
            sent: self.sent,
            answer,
        };
        self.users
            .verifier
            .0
            .try_send(work)
            .map_err(|_| ApiError::Busy)?;
        let user = verified.await.map_err(|_| ApiError::Busy)?;
        let user = user.ok_or(ApiError::Unauthenticated)?;
        self.request.extensions_mut().insert(User(user));
        Ok(())
    }
}
