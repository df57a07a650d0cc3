// The marks of messages as pictures, the same on every machine. Which are drawn: marks.css. Others stay what they are.

import { h } from "./dom.js";

const MARKS = {
  "🔴": "red", "🟡": "yellow", "🟢": "green", "🔵": "blue", "✅": "check", "✔": "tick", "❌": "cross", "⛔": "stop",
  "🚫": "stop", "⏳": "sand", "⌛": "sand", "⚠": "warning", "🚨": "siren", "✂": "scissors", "🏁": "flag", "🔄":
  "round", "🔁": "round", "↩": "back", "⏰": "clock", "🕒": "clock", "⏱": "clock", "🔔": "bell", "📝": "memo", "✍":
  "memo", "📜": "scroll", "🔒": "lock", "🔐": "lock", "🔏": "lock", "💬": "away", "✋": "hand", "👀": "eyes",
};
const KNOWN = new RegExp(`(${Object.keys(MARKS).join("|")})[\\uFE0E\\uFE0F]?`, "gu");

/** Text as pieces: strings, and a picture for each mark, which still has its character inside. */
export function marked(text) {
  const found = [];
  let from = 0;
  for (const match of text.matchAll(KNOWN)) {
    const mark = h("span", { class: `mark mark-${MARKS[match[1]]}` }, match[0]);
    const bracket = match.index > from && text[match.index - 1] === "("; // which must not end a line before its mark
    if (match.index > from) found.push(text.slice(from, match.index - Number(bracket)));
    from = match.index + match[0].length;
    found.push(bracket ? h("span", { class: "together" }, "(", mark) : mark);
  }
  if (from < text.length || !found.length) found.push(text.slice(from));
  return found;
}

/** For where only text can stand, such as a menu's entries: without marks where this machine cannot show them. */
export const bare = (text) => (drawn() ? text : text.replace(new RegExp(`${KNOWN.source}\\s?`, "gu"), ""));

let known = null;

/** Whether some font here draws a red circle red. */
function drawn() {
  if (known !== null) return known;
  const pen = Object.assign(document.createElement("canvas"), { width: 24, height: 24 }).getContext("2d", { willReadFrequently: true });
  pen.font = "20px sans-serif";
  pen.textBaseline = "top";
  pen.fillText("🔴", 0, 2);
  const dots = pen.getImageData(0, 0, 24, 24).data;
  known = dots.some((value, at) => at % 4 === 0 && value > 120 && dots[at + 3] > 120);
  return known;
}
