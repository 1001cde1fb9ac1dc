//! The holder's authorization server: OAuth 2.0 with PAR, DPoP, `private_key_jwt` and grant management (FAPI 2.0).

pub(crate) mod authenticate_client;
pub(crate) mod authorize;
pub(crate) mod dpop_nonce;
pub(crate) mod introspect_token;
pub(crate) mod issue_token;
pub(crate) mod manage_grant;
pub(crate) mod publish_status;
pub(crate) mod published_list;
pub(crate) mod push_authorization;
mod request_parameters;
pub(crate) mod verify_own_token;
