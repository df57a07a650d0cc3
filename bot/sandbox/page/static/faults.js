// Break something, and watch: access still ends.

import { post } from "./api.js";
import { announce, h, keyed, toast } from "./dom.js";
import { changed, listen, refresh, state } from "./store.js";

const AGE_MS = 5000; // "12 s ago" is the sandbox's sentence, and gets old

export function faultsPanel() {
  const list = h("div", { class: "faults" });
  listen((what) => {
    if (what !== "faults" || !state.faults) return;
    tell(state.faults.faults);
    const groups = [...new Set(state.faults.faults.map((each) => each.group))];
    keyed(list, groups, { key: (name) => name, look: () => "", draw: group });
    for (const name of groups) {
      keyed(list.querySelector(`[data-key="${CSS.escape(name)}"] ul`), state.faults.faults.filter((each) => each.group === name), {
        key: (each) => each.id, look: (each) => JSON.stringify(each), draw: fault,
      });
    }
  });
  setInterval(() => !document.hidden && state.faults?.faults.some((each) => each.happened) && refresh("faults"), AGE_MS);
  return h("section", { class: "panel break", id: "break", "aria-labelledby": "break-title" },
    h("h2", { id: "break-title" }, "Break something"),
    h("p", { class: "lead" }, "Ask for 20 seconds of access, break something meanwhile, and watch above: access still ends."),
    list);
}

/** A screen reader hears what happened once, and not again because it is some seconds older. */
const told = new Map();
function tell(faults) {
  for (const { id, happened } of faults) {
    const words = (happened ?? "").replace(/^.*? ago: /, "");
    if (told.has(id) && words && told.get(id) !== words) announce(words);
    told.set(id, words);
  }
}

const group = (name) => h("section", {}, h("h3", {}, name), h("ul", {}));

function fault(each) {
  const says = h("p", { class: "says", id: `says-${each.id}` }, each.says);
  const happened = each.happened && h("p", { class: "happened" }, each.happened);
  const shared = { type: "button", data: { focus: `fault/${each.id}` }, "aria-describedby": `says-${each.id}` };
  const control = each.kind === "switch"
    ? h("button", { ...shared, class: "switch", role: "switch", "aria-checked": String(each.on), onclick: (event) => act(event, each, { on: !each.on }) }, h("span", { class: "knob", "aria-hidden": "true" }), each.title)
    : h("button", { ...shared, class: "button", onclick: (event) => act(event, each, {}) }, each.title);
  return h("li", { class: each.on ? "fault on" : "fault" }, control, says, happened);
}

async function act(event, each, body) {
  const node = event.currentTarget;
  if (node.getAttribute("aria-busy") === "true") return;
  node.setAttribute("aria-busy", "true");
  try {
    const answer = await post(`faults/${each.id}`, body);
    if (answer?.faults) { state.faults = answer; changed("faults"); } else await refresh("faults");
  } catch (problem) {
    toast(problem.message);
  } finally {
    node.removeAttribute("aria-busy");
  }
}
