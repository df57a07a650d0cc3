// What the page knows, and the few things that change it. Drawing is the others' work: they are told by `listen`.

import { get, person, post } from "./api.js";
import { toast } from "./dom.js";

export const state = {
  start: null, // who and what there is; never changes
  me: "", // whose eyes we look through
  at: "", // a channel's id, "dm" or "home"
  seen: null, // what that person sees
  badges: {},
  world: null,
  audit: null,
  faults: null,
  onHold: [], // ids of people whose accounts wait for somebody to say whose they are
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

export async function suggestions(body) {
  return post(person(state.me, "/options"), body);
}

// ------------------------------------------------------------ who and where

export function address(me = state.me, at = state.at) {
  return `#as=${encodeURIComponent(me)}&in=${encodeURIComponent(at)}`;
}

function readAddress() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  const first = state.start.hints?.[0] ?? {};
  const people = state.start.people.map((each) => each.id);
  const places = [...state.start.channels.map((each) => each.id), "dm", "home"];
  const pick = (known, ...choices) => choices.find((choice) => known.includes(choice));
  return {
    me: pick(people, wanted.get("as"), state.me, first.as, people[0]),
    at: pick(places, wanted.get("in"), state.at, first.in, places[0]),
  };
}

/** Look through somebody's eyes, at some place. */
export function go({ me = state.me, at = state.at }) {
  const hash = address(me, at);
  if (location.hash !== hash) location.hash = hash; // comes back as hashchange
  else arrive();
}

export function arrive() {
  const wanted = readAddress();
  const other = wanted.me !== state.me;
  if (!other && wanted.at === state.at && state.seen) return;
  if (wanted.at !== state.at || other) state.thread = null;
  Object.assign(state, wanted);
  if (other) state.seen = null;
  changed("place");
  refresh("chat");
  if (state.at === "home") does("open_home");
}

export function openThread(ts) {
  state.thread = ts;
  changed("thread");
}
