export const element = (id) => document.getElementById(id);

/** Asks this service. The browser adds the cookies, which no script can read. */
export const ask = (method, path, body) =>
  fetch(path, { method, ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }) });

/** An element with this text. What users write never becomes HTML. */
export function made(tag, text, properties) {
  return Object.assign(document.createElement(tag), { textContent: text }, properties);
}
