//! A site to crawl: a few hundred pages on several ports, with all that makes a crawler's life hard.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use corio::net::compat::HyperTimer;
use corio::net::{Server, TcpListener, TcpStream, serve};
use corio::sleep;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};

const HOSTS: usize = 4;
const PAGES: usize = 240;

pub(crate) struct Site {
    servers: Vec<Server>,
    pages: Rc<Pages>,
}

struct Pages {
    hosts: Vec<SocketAddr>,
    /// How often a page was asked for.
    asked: RefCell<HashMap<usize, usize>>,
    /// How many requests are under way, and the most there were: on each host, and on all.
    busy: [Busy; HOSTS],
    all_busy: Busy,
}

#[derive(Default)]
struct Busy {
    now: Cell<usize>,
    most: Cell<usize>,
}

/// Counts as long as it lives.
struct Counted<'a>(&'a Busy);

/// How a page behaves.
enum Mood {
    Fine,
    Slow,
    /// It has failed so often before it is fine.
    FailsAtFirst(usize),
    /// The first who ask are never answered.
    SilentAtFirst,
    Broken,
}

impl Mood {
    fn of(page: usize) -> Mood {
        match page {
            77 => Mood::SilentAtFirst,
            _ if page % 80 == 41 => Mood::Broken,
            _ if page % 12 == 7 => Mood::FailsAtFirst(2),
            _ if page % 10 == 3 => Mood::Slow,
            _ => Mood::Fine,
        }
    }
}

impl Site {
    pub(crate) async fn start() -> io::Result<Site> {
        let mut listeners = Vec::new();
        for _ in 0..HOSTS {
            listeners.push(TcpListener::bind("127.0.0.1:0").await?);
        }
        let hosts = listeners
            .iter()
            .map(TcpListener::local_addr)
            .collect::<io::Result<_>>()?;
        let pages = Rc::new(Pages {
            hosts,
            asked: RefCell::default(),
            busy: Default::default(),
            all_busy: Busy::default(),
        });
        let serve_one = |(host, listener)| {
            let pages = pages.clone();
            serve(listener, async move |stream: TcpStream, _| {
                let answer = service_fn(|request| pages.answer(host, request));
                // A client that loses patience closes its connection in the middle, which is no news here.
                http1::Builder::new()
                    .timer(HyperTimer)
                    .serve_connection(stream, answer)
                    .await
                    .ok();
            })
        };
        let servers = listeners.into_iter().enumerate().map(serve_one).collect();
        Ok(Site { servers, pages })
    }

    pub(crate) fn hosts(&self) -> Vec<String> {
        self.pages.hosts.iter().map(SocketAddr::to_string).collect()
    }

    pub(crate) fn first_page(&self) -> Uri {
        self.pages.link_to(0).parse().expect("a valid address")
    }

    /// The most requests that were under way at a time: altogether, and on one host.
    pub(crate) fn most_at_a_time(&self) -> (usize, usize) {
        let Pages { busy, all_busy, .. } = &*self.pages;
        let of_hosts = busy.iter().map(|busy| busy.most.get());
        (all_busy.most.get(), of_hosts.max().unwrap_or(0))
    }

    /// Nobody is left to finish anything.
    pub(crate) async fn close(self) {
        for server in self.servers {
            server.shutdown(Duration::ZERO).await;
        }
    }
}

impl Pages {
    async fn answer(
        &self,
        host: usize,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let _on_host = Counted::new(&self.busy[host]);
        let _on_all = Counted::new(&self.all_busy);
        let number = request.uri().path().strip_prefix("/page/");
        let number = number.and_then(|number| number.parse().ok());
        let here = |page: &usize| *page < PAGES && page % HOSTS == host;
        let Some(page) = number.filter(here) else {
            return Ok(with_status(StatusCode::NOT_FOUND));
        };
        let asked_before = {
            let mut asked = self.asked.borrow_mut();
            let asked = asked.entry(page).or_default();
            *asked += 1;
            *asked - 1
        };
        Ok(match Mood::of(page) {
            Mood::Broken => with_status(StatusCode::INTERNAL_SERVER_ERROR),
            Mood::FailsAtFirst(times) if asked_before < times => {
                with_status(StatusCode::SERVICE_UNAVAILABLE)
            }
            Mood::SilentAtFirst if asked_before == 0 => pending().await,
            Mood::Slow => {
                sleep(Duration::from_millis(30)).await;
                self.html(page)
            }
            _ => self.html(page),
        })
    }

    /// A page leads to two further ones, to one that is known already, and some to one that is not there.
    fn html(&self, page: usize) -> Response<Full<Bytes>> {
        let mut html = format!("<title>Page {page}</title>\n");
        for page in [2 * page + 1, 2 * page + 2, page / 3] {
            if page < PAGES {
                let _ = writeln!(html, "<a href=\"{}\">page {page}</a>", self.link_to(page));
            }
        }
        if page % 20 == 5 {
            let _ = writeln!(html, "<a href=\"/gone/{page}\">an old page</a>");
        }
        Response::new(Full::from(html))
    }

    fn link_to(&self, page: usize) -> String {
        format!("http://{}/page/{page}", self.hosts[page % HOSTS])
    }
}

fn with_status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

impl<'a> Counted<'a> {
    fn new(busy: &'a Busy) -> Counted<'a> {
        let now = busy.now.get() + 1;
        busy.now.set(now);
        busy.most.set(busy.most.get().max(now));
        Counted(busy)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.now.set(self.0.now.get() - 1);
    }
}
