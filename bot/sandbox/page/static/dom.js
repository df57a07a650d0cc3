// Making elements and keeping them. Text only ever becomes a text node: what people type must stay words.

/** An element. `props`: attributes, `on...` listeners, `data` and `aria` as objects; null and false leave one out. */
export function h(tag, props = {}, ...children) {
  const node = tag instanceof Element ? tag : document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name === "aria") for (const [key, says] of Object.entries(value)) says != null && node.setAttribute(`aria-${key}`, says);
    else if (name === "class") node.className = value;
    else if (name === "value" || name === "checked" || name === "selected") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const byId = (id) => document.getElementById(id);

/**
 * Make the children of `parent` show `items`, touching only what changed: whoever reads, types or has the focus there
 * is not disturbed. `key` names an item for good, `look` is a string that changes when it has to be drawn anew.
 */
export function keyed(parent, items, { key, look, draw, changed }) {
  const before = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  let at = parent.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    const sign = look(item);
    let node = before.get(name);
    before.delete(name);
    if (!node || node.look !== sign) {
      const fresh = draw(item);
      fresh.dataset.key = name;
      fresh.look = sign;
      if (node) {
        if (at === node) at = fresh;
        keepingFocus(node, fresh, () => node.replaceWith(fresh));
      }
      if (changed) changed(fresh, item, Boolean(node));
      node = fresh;
    }
    if (node === at) at = node.nextElementSibling;
    else parent.insertBefore(node, at);
  }
  for (const left of before.values()) left.remove();
}

/** The focus goes to what has the same `data-focus` in the new drawing, with the caret where it was. */
export function keepingFocus(old, fresh, replace) {
  const active = document.activeElement;
  const had = active && old.contains(active) ? active : null;
  const name = had?.dataset.focus;
  const caret = had && "selectionStart" in had ? had.selectionStart : null;
  replace();
  if (!had) return;
  const heir = (name && fresh.querySelector(`[data-focus="${CSS.escape(name)}"]`)) || fresh;
  if (heir === fresh && !fresh.hasAttribute("tabindex")) fresh.setAttribute("tabindex", "-1");
  heir.focus({ preventScroll: true });
  // Not every input has a caret.
  try { if (caret !== null) heir.setSelectionRange(caret, caret); } catch { /* a menu, a date */ }
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
export const clock = (epoch) => CLOCK.format(new Date(epoch * 1000));
export const clockSeconds = (epoch) => new Date(epoch * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** `19 s`, `4 min`, `1 h 30 min`. */
export function span(seconds) {
  const s = Math.max(0, Math.ceil(seconds));
  if (s < 100) return `${s} s`;
  const minutes = Math.round(s / 60);
  if (minutes < 100) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ""}`;
}

/** Said by a screen reader when it has nothing better to do. */
export function announce(sentence) {
  const news = byId("news");
  news.append(h("p", {}, sentence));
  while (news.children.length > 5) news.firstElementChild.remove();
}

export function toast(sentence) {
  const note = h("p", { class: "toast" }, sentence);
  byId("toasts").append(note);
  while (byId("toasts").children.length > 3) byId("toasts").firstElementChild.remove();
  setTimeout(() => note.remove(), 9000);
}
