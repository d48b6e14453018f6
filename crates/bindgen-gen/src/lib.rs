//! bindgen-gen
