//! Finds every image that an object would run.
//!
//! Images are found by their shape, wherever they stand: a list `containers`, `initContainers` or
//! `ephemeralContainers` of objects with an `image`, and a list `volumes` of objects with an
//! `image.reference`. So a Deployment, a `CronJob`, an Argo Rollout and a `JobSet` need no list of
//! kinds. Only the object's own `metadata` and `status` are left out. Well-known kinds that keep images
//! elsewhere are in a table, and settings name places besides.
//!
//! In Kubernetes' own workloads a member of the wrong JSON type is reported; elsewhere a
//! `containers` that is not a list of objects is something else.

mod image_paths;
pub mod known;
mod object;
mod walk;

pub use image_paths::{ImagePath, ImagePlaces};
pub use object::{Found, ImageField, Malformed, Object, Source};
