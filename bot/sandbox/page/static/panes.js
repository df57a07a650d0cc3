// On a narrow screen one pane shows at a time; the bar at the bottom chooses. On a wide one all of them do.

import { byId, h } from "./dom.js";
import { listen, state } from "./store.js";

const PANES = [["chat", "Chat"], ["people", "People"], ["aws", "AWS"]];
const frame = byId("frame");

export function startPanes() {
  byId("bottom").append(...PANES.map(([id, label]) =>
    h("button", { type: "button", data: { pane: id }, onclick: () => showPane(id) }, h("span", { class: `sign sign-${id}`, "aria-hidden": "true" }), label)));
  showPane("chat");
  listen((what) => what === "place" && showPane("chat"));
  listen((what) => {
    if (what !== "world") return;
    const held = state.world?.people.some((each) => each.access.length);
    byId("bottom").querySelector("[data-pane=aws]").classList.toggle("has-news", Boolean(held));
  });
}

export function showPane(id) {
  frame.dataset.pane = id;
  for (const button of byId("bottom").children) {
    if (button.dataset.pane === id) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
}
