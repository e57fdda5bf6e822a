const element = (id) => document.getElementById(id);
const send = (path, body) =>
  fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

function show(user, status) {
  [element("login").hidden, element("logout").hidden] = [Boolean(user), !user];
  element("status").textContent = status;
}

const UNAVAILABLE = "The desk does not answer. Please wait.";
const LOGIN_FAILURES = { 400: "Wrong name or password.", 429: "Too many attempts. Try again later." };

/** Connects an agent, and shows everyone else the form. This request renews an access cookie that has expired. */
async function start(status = "Log in as an agent.") {
  const user = await fetch("/").then((answer) => (answer.ok ? answer.json() : undefined)).catch(() => undefined);
  if (user === undefined) {
    element("status").textContent = UNAVAILABLE;
    return void setTimeout(start, 2000, status);
  }
  if (!user?.is_agent) return show(user, user ? "Only agents see the desk." : status);
  const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/panel/live`);
  socket.onmessage = ({ data }) => receive(user, JSON.parse(data));
  socket.onclose = ({ code }) => (code === 1008 ? start("You were logged out.") : setTimeout(start, 2000));
}

/** What users write is text: it never becomes HTML. */
function receive(user, { agent, ticket }) {
  if (agent) return show(user, `You are ${agent}.`);
  const item = document.createElement("li");
  item.textContent = `${ticket.owner}: ${ticket.title}`;
  element("tickets").prepend(item);
}

element("login").onsubmit = async (submit) => {
  submit.preventDefault();
  const credentials = { username: element("username").value, password: element("password").value };
  const { ok, status } = await send("/web/auth/login", credentials).catch(() => ({ ok: false, status: 503 }));
  if (ok) return start();
  show(null, LOGIN_FAILURES[status] ?? UNAVAILABLE);
};
element("logout").onclick = async () => {
  await send("/web/auth/logout", {});
  location.reload();
};

start();
