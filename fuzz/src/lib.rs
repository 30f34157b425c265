//! What the fuzz targets share.

pub mod answer;
pub mod grammar;
