//! Sockets and streams that end with the credential of their caller.
//!
//! The gate decides when a request begins. What outlives that decision asks again: [`Principal::ended`](crate::Principal::ended) is a
//! future that completes when the credential expires or is revoked, or when that can't be known.
//!
//! | item | purpose |
//! |---|---|
//! | [`UntilEnded`] | `stream.until_ended(&principal)`: ends a stream, such as that of an `axum::response::Sse` |
//! | `GuardedWebSocket` | closes a WebSocket with the code 1008 (feature `ws`) |
//! | [`Ended`], [`EndReason`] | the future, and what it completes with |
//!
//! The page [sockets](crate::guide::sockets) of the guide has an example of each.

#[cfg(feature = "ws")]
mod web_socket;

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;
use pin_project_lite::pin_project;

#[cfg(feature = "ws")]
pub use self::web_socket::GuardedWebSocket;
pub use crate::principal::{EndReason, Ended};

/// Adds `.until_ended(..)` to streams.
pub trait UntilEnded: Stream + Sized {
    /// Ends this stream when the credential no longer counts: `stream.until_ended(&principal)`, or
    /// `stream.until_ended(principal.ended().while_session_lasts())`.
    ///
    /// Whether it counts is looked at before each item. An item that is ready when the credential has ended is not returned. The stream is
    /// dropped when it ends.
    ///
    /// For a WebSocket, use `GuardedWebSocket`, which closes it.
    fn until_ended(self, ended: impl Into<Ended>) -> StreamUntilEnded<Self> {
        StreamUntilEnded { stream: Some(self), ended: ended.into() }
    }
}

impl<S: Stream> UntilEnded for S {}

pin_project! {
    /// A stream that ends with a credential, from [`UntilEnded::until_ended`].
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct StreamUntilEnded<S> {
        #[pin]
        stream: Option<S>,
        ended: Ended,
    }
}

impl<S> StreamUntilEnded<S> {
    /// Returns why the credential has ended, if that has ended the stream.
    #[must_use]
    pub fn end_reason(&self) -> Option<EndReason> {
        self.ended.reason()
    }
}

impl<S: Stream> Stream for StreamUntilEnded<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let Some(stream) = this.stream.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let next = match Pin::new(this.ended).poll(context) {
            Poll::Ready(_) => None,
            Poll::Pending => std::task::ready!(stream.poll_next(context)),
        };
        if next.is_none() {
            this.stream.set(None);
        }
        Poll::Ready(next)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // It may end before the next item.
        (0, self.stream.as_ref().map_or(Some(0), |stream| stream.size_hint().1))
    }
}
