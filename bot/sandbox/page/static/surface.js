// What can be done with an element, by where it stands: in a message, in a form or in the App Home.

import { does, suggestions } from "./store.js";

const asked = (block, element) => ({ block_id: block.block_id, action_id: element.action_id });

export function inMessage(message) {
  const where = { message: message.ts, channel: message.channel };
  return {
    kind: "message",
    held: (block, element) => message.state?.[block.block_id]?.[element.action_id],
    press: (block, element) => does("press", { ...where, ...asked(block, element), value: element.value }),
    choose: (block, element, choice, query) => does("choose", { ...where, ...asked(block, element), choice, query }),
    options: (block, element, query) => suggestions({ ...asked(block, element), query, in: { channel: message.channel, ts: message.ts } }),
  };
}

export function inHome(view) {
  return inView(view, "home");
}

export function inModal(view) {
  return inView(view, "modal");
}

function inView(view, kind) {
  return {
    kind,
    held: (block, element) => view.state.values[block.block_id]?.[element.action_id],
    press: (block, element) => does(`${kind}/press`, { ...asked(block, element), value: element.value }),
    choose: (block, element, choice, query) => does(`${kind}/choose`, { ...asked(block, element), choice, query }),
    options: (block, element, query) => suggestions({ ...asked(block, element), query, in: kind }),
  };
}
