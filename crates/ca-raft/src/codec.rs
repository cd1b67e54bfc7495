//! Our types ⇄ protobuf (`proto/`). Exhaustive in both directions: a kind, a value or a field that is not known
//! here is an error, and stops the node (`proto/README.md`, rule 4).

mod command;
mod enrolment;
mod fields;
mod grant;
mod history;
mod issuer;
mod outcome;
mod profile;
mod raft;
mod row;

use bytes::Bytes;
use ca_core::command::Envelope;
use ca_core::ids::{Epoch, UnixMillis};
use ca_core::register::{Key, Value};
use prost::Message;

pub(crate) use self::raft::{
    entry_from_wire, entry_to_wire, log_id_from_wire, log_id_to_wire, stored_membership_from_wire,
    stored_membership_to_wire, vote_from_wire, vote_to_wire,
};
use crate::wire::log as wire;

/// Octets that are not what this version of the program writes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Not protobuf, or not of this message.
    #[error("{what} is malformed: {why}")]
    Malformed {
        /// The message.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// A field that every version writes is not there, or has a kind that this version does not know.
    #[error("{what} is missing, or of a kind that this version does not know")]
    Unknown {
        /// The field.
        what: &'static str,
    },
    /// The message has fields that this version does not know.
    #[error("{what} has {got} octets where this version would write {expected}: it is from another version")]
    Extra {
        /// The message.
        what: &'static str,
        /// What this version would write.
        expected: usize,
        /// What was read.
        got: usize,
    },
    /// A field of fixed length has another.
    #[error("{what} has {got} octets, not {expected}")]
    Length {
        /// The field.
        what: &'static str,
        /// Its length.
        expected: usize,
        /// What came.
        got: usize,
    },
}

/// One Raft entry's commands, still encoded one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// The leader's stamp (R8).
    pub(crate) stamp: UnixMillis,
    /// The leader's epoch.
    pub(crate) epoch: Epoch,
    /// Each as [`encode_envelope`] made it.
    pub(crate) envelopes: Vec<Bytes>,
}

/// A batch's octets.
pub(crate) fn encode_batch(batch: Batch) -> Bytes {
    let Batch { stamp, epoch, envelopes } = batch;
    wire::Batch { stamp_ms: stamp.0, epoch: epoch.0, envelopes }.encode_to_vec().into()
}

/// Reads a batch; its commands stay encoded.
///
/// # Errors
/// [`CodecError`]: the node stops.
pub(crate) fn decode_batch(octets: Bytes) -> Result<Batch, CodecError> {
    let wire::Batch { stamp_ms, epoch, envelopes } = strict("batch", octets)?;
    Ok(Batch { stamp: UnixMillis(stamp_ms), epoch: Epoch(epoch), envelopes })
}

/// A command's octets.
pub(crate) fn encode_envelope(envelope: &Envelope) -> Bytes {
    command::to_wire(envelope).encode_to_vec().into()
}

/// Reads a command.
///
/// # Errors
/// [`CodecError`]: the node stops.
pub(crate) fn decode_envelope(octets: Bytes) -> Result<Envelope, CodecError> {
    command::from_wire(strict("command", octets)?)
}

/// A row's octets: the same on every node, for the digest is made over them (R17).
pub(crate) fn encode_value(value: &Value) -> Vec<u8> {
    row::to_wire(value).encode_to_vec()
}

/// Reads a row. Its variant must be that of its key.
///
/// # Errors
/// [`CodecError`]: the node stops.
pub(crate) fn decode_value(key: &Key, octets: &[u8]) -> Result<Value, CodecError> {
    let row: wire::Row = strict("row", Bytes::copy_from_slice(octets))?;
    let value = row::from_wire(row)?;
    if row::belongs(key, &value) { Ok(value) } else { Err(CodecError::Unknown { what: "row of its table" }) }
}

/// Reads a message that must have no fields but those that this version knows: prost skips the others in silence,
/// and a node that skips what the others heed would differ from them.
fn strict<M: Message + Default>(what: &'static str, octets: Bytes) -> Result<M, CodecError> {
    let got = octets.len();
    let message = M::decode(octets).map_err(|e| CodecError::Malformed { what, why: e.to_string() })?;
    let expected = message.encoded_len();
    if expected == got { Ok(message) } else { Err(CodecError::Extra { what, expected, got }) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::generate;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn every_command_survives_a_round_trip(envelope in generate::envelope()) {
            prop_assert_eq!(decode_envelope(encode_envelope(&envelope)), Ok(envelope));
        }

        #[test]
        fn every_row_survives_a_round_trip((key, value) in generate::row()) {
            prop_assert_eq!(decode_value(&key, &encode_value(&value)), Ok(value));
        }

        #[test]
        fn random_octets_are_refused_or_read_but_never_a_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(decode_envelope(Bytes::from(octets.clone())));
            drop(decode_batch(Bytes::from(octets)));
        }
    }

    /// `proto/README.md`, rule 4.
    #[test]
    fn an_unknown_kind_of_command_is_an_error() {
        // Field 100, an empty message: a command of a later version.
        let mut octets = encode_envelope(&Envelope {
            id: ca_core::ids::RequestId {
                node: ca_core::ids::NodeId(1),
                boot: ca_core::ids::BootId(2),
                counter: 3,
            },
            expires_at: UnixMillis(4),
            command: ca_core::command::Command::Tick { digest: None },
        })
        .to_vec();
        let tick_at = octets.len() - 3;
        assert_eq!(octets.split_off(tick_at), [0xea, 0x01, 0x00], "a Tick is field 29");
        let without_kind = decode_envelope(Bytes::from(octets.clone()));
        assert_eq!(without_kind, Err(CodecError::Unknown { what: "command" }));
        octets.extend([0xa2, 0x06, 0x00]);
        assert!(matches!(decode_envelope(Bytes::from(octets)), Err(CodecError::Extra { .. })));
    }

    #[test]
    fn a_row_under_the_wrong_key_is_an_error() {
        let octets = encode_value(&Value::Time(UnixMillis(7)));
        assert!(decode_value(&Key::Cluster, &octets).is_err());
    }
}
