// What could come next in a command. Pure: text in, entries out; what there is to name is handed in.

/** The grammar as lists of words, one for each form of a command: `ENV`, `ROLE`, `[DURATION]`, `approve`. */
function forms(start) {
  return start.verbs.filter((each) => each.usage).map((each) => ({ words: each.usage.split(/\s+/), says: each.says }));
}

const kindOf = (word) => {
  const bare = word.replace(/[[\]<>.…]/g, "");
  if (/^ENV/.test(bare)) return "env";
  if (bare === "ROLE") return "role";
  if (bare === "DURATION") return "duration";
  if (/^(WHO|PERSON)/.test(bare)) return "who";
  return bare === "ID" ? "id" : "text";
};
const isWord = (word) => /^[a-z]/.test(word);

/**
 * Entries for what stands before the caret: `{from, items: [{insert, label, says}]}`; `from` is where the word begins.
 * `facts`: {start, ids}.
 */
export function complete(text, facts) {
  const { start } = facts;
  const command = start.command;
  if (!text.startsWith("/")) return { from: 0, items: [] };
  if (!text.startsWith(`${command} `)) {
    const fits = command.startsWith(text);
    return { from: 0, items: fits ? [{ insert: `${command} `, label: command, says: "temporary production access" }] : [] };
  }
  const rest = text.slice(command.length).trimStart();
  const done = rest.split(/\s+/);
  const typed = done.pop().toLowerCase();
  const items = next(done, facts).filter((item) => item.label.toLowerCase().startsWith(typed) && item.label.toLowerCase() !== typed);
  return { from: text.length - typed.length, items: items.slice(0, 40) };
}

function next(done, facts) {
  const { start, ids } = facts;
  const found = new Map();
  const offer = (label, says) => found.has(label) || found.set(label, { insert: `${label.replaceAll(" ", "")} `, label, says });
  for (const form of forms(start)) {
    if (!done.every((word, index) => fits(word, form.words[index], start))) continue;
    const slot = form.words[done.length];
    if (slot === undefined) continue;
    const environment = start.environments.find((each) => done.includes(each.name));
    const role = environment?.roles.find((each) => done.includes(each.name));
    if (isWord(slot)) offer(slot, form.says);
    else if (kindOf(slot) === "env") start.environments.forEach((each) => offer(each.name, `${each.title} · ${each.tier}`));
    else if (kindOf(slot) === "role") environment?.roles.forEach((each) => offer(each.name, each.danger ? `${each.allows} · ⚠ ${each.danger}` : each.allows));
    else if (kindOf(slot) === "duration") role?.durations.forEach((each) => offer(each, / s$/.test(each) ? "how long · in the sandbox only, to watch an end" : "how long"));
    else if (kindOf(slot) === "who") start.people.forEach((each) => offer(`@${each.id.slice(2).toLowerCase()}`, each.name));
    else if (kindOf(slot) === "id") ids.forEach((each) => offer(each, "read on this page"));
  }
  return [...found.values()];
}

function fits(word, slot, start) {
  if (slot === undefined) return false;
  if (isWord(slot)) return slot === word.toLowerCase();
  const environments = start.environments;
  switch (kindOf(slot)) {
    case "env": return environments.some((each) => each.name === word);
    case "role": return environments.some((each) => each.roles.some((role) => role.name === word));
    case "duration": return /^\d+[smhd]/.test(word);
    case "id": return /^[a-z]+-\d+$/i.test(word);
    default: return true;
  }
}
