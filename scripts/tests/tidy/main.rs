//! The house rules, executed: over `cargo metadata`, `cargo tree` and every file of the repository.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod files;
#[cfg(test)]
mod graph;
#[cfg(test)]
mod licences;
#[cfg(test)]
mod packages;
#[cfg(test)]
mod promises;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod words;
