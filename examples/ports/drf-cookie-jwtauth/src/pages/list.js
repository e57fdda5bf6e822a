import { UNAVAILABLE, ask, element, made, say } from "/page.js";

/** Whether the staff page sent the browser here. No other way back is accepted. */
const isForStaff = new URLSearchParams(location.search).get("return_to") === "/staff";

/** Shows who is logged in, and the form where a login is needed. This request renews an access cookie that has expired. */
async function start() {
  const answer = await ask("GET", "/hello");
  if (!answer.ok) return say(UNAVAILABLE);
  const user = await answer.json();
  element("login").hidden = Boolean(user) && !isForStaff;
  element("list").hidden = !user;
  element("staff").hidden = !user?.is_staff;
  if (!user) return say("Log in to see your links.");
  say(isForStaff ? "Log in again for the staff page." : `You are ${user.name}.`);
  await list();
}

async function list() {
  const answer = await ask("GET", "/saved");
  if (answer.ok) element("links").replaceChildren(...(await answer.json()).map(item));
  else say(UNAVAILABLE);
}

function item({ id, url, title }) {
  const remove = async () => {
    await ask("DELETE", `/saved/${id}`);
    await list();
  };
  const line = made("li", "");
  line.append(made("a", title, { href: url }), " ", made("button", "Remove", { onclick: remove }));
  return line;
}

element("login").onsubmit = async (submit) => {
  submit.preventDefault();
  const [username, password] = [element("username").value, element("password").value];
  const answer = await ask("POST", "/session", { username, password, remember: element("remember").checked });
  if (answer.ok) location.assign(isForStaff ? "/staff" : "/");
  else if (answer.status === 403 || answer.status === 429) say((await answer.json()).detail);
  else say(UNAVAILABLE);
};
element("save").onsubmit = async (submit) => {
  submit.preventDefault();
  const answer = await ask("POST", "/saved", { url: element("url").value, title: element("title").value });
  if (!answer.ok) return say(answer.status === 422 ? "This address cannot be saved." : UNAVAILABLE);
  say("Saved.");
  element("save").reset();
  await list();
};
element("logout").onclick = async () => {
  const answer = await ask("DELETE", "/session");
  if (answer.ok) location.assign("/");
  else say("You are still logged in. Try again.");
};

await start();
