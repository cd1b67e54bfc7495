//! The program itself: real processes, really killed.

mod cluster;
mod promises;
mod start;
