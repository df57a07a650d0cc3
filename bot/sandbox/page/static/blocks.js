// Block Kit: blocks as elements. What can be used in them is in elements.js.

import { h, keyed } from "./dom.js";
import { element } from "./elements.js";
import { link, mrkdwn, plainText, textObject } from "./mrkdwn.js";
import { emoji } from "./emoji.js";
import { marked } from "./marks.js";
import { state } from "./store.js";

/** Draw `blocks` into `parent`; those that did not change stay as they are. */
export function showBlocks(parent, blocks, surface, lookOf = () => "") {
  keyed(parent, blocks, {
    key: (block) => block.block_id ?? blocks.indexOf(block),
    look: (block) => JSON.stringify(block) + lookOf(block),
    draw: (block) => drawBlock(block, surface),
  });
}

const DRAWERS = {
  header: (block, surface) => h(surface.kind === "modal" ? "h3" : "h2", { class: "b-header" }, textObject(block.text)),
  divider: () => h("hr", { class: "b-divider" }),
  section,
  context: (block) => h("div", { class: "b-context" }, block.elements.map((each) => h("span", {}, each.type === "image" ? each.alt_text : textObject(each)))),
  actions: (block, surface) => h("div", { class: "b-actions" }, block.elements.map((each) => element(block, each, surface))),
  input,
  rich_text: (block) => h("div", { class: "b-rich" }, block.elements.map(rich)),
  markdown: (block) => h("div", { class: "b-section" }, mrkdwn(block.text)),
  // Nothing is loaded from elsewhere, so a picture is its description.
  image: (block) => h("div", { class: "b-context" }, `[picture: ${block.alt_text}]`),
};

function drawBlock(block, surface) {
  const draw = DRAWERS[block.type];
  return draw ? draw(block, surface) : h("div", { class: "b-context" }, `[${block.type}]`);
}

function section(block, surface) {
  const body = h("div", { class: "b-text" });
  if (block.text) body.append(h("div", { class: "words" }, textObject(block.text)));
  if (block.fields) body.append(h("div", { class: "b-fields" }, block.fields.map((each) => h("div", { class: "words" }, textObject(each)))));
  const beside = block.accessory && h("div", { class: "b-accessory" }, element(block, block.accessory, surface));
  return h("div", { class: "b-section" }, body, beside);
}

function input(block, surface) {
  const id = `field-${block.block_id}`;
  const error = surface.error?.(block);
  const told = [block.hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || null;
  const group = ["radio_buttons", "checkboxes", "multi_static_select", "multi_users_select", "multi_channels_select"].includes(block.element.type);
  const label = [textObject(block.label), block.optional && h("span", { class: "optional" }, " (optional)")];
  return h(group ? "fieldset" : "div", { class: error ? "b-input wrong" : "b-input", "aria-describedby": group ? told : null },
    group ? h("legend", {}, label) : h("label", { for: id }, label),
    element(block, block.element, surface, { id, told, wrong: Boolean(error), required: !block.optional }),
    block.hint && h("p", { class: "hint", id: `${id}-hint` }, textObject(block.hint)),
    error && h("p", { class: "error", id: `${id}-error` }, h("span", { "aria-hidden": "true" }, marked("⚠"), " "), error));
}

// ------------------------------------------------------------ rich text, plainly

function rich(part) {
  const inside = () => part.elements.map(richPiece);
  if (part.type === "rich_text_preformatted") return h("pre", {}, h("code", {}, inside()));
  if (part.type === "rich_text_quote") return h("blockquote", {}, inside());
  if (part.type === "rich_text_list") return h(part.style === "ordered" ? "ol" : "ul", {}, part.elements.map((each) => h("li", {}, rich(each))));
  return h("div", { class: "words" }, inside());
}

function richPiece(piece) {
  const say = (text) => mrkdwn(text);
  switch (piece.type) {
    case "text": return styled(piece);
    case "link": return link(piece.url, piece.text ?? piece.url);
    case "user": return say(`<@${piece.user_id}>`);
    case "channel": return say(`<#${piece.channel_id}>`);
    case "usergroup": return say(`<!subteam^${piece.usergroup_id}>`);
    case "broadcast": return say(`<!${piece.range}>`);
    case "emoji": return marked(emoji(piece.name) ?? `:${piece.name}:`);
    case "date": return say(`<!date^${piece.timestamp}^${piece.format}|${piece.fallback ?? ""}>`);
    default: return plainText(piece.text ?? "");
  }
}

function styled(piece) {
  const tags = { code: "code", bold: "strong", italic: "em", strike: "s" };
  return Object.keys(tags).filter((name) => piece.style?.[name]).reduce((inner, name) => h(tags[name], {}, inner), h("span", {}, plainText(piece.text)));
}

/** Every request's id that can be read on the page, newest first. */
export function idsSeen() {
  const posts = [...Object.values(state.seen?.channels ?? {}).flat(), ...(state.seen?.dms ?? [])];
  posts.sort((one, other) => Number(other.ts) - Number(one.ts));
  const found = posts.flatMap((post) => `${post.text} ${JSON.stringify(post.blocks)}`.match(/\b[A-Z]{2,5}-\d+\b/g) ?? []);
  return [...new Set(found)].filter((id) => id.startsWith("PA-"));
}
