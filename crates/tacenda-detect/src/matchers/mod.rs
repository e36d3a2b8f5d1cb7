//! Hand-written matchers, for shapes that are too common or too long for a regular expression.
//!
//! Each looks at one candidate position, reads a bounded stretch around it, allocates nothing and
//! says which bytes are the value.

pub(crate) mod address;
pub(crate) mod assigned;
pub(crate) mod context;
pub(crate) mod email;
pub(crate) mod free_text;
pub(crate) mod header;
pub(crate) mod home;
pub(crate) mod iban;
pub(crate) mod inserted;
pub(crate) mod jwt;
pub(crate) mod list;
pub(crate) mod media;
pub(crate) mod number;
pub(crate) mod pem;
pub(crate) mod phone;
pub(crate) mod randomness;
pub(crate) mod service;
pub(crate) mod stand_in;
pub(crate) mod token;
pub(crate) mod url;
