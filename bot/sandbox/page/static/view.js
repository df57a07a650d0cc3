// Which chat one looks at: Slack, Teams, or both beside each other.

import { byId, h } from "./dom.js";
import { go, listen, state } from "./store.js";

const VIEWS = [["slack", "Slack"], ["teams", "Teams"], ["both", "Both"]];

/** The switch. It stands at the left, and on a narrow screen the bar at the bottom does its work. */
export function viewSwitch() {
  const node = h("div", { class: "views", role: "group", "aria-label": "Chat" }, VIEWS.map(([id, label]) =>
    h("button", { type: "button", data: { view: id }, onclick: () => go({ view: id }) }, label)));
  listen((what) => {
    if (what !== "place") return;
    byId("frame").dataset.view = state.view;
    for (const button of node.children) button.setAttribute("aria-pressed", String(button.dataset.view === state.view));
  });
  return node;
}
