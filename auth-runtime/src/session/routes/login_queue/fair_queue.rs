//! Who waits, who is next, and who is refused where there is no room.

use std::collections::VecDeque;
use std::net::IpAddr;

/// After so many with priority in a row, one of the others is next.
const PRIORITY_IN_A_ROW: u32 = 3;

/// Why a login is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Of its network, more wait than of any other.
    OwnNetwork,
    /// There is no room, and no network has more than one waiting.
    Full,
}

/// Those that wait: a bounded number. `T` is what reaches one of them.
pub(super) struct FairQueue<T> {
    max: usize,
    max_with_priority: usize,
    with_priority: NetworkQueues<T>,
    others: NetworkQueues<T>,
    tickets: u64,
    /// How many with priority were next since one of the others was.
    in_a_row: u32,
}

impl<T> FairQueue<T> {
    /// For `max` in all, of which `max_with_priority` may have priority.
    pub(super) fn new(max: usize, max_with_priority: usize) -> Self {
        let (with_priority, others) = (NetworkQueues::new(), NetworkQueues::new());
        Self { max, max_with_priority, with_priority, others, tickets: 0, in_a_row: 0 }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.with_priority.len + self.others.len
    }

    /// Lets one wait, and returns its ticket. Where there is no room, it takes the place of the newest of the network of which most
    /// wait, which is returned with the reason.
    ///
    /// One with priority never gives way to one without.
    pub(super) fn enter(
        &mut self,
        network: IpAddr,
        has_priority: bool,
        value: T,
    ) -> Result<(u64, Option<(T, Refused)>), Refused> {
        let is_full = self.len() >= self.max;
        let displaced = if has_priority && self.with_priority.len >= self.max_with_priority {
            Some(self.with_priority.make_room(Some(network))?)
        } else if is_full && has_priority {
            Some(self.others.make_room(None)?)
        } else if is_full {
            Some(self.others.make_room(Some(network))?)
        } else {
            None
        };
        self.tickets += 1;
        let queues = if has_priority { &mut self.with_priority } else { &mut self.others };
        queues.push(network, Waiter { ticket: self.tickets, value });
        Ok((self.tickets, displaced))
    }

    /// The next one. Networks take turns, and the oldest of a network is its next one.
    pub(super) fn next(&mut self) -> Option<T> {
        let is_turn_of_others = self.in_a_row >= PRIORITY_IN_A_ROW && self.others.len > 0;
        if self.with_priority.len > 0 && !is_turn_of_others {
            self.in_a_row = self.in_a_row.saturating_add(1);
            return self.with_priority.next();
        }
        self.in_a_row = 0;
        self.others.next()
    }

    /// Removes the one with this ticket, if it still waits.
    pub(super) fn remove(&mut self, ticket: u64) -> Option<T> {
        self.with_priority.remove(ticket).or_else(|| self.others.remove(ticket))
    }
}

struct Waiter<T> {
    /// The newest has the largest.
    ticket: u64,
    value: T,
}

/// The networks of which some wait, in the order of their turns.
struct NetworkQueues<T> {
    networks: VecDeque<(IpAddr, VecDeque<Waiter<T>>)>,
    len: usize,
}

impl<T> NetworkQueues<T> {
    fn new() -> Self {
        Self { networks: VecDeque::new(), len: 0 }
    }

    fn push(&mut self, network: IpAddr, waiter: Waiter<T>) {
        self.len += 1;
        match self.networks.iter_mut().find(|(other, _)| *other == network) {
            Some((_, waiters)) => waiters.push_back(waiter),
            None => self.networks.push_back((network, VecDeque::from([waiter]))),
        }
    }

    fn next(&mut self) -> Option<T> {
        let (network, mut waiters) = self.networks.pop_front()?;
        let next = waiters.pop_front()?;
        if !waiters.is_empty() {
            self.networks.push_back((network, waiters));
        }
        self.len -= 1;
        Some(next.value)
    }

    /// Removes the newest of the network of which most wait, for a newcomer of this network; `None`: for one that has priority over
    /// all of these.
    fn make_room(&mut self, for_network: Option<IpAddr>) -> Result<(T, Refused), Refused> {
        let longest = self.networks.iter().max_by_key(|(_, waiters)| (waiters.len(), newest(waiters)));
        let (_, longest) = longest.ok_or(Refused::Full)?;
        let own = self.networks.iter().find(|(network, _)| Some(*network) == for_network);
        if own.is_some_and(|(_, own)| own.len() >= longest.len()) {
            return Err(Refused::OwnNetwork);
        }
        let why = if longest.len() > 1 { Refused::OwnNetwork } else { Refused::Full };
        if why == Refused::Full && for_network.is_some() {
            return Err(Refused::Full);
        }
        let displaced = newest(longest).and_then(|ticket| self.remove(ticket)).ok_or(Refused::Full)?;
        Ok((displaced, why))
    }

    fn remove(&mut self, ticket: u64) -> Option<T> {
        let has_ticket = |waiter: &Waiter<T>| waiter.ticket == ticket;
        let index = self.networks.iter().position(|(_, waiters)| waiters.iter().any(has_ticket))?;
        let (_, waiters) = self.networks.get_mut(index)?;
        let removed = waiters.iter().position(has_ticket).and_then(|index| waiters.remove(index))?;
        if waiters.is_empty() {
            self.networks.remove(index);
        }
        self.len -= 1;
        Some(removed.value)
    }
}

fn newest<T>(waiters: &VecDeque<Waiter<T>>) -> Option<u64> {
    waiters.back().map(|waiter| waiter.ticket)
}

#[cfg(test)]
mod tests;
