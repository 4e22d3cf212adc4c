//! Pages by key: opaque tokens that say where the next page starts, never an offset.

use data_encoding::BASE64URL_NOPAD;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::violations::Violations;

/// Rows on a page when the caller names no number.
pub const DEFAULT_PAGE_SIZE: i32 = 50;
/// The most rows on a page; a larger wish is cut to it.
pub const MAX_PAGE_SIZE: i32 = 1000;

/// What a List request says about paging.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest<'a> {
    /// `page_size` of the request.
    pub size: i32,
    /// `page_token` of the request.
    pub token: &'a str,
    /// Everything else of the request that chooses or orders rows; a token serves only the list that made it.
    pub of: &'a str,
}

/// One page to read: at most `limit` rows after the key `after`, in the list's own order.
#[derive(Clone, Debug)]
pub struct Page<K> {
    limit: usize,
    /// The key of the last row of the page before.
    pub after: Option<K>,
    fingerprint: String,
}

impl<K: Serialize + DeserializeOwned> Page<K> {
    /// Reads the request; a wrong size or token is a violation of `page_size` or `page_token`.
    pub fn parse(request: PageRequest<'_>, violations: &mut Violations) -> Option<Self> {
        let fingerprint = fingerprint(request.of);
        let limit = match request.size {
            0 => DEFAULT_PAGE_SIZE,
            size if size < 0 => {
                violations.add("page_size", "must not be negative");
                return None;
            }
            size => size.min(MAX_PAGE_SIZE),
        };
        let after = if request.token.is_empty() {
            None
        } else {
            let key = BASE64URL_NOPAD
                .decode(request.token.as_bytes())
                .ok()
                .and_then(|bytes| serde_json::from_slice::<(String, K)>(&bytes).ok())
                .filter(|(made_for, _)| *made_for == fingerprint);
            let Some((_, key)) = key else {
                violations.add(
                    "page_token",
                    "is not a token of this list: pass next_page_token of the page before, with the same filter, or none to start",
                );
                return None;
            };
            Some(key)
        };
        Some(Self { limit: usize::try_from(limit).unwrap_or(1), after, fingerprint })
    }

    /// How many rows to read: one more than the page, which tells whether there is a next one.
    pub fn fetch(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX - 1) + 1
    }

    /// Cuts the rows read to the page and says the token of the next page; an empty token means the last page.
    pub fn answer<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> K) -> (Vec<T>, String) {
        if rows.len() <= self.limit {
            return (rows, String::new());
        }
        rows.truncate(self.limit);
        let token = rows.last().and_then(|last| serde_json::to_vec(&(&self.fingerprint, key(last))).ok());
        (rows, token.map(|bytes| BASE64URL_NOPAD.encode(&bytes)).unwrap_or_default())
    }
}

fn fingerprint(of: &str) -> String {
    BASE64URL_NOPAD.encode(&Sha256::digest(of.as_bytes())[..6])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(size: i32, token: &str, of: &str) -> Result<Page<i64>, Violations> {
        let mut violations = Violations::new();
        let page = Page::parse(PageRequest { size, token, of }, &mut violations);
        violations.finish(page)
    }

    #[test]
    fn a_token_leads_to_the_rows_after_the_page() {
        let first = page(2, "", "all").expect("a page");
        let (rows, token) = first.answer(vec![1, 2, 3], |row| *row);
        assert_eq!(rows, [1, 2]);
        assert_eq!(page(2, &token, "all").expect("a page").after, Some(2));
    }

    #[test]
    fn a_token_of_another_list_is_refused() {
        let (_, token) = page(1, "", "all").expect("a page").answer(vec![1, 2], |row| *row);
        assert!(page(1, &token, "other").is_err());
        assert!(page(1, "nonsense", "all").is_err());
        assert!(page(-1, "", "all").is_err());
    }
}
