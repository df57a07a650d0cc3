// A small menu at a button: overflow menus, shortcuts. Arrow keys move, Escape closes and gives the focus back.

import { h } from "./dom.js";
import { marked } from "./marks.js";

let open = null;

export function closeMenu({ focus = false } = {}) {
  if (!open) return;
  const { menu, anchor } = open;
  open = null;
  menu.remove();
  anchor.setAttribute("aria-expanded", "false");
  if (focus && anchor.isConnected) anchor.focus();
}

/** `items`: {label, says?, run}. */
export function openMenu(anchor, items, label) {
  const again = open?.anchor === anchor;
  closeMenu();
  if (again) return;
  const rows = items.map((item) =>
    h("button", { type: "button", role: "menuitem", tabindex: "-1", onclick: () => { closeMenu({ focus: true }); item.run(); } },
      h("span", {}, marked(item.label)), item.says && h("small", {}, marked(item.says))));
  const menu = h("div", { class: "menu", role: "menu", "aria-label": label, onkeydown: (event) => move(event, rows) }, rows);
  // A dialog makes everything outside itself inert, so a menu of its own has to stand in it.
  (anchor.closest("dialog, main, nav") ?? document.body).append(menu);
  anchor.setAttribute("aria-expanded", "true");
  place(menu, anchor);
  open = { menu, anchor };
  rows[0]?.focus();
}

function place(menu, anchor) {
  const at = anchor.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const below = at.bottom + height + 8 < innerHeight;
  menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
  menu.style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - height - 4)}px`;
}

function move(event, rows) {
  const at = rows.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (to !== undefined) rows[(to + rows.length) % rows.length].focus();
  else if (event.key === "Escape" || event.key === "Tab") closeMenu({ focus: true });
  else return;
  event.preventDefault();
  event.stopPropagation();
}

document.addEventListener("pointerdown", (event) => {
  if (open && !open.menu.contains(event.target) && !open.anchor.contains(event.target)) closeMenu();
});
addEventListener("resize", () => closeMenu());
