//! Every route through the router, over a real authority in memory; what it serves is checked by openssl.

#[cfg(test)]
mod api;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod openssl;
#[cfg(test)]
mod search;
#[cfg(test)]
mod va;
#[cfg(test)]
mod world;
