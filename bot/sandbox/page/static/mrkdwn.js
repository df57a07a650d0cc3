// Slack's markup as elements. Built piece by piece from text nodes; nothing of it is ever parsed as HTML.

import { h } from "./dom.js";
import { emoji } from "./emoji.js";
import { marked } from "./marks.js";
import { channel, someone, state } from "./store.js";

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };
const plain = (text) => text.replace(/&(lt|gt|amp);/g, (found) => ENTITIES[found]);
const INLINE = /<([^<>]+)>|`([^`\n]+)`|:([a-z0-9_+-]+):|(?<![\p{L}\p{N}_*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\p{L}\p{N}*])|(?<![\p{L}\p{N}_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\p{L}\p{N}_])|(?<![\p{L}\p{N}~])~(?=\S)([^~\n]+?)(?<=\S)~(?![\p{L}\p{N}~])/gu;

/** A text object of a block. */
export function textObject(object) {
  if (!object) return [];
  return object.type === "mrkdwn" ? mrkdwn(object.text) : plainText(object.text, object.emoji !== false);
}

/** Text without markup, as pieces. */
export const plainText = (text, wanted = false) => lines(withEmoji(text, wanted));

function withEmoji(text, wanted) {
  return wanted ? text.replace(/:([a-z0-9_+-]+):/g, (found, name) => emoji(name) ?? found) : text;
}

function lines(text) {
  return text.split("\n").flatMap((line, number) => (number ? [h("br"), ...marked(line)] : marked(line)));
}

export function mrkdwn(text) {
  return text.split("```").flatMap((part, number) =>
    number % 2 ? [h("pre", {}, h("code", {}, fenced(part)))] : paragraphs(part));
}

// In a fence only links and entities mean something.
function fenced(part) {
  return plain(part.replace(/^\n|\n$/g, "").replace(/<(https?:[^|<>]+)(?:\|([^<>]*))?>/g, (_, url, label) => label ?? url));
}

function paragraphs(part) {
  const found = [];
  let quote = null;
  const all = part.replace(/^\n|\n$/g, "").split("\n");
  if (all.length === 1 && all[0] === "") return [];
  for (const line of all) {
    const quoted = line.match(/^(?:>|&gt;)\s?(.*)$/);
    if (quoted) {
      if (quote) quote.append(h("br"));
      else found.push((quote = h("blockquote")));
      quote.append(...inline(quoted[1]));
      continue;
    }
    if (found.length && !quote) found.push(h("br"));
    quote = null;
    found.push(...inline(line));
  }
  return found;
}

function inline(text) {
  const found = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    const [whole, angle, code, name, bold, italic, strike] = match;
    if (match.index > from) found.push(...marked(plain(text.slice(from, match.index))));
    from = match.index + whole.length;
    if (angle) found.push(special(angle));
    else if (code) found.push(h("code", {}, plain(code)));
    else if (name) found.push(...marked(emoji(name) ?? whole));
    else if (bold) found.push(h("strong", {}, inline(bold)));
    else if (italic) found.push(h("em", {}, inline(italic)));
    else found.push(h("s", {}, inline(strike)));
  }
  if (from < text.length) found.push(...marked(plain(text.slice(from))));
  return found;
}

/** What stands in angle brackets: a mention, a date, a link. */
function special(inside) {
  const [target, ...rest] = inside.split("|");
  const label = rest.length ? plain(rest.join("|")) : null;
  if (target.startsWith("@")) return personMention(target.slice(1), label);
  if (target.startsWith("#")) return mention(`#${channel(target.slice(1))?.name ?? label ?? target.slice(1)}`);
  if (target.startsWith("!date^")) return date(target, label);
  if (target.startsWith("!subteam^")) return mention(label ?? "@group");
  if (target.startsWith("!")) return mention(`@${target.slice(1)}`);
  return link(plain(target), label ?? plain(target));
}

function personMention(id, label) {
  const bot = state.start.bot;
  const name = someone(id)?.name ?? (id === bot.user ? bot.name : label ?? id);
  return mention(`@${name}`, id === state.me);
}

const mention = (words, own = false) => h("span", { class: own ? "mention own" : "mention" }, words);

export function link(url, label) {
  // Only what a browser opens harmlessly; anything else stays words.
  if (!/^(https?|mailto):/i.test(url)) return label;
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label);
}

// ------------------------------------------------------------ dates

const day = (options) => new Intl.DateTimeFormat(undefined, options);
const FORMATS = {
  date_num: day({ year: "numeric", month: "2-digit", day: "2-digit" }),
  date: day({ year: "numeric", month: "long", day: "numeric" }),
  date_short: day({ year: "numeric", month: "short", day: "numeric" }),
  date_long: day({ weekday: "long", year: "numeric", month: "long", day: "numeric" }),
  time: day({ hour: "2-digit", minute: "2-digit" }),
  time_secs: day({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
};

/** In the reader's own time, as Slack's clients show it. */
function date(target, fallback) {
  const [, epoch, format] = target.split("^");
  const moment = new Date(Number(epoch) * 1000);
  if (Number.isNaN(moment.getTime()) || !format) return fallback ?? target;
  const words = format.replace(/\{(\w+)\}/g, (whole, name) => {
    const pretty = name.endsWith("_pretty") && near(moment);
    return pretty || FORMATS[name.replace("_pretty", "")]?.format(moment) || whole;
  });
  return h("time", { datetime: moment.toISOString(), title: fallback }, plain(words));
}

function near(moment) {
  const midnight = (when) => new Date(when.getFullYear(), when.getMonth(), when.getDate()).getTime();
  const days = Math.round((midnight(moment) - midnight(new Date())) / 86_400_000);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days];
}
