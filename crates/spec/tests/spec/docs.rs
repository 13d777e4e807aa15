//! The tables of `docs/spec.md` are those of the declarations.

use mezo_spec::{TABLES, markdown};

use crate::support::repository;

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
    let page = std::fs::read_to_string(repository("docs/spec.md")).unwrap();
    let tables = page.matches("<!-- keys:").count();
    assert_eq!(tables, 1 + TABLES.len(), "a table of another name");
    let made = made(&page);
    if made != page {
        let right = repository("target/spec.md");
        std::fs::write(&right, made).unwrap();
        panic!("docs/spec.md is not as declared: take {}", right.display());
    }
}
