//! ODBC connection strings: `Driver={MariaDB Unicode};Server=db.example;UID=reader`.

use std::fmt;

/// A connection string without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct OdbcString {
    text: String,
    /// Keywords in lower case, with their values without braces.
    attributes: Vec<(String, String)>,
}

impl fmt::Debug for OdbcString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl OdbcString {
    /// Reads keywords and values (ODBC, "Connection String"): a value in braces may hold a semicolon, and `}}` for `}`.
    ///
    /// # Errors
    /// What is wrong, for the operator.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const FORM: &str = "not a list of keyword=value with semicolons between them";
        if text.contains(char::is_control) {
            return Err("a control character stands in it");
        }
        let mut attributes = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (keyword, value) = rest.split_once('=').ok_or(FORM)?;
            let keyword = keyword.trim().to_ascii_lowercase();
            let (value, after) = match value.trim_start().strip_prefix('{') {
                Some(braced) => in_braces(braced).ok_or("a brace is not closed")?,
                None => {
                    let (value, after) = value.split_once(';').unwrap_or((value, ""));
                    (value.trim().to_owned(), after)
                }
            };
            if keyword.is_empty() || keyword.contains(['{', '}', ';']) {
                return Err(FORM);
            }
            if matches!(keyword.as_str(), "pwd" | "password") {
                return Err("a password stands in it");
            }
            attributes.push((keyword, value));
            rest = after.trim_start();
        }
        let parsed = Self { text: text.trim().trim_end_matches(';').to_owned(), attributes };
        match ["driver", "dsn", "filedsn"].iter().any(|keyword| parsed.attribute(keyword).is_some()) {
            true => Ok(parsed),
            false => Err("it names neither a driver (Driver) nor a data source (DSN)"),
        }
    }

    /// The value of a keyword, written in lower case here. Of one that comes twice the first counts.
    #[must_use]
    pub(crate) fn attribute(&self, keyword: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == keyword);
        found.map(|(_, value)| value.as_str())
    }

    /// The whole string with the password, which is a secret then.
    #[must_use]
    #[cfg(any(test, feature = "odbc"))]
    pub(crate) fn with_password(&self, password: Option<&str>) -> String {
        match password {
            None => self.text.clone(),
            Some(password) => format!("{};PWD={{{}}}", self.text, password.replace('}', "}}")),
        }
    }

    /// Why the connection to another machine may be unencrypted, judged by the keywords of the usual drivers.
    #[must_use]
    pub(crate) fn unprotected(&self) -> Option<&'static str> {
        let is = |keyword: &str, wanted: &[&str]| {
            self.attribute(keyword)
                .is_some_and(|value| wanted.iter().any(|good| value.eq_ignore_ascii_case(good)))
        };
        // A data source's own settings stand elsewhere.
        let elsewhere = self.attribute("driver").is_none();
        let server = self.attribute("server").or_else(|| self.attribute("hostname"));
        let is_here =
            |server: &str| ["localhost", "127.0.0.1", "::1"].contains(&server.to_ascii_lowercase().as_str());
        let here = server.is_some_and(is_here) || self.attribute("socket").is_some();
        let protected = is("sslmode", &["verify-full", "verify-ca", "VERIFY_IDENTITY", "VERIFY_CA"])
            // MariaDB, Microsoft, DB2, Oracle.
            || is("sslverify", &["1"])
            || is("encrypt", &["yes", "mandatory", "strict"])
            || is("security", &["SSL"])
            || self.attribute("dbq").is_some_and(|address| address.to_ascii_lowercase().contains("tcps"));
        (!elsewhere && !here && !protected).then_some("the connection to the database may be unencrypted")
    }
}

/// A value up to its closing brace, and what follows its semicolon.
fn in_braces(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('}')?;
        value.push_str(before);
        if let Some(more) = after.strip_prefix('}') {
            value.push('}');
            rest = more;
            continue;
        }
        let after = after.trim_start();
        return match after.strip_prefix(';') {
            Some(next) => Some((value, next)),
            None if after.is_empty() => Some((value, "")),
            None => None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_and_values_are_found_with_and_without_braces() {
        let text = "Driver={MariaDB Unicode}; SERVER = db.city.example ;Database={a;b}}c};UID=reader;";
        let parsed = OdbcString::parse(text).unwrap();
        for (keyword, value) in [
            ("driver", "MariaDB Unicode"),
            ("server", "db.city.example"),
            ("database", "a;b}c"),
            ("uid", "reader"),
        ] {
            assert_eq!(parsed.attribute(keyword), Some(value));
        }
        assert_eq!(parsed.attribute("port"), None);
    }

    #[test]
    fn a_password_cannot_become_another_keyword() {
        let parsed = OdbcString::parse("DSN=early-education;UID=reader;").unwrap();
        assert_eq!(parsed.with_password(None), "DSN=early-education;UID=reader");
        let written = parsed.with_password(Some("a;Server=evil}b{"));
        assert_eq!(written, "DSN=early-education;UID=reader;PWD={a;Server=evil}}b{}");
    }

    #[test]
    fn what_is_no_connection_string_is_told() {
        for (text, told) in [
            ("", "it names neither a driver (Driver) nor a data source (DSN)"),
            ("Server=a", "it names neither a driver (Driver) nor a data source (DSN)"),
            ("mariadb", "not a list of keyword=value with semicolons between them"),
            ("DSN=a;;UID=b", "not a list of keyword=value with semicolons between them"),
            ("Driver={MariaDB", "a brace is not closed"),
            ("Driver={a}b;", "a brace is not closed"),
            ("DSN=a;Pwd=b", "a password stands in it"),
            ("DSN=a;PASSWORD={b}", "a password stands in it"),
            ("DSN=a;\nUID=b", "a control character stands in it"),
        ] {
            assert_eq!(OdbcString::parse(text), Err(told), "{text}");
        }
    }

    #[test]
    fn an_unencrypted_connection_across_the_network_is_found() {
        let unprotected = |text: &str| OdbcString::parse(text).unwrap().unprotected().is_some();
        for text in ["Driver={a};Server=db.city.example", "Driver={a};Server=10.0.0.1;Encrypt=no", "Driver=a"]
        {
            assert!(unprotected(text), "{text}");
        }
        for text in [
            "DSN=a",
            "Driver=a;Server=localhost",
            "Driver=a;Server=127.0.0.1",
            "Driver=a;Socket=/run/mysqld/mysqld.sock",
            "Driver=a;Server=db;SSLVERIFY=1",
            "Driver=a;Server=db;Encrypt=Strict",
            "Driver=a;Server=db;sslmode=verify-full",
            "Driver=a;Hostname=db;Security=ssl",
            "Driver=a;DBQ=(DESCRIPTION=(ADDRESS=(PROTOCOL=TCPS)))",
        ] {
            assert!(!unprotected(text), "{text}");
        }
    }
}
