//! The rooms, and what happens in them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{Receiver, Sender, channel};

/// How many messages wait for a client that reads slowly.
const WAITING: usize = 100;

/// The rooms that there are.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Room {
    Lobby,
    Announcements,
}

/// What the server sends, as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    /// A user has said something.
    Said { by: String, text: String },
    /// The client's message is not passed on, for this reason.
    Refused { reason: String },
    /// The client reads so slowly that it misses this number of messages.
    Missed { messages: u64 },
}

impl Event {
    pub(crate) fn to_json(&self) -> String {
        serde_json::json!(self).to_string()
    }
}

/// Who is in a room has a receiver of its messages.
#[derive(Clone)]
pub(crate) struct Rooms(Arc<[Sender<Event>; 2]>);

impl Default for Rooms {
    fn default() -> Self {
        Self(Arc::new([channel(WAITING).0, channel(WAITING).0]))
    }
}

impl Rooms {
    pub(crate) fn enter(&self, room: Room) -> Receiver<Event> {
        self.of(room).subscribe()
    }

    /// Also to the user that says it.
    pub(crate) fn say(&self, room: Room, event: Event) {
        // An error says that the room is empty.
        let _ = self.of(room).send(event);
    }

    fn of(&self, room: Room) -> &Sender<Event> {
        let [lobby, announcements] = &*self.0;
        match room {
            Room::Lobby => lobby,
            Room::Announcements => announcements,
        }
    }
}

/// The next event for a client. A room never ends while a handler has it.
pub(crate) async fn next(said: &mut Receiver<Event>) -> Event {
    match said.recv().await {
        Ok(event) => event,
        Err(RecvError::Lagged(messages)) => Event::Missed { messages },
        Err(RecvError::Closed) => std::future::pending().await,
    }
}
