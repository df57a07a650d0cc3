// What the page knows, and the few things that change it. Drawing is the others' work: they are told by `listen`.

import { get, person, post } from "./api.js";
import { toast } from "./dom.js";

export const state = {
  start: null, // who and what there is; never changes
  me: "", // whose eyes we look through
  at: "", // a channel's id, "dm" or "home"
  seen: null, // what that person sees
  badges: {},
  view: "slack", // slack, teams or both
  tme: "", // whose eyes we look through in Teams
  tat: "", // a place in Teams
  teams: null, // what that person sees there
  teamsBadges: {},
  world: null,
  audit: null,
  faults: null,
  onHold: {}, // by person: the chats in which their account waits for somebody to say whose it is
  thread: null, // ts of the message whose thread is open
  sent: new Set(), // what was sent from this page's composer
  shown: new Set(), // the commands whose output was shown here
  skew: 0, // the sandbox's clock minus ours, in seconds
};

const listeners = [];
export const listen = (draw) => listeners.push(draw);
export const changed = (what) => listeners.forEach((draw) => draw(what));

export const now = () => Date.now() / 1000 + state.skew;
export const someone = (id) => state.start.people.find((each) => each.id === id);
export const channel = (id) => state.start.channels.find((each) => each.id === id);
export const dmChannel = () => state.seen?.dm ?? state.seen?.dms[0]?.channel ?? null;

// ------------------------------------------------------------ fetching

const LOADERS = {
  async chat() {
    const who = state.me;
    const [seen, badges] = await Promise.all([get(person(who)), get("badges")]);
    if (who !== state.me) return; // somebody else's eyes by now
    state.skew = seen.now - Date.now() / 1000;
    Object.assign(state, { seen, badges });
  },
  async teams() {
    const who = state.tme;
    const [teams, teamsBadges] = await Promise.all([get(inTeams(who)), get("teams/badges")]);
    if (who === state.tme) Object.assign(state, { teams, teamsBadges });
  },
  async world() { state.world = await get("world"); },
  async audit() {
    state.audit = await get("audit?limit=40");
    state.onHold = state.audit.on_hold;
  },
  async faults() { state.faults = await get("faults"); },
};
const busy = {};

/** Fetch one part anew. While it is being fetched, any number of wishes become one more round. */
export async function refresh(name) {
  if (busy[name]) {
    busy[name].again = true;
    return busy[name].done;
  }
  const round = { again: false };
  busy[name] = round;
  round.done = (async () => {
    try {
      do {
        round.again = false;
        await LOADERS[name]();
        changed(name);
      } while (round.again);
    } catch { /* the banner says that the sandbox is gone, and a new connection fetches everything */ } finally {
      delete busy[name];
    }
  })();
  return round.done;
}

// ------------------------------------------------------------ doing

/** Let the person do something. Returns Slack's outcome; what the sandbox itself refuses is said in a corner. */
export async function does(path, body = {}) {
  try {
    const outcome = await post(person(state.me, `/${path}`), body);
    refresh("chat");
    return outcome ?? { ok: true };
  } catch (problem) {
    // What was pressed may have been drawn anew while the finger was on its way.
    const gone = problem.status === 409 && /(press|choose|fill)$/.test(path);
    toast(gone ? "This has changed a moment ago. Look again." : problem.message);
    refresh("chat");
    return { ok: false, error: problem.message };
  }
}

const inTeams = (user, path = "") => `teams/${person(user, path)}`;

/** The same in Teams. What Teams itself would say when the app does not answer stands under the card, or in a corner. */
export async function teamsDoes(path, body = {}) {
  try {
    const outcome = await post(inTeams(state.tme, `/${path}`), body);
    refresh("teams");
    if (outcome.error && path === "type") toast(outcome.error);
    return outcome;
  } catch (problem) {
    toast(problem.message);
    refresh("teams");
    return { ok: false, error: problem.message };
  }
}

export async function suggestions(body) {
  return post(person(state.me, "/options"), body);
}

// ------------------------------------------------------------ who and where

export function address({ me = state.me, at = state.at, view = state.view, tme = state.tme, tat = state.tat } = {}) {
  const slack = { as: me, in: at };
  return `#${new URLSearchParams(view === "slack" ? slack : { ...slack, chat: view, tas: tme, tin: tat })}`;
}

function readAddress() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  const first = state.start.hints?.[0] ?? {};
  const people = state.start.people.map((each) => each.id);
  const places = [...state.start.channels.map((each) => each.id), "dm", "home"];
  const pick = (known, ...choices) => choices.find((choice) => known.includes(choice));
  const me = pick(people, wanted.get("as"), state.me, first.as, people[0]);
  return {
    me,
    at: pick(places, wanted.get("in"), state.at, first.in, places[0]),
    view: state.start.teams ? pick(["slack", "teams", "both"], wanted.get("chat"), "slack") : "slack",
    tme: pick(people, wanted.get("tas"), state.tme, me),
    tat: state.start.teams && pick(state.start.teams.places.map((each) => each.id), wanted.get("tin"), state.tat, "bot"),
  };
}

/** Look through somebody's eyes, at some place, in one chat or both. */
export function go(wanted) {
  const hash = address(wanted);
  if (location.hash !== hash) location.hash = hash; // comes back as hashchange
  else arrive();
}

export function arrive() {
  const wanted = readAddress();
  const other = wanted.me !== state.me;
  if (Object.entries(wanted).every(([name, value]) => state[name] === value) && state.seen) return;
  const moved = wanted.at !== state.at || other || wanted.view !== state.view;
  if (wanted.at !== state.at || other) state.thread = null;
  if (wanted.tme !== state.tme) state.teams = null;
  Object.assign(state, wanted);
  if (other) state.seen = null;
  changed("place");
  if (state.view !== "slack") refresh("teams");
  if (!moved && state.seen) return;
  refresh("chat");
  if (state.at === "home") does("open_home");
}

export function openThread(ts) {
  state.thread = ts;
  changed("thread");
}
