//! A file of keys: armored or binary, one or several.

use std::collections::BTreeMap;

use pgp::armor::BlockType;
use pgp::types::Tag;

use super::packets::{self, Frame};
use super::{Certificate, CertificateError};
use crate::limits::Limits;

/// What a file of keys holds. What is wrong with one certificate leaves the others as they are.
#[derive(Debug)]
pub struct KeyFile {
    /// The certificates that count, in the order of the file, each once.
    pub certificates: Vec<Certificate>,
    /// Why others do not.
    pub refused: Vec<CertificateError>,
}

impl KeyFile {
    /// Reads a file's bytes. Verifies each self-signature in it, a fraction of a millisecond each.
    ///
    /// A file without any key has [`CertificateError::NoKey`] among what it refuses.
    pub fn read(bytes: &[u8], limits: &Limits) -> Self {
        let mut file = Self {
            certificates: Vec::new(),
            refused: Vec::new(),
        };
        if bytes.len() as u64 > limits.key_file_bytes {
            file.refused.push(CertificateError::TooLarge {
                limit_bytes: limits.key_file_bytes,
            });
            return file;
        }
        let mut packets_left = limits.key_packets;
        if packets::are_binary(bytes) {
            file.add_packets(bytes, &mut packets_left, limits);
        } else {
            let text = String::from_utf8_lossy(bytes);
            for block in packets::armored(&text).0 {
                match packets::unarmored(block) {
                    Some((BlockType::PublicKey, bytes)) => {
                        file.add_packets(&bytes, &mut packets_left, limits);
                    }
                    Some((BlockType::PrivateKey, _)) => {
                        file.refused.push(CertificateError::SecretKey);
                    }
                    Some(_) => file.refused.push(CertificateError::NoKey),
                    None => file.refused.push(CertificateError::Damaged),
                }
            }
        }
        if file.certificates.is_empty() && file.refused.is_empty() {
            file.refused.push(CertificateError::NoKey);
        }
        file.join_equal(limits);
        file
    }

    fn add_packets(&mut self, bytes: &[u8], packets_left: &mut usize, limits: &Limits) {
        let mut rest = bytes;
        // Where the certificate in hand begins, and what it begins with.
        let mut current: Option<(usize, Tag)> = None;
        while !rest.is_empty() {
            let at = bytes.len() - rest.len();
            let Some((frame, after)) = Frame::first(rest) else {
                // Where the next packet begins nobody can tell. The key in hand is whole where another begins.
                if let Some((begin, tag)) = current
                    && matches!(
                        Frame::first_tag(rest),
                        Some(Tag::PublicKey | Tag::SecretKey)
                    )
                {
                    self.add(tag, &bytes[begin..at]);
                }
                self.refused.push(CertificateError::Damaged);
                return;
            };
            if *packets_left == 0 {
                self.refused.push(CertificateError::TooManyPackets {
                    limit: limits.key_packets,
                });
                return;
            }
            *packets_left -= 1;
            match frame.tag() {
                tag @ (Tag::PublicKey | Tag::SecretKey) => {
                    if let Some((begin, tag)) = current.replace((at, tag)) {
                        self.add(tag, &bytes[begin..at]);
                    }
                }
                // A marker, or padding, says nothing.
                Tag::Marker | Tag::Padding => {}
                _ if current.is_none() => {
                    self.refused.push(CertificateError::NoKey);
                    return;
                }
                _ => {}
            }
            rest = after;
        }
        if let Some((begin, tag)) = current {
            self.add(tag, &bytes[begin..]);
        }
    }

    fn add(&mut self, tag: Tag, bytes: &[u8]) {
        if tag == Tag::SecretKey {
            self.refused.push(CertificateError::SecretKey);
            return;
        }
        match Certificate::from_packets(bytes) {
            Ok(certificate) => self.certificates.push(certificate),
            Err(error) => self.refused.push(error),
        }
    }

    fn join_equal(&mut self, limits: &Limits) {
        let mut places = BTreeMap::new();
        let mut joined: Vec<Certificate> = Vec::new();
        for certificate in self.certificates.drain(..) {
            match places.get(certificate.fingerprint()) {
                None => {
                    places.insert(certificate.fingerprint().clone(), joined.len());
                    joined.push(certificate);
                }
                Some(&place) => match joined[place].joined(&certificate, limits) {
                    Ok(both) => joined[place] = both,
                    Err(error) => self.refused.push(error),
                },
            }
        }
        self.certificates = joined;
    }
}
