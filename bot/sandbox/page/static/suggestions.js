// A line to write in, with a list of what could come next: as in each chat's own composer.

import { h } from "./dom.js";

/**
 * `id`: of the list. `label`: what the list is called. `note`: the line under it.
 * `proposals(text)`: for what stands before the caret, `{ items: [{ label, says, insert }], from }`.
 * Returns the parts to put on a page, and `show(open)`, `look()`, `keys(event)`: keys are its own while the list is open.
 */
export function suggesting({ id, label, note, attributes = {}, proposals, otherKeys = () => {} }) {
  const found = { items: [], at: -1, from: 0 };
  const input = h("input", {
    type: "text", class: "say", role: "combobox", autocomplete: "off", spellcheck: "false", enterkeyhint: "send", maxlength: 4000,
    "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id, ...attributes,
    oninput: () => look(), onkeydown: keys, onblur: () => show(false), onfocus: () => look(),
  });
  const list = h("ul", { id, role: "listbox", "aria-label": label });
  const next = h("div", { class: "next", hidden: true }, list, h("p", { class: "foot-note" }, note));

  function look() {
    const text = input.value.slice(0, input.selectionStart ?? undefined);
    Object.assign(found, proposals(text), { at: -1 });
    list.replaceChildren(...found.items.map((item, index) =>
      h("li", { role: "option", id: `${id}-${index}`, "aria-selected": "false", onpointerdown: (event) => { event.preventDefault(); take(index); } },
        h("span", { class: "label" }, item.label), h("small", {}, item.says))));
    show(found.items.length > 0 && document.activeElement === input);
  }

  function show(open) {
    next.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    if (!open) { found.at = -1; input.removeAttribute("aria-activedescendant"); }
  }

  function mark(at) {
    found.at = (at + found.items.length) % found.items.length;
    [...list.children].forEach((node, index) => {
      node.setAttribute("aria-selected", String(index === found.at));
      if (index === found.at) node.scrollIntoView({ block: "nearest" });
    });
    input.setAttribute("aria-activedescendant", `${id}-${found.at}`);
  }

  function take(index) {
    const { value, selectionStart } = input;
    const { insert } = found.items[index];
    input.value = value.slice(0, found.from) + insert + value.slice(selectionStart).trimStart();
    const caret = found.from + insert.length;
    input.focus();
    input.setSelectionRange(caret, caret);
    look();
  }

  function keys(event) {
    if (event.isComposing) return;
    if (next.hidden) { otherKeys(event); return; }
    if (event.key === "ArrowDown") mark(found.at + 1);
    else if (event.key === "ArrowUp") mark(found.at < 0 ? found.items.length - 1 : found.at - 1);
    else if (event.key === "Tab" && !event.shiftKey) take(Math.max(0, found.at));
    // Enter takes only what was chosen: whoever has typed it all sends.
    else if (event.key === "Enter" && found.at >= 0) take(found.at);
    else if (event.key === "Escape") show(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return { input, next, look, show };
}
