//! What is read from the log and from peers, for the fuzz targets: built only with `--cfg fuzzing` (`scripts/fuzz`).

use bytes::Bytes;
use ca_core::command::Envelope;
use ca_core::register::Key;
use prost::Message as _;

use crate::codec;
use crate::store::key;
use crate::wire::{log as log_wire, peer as wire};

/// The octets of a command, for seeds.
#[must_use]
pub fn encode(envelope: &Envelope) -> Vec<u8> {
    codec::encode_envelope(envelope).to_vec()
}

/// What a node reads of its own disk, or a peer's log: a command, a batch, a key, a row. What is read is written in
/// the same octets, or in fewer: protobuf has many encodings of one message.
pub fn log(octets: &[u8]) {
    let bytes = Bytes::copy_from_slice(octets);
    if let Ok(envelope) = codec::decode_envelope(bytes.clone()) {
        let written = codec::encode_envelope(&envelope);
        assert!(written.len() <= octets.len(), "nothing is read that was not there");
        assert_eq!(codec::decode_envelope(written).as_ref(), Ok(&envelope));
    }
    if let Ok(batch) = codec::decode_batch(bytes) {
        let written = codec::encode_batch(batch.clone());
        assert_eq!(codec::decode_batch(written), Ok(batch));
    }
    let (length, rest) =
        octets.split_first().map_or((0, octets), |(first, rest)| (usize::from(*first), rest));
    let Some((key, row)) = rest.split_at_checked(length) else { return };
    let Ok(key) = key::decode(key) else { return };
    row_under(&key, row);
}

fn row_under(key: &Key, octets: &[u8]) {
    assert_eq!(key::decode(&key::encode(key)).as_ref(), Ok(key), "keys have one encoding");
    if let Ok(value) = codec::decode_value(key, octets) {
        let written = codec::encode_value(&value);
        assert_eq!(codec::decode_value(key, &written).as_ref(), Ok(&value));
    }
}

/// The octets of a row under its key, for seeds.
#[must_use]
pub fn row(key: &Key, value: &ca_core::register::Value) -> Vec<u8> {
    let key = key::encode(key);
    let length = u8::try_from(key.len()).unwrap_or(u8::MAX);
    [&[length], key.as_slice(), &codec::encode_value(value)].concat()
}

/// What a peer says: the first octet chooses the message.
pub fn peer(octets: &[u8]) {
    let Some((which, octets)) = octets.split_first() else { return };
    match which % 7 {
        0 => {
            if let Ok(request) = wire::VoteRequest::decode(octets)
                && let Ok(vote) = codec::vote_from_wire(request.vote)
            {
                assert_eq!(codec::vote_from_wire(Some(codec::vote_to_wire(&vote))), Ok(vote));
            }
        }
        1 => {
            let Ok(request) = wire::AppendRequest::decode(octets) else { return };
            for entry in request.entries {
                let Ok(entry) = codec::entry_from_wire(entry) else { continue };
                let again = codec::entry_from_wire(codec::entry_to_wire(&entry));
                assert_eq!(again.as_ref(), Ok(&entry));
                if let openraft::EntryPayload::Normal(proposal) = &entry.payload {
                    log(&proposal.0);
                }
            }
        }
        2 => drop(wire::SnapshotPart::decode(octets)),
        3 => drop(wire::TransferRequest::decode(octets)),
        4 => {
            if let Ok(request) = wire::ForwardRequest::decode(octets) {
                request.envelopes.iter().for_each(|envelope| log(envelope));
            }
        }
        5 => {
            if let Ok(stored) = wire::StoredMembership::decode(octets)
                && let Ok(stored) = codec::stored_membership_from_wire(stored)
            {
                let again = codec::stored_membership_from_wire(codec::stored_membership_to_wire(&stored));
                assert_eq!(again.as_ref(), Ok(&stored));
            }
        }
        _ => drop(log_wire::Row::decode(octets)),
    }
}
