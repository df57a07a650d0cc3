// What is true in AWS at this moment. It comes from AWS, not from the bot: that is the point of it.

import { clock, clockSeconds, h, keyed, span } from "./dom.js";
import { listen, now, someone, state } from "./store.js";
import { avatar } from "./people.js";

const calm = matchMedia("(prefers-reduced-motion: reduce)");
let settled = false; // nothing flashes when the page opens

export function worldPanel() {
  const list = h("div", { class: "holders" });
  const rest = h("p", { class: "nobody" });
  const under = h("ul", { class: "operations" });
  listen((what) => {
    if (what !== "world" || !state.world) return;
    draw(list, rest, under);
    settled = true;
  });
  setInterval(tick, 500);
  return h("section", { class: "panel world", tabindex: "0", "aria-labelledby": "world-title" },
    h("h2", { id: "world-title" }, "What is true in AWS now", h("span", { class: "live", title: "Read from AWS itself, as it changes" }, "live")),
    list, rest, under);
}

function draw(list, rest, under) {
  const holders = state.world.people.filter((each) => each.access.length);
  keyed(list, holders, {
    key: (each) => each.person,
    look: () => "", // a person's lines are kept one by one
    draw: holder,
  });
  for (const each of holders) lines(list.querySelector(`[data-key="${CSS.escape(each.person)}"] ul`), each.access);
  rest.textContent = holders.length ? "Nobody else has access to anything." : "Nobody has access to anything.";
  keyed(under, state.world.operations ?? [], {
    key: (each) => `${each.what} ${each.state}`, look: () => "",
    draw: (each) => h("li", {}, h("span", {}, each.what), " ", h("em", {}, each.state)),
  });
  tick();
}

function holder(each) {
  const person = state.start.people.find((one) => one.name === each.name);
  return h("article", { class: "holder" }, person ? avatar(person.id) : h("span", { class: "avatar tone-0", "aria-hidden": "true" }, each.name?.[0] ?? "?"),
    h("div", {}, h("h3", {}, each.name || each.person, someone(state.me)?.name === each.name && h("span", { class: "you" }, "you")), h("ul", {})));
}

function lines(list, access) {
  keyed(list, access, {
    key: (line) => `${line.kind} ${line.what} ${line.where}`,
    look: (line) => JSON.stringify(line),
    draw: (line) => h("li", { class: line.standing ? "access standing" : "access" },
      h("strong", {}, line.what), " ", h("span", { class: "where" }, `in ${line.where}`),
      h("p", { class: "when" }, ending(line)), line.how && h("p", { class: "how" }, line.how)),
    changed: (fresh) => settled && !calm.matches && flash(fresh),
  });
}

/** Once: a pane that is hidden and shown again would play it anew. */
function flash(node) {
  node.classList.add("flash");
  setTimeout(() => node.classList.remove("flash"), 1700);
}

function ending(line) {
  if (line.standing) return h("span", { class: "tag" }, "standing: stood before, left as it is");
  // Of access that lasts seconds the minute says nothing.
  const at = (end) => (end - now() < 120 ? clockSeconds(end) : clock(end));
  const countdown = (end) => h("span", { class: "left-over", data: { until: end } });
  if (line.until) return [`until ${at(line.until)} · `, countdown(line.until)];
  if (line.arranged) return [`the bot takes it away at ${at(line.arranged)} · `, countdown(line.arranged)];
  return "AWS sets no end of its own";
}

/** The countdown. Only its own words change, so that nothing else is drawn or read out each second. */
function tick() {
  for (const node of document.querySelectorAll("[data-until]")) {
    const left = Number(node.dataset.until) - now();
    node.textContent = left > 0 ? `${span(left)} left` : "ends now";
  }
}
