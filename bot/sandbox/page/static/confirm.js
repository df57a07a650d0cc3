// Slack's "are you sure": the app's own title, text and two labels.

import { byId, h } from "./dom.js";
import { textObject } from "./mrkdwn.js";

/** Whether the person agreed. Escape is no. */
export function confirmed(dialog) {
  if (!dialog) return Promise.resolve(true);
  const node = byId("confirm");
  return new Promise((resolve) => {
    const answer = (yes) => { removeEventListener("hashchange", leave); node.close(); resolve(yes); };
    const leave = () => answer(false); // somebody else, or somewhere else
    addEventListener("hashchange", leave);
    const style = dialog.style === "danger" ? "danger" : "primary";
    node.replaceChildren(
      h("h2", { id: "confirm-title" }, textObject(dialog.title)),
      h("div", { id: "confirm-text", class: "confirm-text" }, textObject(dialog.text)),
      h("div", { class: "foot" },
        h("button", { type: "button", class: "button", onclick: () => answer(false) }, textObject(dialog.deny)),
        h("button", { type: "button", class: `button ${style}`, autofocus: style !== "danger", onclick: () => answer(true) }, textObject(dialog.confirm))));
    node.oncancel = (event) => { event.preventDefault(); answer(false); };
    node.showModal();
  });
}
