//! The holder's authorization server: OAuth 2.0 with PAR, DPoP, `private_key_jwt` and grant management (FAPI 2.0).

pub mod authenticate_client;
pub mod authorize;
pub mod dpop_nonce;
pub mod introspect_token;
pub mod issue_token;
pub mod manage_grant;
pub mod publish_status;
pub mod published_list;
pub mod push_authorization;
mod request_parameters;
pub mod verify_own_token;
