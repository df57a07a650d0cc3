// Where one writes: plain messages and slash commands, with a list of what could come next.

import { byId, h, toast } from "./dom.js";
import { idsSeen } from "./blocks.js";
import { complete } from "./completion.js";
import { openMenu } from "./menu.js";
import { channel, dmChannel, does, go, listen, state } from "./store.js";

const form = byId("composer");
const parts = {};
const found = { items: [], at: -1, from: 0 };
const sent = []; // what was sent from here, for the up key
let recalled = 0;

export function startComposer() {
  parts.input = h("input", {
    type: "text", id: "say", class: "say", role: "combobox", autocomplete: "off", spellcheck: "false", enterkeyhint: "send",
    "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "next", maxlength: 4000,
    oninput: () => look(), onkeydown: keys, onblur: () => show(false), onfocus: () => look(),
  });
  parts.list = h("ul", { id: "next", role: "listbox", "aria-label": "What could come next" });
  parts.next = h("div", { class: "next", hidden: true }, parts.list,
    h("p", { class: "foot-note" }, "In the sandbox only: Slack completes the command’s name, and nothing after it."));
  parts.flash = h("button", { type: "button", class: "button icon", "aria-label": "Shortcuts", title: "Shortcuts", "aria-haspopup": "menu", "aria-expanded": "false", onclick: shortcuts }, h("span", { class: "bolt", "aria-hidden": "true" }));
  parts.send = h("button", { type: "submit", class: "button primary send" }, "Send");
  form.append(parts.next, h("div", { class: "line" }, parts.flash, parts.input, parts.send),
    h("p", { class: "keys", "aria-hidden": "true" }, h("kbd", {}, "↑↓"), " choose ", h("kbd", {}, "Tab"), " take ", h("kbd", {}, "Enter"), " send ", h("kbd", {}, "Esc"), " close"));
  form.addEventListener("submit", send);
  listen((what) => what === "place" && draw());
}

function draw() {
  form.hidden = state.at === "home";
  const place = channel(state.at);
  const label = place ? `Message #${place.name}, or ${state.start.command}` : `Message ${state.start.bot.name}, or ${state.start.command}`;
  parts.input.placeholder = label;
  parts.input.setAttribute("aria-label", label);
}

/** Put words into the composer, for the person to send. */
export function fillIn(text) {
  if (state.at === "home") go({ at: "dm" });
  parts.input.value = text;
  parts.input.focus();
  parts.input.setSelectionRange(text.length, text.length);
  show(false);
}

// ------------------------------------------------------------ what could come next

function look() {
  const text = parts.input.value.slice(0, parts.input.selectionStart ?? undefined);
  Object.assign(found, complete(text, { start: state.start, ids: text.includes(" ") ? idsSeen() : [] }), { at: -1 });
  parts.list.replaceChildren(...found.items.map((item, index) =>
    h("li", { role: "option", id: `next-${index}`, "aria-selected": "false", onpointerdown: (event) => { event.preventDefault(); take(index); } },
      h("span", { class: "label" }, item.label), h("small", {}, item.says))));
  show(found.items.length > 0 && document.activeElement === parts.input);
}

function show(open) {
  parts.next.hidden = !open;
  parts.input.setAttribute("aria-expanded", String(open));
  if (!open) { found.at = -1; parts.input.removeAttribute("aria-activedescendant"); }
}

function mark(at) {
  found.at = (at + found.items.length) % found.items.length;
  [...parts.list.children].forEach((node, index) => {
    node.setAttribute("aria-selected", String(index === found.at));
    if (index === found.at) node.scrollIntoView({ block: "nearest" });
  });
  parts.input.setAttribute("aria-activedescendant", `next-${found.at}`);
}

function take(index) {
  const { value, selectionStart } = parts.input;
  const { insert } = found.items[index];
  parts.input.value = value.slice(0, found.from) + insert + value.slice(selectionStart).trimStart();
  const caret = found.from + insert.length;
  parts.input.focus();
  parts.input.setSelectionRange(caret, caret);
  look();
}

function keys(event) {
  if (event.isComposing) return;
  if (parts.next.hidden) {
    if (event.key === "ArrowUp" && sent.length && (!parts.input.value || recalled)) recall(event, 1);
    else if (event.key === "ArrowDown" && recalled) recall(event, -1);
    return;
  }
  if (event.key === "ArrowDown") mark(found.at + 1);
  else if (event.key === "ArrowUp") mark(found.at < 0 ? found.items.length - 1 : found.at - 1);
  else if (event.key === "Tab" && !event.shiftKey) take(Math.max(0, found.at));
  // Enter takes only what was chosen: whoever has typed it all sends.
  else if (event.key === "Enter" && found.at >= 0) take(found.at);
  else if (event.key === "Escape") show(false);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function recall(event, step) {
  recalled = Math.max(0, Math.min(sent.length, recalled + step));
  parts.input.value = recalled ? sent.at(-recalled) : "";
  event.preventDefault();
}

// ------------------------------------------------------------ sending

async function send(event) {
  event.preventDefault();
  const text = parts.input.value.trim();
  if (!text) return;
  parts.input.value = "";
  recalled = 0;
  if (sent.at(-1) !== text) sent.push(text);
  state.sent.add(text);
  show(false);
  const outcome = await (text.startsWith("/") ? command(text) : say(text));
  // What did not go out is not lost.
  if (outcome && !outcome.ok && !outcome.delivery && !parts.input.value) parts.input.value = text;
}

function command(text) {
  const [, name, rest] = text.match(/^(\S+)\s*(.*)$/s);
  const place = state.at === "dm" ? dmChannel() : state.at;
  if (!place) { toast("The bot has not written to you yet: type the command in a channel."); return { ok: false }; }
  return does("command", { name, text: rest, channel: place });
}

const say = (text) => (state.at === "dm" ? does("say_to_bot", { text }) : does("say", { channel: state.at, text }));

function shortcuts(event) {
  const items = state.start.shortcuts.map((each) => ({ label: each.title, run: () => does("shortcut", { callback_id: each.id }) }));
  openMenu(event.currentTarget, items, "Shortcuts");
}
