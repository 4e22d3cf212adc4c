//! The domain is a table of rows, each of which somebody relies on: each row that works has a test that is named after it.

use std::collections::{BTreeMap, BTreeSet};

use crate::source;

/// The rows that work. A row comes in with its test, and never leaves.
const WORKING: &[u32] = &[
    1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79,
    81, 82, 83, 84, 85, 86, 87, 88,
];

/// The rows that a test says it is for: `row_54_…`, `row_75_and_76_…`, `row_5_to_8_…`.
fn rows(name: &str) -> BTreeSet<u32> {
    let mut rows = BTreeSet::new();
    let (mut last, mut joint) = (None, "and");
    for part in name.trim_start_matches("row_").split('_') {
        match part.parse::<u32>() {
            Ok(row) => {
                let first = if joint == "to" { last.unwrap_or(row) } else { row };
                rows.extend(first..=row);
                last = Some(row);
            }
            Err(_) if matches!(part, "and" | "to") => joint = part,
            Err(_) => break,
        }
    }
    rows
}

#[test]
fn the_rows_of_a_test_are_read_from_its_name() {
    let expected: [(&str, &[u32]); 3] = [
        ("row_54_an_automated_answer", &[54]),
        ("row_75_and_76_an_unwanted_one", &[75, 76]),
        ("row_5_to_8_and_34_the_four_marks", &[5, 6, 7, 8, 34]),
    ];
    for (name, numbers) in expected {
        assert_eq!(rows(name), numbers.iter().copied().collect(), "{name}");
    }
}

#[test]
fn each_row_that_works_has_a_test_with_its_number() {
    let mut tests: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for file in source::rust_files() {
        for line in source::read(file).lines() {
            let line = line.trim_start().trim_start_matches("pub ").trim_start_matches("async ");
            let Some(name) = line.strip_prefix("fn row_") else { continue };
            let name = format!("row_{}", name.split('(').next().unwrap_or_default());
            for row in rows(&name) {
                tests.entry(row).or_default().push(name.clone());
            }
        }
    }
    let (shown, working): (BTreeSet<u32>, BTreeSet<u32>) = (tests.keys().copied().collect(), WORKING.iter().copied().collect());
    let lost: Vec<_> = working.difference(&shown).collect();
    let new: Vec<_> = shown.difference(&working).collect();
    assert!(lost.is_empty() && new.is_empty(), "rows without their test: {lost:?}; rows with a test that are missing in WORKING: {new:?}");
    assert!(shown.iter().all(|row| (1..=88).contains(row)), "the table has 88 rows: {shown:?}");
}
