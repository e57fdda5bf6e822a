export const element = (id) => document.getElementById(id);
export const say = (text) => void (element("status").textContent = text);
export const UNAVAILABLE = "That did not work. Try again later.";

/** Asks this service. The browser adds the cookies, which no script can read. Without an answer, `ok` is false. */
export function ask(method, path, body) {
  const headers = body && { "content-type": "application/json" };
  return fetch(path, { method, headers, body: JSON.stringify(body) }).catch(() => Response.error());
}

/** An element with this text. What users write never becomes HTML. */
export function made(tag, text, properties) {
  return Object.assign(document.createElement(tag), { textContent: text }, properties);
}
