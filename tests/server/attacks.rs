//! Requests that are none, and requests that somebody else would read otherwise.
