// The newest entries of the audit log, as receipts put them.

import { clockSeconds, h, keyed } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";
import { listen, state } from "./store.js";

export function auditPanel() {
  const list = h("ol", { class: "entries", tabindex: "0", "aria-labelledby": "audit-title" });
  const none = h("p", { class: "nobody" }, "Nothing yet. Each step leaves an entry with a number and a digest.");
  listen((what) => {
    if (what !== "audit" || !state.audit) return;
    none.hidden = state.audit.entries.length > 0;
    keyed(list, state.audit.entries, { key: (each) => each.number, look: (each) => JSON.stringify(each), draw: entry });
  });
  return h("section", { class: "panel audit", "aria-labelledby": "audit-title" }, h("h2", { id: "audit-title" }, "Audit log"), none, list);
}

function entry(each) {
  return h("li", {},
    h("p", { class: "what" }, each.subject && h("strong", {}, each.subject), " ", mrkdwn(each.words)),
    h("p", { class: "proof" }, h("time", { datetime: new Date(each.at * 1000).toISOString() }, clockSeconds(each.at)), ` · #${each.number} `, h("code", {}, each.digest12)));
}
