//! What every crate of gradstudy stands on: names with their settings ([`signature`]), random draws that follow from a
//! seed and a label ([`seed`]), large arrays in memory ([`memory`]), and whether files are as they were written
//! ([`integrity`]), files that a user names ([`files`]) and how much of them may be held ([`limits`]), processes that share files ([`process`]), and text for spreadsheets ([`spreadsheet`]).

pub mod files;
pub mod integrity;
pub mod limits;
pub mod memory;
pub mod process;
pub mod seed;
pub mod signature;
pub mod spreadsheet;
