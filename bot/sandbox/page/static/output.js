// What a command prints in a terminal, shown on the page: the real command, on the sandbox's record.

import { post } from "./api.js";
import { byId, h, toast } from "./dom.js";
import { changed, state } from "./store.js";

const node = () => byId("output");

/** `id`: `report` or `verify`. */
export async function showOutput(id) {
  const opener = document.activeElement;
  const text = h("pre", { class: "terminal", tabindex: "0", "aria-label": "Output" }, "One moment …");
  const title = h("h2", { id: "output-title" }, "…");
  const close = () => { node().close(); if (opener?.isConnected) opener.focus(); };
  node().replaceChildren(h("header", { class: "modal-head" }, title,
    h("button", { type: "button", class: "button icon", "aria-label": "Close", onclick: close }, h("span", { "aria-hidden": "true" }, "×"))),
  text, h("p", { class: "lead" }, "In a terminal of yours, while the sandbox runs: ", h("code", {}, 'eval "$(prodaccess sandbox env)"'), ", then the same."));
  node().oncancel = (event) => { event.preventDefault(); close(); };
  node().showModal();
  try {
    const found = await post(`commands/${id}`);
    title.textContent = found.command;
    text.textContent = found.says;
    state.shown.add(id);
    changed("guide");
  } catch (problem) {
    close();
    toast(problem.message);
  }
}
