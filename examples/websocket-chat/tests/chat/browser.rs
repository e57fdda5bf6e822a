//! The page in a real browser, which `bash tests/run` installs.

use auth_tests_browser::{Browser, Driver};

use crate::processes::{Server, Terminal};
use crate::{LOGGED_OUT, as_texts};

const IN_THE_LOBBY: &str = "You are alice, in the room lobby.";

async fn fill_in(browser: &Browser, password: &str) {
    browser.write("#username", "alice").await;
    browser.write("#password", password).await;
    browser.click("#login button").await;
}

async fn say(browser: &Browser, text: &str) {
    browser.write("#text", text).await;
    browser.click("#say button").await;
}

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn a_logout_in_the_browser_closes_the_sockets_of_its_session_and_everywhere_those_of_its_user() {
    let (server, driver) = (Server::start().await, Driver::start());
    let browser = driver.browser().await;
    let mut bob = Terminal::of(&server, "bob", "lobby").await;
    let mut program = Terminal::of(&server, "alice", "lobby").await;

    browser.open(&server.url("/")).await;
    fill_in(&browser, "builder").await;
    browser.see("Wrong name or password.").await;
    browser.script("document.getElementById('username').value = ''").await;
    fill_in(&browser, "wonderland").await;
    browser.see(IN_THE_LOBBY).await;
    let page = browser.tabs().await.remove(0);
    browser.script("window.open('/')").await;
    let second_page = browser.tabs().await.into_iter().find(|tab| *tab != page).unwrap();
    browser.switch_to(&second_page).await;
    browser.see(IN_THE_LOBBY).await;

    // What is written is text, for the page too.
    let (from_page, from_terminal) = ("<b>Hello</b> from the page", "Hello from the terminal");
    say(&browser, from_page).await;
    browser.see(&format!("alice: {from_page}")).await;
    bob.see(&format!("alice: {from_page}")).await;
    program.see(&format!("alice: {from_page}")).await;
    bob.write(from_terminal).await;
    bob.see(&format!("bob: {from_terminal}")).await;
    program.see(&format!("bob: {from_terminal}")).await;
    for tab in [&second_page, &page] {
        browser.switch_to(tab).await;
        browser.see(&format!("bob: {from_terminal}")).await;
    }

    // Both pages have the session that ends; the program of the same user has its own.
    browser.click("#logout").await;
    for tab in [&page, &second_page] {
        browser.switch_to(tab).await;
        browser.see("You were logged out.").await;
        browser.element("#login:not([hidden])").await;
    }
    assert!(browser.cookies().await.is_empty());
    program.write("Still here").await;
    program.see("alice: Still here").await;
    bob.see("alice: Still here").await;

    // An access cookie that has expired is renewed, and the page goes on.
    fill_in(&browser, "wonderland").await;
    browser.see(IN_THE_LOBBY).await;
    browser.delete_cookie("access_token").await;
    browser.reload().await;
    browser.see(IN_THE_LOBBY).await;
    browser.click("#everywhere").await;
    browser.see("You were logged out.").await;
    assert_eq!(as_texts(&program.end().await), LOGGED_OUT);
    bob.write("Bye, alice.").await;
    bob.see("bob: Bye, alice.").await;
    assert_eq!(bob.leave().await, Some(0));
}
