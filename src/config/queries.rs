//! `query` of a dataset: the SELECT that reads one person's records.

/// The remedy for a query that [`complaint`] refuses.
pub(super) const REMEDY: &str =
    "write one SELECT with ORDER BY, whose only parameter $1 is the person's identifier";

/// Checks a query. The operator writes it, so this finds mistakes, not attacks: the identifier is never part of the
/// text, and the transaction is read-only.
pub(super) fn complaint(query: &str) -> Option<&'static str> {
    let upper = query.trim().to_ascii_uppercase();
    if !upper.starts_with("SELECT") && !upper.starts_with("WITH") {
        return Some("not a SELECT");
    }
    if query.contains(';') {
        return Some("has a semicolon");
    }
    if !outermost(&upper).split_whitespace().collect::<Vec<_>>().join(" ").contains("ORDER BY") {
        return Some("has no ORDER BY of its own, so that two answers could differ in order");
    }
    let mut parameters = query.split('$').skip(1);
    let first = parameters
        .next()
        .and_then(|rest| rest.strip_prefix('1'))
        .filter(|rest| !rest.starts_with(|character: char| character.is_ascii_digit()));
    match (first, parameters.next()) {
        (Some(_), None) if !query.contains('?') => None,
        _ => Some("does not have $1 exactly once as its only parameter"),
    }
}

/// A query without its texts, names in quotes, comments and what stands in brackets: the order of a list within a record is not
/// that of the records. The whole query where quotes do not match, as with backslashes before them.
fn outermost(query: &str) -> String {
    let mut rest = query;
    let mut depth = 0_usize;
    let mut outermost = String::new();
    while let Some(character) = rest.chars().next() {
        let end = match character {
            '\'' | '"' | '`' => Some(character.to_string()),
            '[' => Some("]".to_owned()),
            '-' if rest.starts_with("--") => Some("\n".to_owned()),
            '/' if rest.starts_with("/*") => Some("*/".to_owned()),
            _ => None,
        };
        let (_, behind) = rest.split_at(character.len_utf8());
        rest = match end {
            Some(end) => match behind.split_once(&end) {
                Some((_, behind)) => behind,
                None if end == "\n" => "",
                None => return query.to_owned(),
            },
            None => behind,
        };
        match character {
            '(' => depth = depth.saturating_add(1),
            ')' => depth = depth.saturating_sub(1),
            '\'' | '"' | '`' | '[' => {}
            _ if depth == 0 => outermost.push(character),
            _ => {}
        }
    }
    outermost
}
