// One Adaptive Card, drawn by Microsoft's own renderer, with what Teams adds: mentions, its people picker, who pressed what.

import { h } from "./dom.js";
import { marked } from "./marks.js";
import { state } from "./store.js";
import { LOOK } from "./teams_look.js";

const Cards = window.AdaptiveCards;
const look = new Cards.HostConfig(LOOK);

Cards.AdaptiveCard.onProcessMarkdown = (text, result) => {
  result.outputHtml = markdown(text);
  result.didProcess = true;
};

/** Bold, italic and links, as Teams knows them. Everything else is text. */
function markdown(text) {
  const safe = text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
  const inline = safe
    .replace(/\[([^\]]+)\]\((https?:[^\s)]+)\)/g, (_, words, url) => `<a class="ac-anchor" href="${url}" target="_blank" rel="noopener noreferrer">${words}</a>`)
    .replace(/\*\*(.+?)\*\*/g, "<strong>$1</strong>")
    .replace(/(^|[\s(])_(.+?)_(?=$|[\s).,])/g, "$1<em>$2</em>")
    .replace(/\n/g, "<br>");
  return `<p>${inline}</p>`;
}

/**
 * `shown`: the card's JSON. `run(action)` gets {kind, verb, data, inputs} of what was pressed, and ends when it has been answered.
 */
export function drawCard(shown, run) {
  const card = new Cards.AdaptiveCard();
  card.hostConfig = look;
  const names = (shown.msteams?.entities ?? []).map((each) => each.text);
  card.parse(withPeople(shown));
  card.onExecuteAction = (action) => execute(card, action, run);
  const node = card.render();
  if (!node) return h("p", { class: "t-words" }, "This card cannot be shown.");
  dress(node, names);
  return h("div", { class: "t-card" }, node);
}

async function execute(card, action, run) {
  const kind = action.getJsonTypeName();
  if (kind === "Action.OpenUrl") {
    if (/^https?:/i.test(action.url)) open(action.url, "_blank", "noopener");
    return;
  }
  const node = card.renderedElement;
  if (node.getAttribute("aria-busy") === "true") return;
  node.setAttribute("aria-busy", "true");
  // What the renderer has merged in are the inputs that go with this button.
  const data = { ...action.toJSON().data };
  const inputs = {};
  for (const input of card.getAllInputs()) {
    if (input.id in (action.data ?? {}) && input.value !== undefined) inputs[input.id] = input.value;
    delete data[input.id];
  }
  await run({ kind, verb: action.verb, data, inputs });
  node.removeAttribute("aria-busy");
}

/** Teams fills a people picker from its own directory: here from the people of the page. */
function withPeople(node) {
  if (Array.isArray(node)) return node.map(withPeople);
  if (!node || typeof node !== "object") return node;
  const copy = Object.fromEntries(Object.entries(node).map(([name, value]) => [name, withPeople(value)]));
  if (copy.type !== "Input.ChoiceSet" || copy["choices.data"]?.dataset !== "graph.microsoft.com/users") return copy;
  delete copy["choices.data"];
  const people = state.start.people.map((each) => ({ title: each.name, value: state.start.teams.ids[each.id] }));
  return { ...copy, choices: [...(copy.choices ?? []), ...people], style: "compact" };
}

/** Mentions look like mentions, marks are pictures, and what opens says so. */
function dress(node, names) {
  const texts = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) found.push(texts.currentNode);
  for (const text of found) {
    const pieces = called(text.data, names).flatMap((piece) => (typeof piece === "string" ? marked(piece) : [piece]));
    if (pieces.length > 1 || typeof pieces[0] !== "string") text.replaceWith(...pieces);
  }
  for (const link of node.querySelectorAll("a")) Object.assign(link, { target: "_blank", rel: "noopener noreferrer" });
}

function called(text, names) {
  const name = names.find((each) => text.includes(each));
  if (!name) return [text];
  const [before, ...after] = text.split(name);
  const bare = name.replace(/^<at>|<\/at>$/g, "");
  return [...(before ? [before] : []), h("span", { class: "t-mention" }, bare), ...called(after.join(name), names)].filter((piece) => piece !== "");
}

/** A typed message: its mentions, and nothing else, are more than text. */
export function words(text) {
  return text.split(/(<at>.*?<\/at>)/).flatMap((piece) => {
    const name = piece.match(/^<at>(.*)<\/at>$/)?.[1];
    return name ? [h("span", { class: "t-mention" }, name)] : marked(piece);
  });
}
