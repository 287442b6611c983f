//! The tenancy sweep.
