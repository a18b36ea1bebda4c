//! The language server: `gradstudy lsp`, for editors.
//!
//! [`serve`] speaks the Language Server Protocol over two streams. Mistakes come from [`crate::study::check`], the
//! layout from [`crate::syntax::format`]. What is known of a place in a text that is being written (half a statement,
//! an open bracket) comes from [`outline`], which reads tokens and never gives up; what may stand there comes from
//! [`at`], which asks [`crate::study::statements::STATEMENTS`] and the [`crate::study::Vocabulary`]: a new statement,
//! data set or setting is completed, explained and renamed without a line here.

pub mod at;
mod candidates;
pub mod completion;
pub mod describe;
mod diagnostics;
mod documents;
mod fixes;
pub mod hover;
pub mod names;
pub mod outline;
pub mod position;
pub mod project;
mod reader;
mod requests;
mod server;
mod symbols;
mod tokens;
mod transport;

pub use server::serve;
