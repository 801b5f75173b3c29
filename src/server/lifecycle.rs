//! From the first answer to the stop: what the service manager hears, and what signals do.
//!
//! SIGTERM and SIGINT stop the server, SIGHUP has it take up its settings anew. Ready is a server whose workers have each
//! answered once; alive is one whose workers still do. Facts: `sd_notify(3)`, `systemd.service(5)` on `Type=notify-reload`.

use std::io::{self, IsTerminal};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::notify::Notifier;
use super::pulse::Pulse;
use super::reload::Reloads;

/// How long a stop may take: the time-out of what is being answered, and what is around it.
const MOST_STOP: Duration = Duration::from_secs(45);

/// How often it is looked whether the workers answer where no service manager asks.
const NO_WATCHDOG: Duration = Duration::from_secs(3600);

/// What a server tells the service manager, and what it takes up anew.
pub struct Lifecycle {
    /// The way to the service manager.
    pub notifier: Notifier,
    /// What is taken up on SIGHUP.
    pub reloads: Reloads,
    /// What is served, in a line.
    pub status: watch::Receiver<String>,
}

impl Lifecycle {
    /// Runs from the start of the workers until the server is to stop. Calls `ready` once all of them have answered: who
    /// is told that the server runs can ask it, stop it and reload it.
    ///
    /// Fails when signals cannot be listened to, and when a worker is gone before all have answered. Later signals are
    /// swallowed: the server stops within [`super::TimeOuts::stop`] anyway.
    pub async fn conduct(mut self, pulse: Pulse, ready: impl FnOnce()) -> io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let had_terminal = io::stdin().is_terminal();
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            beat = pulse.beat() => beat?,
        }
        ready();
        let line = self.line();
        self.notifier.ready(&line);

        // Twice in the time that the manager gives, so that one late answer is not the end.
        let patience = self.notifier.watchdog().unwrap_or(NO_WATCHDOG) / 2;
        let mut looks = interval(patience);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hang_up.recv() => {
                    // The terminal that it was started at is gone: nobody else ends it.
                    if had_terminal && !io::stdin().is_terminal() {
                        break;
                    }
                    self = self.reload().await?;
                }
                Ok(()) = self.status.changed() => {
                    let line = self.line();
                    self.notifier.status(&line);
                }
                _ = looks.tick() => match timeout(patience, pulse.beat()).await {
                    Ok(Ok(())) => self.notifier.alive(),
                    // The others go on answering; the manager decides what is better.
                    Ok(Err(error)) => tracing::error!(%error, "a worker does not answer"),
                    Err(_) => tracing::error!("a worker does not answer"),
                },
            }
        }
        self.notifier
            .stopping("finishing what is being answered", MOST_STOP);
        Ok(())
    }

    async fn reload(mut self) -> io::Result<Self> {
        self.notifier.reloading();
        let run = move || {
            let failed = self.reloads.run();
            (self, failed)
        };
        let (mut this, failed) = tokio::task::spawn_blocking(run).await?;
        let mut line = this.line();
        if !failed.is_empty() {
            line.push_str(&format!("; not reloaded: {}", failed.join(", ")));
        }
        this.notifier.ready(&line);
        Ok(this)
    }

    fn line(&mut self) -> String {
        self.status.borrow_and_update().clone()
    }
}
