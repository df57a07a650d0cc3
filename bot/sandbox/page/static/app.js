// The beginning: fetch what there is, build the parts, then follow the sandbox.

import { follow, get } from "./api.js";
import { auditPanel } from "./audit.js";
import { startChat } from "./chat.js";
import { startComposer } from "./composer.js";
import { byId, h, toast } from "./dom.js";
import { faultsPanel } from "./faults.js";
import { startHints } from "./hints.js";
import { startModal } from "./modal.js";
import { startPanes } from "./panes.js";
import { startPeople } from "./people.js";
import { startTeams } from "./teams.js";
import { arrive, listen, refresh, state } from "./store.js";
import { worldPanel } from "./world.js";

const RETRY_MS = 1500;

async function begin() {
  try {
    state.start = await get("start");
  } catch {
    gone(true);
    setTimeout(begin, RETRY_MS);
    return;
  }
  gone(false);
  startPeople();
  startChat();
  startComposer();
  startModal();
  byId("right").append(worldPanel(), auditPanel(), faultsPanel());
  startTeams();
  startHints();
  startPanes();
  listen(notices());
  addEventListener("hashchange", arrive);
  arrive();
  ["world", "audit", "faults"].forEach(refresh);
  follow((names) => names.forEach(refresh), (alive) => gone(!alive));
}

function gone(is) {
  const banner = byId("gone");
  if (banner.hidden === !is) return;
  banner.hidden = !is;
  banner.replaceChildren(...(is ? [h("strong", {}, "The sandbox does not answer."), " It may have been stopped in your terminal. This page goes on automatically when it is back."] : []));
}

/** What Slack itself tells a person: that a command failed, that a button did nothing. Only what is new. */
function notices() {
  let whose = "";
  let heard = 0;
  return (what) => {
    if (what !== "chat" || !state.seen) return;
    const all = state.seen.notices.filter((each) => each.kind !== "modal"); // a form shows its own
    if (whose === state.me) all.slice(heard).forEach((each) => toast(each.text));
    whose = state.me;
    heard = all.length;
  };
}

begin();
