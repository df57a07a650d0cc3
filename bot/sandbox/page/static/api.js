// Calls to the sandbox. An answer that is an error becomes an Error with the one sentence that it holds.

async function call(path, options = {}) {
  let answer;
  try {
    answer = await fetch(`api/${path}`, { cache: "no-store", ...options });
  } catch {
    throw new Error("The sandbox does not answer. Is it still running in your terminal?");
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(body.error ?? `The sandbox answered ${answer.status}.`), { status: answer.status });
  return body;
}

export const get = (path) => call(path);

export const post = (path, body = {}) =>
  call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const person = (user, path = "") => `people/${encodeURIComponent(user)}${path}`;

/**
 * Follow the sandbox's counters. `changed` gets the names of those that rose; `alive` hears whether the sandbox is there.
 * The browser connects again by itself while the server refuses; where it has given up, we start over.
 */
export function follow(changed, alive) {
  let seen = {};
  const source = new EventSource("api/events");
  source.addEventListener("changed", (event) => {
    alive(true);
    const now = JSON.parse(event.data);
    const names = Object.keys(now).filter((name) => now[name] !== seen[name]);
    seen = now;
    if (names.length) changed(names);
  });
  source.addEventListener("open", () => { seen = {}; alive(true); });
  source.addEventListener("error", () => {
    alive(false);
    if (source.readyState !== EventSource.CLOSED) return;
    source.close();
    setTimeout(() => follow(changed, alive), 2000);
  });
}
