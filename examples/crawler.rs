//! A crawler: tasks that find more tasks, limits for all and for each host, retries with a back-off, timeouts, a progress bar.
//!
//! `crawler http://host/path 500` looks at up to 500 pages of that host. Without an address it serves a site of its own, on four
//! ports that stand for four hosts, with pages that are slow, missing, broken, or fail at first, and crawls that.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::error::Error;
use std::time::Duration;

use corio::sync::Semaphore;
use corio::{Scope, scope, sleep, timeout};
use hyper::Uri;
use indicatif::{ProgressBar, ProgressStyle};

use fetch::{Fetched, Host};

#[path = "crawler/fetch.rs"]
mod fetch;
#[path = "crawler/links.rs"]
mod links;
#[path = "crawler/site.rs"]
mod site;

type Failure = Box<dyn Error + Send + Sync>;

/// How many requests there may be at a time.
const AT_A_TIME: usize = 16;

/// How many of them may go to the same host.
const AT_A_HOST: usize = 6;

/// How often a page is tried.
const TRIES: u32 = 3;

/// How long a try may take.
const LIMIT: Duration = Duration::from_secs(2);

/// How long to wait before the second try. It doubles with each.
const BACK_OFF: Duration = Duration::from_millis(20);

struct Crawl {
    hosts: Vec<(Host, Tally)>,
    /// Which pages were found. Each is visited once.
    found: RefCell<HashSet<Uri>>,
    most_pages: usize,
    permits: Semaphore,
    bar: ProgressBar,
}

/// What became of the pages of a host.
#[derive(Default)]
struct Tally {
    pages: Cell<u64>,
    missing: Cell<u64>,
    given_up: Cell<u64>,
    retries: Cell<u64>,
}

impl Crawl {
    /// Only these hosts are visited.
    fn new(hosts: impl IntoIterator<Item = String>, most_pages: usize) -> Crawl {
        let hosts = hosts
            .into_iter()
            .map(|host| (Host::new(host, AT_A_HOST), Tally::default()));
        let style =
            ProgressStyle::with_template("{bar:50} {pos} of {len} found").expect("a template");
        Crawl {
            hosts: hosts.collect(),
            found: RefCell::default(),
            most_pages,
            permits: Semaphore::new(AT_A_TIME),
            bar: ProgressBar::new(0).with_style(style),
        }
    }

    /// Visits a page, and all that can be reached from it.
    async fn run(&self, first: Uri) {
        scope(async |pages| self.visit(&pages, first)).await;
        self.bar.finish_and_clear();
    }

    /// Makes a task for a page that was not found before.
    fn visit<'a>(&'a self, pages: &Scope<'a>, uri: Uri) {
        let is_here = |(host, _): &&(Host, Tally)| {
            Some(host.name()) == uri.authority().map(|host| host.as_str())
        };
        let Some((host, tally)) = self.hosts.iter().find(is_here) else {
            return;
        };
        let mut found = self.found.borrow_mut();
        if found.len() < self.most_pages && found.insert(uri.clone()) {
            self.bar.set_length(found.len() as u64);
            let siblings = pages.clone();
            pages.spawn(async move {
                let links = self.page(host, tally, &uri).await;
                self.bar.inc(1);
                for link in links {
                    self.visit(&siblings, link);
                }
            });
        }
    }

    /// The links of a page: none if it cannot be had.
    async fn page(&self, host: &Host, tally: &Tally, uri: &Uri) -> Vec<Uri> {
        let mut pause = BACK_OFF;
        for try_number in 1..=TRIES {
            match self.try_once(host, uri).await {
                Ok(Fetched::Page { links }) => {
                    add_one(&tally.pages);
                    return links;
                }
                Ok(Fetched::Missing) => {
                    add_one(&tally.missing);
                    return Vec::new();
                }
                // Busy, broken, silent: it may be better in a moment.
                Ok(Fetched::Broken) | Err(_) if try_number < TRIES => {
                    add_one(&tally.retries);
                    sleep(pause).await;
                    pause *= 2;
                }
                Ok(Fetched::Broken) | Err(_) => add_one(&tally.given_up),
            }
        }
        Vec::new()
    }

    /// Waits for its turn, first at the host. The permits are given back before a pause.
    async fn try_once(&self, host: &Host, uri: &Uri) -> Result<Fetched, Failure> {
        let _of_host = host.permits().acquire().await;
        let _of_all = self.permits.acquire().await;
        timeout(LIMIT, host.fetch(uri)).await?
    }

    fn print(&self) {
        let sum = |of: fn(&Tally) -> &Cell<u64>| {
            self.hosts.iter().map(|(_, tally)| of(tally).get()).sum()
        };
        let all = [
            sum(|tally| &tally.pages),
            sum(|tally| &tally.missing),
            sum(|tally| &tally.given_up),
            sum(|tally| &tally.retries),
        ];
        println!(
            "{:22}{:>8}{:>8}{:>10}{:>8}",
            "host", "pages", "missing", "given up", "retries"
        );
        for (host, tally) in &self.hosts {
            let Tally {
                pages,
                missing,
                given_up,
                retries,
            } = tally;
            line(
                host.name(),
                [pages, missing, given_up, retries].map(Cell::get),
            );
        }
        line("all", all);
    }
}

fn line(host: &str, [pages, missing, given_up, retries]: [u64; 4]) {
    println!("{host:22}{pages:>8}{missing:>8}{given_up:>10}{retries:>8}");
}

fn add_one(count: &Cell<u64>) {
    count.set(count.get() + 1);
}

/// Crawls the site of this program.
async fn demo() -> Result<(), Failure> {
    let site = site::Site::start().await?;
    let crawl = Crawl::new(site.hosts(), usize::MAX);
    crawl.run(site.first_page()).await;
    crawl.print();
    let (most, most_at_host) = site.most_at_a_time();
    println!(
        "limits kept: {}",
        most <= AT_A_TIME && most_at_host <= AT_A_HOST
    );
    site.close().await;
    Ok(())
}

#[corio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let Some(first) = arguments.next() else {
        return demo().await;
    };
    let first: Uri = first.parse()?;
    let most_pages = arguments.next().map_or(Ok(500), |number| number.parse())?;
    let host = first
        .authority()
        .filter(|_| first.scheme_str() == Some("http"));
    let host = host
        .ok_or("an address of the form http://host/path")?
        .to_string();
    let crawl = Crawl::new([host], most_pages);
    crawl.run(first).await;
    crawl.print();
    Ok(())
}
