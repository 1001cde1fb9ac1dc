//! `/api/v1/token`: client credentials with HTTP Basic (RFC 6749 §4.4, §2.3.1).

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::node::services::authenticate_service;
use crate::node::{OAuthCode, OAuthError};
use crate::web::App;
use crate::web::extract::{FormParameters, single_header};

/// `POST /api/v1/token`.
pub(super) async fn issue(
    app: web::Data<App>,
    request: HttpRequest,
    FormParameters(mut form): FormParameters,
) -> HttpResponse {
    if form.take("grant_type").as_deref() != Some("client_credentials") {
        return refuse(&OAuthError::new(
            OAuthCode::UnsupportedGrantType,
            "grant_type must be client_credentials",
        ));
    }
    let Some(credentials) = basic(&request) else {
        return refuse(&OAuthError::client("send the service's name and secret with HTTP Basic"));
    };
    let address = app.trusted_proxies.client(&request).map(|address| address.to_string()).unwrap_or_default();
    let mut refusal = OAuthError::client("unknown service or wrong secret");
    for (service, secret) in credentials.candidates() {
        match authenticate_service::issue(&app.node, &service, &secret, &address) {
            Ok((token, expires_in)) => {
                return HttpResponse::Ok()
                    .json(json!({"access_token": token, "token_type": "Bearer", "expires_in": expires_in}));
            }
            Err(error) => refusal = error,
        }
    }
    refuse(&refusal)
}

fn refuse(error: &OAuthError) -> HttpResponse {
    let mut answer = match error.code {
        OAuthCode::InvalidClient => HttpResponse::Unauthorized(),
        OAuthCode::TooManyRequests => HttpResponse::TooManyRequests(),
        _ => HttpResponse::BadRequest(),
    };
    if error.code == OAuthCode::TooManyRequests {
        answer.insert_header((header::RETRY_AFTER, "60"));
    }
    if error.code == OAuthCode::InvalidClient {
        answer.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"omadata\""));
    }
    answer.json(json!({"error": error.code.as_str(), "error_description": error.description}))
}

/// Name and secret of HTTP Basic as sent.
#[derive(Debug, PartialEq, Eq)]
struct Credentials {
    name: String,
    secret: String,
}

impl Credentials {
    fn parse(text: &str) -> Option<Self> {
        let (name, secret) = text.split_once(':')?;
        Some(Self { name: name.to_owned(), secret: secret.to_owned() })
    }

    /// Both readings: form-encoded, as RFC 6749 §2.3.1 requires, and literal, as many clients send them (`curl -u`).
    /// They differ only if name or secret has a character that the encoding changes.
    fn candidates(&self) -> Vec<(String, String)> {
        let decoded = form_decode(&self.name).zip(form_decode(&self.secret));
        let plain = (self.name.clone(), self.secret.clone());
        let mut all: Vec<_> = decoded.into_iter().collect();
        if !all.contains(&plain) {
            all.push(plain);
        }
        all
    }
}

/// Decodes one form-encoded value; `None` when it is malformed.
fn form_decode(text: &str) -> Option<String> {
    if text.contains(['&', '=']) {
        return None;
    }
    let spaced = text.replace('+', "%20");
    let mut rest = spaced.split('%');
    let mut bytes = rest.next()?.as_bytes().to_vec();
    for part in rest {
        let (digits, literal) = part.split_at_checked(2)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(literal.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

fn basic(request: &HttpRequest) -> Option<Credentials> {
    let header = single_header(request, &header::AUTHORIZATION).ok().flatten()?;
    let (scheme, value) = header.split_once(' ')?;
    let decoded = STANDARD.decode(value.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    Credentials::parse(&String::from_utf8(decoded).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_with_special_characters_is_read_encoded_and_as_written() {
        let secret = "a+b%c&d=e:f ü";
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        for written in [encoded.as_str(), secret] {
            let credentials = Credentials::parse(&format!("service:{written}")).unwrap();
            let meant = ("service".to_owned(), secret.to_owned());
            assert!(credentials.candidates().contains(&meant), "{written}");
        }
    }

    #[test]
    fn a_plain_secret_is_tried_once() {
        let credentials = Credentials::parse("service:Plain-secret_1.2~").unwrap();
        assert_eq!(credentials.candidates(), [("service".to_owned(), "Plain-secret_1.2~".to_owned())]);
        assert_eq!(Credentials::parse("no colon"), None);
        assert_eq!(form_decode("%4"), None);
        assert_eq!(form_decode("%+1"), None);
        assert_eq!(form_decode("%ff"), None);
    }
}
