const element = (id) => document.getElementById(id);

/** Answers, also where nobody answers: then with the status 0. */
async function ask(method, path, body) {
  const headers = body ? { "content-type": "application/json" } : {};
  try {
    return await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    return Response.error();
  }
}

let socket;

/** Shows the chat if there is a session, and the form with this message otherwise. */
async function start(message) {
  leave();
  const me = await ask("GET", "/me");
  if (me.ok) connect(await me.text());
  else if (me.status === 401) show("login", message);
  else startLater();
}

function startLater() {
  leave();
  notice("The connection was lost. It is tried again.");
  setTimeout(start, 2000);
}

function connect(name) {
  leave();
  const room = element("room").value;
  const entered = new WebSocket(`${location.origin.replace(/^http/, "ws")}/rooms/${room}`);
  entered.onopen = () => show("chat", `You are ${name}, in the room ${room}.`);
  entered.onmessage = ({ data }) => add(JSON.parse(data));
  entered.onclose = ({ code, reason }) => {
    if (entered !== socket) return; // this page has left the room
    // The session has ended; or only the access token has, and then the request for /me renews it.
    if (code === 1008 && reason === "invalid_token") start("You were logged out.");
    else startLater();
  };
  socket = entered;
}

function leave() {
  const left = socket;
  socket = undefined;
  left?.close();
}

function show(visible, message = "") {
  for (const id of ["login", "chat"]) element(id).hidden = id !== visible;
  if (visible === "login") element("messages").replaceChildren();
  notice(message);
}

function notice(text) {
  element("status").textContent = text;
}

/** What users write is text: it never becomes HTML. */
function add(event) {
  const texts = {
    said: () => `${event.by}: ${event.text}`,
    refused: () => event.reason,
    missed: () => `${event.messages} messages are missing.`,
  };
  const item = document.createElement("li");
  item.textContent = texts[event.event]();
  element("messages").append(item);
}

element("login").onsubmit = async (submit) => {
  submit.preventDefault();
  const credentials = { username: element("username").value, password: element("password").value };
  element("password").value = "";
  const answer = await ask("POST", "/auth/login", credentials);
  if (answer.ok) start();
  else notice(answer.status === 400 ? "Wrong name or password." : "That did not work. Please try again later.");
};

element("say").onsubmit = (submit) => {
  submit.preventDefault();
  if (socket?.readyState !== WebSocket.OPEN) return;
  socket.send(element("text").value);
  element("text").value = "";
};

element("room").onchange = () => {
  element("messages").replaceChildren();
  start();
};

/** The server closes the sockets: this page's, those of other tabs, and those of programs. */
async function logOut(path) {
  const answer = await ask("POST", path);
  if (answer.status === 401) start("You were logged out."); // before
  else if (!answer.ok) notice("You are still logged in. Please try again.");
}

element("logout").onclick = () => logOut("/auth/logout");
element("everywhere").onclick = () => logOut("/auth/logout-everywhere");

start();
