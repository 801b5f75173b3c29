//! How a listening TCP socket is closed without losing a connection.
//!
//! The kernel resets every connection that it has completed and nobody has accepted when the socket is closed. Between
//! the last accept and the close there is always time for one more, and its client sees a reset on a new connection,
//! which it must not ask again (RFC 9110, 9.2.2). So first the kernel is told to take no new handshakes: their clients
//! try again after a second, and find a server that has come since, or none. What is in the queue is then accepted, and
//! the close resets nothing.

use std::io;
use std::net::TcpListener;

use socket2::{SockFilter, SockRef};

/// Has the kernel ignore new handshakes on `listener`, and finish those that have begun.
///
/// Holds for all who share the socket, for as long as it is open: never call it on one that outlives this process.
/// Needs no privilege. Fails where the system has no socket filters; then a connection may be lost at the close.
pub fn take_no_more(listener: &TcpListener) -> io::Result<()> {
    // A filter on a TCP socket sees the segment from the TCP header on; byte 13 holds the flags (RFC 9293, 3.1).
    const LOAD_BYTE: u16 = 0x30;
    const JUMP_IF_SET: u16 = 0x45;
    const RETURN: u16 = 0x06;
    const SYN: u32 = 0x02;
    SockRef::from(listener).attach_filter(&[
        SockFilter::new(LOAD_BYTE, 0, 0, 13),
        SockFilter::new(JUMP_IF_SET, 0, 1, SYN),
        SockFilter::new(RETURN, 0, 0, 0),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;
    use std::time::Duration;

    #[test]
    fn what_was_connected_before_is_still_accepted_and_nothing_comes_after() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let before = TcpStream::connect(address).unwrap();
        take_no_more(&listener).unwrap();
        let wait = Duration::from_millis(200);
        let error = TcpStream::connect_timeout(&address, wait).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let (_, peer) = listener.accept().unwrap();
        assert_eq!(peer, before.local_addr().unwrap());
    }
}
