//! The `botroupe` binary.

fn main() {}
