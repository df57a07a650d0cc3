// The middle: where one is, what has been said there, and a thread beside it.

import { announce, byId, clock, h, keyed } from "./dom.js";
import { showBlocks } from "./blocks.js";
import { openMenu } from "./menu.js";
import { mrkdwn } from "./mrkdwn.js";
import { channel, changed, dmChannel, does, go, listen, openThread, refresh, someone, state } from "./store.js";
import { inHome, inMessage } from "./surface.js";
import { avatar } from "./people.js";

const NEAR_PX = 60;
const scroll = byId("scroll");
const posts = byId("posts");
const pane = byId("thread");
let drawnPlace = "";
let known = new Set();
let atEnd = true; // whoever reads the newest message goes on reading the newest

export function startChat() {
  listen((what) => {
    if (what === "place" || what === "chat") { drawPlace(); drawPosts(); }
    if (["place", "chat", "thread"].includes(what)) drawThread();
  });
  document.addEventListener("visibilitychange", markRead);
  scroll.addEventListener("scroll", () => { atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_PX; });
  new ResizeObserver(() => atEnd && state.at !== "home" && toEnd()).observe(scroll);
}

const toEnd = () => { scroll.scrollTop = scroll.scrollHeight; };

// ------------------------------------------------------------ the head

function drawPlace() {
  const here = channel(state.at);
  const key = `${state.me} ${state.at}`;
  if (byId("place").dataset.key === key) return;
  byId("place").dataset.key = key;
  byId("place").replaceChildren(here
    ? h("div", {}, h("h1", {}, h("span", { class: "hash", "aria-hidden": "true" }, "#"), here.name), h("p", {}, here.purpose))
    : h("div", {}, h("h1", {}, state.start.bot.name, h("span", { class: "tag" }, "app")), h("p", {}, "The bot's own place: what it tells you alone"), tabs()));
}

function tabs() {
  const tab = (id, label) => h("button", { type: "button", class: "tab", "aria-current": state.at === id ? "page" : null, onclick: () => go({ at: id }) }, label);
  return h("nav", { class: "tabs", "aria-label": "Tabs of the app" }, tab("home", "Home"), tab("dm", "Messages"));
}

// ------------------------------------------------------------ messages

export function here() {
  if (!state.seen) return [];
  if (state.at !== "dm") return state.seen.channels[state.at] ?? [];
  const all = state.seen.dms;
  const isReply = (post) => post.thread_ts && post.thread_ts !== post.ts;
  return all.filter((post) => !isReply(post)).map((post) => ({ ...post, replies: all.filter((other) => isReply(other) && other.thread_ts === post.ts) }));
}

function drawPosts() {
  const place = `${state.me} ${state.at}`;
  if (!state.seen) return;
  const isHome = state.at === "home";
  posts.classList.toggle("home", isHome);
  const fresh = place !== drawnPlace;
  if (fresh) posts.replaceChildren();
  const low = fresh || atEnd;
  if (isHome) drawHome();
  else drawList(here());
  if (fresh && isHome) scroll.scrollTop = 0;
  else if (low && !isHome) toEnd();
  tellNews(fresh);
  drawnPlace = place;
  markRead();
}

function drawList(list) {
  const items = list.length ? list : [{ ts: "none", empty: true }];
  keyed(posts, items, { key: (post) => post.ts, look, draw: (post) => (post.empty ? nothing() : drawPost(post)) });
}

const nothing = () => h("div", { class: "empty" },
  h("p", {}, state.at === "dm" ? "Nothing yet. The bot writes here when something concerns you." : "Nothing has been said here yet."));

function look(post) {
  const replies = post.replies?.map((reply) => [reply.ts, reply.user]);
  return JSON.stringify([post.text, post.blocks, post.edited, post.state, replies, post.ephemeral_to, state.me]);
}

const isBot = (post) => Boolean(post.bot_id) || post.user === state.start.bot.user;
const author = (post) => (post.user === state.start.bot.user || isBot(post) ? state.start.bot.name : someone(post.user)?.name ?? post.user);

function drawPost(post, inThread = false) {
  const bot = isBot(post);
  const body = h("div", { class: "body" });
  if (post.blocks?.length) showBlocks(body, post.blocks, inMessage(post));
  else body.append(h("div", { class: "words" }, mrkdwn(post.text)));
  const classes = ["post", post.ephemeral_to && "only", mentionsMe(post) && "mine"].filter(Boolean).join(" ");
  return h("article", { class: classes, "aria-label": `${author(post)}, ${clock(post.ts)}`, data: { ts: post.ts } },
    avatar(bot ? null : post.user),
    h("div", { class: "matter" },
      h("header", { class: "by" }, h("strong", {}, author(post)), bot && h("span", { class: "tag" }, "app"),
        h("time", { datetime: new Date(post.ts * 1000).toISOString() }, clock(post.ts)), post.edited && h("span", { class: "edited" }, "(edited)")),
      post.ephemeral_to && h("p", { class: "only-you" }, h("span", { class: "sign-eye", "aria-hidden": "true" }), "Only visible to you"),
      body, !inThread && threadButton(post)),
    !post.ephemeral_to && !inThread && tools(post));
}

const mentionsMe = (post) => `${post.text}${JSON.stringify(post.blocks)}`.includes(`<@${state.me}>`);

function threadButton(post) {
  const count = post.replies?.length ?? 0;
  return count > 0 && h("button", { type: "button", class: "replies", data: { focus: `thread/${post.ts}` }, onclick: () => openThread(post.ts) },
    `${count} ${count === 1 ? "reply" : "replies"}`, h("span", { class: "last" }, ` · last ${clock(post.replies.at(-1).ts)}`));
}

function tools(post) {
  const items = state.start.message_shortcuts.map((each) => ({
    label: each.title,
    run: () => does("message_shortcut", { message: post.ts, channel: post.channel, callback_id: each.id }),
  }));
  return h("button", {
    type: "button", class: "tools", "aria-label": "Shortcuts for this message", "aria-haspopup": "menu", "aria-expanded": "false",
    data: { focus: `tools/${post.ts}` }, onclick: (event) => openMenu(event.currentTarget, items, "Shortcuts for this message"),
  }, h("span", { "aria-hidden": "true" }, "⋯"));
}

function drawHome() {
  const home = state.seen.home;
  if (home) showBlocks(posts, home.blocks, inHome(home), () => state.me);
  else posts.replaceChildren(h("p", { class: "empty" }, "One moment: the bot draws your home."));
}

// ------------------------------------------------------------ a thread

function drawThread() {
  const root = state.thread && here().find((post) => post.ts === state.thread);
  const was = !pane.hidden;
  pane.hidden = !root;
  if (!root) return;
  if (!was || pane.dataset.ts !== root.ts) {
    pane.dataset.ts = root.ts;
    pane.replaceChildren(h("header", { class: "thread-head" }, h("h2", {}, "Thread"),
      h("button", { type: "button", class: "button icon", "aria-label": "Close the thread", onclick: closeThread }, h("span", { "aria-hidden": "true" }, "×"))),
    h("div", { class: "posts", tabindex: "0", role: "region", "aria-label": "Messages in the thread" }));
    pane.querySelector("button").focus();
  }
  keyed(pane.lastElementChild, [root, ...root.replies], { key: (post) => post.ts, look, draw: (post) => drawPost(post, true) });
}

function closeThread() {
  const ts = state.thread;
  state.thread = null;
  changed("thread");
  posts.querySelector(`[data-focus="thread/${CSS.escape(ts)}"]`)?.focus();
}

pane.addEventListener("keydown", (event) => event.key === "Escape" && closeThread());

// ------------------------------------------------------------ news

/** A screen reader hears of new messages, one sentence each: the same one that a phone would show. */
function tellNews(fresh) {
  const now = here();
  const unheard = now.filter((post) => !known.has(post.ts) && post.user !== state.me);
  known = new Set(now.map((post) => post.ts));
  if (!fresh && state.at !== "home") unheard.slice(-3).forEach((post) => announce(`${author(post)}: ${post.text}`));
}

let marking = false;

function markRead() {
  if (marking || document.hidden || !state.seen || state.at === "home") return;
  const at = state.at === "dm" ? dmChannel() : state.at;
  const unread = state.at === "dm" ? state.seen.dm_unread : state.seen.unread[state.at];
  if (!at || !unread) return;
  marking = true;
  does("mark_read", { channel: at }).then(() => refresh("chat")).finally(() => { marking = false; });
}
