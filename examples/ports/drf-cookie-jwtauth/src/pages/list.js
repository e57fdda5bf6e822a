import { ask, element, made } from "/page.js";

/** Whether the staff page sent the browser here. No other way back is accepted. */
const isForStaff = new URLSearchParams(location.search).get("return_to") === "/staff";

/** Shows who is logged in, and the form where a login is needed. This request renews an access cookie that has expired. */
async function start(status = "Log in to see your links.") {
  const answer = await ask("GET", "/hello");
  const user = answer.ok ? await answer.json() : null;
  element("login").hidden = Boolean(user) && !isForStaff;
  element("list").hidden = !user;
  element("status").textContent = !user ? status : isForStaff ? "Log in again for the staff page." : `You are ${user.name}.`;
  element("staff").hidden = !user?.is_staff;
  if (user) await list();
  return user;
}

async function list() {
  const answer = await ask("GET", "/saved");
  if (answer.ok) element("links").replaceChildren(...(await answer.json()).map(item));
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
  if (!answer.ok) return void (element("status").textContent = (await answer.json()).detail);
  const user = await start();
  if (isForStaff) location.assign(user?.is_staff ? "/staff" : "/");
};
element("save").onsubmit = async (submit) => {
  submit.preventDefault();
  const answer = await ask("POST", "/saved", { url: element("url").value, title: element("title").value });
  if (!answer.ok) return void (element("status").textContent = "This address cannot be saved.");
  element("save").reset();
  await list();
};
element("logout").onclick = async () => {
  const answer = await ask("DELETE", "/session");
  if (answer.ok) location.assign("/");
  else element("status").textContent = "You are still logged in. Try again.";
};

await start();
