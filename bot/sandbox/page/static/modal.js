// The form in front. It lives at the sandbox; what is typed and not sent yet lives here and outlives every redrawing.

import { byId, h, toast } from "./dom.js";
import { showBlocks } from "./blocks.js";
import { closeMenu } from "./menu.js";
import { textObject } from "./mrkdwn.js";
import { does, listen, state } from "./store.js";
import { inModal } from "./surface.js";

const node = byId("modal");
const parts = {};
let shown = null; // the view's id
let opener = null;
let sending = Promise.resolve();
const drafts = new Map(); // "view/block/action" -> {block, element, value, sent}

export function startModal() {
  node.addEventListener("cancel", (event) => { event.preventDefault(); close(); });
  listen((what) => (what === "chat" || what === "place") && draw());
}

function draw() {
  const view = state.seen?.modal ?? null;
  if (!view) return hide();
  const surface = modalSurface(view);
  const fresh = view.id !== shown;
  if (fresh) frame(view);
  shown = view.id;
  parts.title.replaceChildren(...textObject(view.title));
  parts.close.textContent = view.close?.text ?? "Close";
  parts.submit.hidden = !view.submit;
  parts.submit.textContent = view.submit?.text ?? "";
  parts.close.textContent = state.seen.modal_stack > 1 ? "Back" : view.close?.text ?? "Close";
  parts.trouble.hidden = !view.trouble;
  parts.trouble.textContent = view.trouble ?? "";
  showBlocks(parts.body, view.blocks, surface, (block) => look(block, view));
  if (!node.open) {
    opener = document.activeElement;
    node.showModal();
  }
  if (fresh) firstField();
}

// A field's error is part of its look; so is a choice that somebody else made for us, but never what is being typed.
function look(block, view) {
  const error = view.errors[block.block_id] ?? "";
  const chosen = block.element?.type.endsWith("_input") || block.type !== "input" ? "" : JSON.stringify(view.state.values[block.block_id] ?? "");
  return error + chosen;
}

function frame(view) {
  parts.title = h("h2", { id: "modal-title" });
  parts.body = h("div", { class: "modal-body" });
  parts.trouble = h("p", { class: "trouble", role: "alert", hidden: true });
  parts.close = h("button", { type: "button", class: "button", onclick: close });
  parts.submit = h("button", { type: "submit", class: "button primary" });
  const cross = h("button", { type: "button", class: "button icon", "aria-label": "Close everything", onclick: () => does("modal/close", { everything: true }) }, h("span", { "aria-hidden": "true" }, "×"));
  node.replaceChildren(h("form", { novalidate: true, onsubmit: submit },
    h("header", { class: "modal-head" }, parts.title, cross), parts.trouble, parts.body,
    h("footer", { class: "foot" }, parts.close, parts.submit)));
  node.dataset.view = view.id;
}

function hide() {
  if (!shown) return;
  shown = null;
  drafts.clear();
  closeMenu();
  node.close();
  // What opened it may have been drawn anew meanwhile.
  if (opener && !opener.isConnected) {
    const name = opener.dataset?.focus;
    const heir = name && document.querySelector(`[data-focus="${CSS.escape(name)}"]`);
    (heir || byId("main")).focus({ preventScroll: true });
  }
}

function firstField() {
  const wanted = parts.body.querySelector("[autofocus]") ?? parts.body.querySelector("select, input, textarea");
  wanted?.focus();
}

// ------------------------------------------------------------ what is typed

function modalSurface(view) {
  const key = (block, element) => `${view.id}/${block.block_id}/${element.action_id}`;
  return {
    ...inModal(view),
    error: (block) => view.errors[block.block_id],
    typed: { get: (focus) => drafts.get(`${view.id}/${focus}`)?.value },
    keep: (block, element, value) => drafts.set(key(block, element), { block, value, sent: false }),
    sendKept,
    async fill(block, element, value, query) {
      await sendKept();
      return does("modal/fill", { block_id: block.block_id, value, query });
    },
  };
}

/** Everything typed goes into the form before anything is done with it: whoever calls this waits for what is under way. */
function sendKept() {
  sending = sending.then(sendAll, sendAll);
  return sending;
}

async function sendAll() {
  for (const [key, draft] of drafts) {
    if (draft.sent || !key.startsWith(`${shown}/`)) continue;
    draft.sent = true;
    const gone = !state.seen?.modal?.blocks.some((block) => block.block_id === draft.block.block_id);
    if (!gone) await does("modal/fill", { block_id: draft.block.block_id, value: draft.value });
  }
}

async function submit(event) {
  event.preventDefault();
  if (parts.submit.getAttribute("aria-busy") === "true") return;
  const button = parts.submit;
  button.setAttribute("aria-busy", "true");
  try {
    await sendKept();
    const outcome = await does("modal/submit");
    if (!outcome.ok) setTimeout(showWrong, 150);
    else setTimeout(showWrong, 250); // the app may have named errors in an answer that is well
  } catch (problem) {
    toast(problem.message);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

/** The focus goes to the first field that is wrong. */
function showWrong() {
  const wrong = parts.body.querySelector(".wrong select, .wrong input, .wrong textarea");
  if (wrong && !parts.body.contains(document.activeElement)) wrong.focus();
}

const close = () => does("modal/close");
