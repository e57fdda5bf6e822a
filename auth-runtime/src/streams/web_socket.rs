//! A WebSocket that is closed when the credential of its caller ends.
//!
//! It is one object with two sides, which two tasks may poll: `StreamExt::split` gives each a half. So each side has its own future of
//! the credential's end and its own timer, since a future wakes the task alone that polled it last.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Error;
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use axum::http::HeaderValue;
use futures_util::{Sink, SinkExt, Stream, StreamExt as _};
use tokio::time::{Sleep, sleep};

use super::{EndReason, Ended};

/// For how long the client may take to read what was sent before, and to answer the close frame.
const CLOSING: Duration = Duration::from_secs(5);

/// A WebSocket that is closed when the credential of its caller ends: with the code 1008 (policy violation, RFC 6455 §7.4.1).
///
/// The close frame is sent while [`recv`](Self::recv) or [`send`](Self::send) waits, or at the next call. After what was sent before, the
/// client gets the close frame, whose reason is `invalid_token`, or `temporarily_unavailable` where it is not known whether the
/// credential still counts. It has 5 seconds to read it and to answer, before the connection ends. No message is passed on any longer:
/// `recv` returns `None`, and `send` an error whose source is the [`EndReason`].
///
/// While a task waits for something else alone, the socket stays open, and nothing goes through it: keep a `recv` pending, as in the
/// example, or wait for [`Principal::ended`](crate::Principal::ended) too.
///
/// ```
/// use auth_runtime::streams::GuardedWebSocket;
/// use auth_runtime::{Principal, auth};
/// use axum::extract::ws::WebSocketUpgrade;
/// use axum::response::Response;
///
/// #[auth]
/// async fn echo(user: Principal, upgrade: WebSocketUpgrade) -> Response {
///     upgrade.on_upgrade(async move |socket| {
///         let mut socket = GuardedWebSocket::new(socket, &user);
///         while let Some(Ok(message)) = socket.recv().await {
///             if socket.send(message).await.is_err() {
///                 return;
///             }
///         }
///     })
/// }
/// ```
pub struct GuardedWebSocket {
    socket: WebSocket,
    state: State,
    reading: Side,
    writing: Side,
}

/// What polls the socket: its stream or its sink.
struct Side {
    ended: Ended,
    /// When the client has had its time, once the credential has ended.
    deadline: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// The credential has ended, and the close frame is not on its way.
    Ended(EndReason),
    /// The close frame was handed to the socket.
    CloseSent(EndReason),
    Closed(Option<EndReason>),
}

impl GuardedWebSocket {
    /// Guards a socket with the credential of this principal, or with
    /// [`principal.ended().while_session_lasts()`](Ended::while_session_lasts).
    #[must_use]
    pub fn new(socket: WebSocket, ended: impl Into<Ended>) -> Self {
        let ended = ended.into();
        let writing = Side::new(ended.again());
        Self { socket, state: State::Open, reading: Side::new(ended), writing }
    }

    /// Receives a message. `None`: the socket is closed, by the client or because the credential has ended.
    pub async fn recv(&mut self) -> Option<Result<Message, Error>> {
        self.next().await
    }

    /// Sends a message.
    ///
    /// # Errors
    /// If the connection is lost or closed. If the credential has ended, the socket is closed first, and the source of the error is the
    /// [`EndReason`].
    pub async fn send(&mut self, message: Message) -> Result<(), Error> {
        let sent = SinkExt::send(self, message).await;
        if sent.is_err() && self.end_reason().is_some() {
            // To its end, so that a caller that drops the socket now does not cut the close frame off.
            while self.next().await.is_some() {}
        }
        sent
    }

    /// Returns why the credential has ended, if that has closed the socket.
    #[must_use]
    pub fn end_reason(&self) -> Option<EndReason> {
        match self.state {
            State::Open => None,
            State::Ended(reason) | State::CloseSent(reason) => Some(reason),
            State::Closed(reason) => reason,
        }
    }

    /// Returns the subprotocol that was selected, if one was.
    #[must_use]
    pub fn protocol(&self) -> Option<&HeaderValue> {
        self.socket.protocol()
    }

    /// Sends the close frame, once the credential has ended, after what was sent before. Ready when the client has it, or has had its time.
    fn poll_close_frame(&mut self, context: &mut Context<'_>, side: fn(&mut Self) -> &mut Side) -> Poll<()> {
        if let State::Closed(_) = self.state {
            return Poll::Ready(());
        }
        if side(self).poll_deadline(context).is_ready() {
            self.state = State::Closed(self.end_reason());
            return Poll::Ready(());
        }
        let mut socket = Pin::new(&mut self.socket);
        if let State::Ended(reason) = self.state {
            let sent = match ready!(socket.as_mut().poll_ready(context)) {
                Ok(()) => socket.as_mut().start_send(close_frame(reason)),
                Err(error) => Err(error),
            };
            self.state = if sent.is_ok() { State::CloseSent(reason) } else { State::Closed(Some(reason)) };
        }
        if let State::CloseSent(reason) = self.state
            && ready!(socket.poll_flush(context)).is_err()
        {
            self.state = State::Closed(Some(reason));
        }
        Poll::Ready(())
    }

    /// Whether the credential has ended: then the message that waits is not passed on.
    fn poll_ended(
        &mut self,
        context: &mut Context<'_>,
        side: fn(&mut Self) -> &mut Side,
    ) -> Option<EndReason> {
        if self.state == State::Open
            && let Poll::Ready(reason) = Pin::new(&mut side(self).ended).poll(context)
        {
            self.state = State::Ended(reason);
        }
        self.end_reason()
    }

    /// Before something is sent: ready with an error if the credential has ended, once the close frame is on its way.
    fn poll_may_send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Some(reason) = self.poll_ended(context, Self::writing) else { return Poll::Ready(Ok(())) };
        ready!(self.poll_close_frame(context, Self::writing));
        Poll::Ready(Err(Error::new(reason)))
    }

    fn reading(&mut self) -> &mut Side {
        &mut self.reading
    }

    fn writing(&mut self) -> &mut Side {
        &mut self.writing
    }
}

impl Side {
    fn new(ended: Ended) -> Self {
        Self { ended, deadline: None }
    }

    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.deadline.get_or_insert_with(|| Box::pin(sleep(CLOSING))).as_mut().poll(context)
    }
}

fn close_frame(reason: EndReason) -> Message {
    // The codes of RFC 6750 §3.1 and RFC 6749 §4.1.2.1: no more than a rejected request is answered.
    let text = match reason {
        EndReason::Unavailable => "temporarily_unavailable",
        _ => "invalid_token",
    };
    Message::Close(Some(CloseFrame { code: close_code::POLICY, reason: text.into() }))
}

impl Stream for GuardedWebSocket {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.poll_ended(context, Self::reading).is_none() {
            if this.state != State::Open {
                return Poll::Ready(None);
            }
            let next = ready!(this.socket.poll_next_unpin(context));
            if next.is_none() {
                this.state = State::Closed(None);
            }
            return Poll::Ready(next);
        }
        ready!(this.poll_close_frame(context, Self::reading));
        // What the client sent before it read the close frame is dropped, up to its answer.
        while let State::CloseSent(reason) = this.state {
            if !matches!(ready!(this.socket.poll_next_unpin(context)), Some(Ok(_))) {
                this.state = State::Closed(Some(reason));
            }
        }
        Poll::Ready(None)
    }
}

impl Sink<Message> for GuardedWebSocket {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        ready!(self.poll_may_send(context))?;
        self.socket.poll_ready_unpin(context)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        match self.end_reason() {
            Some(reason) => Err(Error::new(reason)),
            None => self.socket.start_send_unpin(message),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        ready!(self.poll_may_send(context))?;
        self.socket.poll_flush_unpin(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self.poll_ended(context, Self::writing) {
            Some(_) => self.poll_close_frame(context, Self::writing).map(Ok),
            None => self.socket.poll_close_unpin(context),
        }
    }
}

/// Without messages.
impl fmt::Debug for GuardedWebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedWebSocket")
            .field("state", &self.state)
            .field("ended", &self.reading.ended)
            .finish_non_exhaustive()
    }
}
