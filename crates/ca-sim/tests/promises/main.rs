//! The promises, each proven by a check that can fail: every test names the line that, taken out, makes it fail.

#[cfg(test)]
mod i10_i11_i12_status;
#[cfg(test)]
mod i13_i15_lists;
#[cfg(test)]
mod i16_i17_partitions;
#[cfg(test)]
mod i1_i3_i4_signing;
#[cfg(test)]
mod i20_history;
#[cfg(test)]
mod i23_registers;
#[cfg(test)]
mod i28_wrong_signatures;
#[cfg(test)]
mod i5_abandoned;
#[cfg(test)]
mod i7_idempotency;
#[cfg(test)]
mod i8_unissued;
#[cfg(test)]
mod over_raft;
#[cfg(test)]
mod seeds;
