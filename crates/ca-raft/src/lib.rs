//! The issuance log for real: openraft, RocksDB and the peers.
