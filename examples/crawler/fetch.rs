//! One host: its connections, which are used again, and its limit.

use std::cell::RefCell;

use corio::create_task;
use corio::net::TcpStream;
use corio::sync::Semaphore;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode, Uri, header};

use crate::{Failure, links};

/// Of a longer page nothing is looked at.
const LONGEST_PAGE: usize = 4 << 20;

pub(crate) struct Host {
    name: String,
    permits: Semaphore,
    idle: RefCell<Vec<SendRequest<Empty<Bytes>>>>,
}

/// What came of a request.
pub(crate) enum Fetched {
    Page {
        links: Vec<Uri>,
    },
    /// It will not be there in a moment either.
    Missing,
    /// The server says that it cannot answer now.
    Broken,
}

impl Host {
    pub(crate) fn new(name: String, at_a_time: usize) -> Host {
        Host {
            name,
            permits: Semaphore::new(at_a_time),
            idle: RefCell::default(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn permits(&self) -> &Semaphore {
        &self.permits
    }

    /// Gets a page. When it is given up its connection is closed.
    pub(crate) async fn fetch(&self, uri: &Uri) -> Result<Fetched, Failure> {
        let mut connection = self.connection().await?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let request = Request::get(path).header(header::HOST, &self.name);
        let response = connection.send_request(request.body(Empty::new())?).await?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, LONGEST_PAGE).collect().await?.to_bytes();
        self.idle.borrow_mut().push(connection);

        let status = head.status;
        Ok(
            if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
                Fetched::Broken
            } else if status.is_client_error() {
                Fetched::Missing
            } else {
                let mut links = links::of_page(uri, &String::from_utf8_lossy(&body));
                let moved = head
                    .headers
                    .get(header::LOCATION)
                    .and_then(|to| to.to_str().ok());
                links.extend(moved.and_then(|to| links::resolve(uri, to)));
                Fetched::Page { links }
            },
        )
    }

    /// One that is not in use, or a new one.
    async fn connection(&self) -> Result<SendRequest<Empty<Bytes>>, Failure> {
        loop {
            let idle = self.idle.borrow_mut().pop();
            match idle {
                Some(mut connection) => {
                    // The server may have closed it since.
                    if connection.ready().await.is_ok() {
                        return Ok(connection);
                    }
                }
                None => break,
            }
        }
        let stream = match self.name.contains(':') {
            true => TcpStream::connect(&self.name).await?,
            false => TcpStream::connect((self.name.as_str(), 80)).await?,
        };
        let (connection, driver) = handshake(stream).await?;
        create_task(driver);
        Ok(connection)
    }
}
