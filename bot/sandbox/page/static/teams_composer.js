// Where one writes in Teams. The app hears what is written in its own chat, and elsewhere what mentions it.

import { complete } from "./completion.js";
import { h } from "./dom.js";
import { suggesting } from "./suggestions.js";
import { listen, state, teamsDoes } from "./store.js";

const parts = {};

export function startTeamsComposer(form) {
  parts.form = form;
  Object.assign(parts, suggesting({
    id: "t-next", label: "What could come next, in Teams", proposals,
    note: "In the sandbox only: Teams completes names after @, and nothing else.",
  }));
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
  parts.look();
}

/** Put words into the composer, for the person to send. */
export function fillInTeams(text) {
  parts.input.value = place()?.kind === "personal" ? text : mentioned() + text;
  parts.input.focus();
  parts.show(false);
}

// ------------------------------------------------------------ what could come next

/** The names after @; else the same grammar as in Slack, without the command's name. */
const proposals = (text) => names(text) ?? grammar(text);

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

async function send(event) {
  event.preventDefault();
  const text = parts.input.value.trim();
  if (!text) return;
  parts.input.value = "";
  parts.show(false);
  const outcome = await teamsDoes("type", { place: state.tat, text });
  if (!outcome.ok && !parts.input.value) parts.input.value = text;
}
