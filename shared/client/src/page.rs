//! Lists, page after page.

use std::{collections::VecDeque, future::Future};

use futures::{Stream, stream};
use tonic::Status;

/// One page of a list, as the services answer it.
#[derive(Clone, Debug)]
pub struct PageOf<T> {
    /// What is on the page.
    pub items: Vec<T>,
    /// The token of the next page; empty on the last.
    pub next_page_token: String,
}

struct Pages<T, F> {
    fetch: F,
    waiting: VecDeque<T>,
    token: Option<String>,
}

/// Every item of a list: asks for the next page when the one before is used up, and ends with the first error.
/// `fetch` gets the token of the page to ask for, empty for the first.
///
/// ```ignore
/// page_through(|page_token| {
///     let mut client = client.clone();
///     async move {
///         let page = client.list_customers(pb::ListCustomersRequest { page_token, ..Default::default() }).await?.into_inner();
///         Ok(PageOf { items: page.customers, next_page_token: page.next_page_token })
///     }
/// })
/// ```
pub fn page_through<T, F, P>(fetch: F) -> impl Stream<Item = Result<T, Status>>
where
    F: FnMut(String) -> P,
    P: Future<Output = Result<PageOf<T>, Status>>,
{
    let pages = Pages { fetch, waiting: VecDeque::new(), token: Some(String::new()) };
    stream::try_unfold(pages, |mut pages| async move {
        loop {
            if let Some(item) = pages.waiting.pop_front() {
                return Ok(Some((item, pages)));
            }
            let Some(token) = pages.token.take() else { return Ok(None) };
            let page = (pages.fetch)(token.clone()).await?;
            if !page.next_page_token.is_empty() {
                if page.next_page_token == token {
                    return Err(Status::internal("the list does not go on: the next page has the token of this one"));
                }
                pages.token = Some(page.next_page_token);
            }
            pages.waiting.extend(page.items);
        }
    })
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt as _;

    use super::*;

    async fn page(token: String) -> Result<PageOf<u32>, Status> {
        match token.as_str() {
            "" => Ok(PageOf { items: vec![1, 2], next_page_token: "b".into() }),
            "b" => Ok(PageOf { items: vec![], next_page_token: "c".into() }),
            "c" => Ok(PageOf { items: vec![3], next_page_token: String::new() }),
            _ => Err(Status::invalid_argument(token)),
        }
    }

    #[tokio::test]
    async fn every_item_of_every_page_comes_once_and_empty_pages_do_not_end_it() {
        let all: Vec<u32> = page_through(page).try_collect().await.expect("no error");
        assert_eq!(all, [1, 2, 3]);
    }

    #[tokio::test]
    async fn a_list_that_does_not_go_on_is_an_error() {
        let stuck = page_through(|_| async { Ok(PageOf { items: vec![1], next_page_token: "x".into() }) });
        assert_eq!(stuck.try_collect::<Vec<u32>>().await.expect_err("it would not end").code(), tonic::Code::Internal);
    }
}
