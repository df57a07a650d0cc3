// On a narrow screen one pane shows at a time; the bar at the bottom chooses. On a wide one all of them do.

import { byId, h } from "./dom.js";
import { go, listen, state } from "./store.js";

const PANES = [["chat", "Slack"], ["teams", "Teams"], ["people", "People"], ["aws", "AWS"]];
const frame = byId("frame");

export function startPanes() {
  byId("bottom").append(...PANES.map(([id, label]) =>
    h("button", { type: "button", data: { pane: id }, onclick: () => choose(id) }, h("span", { class: `sign sign-${id}`, "aria-hidden": "true" }), label)));
  showPane("chat");
  listen((what) => what === "place" && showPane(state.view === "teams" ? "teams" : "chat"));
  listen((what) => {
    if (what !== "world") return;
    const held = state.world?.people.some((each) => each.access.length);
    byId("bottom").querySelector("[data-pane=aws]").classList.toggle("has-news", Boolean(held));
  });
}

/** A chat in front is the one that is looked at. */
function choose(id) {
  const view = { chat: "slack", teams: "teams" }[id];
  if (view && view !== state.view) go({ view });
  else showPane(id);
}

export function showPane(id) {
  frame.dataset.pane = id;
  for (const button of byId("bottom").children) {
    if (button.dataset.pane === id) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
}
