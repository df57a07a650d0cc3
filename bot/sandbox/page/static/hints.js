// The guide at the top: first what this is, then one step at a time. It goes on when what it asked for has happened,
// whoever did it and however.

import { byId, h } from "./dom.js";
import { fillIn } from "./composer.js";
import { showOutput } from "./output.js";
import { showPane } from "./panes.js";
import { changed, channel, go, listen, someone, state } from "./store.js";

const node = byId("guide");
const first = (name) => name.split(" ")[0];
let at = -1; // before the first step: what this is
const ticked = new Set();
let dismissed = false;
let drawn = "";

export function startHints() {
  // Whoever opened a second window, or came back, knows the way.
  try { dismissed = sessionStorage.getItem("guide") === "closed"; } catch { /* shown again */ }
  listen((what) => what !== "faults" && what !== "audit" && draw());
}

// ------------------------------------------------------------ what can be seen

const everything = () => [...Object.values(state.seen?.channels ?? {}).flat(), ...(state.seen?.dms ?? [])];
const reads = (post, ...words) => {
  const text = `${post.text} ${JSON.stringify(post.blocks)}`;
  return words.every((word) => text.includes(word));
};
const anyPost = (...words) => everything().some((post) => reads(post, ...words));
const cardWaits = () => anyPost('"action_id":"approve"');
const holds = () => state.world?.people.some((each) => each.access.some((line) => !line.standing));

// ------------------------------------------------------------ the steps

function cast() {
  const { people, environments, hints } = state.start;
  const by = (words) => people.find((each) => words.test(each.part));
  const asks = someone(hints?.[0]?.as) ?? people[0];
  const place = environments.find((each) => each.tier === "production") ?? environments[0];
  const role = place?.roles.find((each) => each.durations.some((length) => /s$/.test(length))) ?? place?.roles[0];
  const length = role?.durations.find((each) => /s$/.test(each))?.replaceAll(" ", "") ?? "";
  const given = hints?.[0]?.text?.startsWith(state.start.command) ? hints[0].text : null;
  const command = given ?? `${state.start.command} ${place?.name} ${role?.name} ${length} ORD-17 checkout errors since the deploy`;
  return { asks, owner: by(/own/), stranger: by(/no say|nothing|marketing/), command, asksIn: hints?.[0]?.in ?? state.at };
}

const ownersRoom = () => {
  const found = Object.entries(state.seen?.channels ?? {}).find(([, posts]) => posts.some((post) => reads(post, '"action_id":"approve"')));
  return found?.[0];
};
const receipts = () => state.start.channels.find((each) => /log|receipt/.test(each.name));

function steps() {
  const { asks, owner, stranger, command, asksIn } = cast();
  return [
    {
      says: [`You are ${first(asks.name)}, and something is wrong in production. Ask for a look: type `, h("code", {}, command), ", then Enter."],
      button: "Use it", run: () => { go({ me: asks.id, at: asksIn }); setTimeout(() => fillIn(command), 60); },
      done: () => cardWaits() || holds() || anyPost("Ended"),
    },
    stranger && {
      says: [`The owners have a card in #${channel(ownersRoom())?.name ?? "their channel"}. First be somebody who has no say: ${stranger.name}. Press Approve.`],
      button: `Become ${first(stranger.name)}`, run: () => go({ me: stranger.id, at: ownersRoom() ?? state.at }),
      done: () => holds() || (state.me === stranger.id && everything().some((post) => post.ephemeral_to === stranger.id)),
    },
    {
      says: [`Now be ${owner.name}, an owner, and press Approve. Then look at AWS: the access is there at once.`],
      button: `Become ${first(owner.name)}`, run: () => go({ me: owner.id, at: ownersRoom() ?? state.at }),
      done: () => holds() || anyPost("✅ Active"),
    },
    {
      says: ["Real time passes here, which is why there is a role with 20 seconds. Do nothing, and watch the access end."],
      button: "Look at AWS", run: () => showPane("aws"),
      done: () => !holds() && (anyPost("🏁 Ended") || anyPost("✂️ Revoked")),
    },
    {
      says: [`Each step has left a receipt with a number and a digest, in #${receipts()?.name}.`],
      button: "Go there", run: () => go({ at: receipts()?.id }),
      done: () => state.at === receipts()?.id,
    },
    {
      says: ["Is the record whole? Nobody has to take our word for it: the command that checks it says so."],
      button: "Run audit verify", run: () => showOutput("verify"),
      done: () => state.shown.has("verify"), stays: true,
    },
    inTeams(),
    ...more(),
    {
      says: ["Ask once more, and kill the worker while the access is there. It still ends. Then look at what a reviewer gets."],
      button: "Break something", run: () => { showPane("aws"); byId("break")?.scrollIntoView({ block: "start" }); byId("break")?.querySelector("button")?.focus(); },
      also: { label: "Run report", run: () => showOutput("report") },
      done: () => state.shown.has("report"), stays: true,
    },
  ].filter(Boolean);
}

/** The same bot in the other chat, with the same record. */
function inTeams() {
  const { asks, owner, command, asksIn } = cast();
  const room = channel(asksIn) && state.start.teams.places.find((each) => each.id === channel(ownersRoom())?.name);
  return {
    says: [`The same bot is in Teams. Ask once more as ${first(asks.name)} in Slack, and approve as ${owner.name} in Teams, side by side.`],
    button: "Show both", run: () => { go({ view: "both", me: asks.id, at: asksIn, tme: owner.id, tat: room?.id ?? "bot" }); setTimeout(() => fillIn(command), 60); },
    done: () => state.view !== "slack", stays: true,
  };
}

/** What else there is to try: the sandbox's own proposals that are commands to type, each at the person's leisure. */
function more() {
  return (state.start.hints ?? []).slice(1).filter((hint) => hint.text.startsWith(state.start.command)).map((hint) => ({
    says: [hint.says],
    button: state.me === hint.as ? "Use it" : `Become ${first(someone(hint.as).name)}`,
    run: () => { go({ me: hint.as, at: hint.in }); setTimeout(() => fillIn(hint.text), 60); },
    done: () => state.sent.has(hint.text), stays: true, // what comes of it is there to be looked at
  }));
}

function draw() {
  node.hidden = dismissed || !state.seen;
  if (node.hidden) return;
  const all = steps();
  all.forEach((step, index) => (index < at || (index === at && step.done())) && step.done() && ticked.add(index));
  while (at >= 0 && at < all.length - 1 && !all[at].stays && all[at].done()) { ticked.add(at); at += 1; }
  const step = at < 0 ? welcome(all.length) : all[at];
  const look = `${at} ${[...ticked]} ${step.says.map((part) => part.textContent ?? part).join("")} ${step.button}`;
  if (look === drawn) return;
  drawn = look;
  const had = node.contains(document.activeElement);
  node.replaceChildren(...[at >= 0 && progress(all.length), h("p", { class: "says", "aria-live": "polite" }, step.says), buttons(step, all.length)].filter(Boolean));
  if (had) node.querySelector("button").focus();
}

const welcome = (count) => ({
  says: [h("strong", {}, "This is prodaccess, a bot through which people get into production for a short while: "),
    "the bot is real, Slack, Teams and AWS are stand-ins on your machine, and you play everybody."],
  button: `Show me, in ${count} steps`, run: () => to(0), first: true,
});

function progress(count) {
  const marks = Array.from({ length: count }, (_, index) => h("li", { class: [ticked.has(index) && "done", index === at && "now"].filter(Boolean).join(" ") || null }));
  return h("div", { class: "progress" }, h("span", { class: "step" }, `${at + 1} of ${count}`),
    h("ol", { class: "marks", role: "img", "aria-label": `${ticked.size} of ${count} steps done` }, marks));
}

function buttons(step, count) {
  const last = at === count - 1;
  const done = ticked.has(at);
  const next = at >= 0 && !last && h("button", { type: "button", class: done ? "button" : "button quiet", data: { focus: "guide/next" }, onclick: () => to(at + 1) }, done || step.stays ? "Next" : "Skip");
  return h("div", { class: "does" },
    h("button", { type: "button", class: step.first ? "button primary" : "button", data: { focus: "guide/run" }, onclick: step.run }, step.button),
    step.also && h("button", { type: "button", class: "button", onclick: step.also.run }, step.also.label),
    at > 0 && h("button", { type: "button", class: "button quiet", onclick: () => to(at - 1, true) }, "Back"),
    next,
    h("button", { type: "button", class: "button icon quiet", "aria-label": "Close the guide", onclick: dismiss }, h("span", { "aria-hidden": "true" }, "×")));
}

/** To a step. Going back, it stays although what it asks for has been done. */
function to(index, back = false) {
  const all = steps();
  at = back ? [...all.keys()].findLast((each) => each <= index && (all[each].stays || !all[each].done())) ?? index : index;
  changed("guide");
}

function dismiss() {
  dismissed = true;
  try { sessionStorage.setItem("guide", "closed"); } catch { /* for this page only */ }
  draw();
  byId("say")?.focus();
}
