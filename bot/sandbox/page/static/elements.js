// Everything of Block Kit that can be pressed, chosen or typed into. Native controls wherever there is one.

import { confirmed } from "./confirm.js";
import { h, toast } from "./dom.js";
import { bare } from "./marks.js";
import { openMenu } from "./menu.js";
import { textObject } from "./mrkdwn.js";
import { state } from "./store.js";
import { chosenOptions, typeahead } from "./typeahead.js";

/** `field` is given inside an input block: {id, told, wrong, required}. */
export function element(block, each, surface, field = null) {
  const draw = DRAWERS[each.type];
  if (!draw) return h("span", { class: "unknown" }, `[${each.type}]`);
  return draw({ block, each, surface, field, held: surface.held(block, each), focus: `${block.block_id}/${each.action_id}` });
}

const words = (text) => text?.text ?? "";
const named = ({ each, field }) => (field
  ? { id: field.id, "aria-describedby": field.told, "aria-invalid": field.wrong ? "true" : null, "aria-required": field.required ? "true" : null }
  : { "aria-label": words(each.placeholder) || each.action_id.replaceAll("_", " ") });

/** A choice goes into the form where the element is a field of it, and to the app where it is not. */
async function put(it, value, query) {
  if (it.field && it.surface.fill) return it.surface.fill(it.block, it.each, value, query);
  if (!(await confirmed(it.each.confirm))) return { ok: false, error: "cancelled" };
  return it.surface.choose(it.block, it.each, value, query);
}

// ------------------------------------------------------------ buttons

function button(it) {
  const { block, each, surface, focus } = it;
  const style = each.style ? `button ${each.style}` : "button";
  const shared = { class: style, "aria-label": each.accessibility_label, data: { focus: `${focus}/${each.value ?? ""}` } };
  const press = (event) => pressed(event.currentTarget, it);
  // The address opens in a window of its own, and the app hears of the press all the same.
  if (each.url && /^https?:/i.test(each.url)) {
    return h("a", { ...shared, href: each.url, target: "_blank", rel: "noopener noreferrer", onclick: () => surface.press(block, each) }, textObject(each.text), h("span", { "aria-hidden": "true" }, " ↗"));
  }
  return h("button", { ...shared, type: "button", onclick: press }, textObject(each.text));
}

async function pressed(node, { block, each, surface }) {
  if (node.getAttribute("aria-busy") === "true") return;
  if (!(await confirmed(each.confirm))) return;
  node.setAttribute("aria-busy", "true");
  await surface.press(block, each);
  node.removeAttribute("aria-busy");
}

function overflow(it) {
  const items = it.each.options.map((option) => ({
    label: words(option.text),
    says: words(option.description),
    run: () => { if (option.url) open(option.url, "_blank", "noopener"); put(it, option.value); },
  }));
  return h("button", {
    type: "button", class: "button icon", "aria-label": "More actions", "aria-haspopup": "menu", "aria-expanded": "false",
    data: { focus: it.focus }, onclick: (event) => openMenu(event.currentTarget, items, "More actions"),
  }, h("span", { "aria-hidden": "true" }, "⋯"));
}

// ------------------------------------------------------------ menus

const entry = (option, chosen) => h("option", { value: option.value, selected: chosen === option.value },
  bare(words(option.text) + (option.description ? ` · ${words(option.description)}` : "")));

function staticSelect(it) {
  const { each, held } = it;
  const chosen = held?.selected_option?.value;
  const groups = each.option_groups?.map((group) => h("optgroup", { label: bare(words(group.label)) }, group.options.map((option) => entry(option, chosen))));
  return select(it, words(each.placeholder), chosen, groups ?? each.options.map((option) => entry(option, chosen)));
}

function select(it, placeholder, chosen, options) {
  return h("select", { ...named(it), class: "select", data: { focus: it.focus }, onchange: (event) => put(it, event.target.value || null) },
    h("option", { value: "", selected: !chosen, disabled: it.field?.required && Boolean(chosen) }, placeholder || "Choose…"), options);
}

const users = () => state.start.people.map((each) => ({ value: each.id, text: { text: each.name } }));
const channels = () => state.start.channels.map((each) => ({ value: each.id, text: { text: `#${each.name}` } }));

const ofIds = (key, list) => (it) => {
  const chosen = it.held?.[key];
  return select(it, words(it.each.placeholder), chosen, list().map((option) => entry(option, chosen)));
};
const ofManyIds = (key, list) => (it) => ticks(it, list(), it.held?.[key] ?? []);

function external(it, many) {
  const chosen = chosenOptions(it.held);
  return typeahead({
    ...it, many, chosen, named: named(it),
    ask: (query) => it.surface.options(it.block, it.each, query),
    put: (value, query) => put(it, value, query),
  });
}

// ------------------------------------------------------------ ticks and circles

function ticks(it, options, chosen) {
  const box = h("div", { class: "ticks" }, options.map((option) => tick(it, "checkbox", option, chosen.includes(option.value), () => {
    const on = [...box.querySelectorAll("input:checked")].map((each) => each.value);
    put(it, on);
  })));
  return box;
}

function tick(it, type, option, checked, onchange) {
  const name = `${it.surface.kind}-${it.focus}`;
  return h("label", { class: "tick" },
    h("input", { type, name, value: option.value, checked, onchange, data: { focus: `${it.focus}/${option.value}` } }),
    h("span", {}, textObject(option.text), option.description && h("small", {}, textObject(option.description))));
}

function radios(it) {
  const chosen = it.held?.selected_option?.value;
  return h("div", { class: "ticks", role: "radiogroup", "aria-label": it.field ? null : it.each.action_id },
    it.each.options.map((option) => tick(it, "radio", option, option.value === chosen, () => put(it, option.value))));
}

// ------------------------------------------------------------ dates and text

const picker = (type, key) => (it) => h("input", {
  ...named(it), type, class: "text", value: it.held?.[key] ?? "", data: { focus: it.focus }, onchange: (event) => put(it, event.target.value || null),
});

function moment(it) {
  const epoch = it.held?.selected_date_time;
  const local = epoch ? new Date(epoch * 1000 - new Date(epoch * 1000).getTimezoneOffset() * 60_000).toISOString().slice(0, 16) : "";
  return h("input", {
    ...named(it), type: "datetime-local", class: "text", value: local, data: { focus: it.focus },
    onchange: (event) => put(it, event.target.value ? Math.floor(new Date(event.target.value).getTime() / 1000) : null),
  });
}

const MODES = { email_text_input: "email", url_text_input: "url", number_input: "decimal" };

/** What is typed is kept by the surface until it is sent, so that nothing that redraws the form can lose it. */
function typed(it) {
  const { block, each, surface, held } = it;
  const start = surface.typed?.get(it.focus) ?? held?.value ?? "";
  const shared = {
    ...named(it), class: "text", placeholder: words(each.placeholder) || null, maxlength: each.max_length ?? 3000,
    data: { focus: it.focus }, autofocus: each.focus_on_load, inputmode: MODES[each.type] ?? null,
    oninput: (event) => surface.keep?.(block, each, event.target.value),
    onchange: () => surface.sendKept?.().catch((problem) => toast(problem.message)),
  };
  return each.multiline ? h("textarea", { ...shared, rows: 3, value: start }) : h("input", { ...shared, type: "text", value: start });
}

const DRAWERS = {
  button,
  overflow,
  static_select: staticSelect,
  external_select: (it) => external(it, false),
  multi_external_select: (it) => external(it, true),
  multi_static_select: (it) => ticks(it, [...(it.each.options ?? []), ...(it.each.option_groups ?? []).flatMap((group) => group.options)], chosenOptions(it.held).map((each) => each.value)),
  users_select: ofIds("selected_user", users),
  channels_select: ofIds("selected_channel", channels),
  conversations_select: ofIds("selected_conversation", channels),
  multi_users_select: ofManyIds("selected_users", users),
  multi_channels_select: ofManyIds("selected_channels", channels),
  multi_conversations_select: ofManyIds("selected_conversations", channels),
  radio_buttons: radios,
  checkboxes: (it) => ticks(it, it.each.options, chosenOptions(it.held).map((each) => each.value)),
  datepicker: picker("date", "selected_date"),
  timepicker: picker("time", "selected_time"),
  datetimepicker: moment,
  plain_text_input: typed,
  email_text_input: typed,
  url_text_input: typed,
  number_input: typed,
  image: (it) => h("span", { class: "b-context" }, `[picture: ${it.each.alt_text}]`),
};
