//! Changes of a session's data at the same time, and amid refreshes and logouts.

use auth_runtime::session::{SessionData, SessionDataError, SessionValue};
use serde::{Deserialize, Serialize};

use super::*;

/// How often each writer has changed it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Counts(Vec<usize>);

impl SessionValue for Counts {
    const NAME: &str = "counts";
}

/// What one request may have alone.
#[derive(Debug, Serialize, Deserialize)]
struct Ticket(usize);

impl SessionValue for Ticket {
    const NAME: &str = "ticket";
}

fn data(service: &Service, session: &IssuedTokens) -> SessionData {
    service.tokens.session_data_of(&session.session_id).unwrap()
}

fn count(data: SessionData, writer: usize) -> Task<Result<(), SessionDataError>> {
    Box::pin(async move {
        data.update(|counts: &mut Option<Counts>| {
            let Counts(counts) = counts.get_or_insert_default();
            counts.resize(counts.len().max(writer + 1), 0);
            counts[writer] += 1;
        })
        .await
    })
}

/// Every change is there in the end, and each refresh gets its successor: a use of a token that were taken for a repeated one would end the
/// session.
pub(super) async fn changes_amid_refreshes_lose_nothing_and_end_nothing(stores: Stores) {
    const WRITERS: usize = 10;
    const REFRESHES: usize = 40;

    for service in services(stores, Duration::ZERO).await {
        let changes = if service.store == "memory" { 100 } else { 30 };
        let first = service.log_in().await;
        let mut tasks: Vec<Task<()>> = Vec::new();
        for writer in 0..WRITERS {
            let data = data(&service, &first);
            tasks.push(Box::pin(async move {
                for _ in 0..changes {
                    count(data.clone(), writer).await.unwrap();
                }
            }));
        }
        let (tokens, mut last) = (service.tokens.clone(), first.clone());
        tasks.push(Box::pin(async move {
            for _ in 0..REFRESHES {
                last = tokens.refresh(&last.refresh_token).await.unwrap();
            }
        }));
        together(tasks).await;
        let counts = data(&service, &first).get::<Counts>().await.unwrap().unwrap();
        assert_eq!(counts.0, [changes; WRITERS], "{}", service.store);
        assert!(service.accepts(&first).await, "{}", service.store);
    }
}

/// A change that is acknowledged before the logout was made to a session that was there; none is made after it.
pub(super) async fn a_log_out_amid_changes_ends_them(stores: Stores) {
    for service in services(stores, Duration::from_secs(10)).await {
        for turn in 0..6 {
            let (first, progress) = (service.log_in().await, Progress::default());
            let (tokens, session, done) = (service.tokens.clone(), first.clone(), progress.clone());
            let mut tasks: Vec<Task<()>> = vec![Box::pin(async move {
                done.reached(turn * 5).await;
                if turn % 2 == 0 {
                    assert!(tokens.log_out(&session.refresh_token).await.unwrap());
                } else {
                    tokens.log_out_everywhere("alice").await.unwrap();
                }
            })];
            for writer in 0..10 {
                let (data, done) = (data(&service, &first), progress.clone());
                tasks.push(Box::pin(async move {
                    loop {
                        match count(data.clone(), writer).await {
                            Ok(()) => done.advance(),
                            Err(SessionDataError::Ended) => break,
                            Err(error) => panic!("{error}"),
                        }
                    }
                }));
            }
            together(tasks).await;
            service.is_dead(&first).await;
            let read = data(&service, &first).get::<Counts>().await;
            assert!(matches!(read, Err(SessionDataError::Ended)), "{}: {read:?}", service.store);
            assert!(service.tokens.sessions("alice").await.unwrap().sessions.is_empty());
        }
    }
}

pub(super) async fn of_many_takers_one_gets_the_value(stores: Stores) {
    for service in services(stores, Duration::ZERO).await {
        let data = data(&service, &service.log_in().await);
        for turn in 0..5 {
            data.set(&Ticket(turn)).await.unwrap();
            let take = || -> Task<Option<Ticket>> {
                let data = data.clone();
                Box::pin(async move { data.update(Option::<Ticket>::take).await.unwrap() })
            };
            let taken = together((0..30).map(|_| take()).collect()).await;
            let taken: Vec<_> = taken.into_iter().flatten().map(|Ticket(turn)| turn).collect();
            assert_eq!(taken, [turn], "{}", service.store);
        }
    }
}
