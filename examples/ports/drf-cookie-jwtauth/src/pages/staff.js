import { UNAVAILABLE, ask, element, made, say } from "/page.js";

/** Does something, and shows what is there then. After too long a time the server asks for another login. */
async function change(path) {
  const answer = await ask("DELETE", path);
  if (answer.ok || answer.status === 401 || answer.status === 404) location.reload();
  else say(UNAVAILABLE);
}

async function read(path) {
  const answer = await ask("GET", path);
  if (answer.status === 401) location.assign("/?return_to=/staff");
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

/** All entries of a list that comes in pages. */
async function* entries(path, list) {
  for (let after = ""; after !== undefined; ) {
    const page = await read(path + after);
    yield* page[list];
    after = page.next && `?after=${encodeURIComponent(page.next)}`;
  }
}

const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "short" });
const time = (seconds) => (seconds === undefined ? "" : clock.format(seconds * 1000));

function row(table, texts, ...buttons) {
  const line = made("tr", "");
  line.append(...texts.map((text) => made("td", text)));
  if (buttons.length) line.append(made("td", ""));
  line.lastChild.append(...buttons);
  element(table).append(line);
}

try {
  const names = new Map((await read("/staff/users")).map(({ id, name }) => [id, name]));
  const name = (user) => names.get(user) ?? user ?? "";
  for await (const session of entries("/staff/sessions", "sessions")) {
    const sessions = `/staff/users/${encodeURIComponent(session.user)}/sessions`;
    const who = name(session.user) + (session.current ? " (this session)" : "");
    row(
      "sessions",
      [who, session.label ?? "", time(session.started_at), time(session.last_refreshed_at), time(session.expires_at)],
      made("button", "End", { onclick: () => change(`${sessions}/${session.id}`) }),
      made("button", "Log out everywhere", { onclick: () => change(sessions) }),
    );
  }
  for await (const { kind, user, recorded_at, kept_until } of entries("/staff/revocations", "revocations")) {
    row("revocations", [kind, name(user), time(recorded_at), time(kept_until)]);
  }
} catch {
  say("The lists cannot be read now.");
}
