//! What is made of measurements: [`results`] as data, tables and documents ([`report`]), figures ([`figures`], and
//! [`plots`], which draw results), and the comparison of two runs ([`diff`]).

pub mod results;

pub mod report;

pub mod figures;

pub mod plots;

pub mod diff;
