// A menu whose entries the app sends while one types: an ARIA combobox with a list below it.

import { h } from "./dom.js";
import { bare, marked } from "./marks.js";

const WAIT_MS = 180; // as long as somebody is still typing nobody is asked

export const chosenOptions = (held) => held?.selected_options ?? (held?.selected_option ? [held.selected_option] : []);

let number = 0;

/** `ask(query)` gets {options, option_groups}; `put(value, query)` makes the choice. With `many`, choices become chips. */
export function typeahead({ each, focus, many, chosen, named, ask, put }) {
  const listId = `options-${(number += 1)}`;
  const list = h("ul", { class: "options", role: "listbox", id: listId, "aria-label": "Matches", hidden: true });
  const input = h("input", {
    ...named, type: "text", class: "text", role: "combobox", autocomplete: "off", placeholder: each.placeholder?.text ?? "Type to search…",
    "aria-expanded": "false", "aria-controls": listId, "aria-autocomplete": "list", data: { focus },
    value: many ? "" : bare(chosen[0]?.text.text ?? ""),
  });
  const found = { options: [], at: -1, query: "", round: 0, timer: 0 };

  const show = (open) => { list.hidden = !open; input.setAttribute("aria-expanded", String(open)); if (!open) input.removeAttribute("aria-activedescendant"); };
  const mark = (at) => {
    found.at = at;
    [...list.querySelectorAll("[role=option]")].forEach((node, index) => {
      node.setAttribute("aria-selected", String(index === at));
      if (index === at) { input.setAttribute("aria-activedescendant", node.id); node.scrollIntoView({ block: "nearest" }); }
    });
  };
  const pick = (option) => {
    show(false);
    input.value = many ? "" : bare(option.text.text);
    const values = many ? [...chosen.map((one) => one.value), option.value] : option.value;
    put(values, found.query);
  };
  const search = async () => {
    const query = input.value;
    if (query.length < (each.min_query_length ?? 3)) return show(false);
    const round = (found.round += 1);
    const answer = await ask(query).catch(() => null);
    if (round !== found.round) return undefined; // an older question's answer
    found.query = query;
    found.options = answer ? [...(answer.options ?? []), ...(answer.option_groups ?? []).flatMap((group) => group.options)] : [];
    list.replaceChildren(...(found.options.length
      ? found.options.map((option, index) => h("li", { role: "option", id: `${listId}-${index}`, "aria-selected": "false", onpointerdown: (event) => { event.preventDefault(); pick(option); } }, marked(option.text.text)))
      : [h("li", { class: "none" }, answer ? "No matches" : "Result not loaded")]));
    show(true);
    return mark(found.options.length ? 0 : -1);
  };
  input.addEventListener("input", () => { clearTimeout(found.timer); found.timer = setTimeout(search, WAIT_MS); });
  input.addEventListener("focus", search);
  input.addEventListener("blur", () => show(false));
  input.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.options.length) mark((found.at + step + found.options.length) % found.options.length);
    else if (event.key === "Enter" && found.at >= 0) pick(found.options[found.at]);
    else if (event.key === "Escape") show(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const chips = many && chosen.map((option) => h("button", {
    type: "button", class: "chip", "aria-label": `Remove ${option.text.text}`,
    onclick: () => put(chosen.filter((one) => one !== option).map((one) => one.value), ""),
  }, marked(option.text.text), " ×"));
  return h("div", { class: "typeahead" }, chips, input, list);
}
