//! What a node took, in the hands of its owner.

use super::cancelled::Cancelled;
use super::request::Request;

/// What a node took.
#[derive(Debug)]
#[must_use = "a request that is neither worked on nor passed on is swallowed"]
pub struct Taken {
    request: Request,
}

impl Taken {
    pub(super) fn new(request: Request) -> Taken {
        Taken { request }
    }

    pub(super) fn request(&self) -> &Request {
        &self.request
    }

    pub(super) fn into_request(self) -> Request {
        self.request
    }

    /// The request as a value for the code around a catcher.
    pub fn into_cancelled(self) -> Cancelled {
        Cancelled::of(self.request)
    }

    /// Two requests that were taken one after the other.
    pub fn merge(&mut self, other: Taken) {
        self.request.merge(other.request);
    }

    /// A copy, to be kept while the other is passed on.
    pub fn copy(&self) -> Taken {
        Taken::new(self.request.clone())
    }
}
