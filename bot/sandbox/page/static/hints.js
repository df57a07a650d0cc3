// The guide at the top: one step at a time. It goes on when what it asked for has happened, whoever did it and however.

import { byId, h } from "./dom.js";
import { fillIn } from "./composer.js";
import { showPane } from "./panes.js";
import { changed, channel, go, listen, someone, state } from "./store.js";

const node = byId("guide");
const first = (name) => name.split(" ")[0];
let at = 0;
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
    ...more(),
    {
      says: ["Ask once more, and kill the worker while the access is there (Break something). It still ends. Or look at the App’s Home."],
      button: "Break something", run: () => { showPane("aws"); byId("break")?.scrollIntoView({ block: "start" }); byId("break")?.querySelector("button")?.focus(); },
      done: () => false,
    },
  ].filter(Boolean);
}

/** What else there is to try: the sandbox's own proposals that are commands to type, each at the person's leisure. */
function more() {
  return (state.start.hints ?? []).slice(1).filter((hint) => hint.text.startsWith(state.start.command)).map((hint) => ({
    says: [hint.says],
    button: state.me === hint.as ? "Use it" : `Become ${first(someone(hint.as).name)}`,
    run: () => { go({ me: hint.as, at: hint.in }); setTimeout(() => fillIn(hint.text), 60); },
    done: () => false,
    next: "Next",
  }));
}

function draw() {
  node.hidden = dismissed || !state.seen;
  if (node.hidden) return;
  const all = steps();
  while (at < all.length - 1 && all[at].done()) at += 1;
  const step = all[at];
  const look = `${at} ${step.says.map((part) => part.textContent ?? part).join("")} ${step.button}`;
  if (look === drawn) return;
  drawn = look;
  const had = node.contains(document.activeElement);
  node.replaceChildren(
    h("span", { class: "step", "aria-label": `Step ${at + 1} of ${all.length}` }, String(at + 1)),
    h("p", { "aria-live": "polite" }, step.says),
    h("button", { type: "button", class: "button", onclick: step.run }, step.button),
    at < all.length - 1 && h("button", { type: "button", class: "button quiet", onclick: () => { at += 1; changed("guide"); } }, step.next ?? "Skip"),
    h("button", { type: "button", class: "button icon quiet", "aria-label": "Close the guide", onclick: dismiss }, h("span", { "aria-hidden": "true" }, "×")));
  if (had) node.querySelector("button").focus();
}

function dismiss() {
  dismissed = true;
  try { sessionStorage.setItem("guide", "closed"); } catch { /* for this page only */ }
  draw();
  byId("say")?.focus();
}
