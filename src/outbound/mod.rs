//! Everything that this node asks of others over HTTP.

pub mod openid;
