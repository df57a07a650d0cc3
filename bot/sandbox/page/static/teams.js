// Teams beside or instead of Slack: who one is there, chats and channels, messages, cards, and where one writes.

import { announce, byId, clock, h, keyed } from "./dom.js";
import { avatar } from "./people.js";
import { go, listen, refresh, state, teamsDoes } from "./store.js";
import { drawCard, words } from "./teams_card.js";
import { startTeamsComposer } from "./teams_composer.js";

const NEAR_PX = 60;
const node = byId("teams");
const parts = {};
let drawnPlace = "";
let known = new Set();
let atEnd = true;

export function startTeams() {
  parts.who = h("select", { class: "t-select", "aria-label": "You are, in Teams", onchange: (event) => go({ tme: event.target.value }) },
    state.start.people.map((each) => h("option", { value: each.id }, each.name)));
  parts.where = h("select", { class: "t-select", "aria-label": "Chat or channel in Teams", onchange: (event) => go({ tat: event.target.value }) },
    state.start.teams.places.map((each) => h("option", { value: each.id }, each.kind === "channel" ? `# ${each.name}` : each.name)));
  parts.rail = h("nav", { class: "t-rail", "aria-label": "Chats and channels in Teams" });
  parts.head = h("header", { class: "t-place" });
  parts.posts = h("div", { class: "t-posts" });
  parts.scroll = h("div", { class: "t-scroll", tabindex: "0", role: "region", "aria-label": "Messages in Teams" }, parts.posts);
  parts.composer = h("form", { class: "t-composer", autocomplete: "off" });
  node.append(
    h("div", { class: "t-top" }, h("span", { class: "t-logo", "aria-hidden": "true" }, "T"), h("strong", {}, "Teams"), parts.who, parts.where),
    parts.rail, h("div", { class: "t-talk" }, parts.head, parts.scroll, parts.composer));
  startTeamsComposer(parts.composer);
  parts.scroll.addEventListener("scroll", () => { atEnd = parts.scroll.scrollHeight - parts.scroll.scrollTop - parts.scroll.clientHeight < NEAR_PX; });
  // What opens in the last card is in sight, too.
  const grown = new ResizeObserver(() => atEnd && toEnd());
  grown.observe(parts.scroll);
  grown.observe(parts.posts);
  listen((what) => { if (what === "place" || what === "teams") draw(); });
  document.addEventListener("visibilitychange", markRead);
}

const place = () => state.start.teams.places.find((each) => each.id === state.tat);
const here = () => state.teams?.places[state.tat]?.messages ?? [];
const toEnd = () => { parts.scroll.scrollTop = parts.scroll.scrollHeight; };

// ------------------------------------------------------------ who and where

function draw() {
  node.hidden = state.view === "slack";
  if (node.hidden) return;
  parts.who.value = state.tme;
  parts.where.value = state.tat;
  drawRail();
  drawHead();
  drawPosts();
}

function drawRail() {
  const unread = (id) => state.teams?.places[id]?.unread ?? 0;
  const row = (each) => h("button", {
    type: "button", class: unread(each.id) ? "t-row has-news" : "t-row", "aria-current": each.id === state.tat ? "page" : null,
    data: { focus: `tin/${each.id}` }, onclick: () => go({ tat: each.id }),
  }, each.kind === "personal" ? avatar("bot") : h("span", { class: "t-hash", "aria-hidden": "true" }, "#"), h("span", { class: "name" }, each.name),
  each.id !== state.tat && unread(each.id) > 0 && h("span", { class: "t-badge" }, String(unread(each.id)), h("span", { class: "unseen" }, " unread")));
  const groups = [["Chat", "personal"], ["Orders", "channel"]];
  const items = groups.flatMap(([title, kind]) => [{ id: title, title }, ...state.start.teams.places.filter((each) => each.kind === kind)]);
  keyed(parts.rail, items, {
    key: (each) => each.id, look: (each) => JSON.stringify([each.id === state.tat, unread(each.id)]),
    draw: (each) => (each.title ? h("h2", {}, each.title) : row(each)),
  });
}

function drawHead() {
  const key = `${state.tme} ${state.tat}`;
  if (parts.head.dataset.key === key) return;
  parts.head.dataset.key = key;
  parts.head.replaceChildren(h("h1", {}, place().name), h("p", {}, place().purpose));
}

// ------------------------------------------------------------ messages

function drawPosts() {
  if (!state.teams) return;
  const at = `${state.tme} ${state.tat}`;
  const fresh = at !== drawnPlace;
  if (fresh) parts.posts.replaceChildren();
  const low = fresh || atEnd;
  const list = here();
  keyed(parts.posts, list.length ? list : [{ id: "none", empty: true }], { key: (post) => post.id, look, draw: (post) => (post.empty ? nothing() : drawRoot(post)) });
  if (low) toEnd();
  tellNews(fresh);
  drawnPlace = at;
  markRead();
}

const nothing = () => h("p", { class: "t-empty" }, state.tat === "bot" ? "Nothing yet. Write to the app: help." : "Nothing has been said here yet.");
const look = (post) => JSON.stringify([post, state.tme]);

function drawRoot(post) {
  const replies = post.replies ?? [];
  return h("article", { class: "t-post", "aria-label": `${post.name}, ${clock(post.at)}`, data: { id: post.id } },
    ...message(post), replies.length > 0 && h("div", { class: "t-replies", role: "group", "aria-label": "Replies" }, replies.map((reply) => h("div", { class: "t-reply" }, ...message(reply)))));
}

function message(post) {
  const bot = post.from === "bot";
  const body = post.card ? drawCard(post.card, (pressed) => press(post, pressed)) : h("p", { class: "t-words" }, words(post.text));
  return [
    avatar(bot ? null : post.from),
    h("div", { class: post.calls && state.tat !== "bot" ? "t-bubble called" : "t-bubble" },
      h("header", { class: "by" }, h("strong", {}, post.name), bot && h("span", { class: "tag" }, "app"),
        h("time", { datetime: new Date(post.at * 1000).toISOString() }, clock(post.at)), post.edited && h("span", { class: "edited" }, "Edited")),
      body,
      post.said && h("p", { class: "t-said", role: "status" }, h("span", { class: "sign-eye", "aria-hidden": "true" }), post.said)),
  ];
}

async function press(post, { kind, verb, data, inputs }) {
  if (kind === "Action.Submit") return teamsDoes("submit", { message: post.id, data });
  return teamsDoes("press", { message: post.id, verb, data, inputs });
}

// ------------------------------------------------------------ news

function tellNews(fresh) {
  const now = here().flatMap((post) => [post, ...(post.replies ?? [])]);
  const unheard = now.filter((post) => !known.has(post.id) && post.from !== state.tme);
  known = new Set(now.map((post) => post.id));
  if (!fresh) unheard.slice(-3).forEach((post) => announce(`${post.name}, in Teams: ${post.summary}`));
}

let marking = false;

function markRead() {
  if (marking || document.hidden || node.hidden || !state.teams?.places[state.tat]?.unread) return;
  if (getComputedStyle(node).display === "none") return;
  marking = true;
  teamsDoes("mark_read", { place: state.tat }).then(() => refresh("teams")).finally(() => { marking = false; });
}

