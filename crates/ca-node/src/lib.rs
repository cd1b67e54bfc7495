//! The program: configuration, wiring, lifecycle, command line.
