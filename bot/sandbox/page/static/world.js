// What is true in AWS at this moment. It comes from AWS, not from the bot: that is the point of it.

import { clock, clockSeconds, h, keyed, span } from "./dom.js";
import { listen, now, someone, state } from "./store.js";
import { avatar } from "./people.js";

const calm = matchMedia("(prefers-reduced-motion: reduce)");
let settled = false; // nothing flashes when the page opens

export function worldPanel() {
  const list = h("ul", { class: "holders" });
  const rest = h("p", { class: "nobody" });
  const under = h("ul", { class: "operations" });
  listen((what) => {
    if ((what !== "world" && what !== "place") || !state.world) return;
    draw(list, rest, under);
    settled = true;
  });
  setInterval(tick, 500);
  return h("section", { class: "panel world", tabindex: "0", "aria-labelledby": "world-title" },
    h("h2", { id: "world-title" }, "What is true in AWS now", h("span", { class: "live", title: "Read from AWS itself, as it changes" }, "live")),
    list, rest, under);
}

function draw(list, rest, under) {
  const all = state.world.people.flatMap((person) => person.access.map((line) => ({ person, line })));
  // The newest first; what stood before the sandbox's people did anything comes last.
  all.sort((one, other) => one.line.standing - other.line.standing || other.line.since - one.line.since);
  keyed(list, all, {
    key: ({ person, line }) => `${person.person} ${line.kind} ${line.what} ${line.where}`,
    look: ({ line }) => JSON.stringify([line, state.me]),
    draw: access,
    changed: (fresh, _, stood) => settled && !stood && !calm.matches && flash(fresh),
  });
  rest.textContent = all.length ? "Nobody else has access to anything." : "Nobody has access to anything.";
  keyed(under, state.world.operations ?? [], {
    key: (each) => `${each.what} ${each.state}`, look: () => "",
    draw: (each) => h("li", {}, h("span", {}, each.what), " ", h("em", {}, each.state)),
  });
  tick();
}

/** One line: who, what, where, how long still. What AWS says of it in full is behind it. */
function access({ person, line }) {
  const known = state.start.people.find((one) => one.name === person.name);
  const mine = someone(state.me)?.name === person.name;
  return h("li", { class: line.standing ? "access standing" : "access" }, h("details", { data: { focus: `aws/${person.person}/${line.what}` } },
    h("summary", {},
      known ? avatar(known.id) : h("span", { class: "avatar tone-0", "aria-hidden": "true" }, person.name?.[0] ?? "?"),
      h("span", { class: "whose" }, person.name || person.person, mine && h("span", { class: "you" }, "you")), " ",
      h("span", { class: "which" }, h("strong", {}, line.what), line.short && h("span", { class: "where" }, ` ${/^on /.test(line.short) ? "" : "in "}${line.short}`)), " ",
      h("span", { class: "when" }, left(line))),
    h("p", {}, `${line.where}: ${line.how}. `, ending(line))));
}

/** Once: a pane that is hidden and shown again would play it anew. */
function flash(node) {
  node.classList.add("flash");
  setTimeout(() => node.classList.remove("flash"), 1700);
}

/** The countdown, for AWS's own end and for one that only the bot has arranged. */
function left(line) {
  if (line.standing) return h("span", { class: "tag" }, "standing");
  const end = line.until ?? line.arranged;
  return end ? h("span", { class: "left-over", data: { until: end } }) : h("span", { class: "tag" }, "no end");
}

function ending(line) {
  if (line.standing) return "It stood before, and is left as it is.";
  // Of access that lasts seconds the minute says nothing.
  const at = (end) => (end - now() < 120 ? clockSeconds(end) : clock(end));
  if (line.until) return `AWS ends it at ${at(line.until)}.`;
  if (line.arranged) return `AWS sets no end of its own: the bot takes it away at ${at(line.arranged)}.`;
  return "AWS sets no end of its own.";
}

/** The countdown. Only its own words change, so that nothing else is drawn or read out each second. */
function tick() {
  for (const node of document.querySelectorAll("[data-until]")) {
    const left = Number(node.dataset.until) - now();
    node.textContent = left > 0 ? `${span(left)} left` : "ends now";
  }
}
