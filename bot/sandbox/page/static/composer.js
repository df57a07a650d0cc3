// Where one writes: plain messages and slash commands, with a list of what could come next.

import { byId, h, toast } from "./dom.js";
import { idsSeen } from "./blocks.js";
import { complete } from "./completion.js";
import { openMenu } from "./menu.js";
import { suggesting } from "./suggestions.js";
import { channel, dmChannel, does, go, listen, state } from "./store.js";

const form = byId("composer");
const parts = {};
const sent = []; // what was sent from here, for the up key
let recalled = 0;

export function startComposer() {
  Object.assign(parts, suggesting({
    id: "next", label: "What could come next", attributes: { id: "say" }, proposals, otherKeys: earlier,
    note: "In the sandbox only: Slack completes the command’s name, and nothing after it.",
  }));
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
  parts.show(false);
}

function proposals(text) {
  return complete(text, { start: state.start, ids: text.includes(" ") ? idsSeen() : [] });
}

/** What was sent before, where no list is open. */
function earlier(event) {
  if (event.key === "ArrowUp" && sent.length && (!parts.input.value || recalled)) recall(event, 1);
  else if (event.key === "ArrowDown" && recalled) recall(event, -1);
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
  parts.show(false);
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
