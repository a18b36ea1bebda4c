//! What every crate of gradstudy stands on: names with their settings ([`signature`]), random draws that follow from a
//! seed and a label ([`seed`]), and large arrays in memory ([`memory`]).

pub mod memory;
pub mod seed;
pub mod signature;
