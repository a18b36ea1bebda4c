//! `gradstudy submit`, `task`, `status` and `cancel`: a study over many machines.

pub mod cancel;
pub mod device;
pub mod frozen;
pub mod status;
pub mod submit;
pub mod task;
mod words;
