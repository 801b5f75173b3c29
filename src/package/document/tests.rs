//! Whole packages in, documents out.
