// The left: who one is, and where one can go.

import { byId, h, keyed } from "./dom.js";
import { marked } from "./marks.js";
import { viewSwitch } from "./view.js";
import { address, go, listen, someone, state } from "./store.js";

const node = byId("left");

/** Initials on a colour of their own; without a person, the bot's mark. */
export function avatar(id) {
  const person = someone(id);
  if (!person) return h("img", { class: "avatar", src: "static/icon.svg", alt: "" });
  const colour = state.start.people.indexOf(person) % 7;
  return h("span", { class: `avatar tone-${colour}`, "aria-hidden": "true" }, person.initials);
}

export function startPeople() {
  const people = h("ul", { class: "list people" });
  const channels = h("ul", { class: "list" });
  const app = h("ul", { class: "list" });
  node.replaceChildren(
    h("div", { class: "brand" }, h("img", { src: "static/icon.svg", alt: "" }), h("span", {}, h("strong", {}, "prodaccess"), h("small", {}, "sandbox")), themeButton()), viewSwitch(),
    h("h2", {}, "You are"), people, h("div", { class: "slack-only" }, h("h2", {}, "Channels"), channels, h("h2", {}, "App"), app));
  listen((what) => {
    if (!["place", "chat", "teams", "audit"].includes(what)) return;
    drawPeople(people);
    if (what === "audit") return;
    drawPlaces(channels, state.start.channels.map((each) => ({ id: each.id, label: each.name, sign: each.private ? "🔒" : "#", unread: state.seen?.unread[each.id] ?? 0 })));
    drawPlaces(app, [
      { id: "home", label: "Home", sign: "", unread: 0 },
      { id: "dm", label: "Direct messages", sign: "", unread: state.seen?.dm_unread ?? 0 },
    ]);
    title();
  });
}

const onHold = (id) => {
  const where = state.onHold[id] ?? [];
  return where.length > 0 && `${where.length === 1 && where[0] === "teams" ? "Teams account" : "account"} on hold`;
};
const badge = (unread) => unread > 0 && h("span", { class: "badge" }, String(unread), h("span", { class: "unseen" }, " unread"));

/** At the left one is somebody in the chat that stands in front; side by side, that is Slack. */
const mine = () => (state.view === "teams" ? state.tme : state.me);
const become = (id) => (state.view === "teams" ? { tme: id } : { me: id });
const rang = (id) => (state.badges[id] ?? 0) + (state.teamsBadges[id] ?? 0);

function drawPeople(list) {
  keyed(list, state.start.people, {
    key: (each) => each.id,
    look: (each) => JSON.stringify([each.id === mine(), rang(each.id), address(become(each.id)), onHold(each.id)]),
    draw: (each) => h("li", {},
      h("button", { type: "button", class: "row person", "aria-current": each.id === mine() ? "true" : null, data: { focus: `as/${each.id}` }, onclick: () => go(become(each.id)) },
        avatar(each.id), h("span", { class: "who" }, h("span", { class: "name" }, each.name), h("small", {}, onHold(each.id) ? h("span", { class: "hold" }, onHold(each.id)) : each.part)),
        each.id !== mine() && badge(rang(each.id))),
      h("a", { class: "window", href: address(become(each.id)), target: "_blank", rel: "noopener", title: `Open ${each.name} in a second window`, "aria-label": `Open ${each.name} in a second window` }, h("span", { "aria-hidden": "true" }, "↗"))),
  });
}

function drawPlaces(list, places) {
  keyed(list, places, {
    key: (place) => place.id,
    look: (place) => JSON.stringify([place, state.at === place.id]),
    draw: (place) => h("li", {},
      h("button", { type: "button", class: place.unread ? "row has-news" : "row", "aria-current": state.at === place.id ? "page" : null, data: { focus: `in/${place.id}` }, onclick: () => go({ at: place.id }) },
        h("span", { class: "sign", "aria-hidden": "true" }, place.sign ? marked(place.sign) : h("span", { class: `sign-${place.id}` })), h("span", { class: "name" }, place.label), state.at !== place.id && badge(place.unread))),
  });
}

function title() {
  const unread = Object.values(state.seen?.unread ?? {}).reduce((sum, each) => sum + each, 0) + (state.seen?.dm_unread ?? 0);
  const place = state.start.channels.find((each) => each.id === state.at);
  document.title = `${unread ? `(${unread}) ` : ""}${place ? `#${place.name}` : "prodaccess"} · ${someone(state.me)?.name} · sandbox`;
}

// ------------------------------------------------------------ light and dark

function themeButton() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const button = h("button", { type: "button", class: "button icon", onclick: () => wear(worn() === "dark" ? "light" : "dark") }, h("span", { "aria-hidden": "true" }, "◐"));
  const worn = () => document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light");
  const wear = (theme) => {
    if (theme) document.documentElement.dataset.theme = theme;
    // A browser may refuse to keep anything; then it holds until the page is left.
    try { if (theme) localStorage.setItem("theme", theme); } catch { /* not kept */ }
    button.setAttribute("aria-label", `Use ${worn() === "dark" ? "light" : "dark"} colours`);
    button.title = button.getAttribute("aria-label");
  };
  let kept = null;
  try { kept = localStorage.getItem("theme"); } catch { /* none */ }
  wear(["dark", "light"].includes(kept) ? kept : null);
  return button;
}
