//! The limit of open files of this process, and how many connections fit under it.
//!
//! Facts: getrlimit(2). Programs start with a low soft limit for the sake of select(2), which is not used here, and may
//! raise it to the hard one by themselves.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Connections at a time where the limit allows them; one that says nothing costs about 10 KiB.
const MOST_CONNECTIONS: u32 = 16_384;

/// Files that are no connections of clients: the store's, an import's, the sockets, the control socket's connections.
const OTHER_FILES: u64 = 256;

/// Raises this process's soft limit of open files to the hard one, and returns what is the limit then; `None` is no limit.
pub fn raise() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        Err(_) => current,
    }
}

/// Returns how many connections of clients to serve under a limit of open files.
///
/// Says so in the log when they are fewer than they should be.
pub fn connections_under(limit: Option<u64>) -> u32 {
    let connections = fitting(limit);
    if connections < MOST_CONNECTIONS {
        tracing::warn!(
            open_files = limit,
            connections,
            "the limit of open files is low: raise its hard value (ulimit -Hn, LimitNOFILE=) to 16640 or more"
        );
    }
    connections
}

fn fitting(limit: Option<u64>) -> u32 {
    let free = limit.map(|limit| limit.saturating_sub(OTHER_FILES).max(limit / 2));
    free.and_then(|free| u32::try_from(free).ok())
        .map_or(MOST_CONNECTIONS, |free| free.clamp(1, MOST_CONNECTIONS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_other_files() {
        for (limit, expected) in [
            (None, 16_384),
            (Some(u64::MAX), 16_384),
            (Some(524_288), 16_384),
            (Some(16_640), 16_384),
            (Some(16_639), 16_383),
            (Some(4_096), 3_840),
            (Some(1_024), 768),
            (Some(256), 128),
            (Some(1), 1),
            (Some(0), 1),
        ] {
            assert_eq!(fitting(limit), expected, "{limit:?}");
        }
    }

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        assert_eq!(raise(), getrlimit(Resource::Nofile).maximum);
        assert_eq!(getrlimit(Resource::Nofile).current, raise());
    }
}
