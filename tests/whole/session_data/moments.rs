//! What happens between the read and the write of a change. The store answers at once, so the closure of `update` is that moment.

use std::sync::{Arc, Mutex, OnceLock};

use auth_runtime::session::{BoxError, RefreshKey, SubjectStore};
use futures_util::FutureExt as _;

use super::*;

/// What a test counts: the times that a closure was called.
#[derive(Default)]
struct Calls(usize);

impl Calls {
    /// Whether this is the first.
    fn is_first(&mut self) -> bool {
        self.0 += 1;
        self.0 == 1
    }
}

/// In this process alone, where each call is done when it is made.
fn in_memory(subjects: impl SubjectStore, events: &Arc<Mutex<Vec<String>>>) -> TokenService {
    let issuer = TokenIssuer::new(ISSUER, AUDIENCE, signing_key(1), subjects)
        .refresh_key(RefreshKey::new("k1", [1; 32]))
        .grace_period(Duration::ZERO);
    let noted = Arc::clone(events);
    let auth = Auth::builder()
        .clock(TestClock::new())
        .token_issuer(issuer)
        .audit(move |event| noted.lock().unwrap().push(event.action.as_str().to_owned()))
        .build()
        .unwrap();
    auth.tokens().unwrap()
}

/// What a store in memory does is done when it is asked.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().unwrap()
}

#[tokio::test]
async fn a_refresh_amid_a_change_is_no_reuse_and_both_are_done() {
    let events = Arc::default();
    let tokens = in_memory(People::default(), &events);
    let first = tokens.issue(&Subject::new("alice")).await.unwrap();
    let data = tokens.session_data_of(&first.session_id).unwrap();
    let (mut calls, mut next) = (Calls::default(), None);
    data.update(|cart: &mut Option<Cart>| {
        if calls.is_first() {
            next = Some(at_once(tokens.refresh(&first.refresh_token)).unwrap());
        }
        cart.get_or_insert_default().items.push("tea".into());
    })
    .await
    .unwrap();
    assert_eq!(calls.0, 2, "the row was another one");
    let next = tokens.refresh(&next.unwrap().refresh_token).await.unwrap();
    let data = tokens.session_data_of(&next.session_id).unwrap();
    assert_eq!(data.get::<Cart>().await.unwrap().unwrap().items, ["tea"]);
    assert_eq!(*events.lock().unwrap(), ["login", "refresh", "refresh"]);
}

/// Changes the cart of the session while a refresh asks for the user: that is between the refresh's read and its write.
struct ChangesTheCart(Arc<OnceLock<SessionData>>);

impl SubjectStore for ChangesTheCart {
    async fn subject(&self, id: &str) -> Result<Option<Subject>, BoxError> {
        if let Some(data) = self.0.get() {
            data.update(|cart: &mut Option<Cart>| cart.get_or_insert_default().items.push("tea".into()))
                .await?;
        }
        Ok(Some(Subject::new(id)))
    }
}

#[tokio::test]
async fn a_change_amid_a_refresh_is_no_reuse_and_is_kept() {
    let (events, amid) = (Arc::default(), Arc::<OnceLock<SessionData>>::default());
    let tokens = in_memory(ChangesTheCart(Arc::clone(&amid)), &events);
    let mut session = tokens.issue(&Subject::new("alice")).await.unwrap();
    amid.set(tokens.session_data_of(&session.session_id).unwrap()).unwrap();
    for turn in 1..=5 {
        session = tokens.refresh(&session.refresh_token).await.unwrap();
        let cart = amid.get().unwrap().get::<Cart>().await.unwrap().unwrap();
        assert_eq!(cart.items.len(), turn);
    }
    assert_eq!(*events.lock().unwrap(), ["login", "refresh", "refresh", "refresh", "refresh", "refresh"]);
}

#[tokio::test]
async fn a_logout_amid_a_change_leaves_nothing() {
    let events = Arc::default();
    let tokens = in_memory(People::default(), &events);
    for is_everywhere in [false, true] {
        let session = tokens.issue(&Subject::new("alice")).await.unwrap();
        let data = tokens.session_data_of(&session.session_id).unwrap();
        data.set(&Theme("dark".into())).await.unwrap();
        let mut calls = Calls::default();
        let changed = data.update(|cart: &mut Option<Cart>| {
            assert!(calls.is_first(), "the session has ended");
            if is_everywhere {
                at_once(tokens.log_out_everywhere("alice")).unwrap();
            } else {
                at_once(tokens.log_out(&session.refresh_token)).unwrap();
            }
            *cart = Some(Cart::default());
        });
        assert!(matches!(changed.await, Err(SessionDataError::Ended)), "everywhere: {is_everywhere}");
        for ended in [data.get::<Cart>().await.map(drop), data.get::<Theme>().await.map(drop)] {
            assert!(matches!(ended, Err(SessionDataError::Ended)));
        }
        assert!(tokens.refresh(&session.refresh_token).await.is_err());
        assert!(tokens.sessions("alice").await.unwrap().sessions.is_empty());
    }
}

/// Two tabs: the second has changed the cart after the first has read it.
#[tokio::test]
async fn of_two_changes_none_is_lost() {
    let tokens = in_memory(People::default(), &Arc::default());
    let session = tokens.issue(&Subject::new("alice")).await.unwrap();
    let (one, other) = (&tokens, tokens.clone());
    let mut calls = Calls::default();
    let add = |cart: &mut Option<Cart>, item: &str| cart.get_or_insert_default().items.push(item.into());
    let data = one.session_data_of(&session.session_id).unwrap();
    data.update(|cart: &mut Option<Cart>| {
        if calls.is_first() {
            let tab = other.session_data_of(&session.session_id).unwrap();
            at_once(tab.update(|cart: &mut Option<Cart>| add(cart, "milk"))).unwrap();
            at_once(tab.set(&Theme("dark".into()))).unwrap();
        }
        add(cart, "tea");
    })
    .await
    .unwrap();
    assert_eq!(data.get::<Cart>().await.unwrap().unwrap().items, ["milk", "tea"]);
    assert_eq!(data.get::<Theme>().await.unwrap(), Some(Theme("dark".into())));
}

/// Others change the session each time: an error that says so, and no loop without end.
#[tokio::test]
async fn a_change_that_always_comes_late_is_503() {
    let tokens = in_memory(People::default(), &Arc::default());
    let session = tokens.issue(&Subject::new("alice")).await.unwrap();
    let data = tokens.session_data_of(&session.session_id).unwrap();
    let mut calls = 0;
    let changed = data.update(|cart: &mut Option<Cart>| {
        calls += 1;
        at_once(data.set(&Theme(calls.to_string()))).unwrap();
        *cart = Some(Cart::default());
    });
    let error = changed.await.unwrap_err();
    assert!(error.to_string().contains("each of 64 attempts"), "{error}");
    assert_eq!((Rejection::from(error).status().as_u16(), calls), (503, 64));
}
