// Where one writes in Teams. The app hears what is written in its own chat, and elsewhere what mentions it.

import { complete } from "./completion.js";
import { h } from "./dom.js";
import { listen, state, teamsDoes } from "./store.js";

const parts = {};
const found = { items: [], at: -1, from: 0 };

export function startTeamsComposer(form) {
  parts.form = form;
  parts.input = h("input", {
    type: "text", class: "say", role: "combobox", autocomplete: "off", spellcheck: "false", enterkeyhint: "send", maxlength: 4000,
    "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "t-next",
    oninput: () => look(), onkeydown: keys, onblur: () => show(false), onfocus: () => look(),
  });
  parts.list = h("ul", { id: "t-next", role: "listbox", "aria-label": "What could come next, in Teams" });
  parts.next = h("div", { class: "next", hidden: true }, parts.list, h("p", { class: "foot-note" }, "In the sandbox only: Teams completes names after @, and nothing else."));
  parts.at = h("button", { type: "button", class: "button quiet t-at", onclick: mention }, `@${state.start.teams.bot}`);
  parts.send = h("button", { type: "submit", class: "button t-send" }, "Send");
  form.append(parts.next, h("div", { class: "line" }, parts.input, parts.at, parts.send));
  form.addEventListener("submit", send);
  listen((what) => what === "place" && draw());
}

const place = () => state.start.teams.places.find((each) => each.id === state.tat);
const mentioned = () => `@${state.start.teams.bot} `;

function draw() {
  const personal = place()?.kind === "personal";
  parts.at.hidden = personal;
  const label = personal ? `Write to ${state.start.teams.bot} in Teams` : `Write in ${place()?.name} in Teams: ${mentioned()}and what you want`;
  parts.input.placeholder = personal ? "Type a message: help" : `Write in ${place()?.name}`;
  parts.input.setAttribute("aria-label", label);
}

function mention() {
  if (!parts.input.value.includes(mentioned().trim())) parts.input.value = mentioned() + parts.input.value.trimStart();
  parts.input.focus();
  look();
}

/** Put words into the composer, for the person to send. */
export function fillInTeams(text) {
  parts.input.value = place()?.kind === "personal" ? text : mentioned() + text;
  parts.input.focus();
  show(false);
}

// ------------------------------------------------------------ what could come next

/** The names after @; else the same grammar as in Slack, without the command's name. */
function look() {
  const text = parts.input.value.slice(0, parts.input.selectionStart ?? undefined);
  Object.assign(found, names(text) ?? grammar(text), { at: -1 });
  parts.list.replaceChildren(...found.items.map((item, index) =>
    h("li", { role: "option", id: `t-next-${index}`, "aria-selected": "false", onpointerdown: (event) => { event.preventDefault(); take(index); } },
      h("span", { class: "label" }, item.label), h("small", {}, item.says))));
  show(found.items.length > 0 && document.activeElement === parts.input);
}

function names(text) {
  const typed = text.match(/(?:^|\s)@([\p{L} ]*)$/u)?.[1];
  if (typed === undefined) return null;
  const all = [{ name: state.start.teams.bot, says: "the app" }, ...state.start.people.map((each) => ({ name: each.name, says: each.part }))];
  const fits = all.filter((each) => each.name.toLowerCase().startsWith(typed.toLowerCase()) && each.name !== typed);
  return { from: text.length - typed.length, items: fits.map((each) => ({ insert: `${each.name} `, label: each.name, says: each.says })) };
}

function grammar(text) {
  const own = place()?.kind === "personal" ? "" : mentioned();
  if (!text.startsWith(own)) return { from: 0, items: [] };
  const lead = `${state.start.command} `;
  const wanted = complete(lead + text.slice(own.length), { start: state.start, ids: [] });
  return { from: wanted.from - lead.length + own.length, items: text.length > own.length ? wanted.items : [] };
}

function show(open) {
  parts.next.hidden = !open;
  parts.input.setAttribute("aria-expanded", String(open));
  if (!open) { found.at = -1; parts.input.removeAttribute("aria-activedescendant"); }
}

function mark(at) {
  found.at = (at + found.items.length) % found.items.length;
  [...parts.list.children].forEach((node, index) => node.setAttribute("aria-selected", String(index === found.at)));
  parts.list.children[found.at].scrollIntoView({ block: "nearest" });
  parts.input.setAttribute("aria-activedescendant", `t-next-${found.at}`);
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
  if (event.isComposing || parts.next.hidden) return;
  if (event.key === "ArrowDown") mark(found.at + 1);
  else if (event.key === "ArrowUp") mark(found.at < 0 ? found.items.length - 1 : found.at - 1);
  else if (event.key === "Tab" && !event.shiftKey) take(Math.max(0, found.at));
  else if (event.key === "Enter" && found.at >= 0) take(found.at);
  else if (event.key === "Escape") show(false);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

async function send(event) {
  event.preventDefault();
  const text = parts.input.value.trim();
  if (!text) return;
  parts.input.value = "";
  show(false);
  const outcome = await teamsDoes("type", { place: state.tat, text });
  if (!outcome.ok && !parts.input.value) parts.input.value = text;
}
