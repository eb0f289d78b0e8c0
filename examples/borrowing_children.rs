//! Children of a scope borrow what their parent owns: no `Rc`, no clones, and nothing outlives the block.

use std::cell::RefCell;
use std::time::Duration;

use corio::{gather, scope, sleep};

struct Client {
    name: &'static str,
}

impl Client {
    async fn fetch(&self, page: u64) -> String {
        sleep(Duration::from_millis(20 * page)).await;
        format!("{} fetched page {page}", self.name)
    }
}

pub(crate) async fn run() {
    let client = Client { name: "client" };
    let log = RefCell::new(Vec::new());
    let pages = [3, 1, 2];
    let fetched = scope(async |s| {
        s.spawn(async { log.borrow_mut().push("a child borrows the log") });
        gather(pages.iter().map(|&page| s.spawn(client.fetch(page)))).await
    })
    .await;
    for line in fetched.expect("no child panics") {
        println!("{line}");
    }
    println!("{}", log.into_inner().join(", "));
}

#[corio::main]
async fn main() {
    run().await;
}
