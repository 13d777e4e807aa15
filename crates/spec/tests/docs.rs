//! The tables of `docs/spec.md` are those of the declarations.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use mezo_spec::{TABLES, markdown};

/// The page with every table made anew.
fn made(page: &str) -> String {
    let tables = [""]
        .into_iter()
        .chain(TABLES.iter().map(|table| table.path));
    let mut page = page.to_owned();
    for table in tables {
        let begin = format!("<!-- keys: {table} -->\n");
        let (before, rest) = page
            .split_once(&begin)
            .unwrap_or_else(|| panic!("no {begin}"));
        let (_, after) = rest.split_once("<!-- /keys -->").unwrap();
        page = format!("{before}{begin}{}<!-- /keys -->{after}", markdown(table));
    }
    page
}

/// Where they differ, the right page is written beside the target folder's other files.
#[test]
fn the_page_about_specs_is_made_of_the_declarations() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/spec.md")).unwrap();
    let made = made(&page);
    if made != page {
        let right = root.join("target/spec.md");
        std::fs::write(&right, made).unwrap();
        panic!("docs/spec.md is not as declared: take {}", right.display());
    }
}
