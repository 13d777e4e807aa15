//! Addresses of the web, as far as downloads need them.

/// A text as one part of a path: everything but letters, digits and `-_.~` is written `%xx`.
pub(crate) fn quote(text: &str) -> String {
    let quoted = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    quoted.collect()
}

/// A path whose slashes stay.
pub(crate) fn quote_path(path: &str) -> String {
    let parts: Vec<String> = path.split('/').map(quote).collect();
    parts.join("/")
}

/// `https://host:port` of an address, in lower case.
pub(crate) fn origin(url: &str) -> String {
    let host_from = url.find("://").map_or(0, |at| at + 3);
    let rest = &url[host_from..];
    let host_to = host_from + rest.find(['/', '?', '#']).unwrap_or(rest.len());
    url[..host_to].to_ascii_lowercase()
}

/// Where a redirect from one address leads.
pub(crate) fn redirected(from: &str, location: &str) -> String {
    if location.starts_with("http://") || location.starts_with("https://") {
        return location.to_owned();
    }
    if location.starts_with("//") {
        let scheme = from.split("//").next().unwrap_or_default();
        return format!("{scheme}{location}");
    }
    if location.starts_with('/') {
        return origin(from) + location;
    }
    let folder = without_query(from).rsplit_once('/');
    let folder = folder.map_or(from, |(folder, _)| folder);
    format!("{folder}/{location}")
}

/// An address to show: what is signed in it is nobody's to read in a log.
pub(crate) fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

/// Whether an address is this machine's own, where no proxy can go.
pub(crate) fn is_loopback(url: &str) -> bool {
    let origin = origin(url);
    let host = origin.split("://").nth(1).unwrap_or_default();
    ["localhost", "127.", "[::1]"]
        .iter()
        .any(|own| host.starts_with(own))
}

#[cfg(test)]
mod tests {
    use super::{is_loopback, origin, quote, quote_path, redirected, without_query};

    #[test]
    fn parts_are_quoted() {
        assert_eq!(quote("refs/convert/parquet"), "refs%2Fconvert%2Fparquet");
        assert_eq!(quote_path("a b/é#.json"), "a%20b/%C3%A9%23.json");
    }

    #[test]
    fn redirects_lead_where_browsers_go() {
        let from = "https://Hub.co:8/a/b?x=/y";
        for (location, expected) in [
            ("https://cdn.co/z?k=1", "https://cdn.co/z?k=1"),
            ("//cdn.co/z", "https://cdn.co/z"),
            ("/z?k=1", "https://hub.co:8/z?k=1"),
            ("z", "https://Hub.co:8/a/z"),
        ] {
            assert_eq!(redirected(from, location), expected);
        }
        assert_eq!(without_query(from), "https://Hub.co:8/a/b");
    }

    #[test]
    fn a_port_is_part_of_the_origin() {
        assert_eq!(origin("http://127.0.0.1:1/a"), "http://127.0.0.1:1");
        assert_ne!(origin("http://a:1"), origin("http://a:2"));
        assert_ne!(origin("http://a"), origin("https://a"));
        assert!(is_loopback("http://127.0.0.1:1/a") && is_loopback("http://localhost/"));
        assert!(!is_loopback("https://huggingface.co"));
    }
}
