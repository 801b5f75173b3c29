//! The places for the connections of one listener in one worker, and whose place is given away when all are taken.
//!
//! A connection that says nothing costs its client nothing, so whoever opens enough of them would have every place. When a
//! newcomer finds none free, the connection that has waited longest for a request is ended: never one that is being
//! answered. Where all are being answered newcomers stay in the kernel's queue, for another worker or a later moment.
//! Knows nothing of what a connection waits for: it is told (see [`super::connection`]).

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tokio::task::AbortHandle;

/// Answers at a time up to which each may hold as much memory as makes it quick.
const FEW: usize = 8;

/// All places of one listener in one worker.
#[derive(Debug)]
pub struct Places {
    most: usize,
    taken: Cell<usize>,
    /// Of these, how many were taken before the server was asked to stop; none until then.
    old: Cell<usize>,
    is_stopping: Cell<bool>,
    /// Those who wait for a request, in the order in which they began to.
    waiting: RefCell<BTreeMap<u64, AbortHandle>>,
    next_turn: Cell<u64>,
    /// The accept loop, when it waits for something to change here.
    acceptor: RefCell<Option<Waker>>,
}

impl Places {
    /// Returns `most` places; one more is taken while a connection whose place was given away ends.
    pub fn new(most: usize) -> Rc<Self> {
        Rc::new(Self {
            most: most.max(1),
            taken: Cell::new(0),
            old: Cell::new(0),
            is_stopping: Cell::new(false),
            waiting: RefCell::default(),
            next_turn: Cell::new(0),
            acceptor: RefCell::default(),
        })
    }

    /// Returns how many are taken.
    pub fn taken(&self) -> usize {
        self.taken.get()
    }

    /// Tells whether many are being answered. Those whose first request is not read yet count.
    pub fn are_crowded(&self) -> bool {
        self.taken.get() > FEW + self.waiting.borrow().len()
    }

    /// Ready when a newcomer can have a place at once. One task at a time may ask.
    pub fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        let taken = self.taken.get();
        let has_room =
            taken < self.most || (taken == self.most && !self.waiting.borrow().is_empty());
        self.poll_for(has_room, cx)
    }

    /// Ready when no place is taken. One task at a time may ask.
    pub fn poll_empty(&self, cx: &Context<'_>) -> Poll<()> {
        self.poll_for(self.taken.get() == 0, cx)
    }

    /// Notes that the server was asked to stop: who has a place now is old.
    pub fn begin_to_stop(&self) {
        self.is_stopping.set(true);
        self.old.set(self.taken.get());
    }

    /// Ready when all who were there when the server was asked to stop are gone. One task at a time may ask.
    pub fn poll_old_gone(&self, cx: &Context<'_>) -> Poll<()> {
        self.poll_for(self.old.get() == 0, cx)
    }

    fn poll_for(&self, is_so: bool, cx: &Context<'_>) -> Poll<()> {
        if is_so {
            return Poll::Ready(());
        }
        *self.acceptor.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Takes a place, and ends who has waited longest for a request if none is free.
    pub fn take(self: &Rc<Self>) -> Taken {
        if self.taken.get() >= self.most
            && let Some((_, longest)) = self.waiting.borrow_mut().pop_first()
        {
            longest.abort();
        }
        self.taken.set(self.taken.get() + 1);
        Taken(Rc::new(Place {
            places: Rc::clone(self),
            task: OnceCell::new(),
            turn: Cell::new(None),
            is_given_up: Cell::new(false),
            is_new: self.is_stopping.get(),
        }))
    }

    fn wake_acceptor(&self) {
        let acceptor = self.acceptor.take();
        if let Some(acceptor) = acceptor {
            acceptor.wake();
        }
    }
}

/// A place, as its connection sees it.
#[derive(Debug)]
pub struct Place {
    places: Rc<Places>,
    task: OnceCell<AbortHandle>,
    turn: Cell<Option<u64>>,
    is_given_up: Cell<bool>,
    /// Whether the server had been asked to stop when it was taken.
    is_new: bool,
}

impl Place {
    /// Tells whether the connection is one of many, so that none should hold much: see [`Places::are_crowded`].
    pub fn is_in_a_crowd(&self) -> bool {
        self.places.are_crowded()
    }

    /// Notes whose the place is. Until it waits it is not given away: its first request may have come unread.
    pub fn occupy(&self, task: AbortHandle) {
        // Set once, and a task that has ended meanwhile has given its place up.
        let _ = self.task.set(task);
    }

    /// Notes that the connection waits for a request, if that is not known.
    pub fn go_on_waiting(&self) {
        if self.turn.get().is_none() {
            self.wait();
        }
    }

    /// Notes that the connection waits for a request from now on: of all that wait it is the last to be ended.
    pub fn wait(&self) {
        self.stop_waiting();
        if let Some(task) = self.task.get().filter(|_| !self.is_given_up.get()) {
            let turn = self.places.next_turn.get();
            self.places.next_turn.set(turn + 1);
            self.turn.set(Some(turn));
            let mut waiting = self.places.waiting.borrow_mut();
            waiting.insert(turn, task.clone());
            drop(waiting);
            self.places.wake_acceptor();
        }
    }

    /// Notes that the connection is being answered: its place is its own.
    pub fn stop_waiting(&self) {
        if let Some(turn) = self.turn.take() {
            self.places.waiting.borrow_mut().remove(&turn);
        }
    }
}

/// A place that is taken until this is dropped.
#[derive(Debug)]
pub struct Taken(Rc<Place>);

impl Taken {
    /// Returns what the connection needs of it.
    pub fn place(&self) -> Rc<Place> {
        Rc::clone(&self.0)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let Place { places, .. } = &*self.0;
        self.0.stop_waiting();
        self.0.is_given_up.set(true);
        places.taken.set(places.taken.get() - 1);
        if !self.0.is_new {
            // Before the stop nobody looks at it.
            places.old.set(places.old.get().saturating_sub(1));
        }
        places.wake_acceptor();
    }
}
