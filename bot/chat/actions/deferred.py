"""Acts that were acknowledged before they were decided, because nobody knew freshly enough who acts: a worker looks, then
decides, then answers.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import structlog

from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.actions.reply import FactsStale, Reply
from bot.chat.forms.request import named_accounts, named_addresses
from bot.chat.interaction import CONFIRM, LIFT, PRESS, Interaction, unpacked
from bot.chat.message import Message
from bot.chat.messages import notices
from bot.chat.messages.fault import fault
from bot.chat.surface import Answers
from bot.chat.wording.labels import refusal
from bot.directory.refresh import ChatDirectory
from workflows.core import keys
from workflows.core.people import is_fresh
from workflows.core.records.chat import Press
from workflows.core.refusal import Code, Refused
from workflows.core.rules.groups import groups_needed
from workflows.ports import Change, DirectoryUnreachable, LedgerUnreachable, PolicyUnavailable
from workflows.usecases.shared.actor import account_of, fresh, in_doubt, whose
from workflows.usecases.shared.context import SOON, Context, WorkerContext
from workflows.usecases.shared.outside import went_wrong
from workflows.usecases.shared.troubles import Failure, note

log = structlog.get_logger()

# What was pressed longer ago than this is not done any more: whoever pressed has gone on, and is told so.
GIVE_UP_AFTER = timedelta(minutes=5)
_NOT_DECIDED = "I could not decide this, so nothing was done: {}. Please try again."
# So many who were gone are looked up for one act.
DOUBTED_MAX = 20
ASK_AGAIN_S = 2.0
# A bad second of the chat passes before anybody needs a word about it.
TOLD_AFTER = timedelta(seconds=2)


def _act(press: Press | None) -> Interaction | None:
    """What was done, as far as it can be read."""
    try:
        return replace(unpacked(press.payload), signed=press.signed) if press is not None else None
    except (ValueError, TypeError):
        log.exception("a deferred act cannot be read, and is dropped")
        return None


def defer(ctx: Context, act: Interaction) -> None:
    """Put the act on the ledger and wake a worker. Raises LedgerUnreachable."""
    id_ = hashlib.sha256(act.id.encode()).hexdigest()[:24]
    item = keys.press(id_)
    snapshot = ctx.ledger.read(item)
    change = Change(
        commit_id=f"defer:{id_}",
        at=snapshot.now,
        reads=snapshot.versions(),
        puts={item: Press(id_, snapshot.now, act.packed(), signed=act.signed)},
        due={item: snapshot.now + SOON},
    )
    ctx.ledger.commit(change)
    ctx.wake(item)


class Deferred:
    def __init__(
        self, ctx: WorkerContext, dispatcher: Dispatcher, directory: ChatDirectory, answers: Answers, command: str
    ) -> None:
        self._ctx = ctx
        self._dispatcher = dispatcher
        self._directory = directory
        self._answers = answers
        self._command = command

    def decide(self, id_: str) -> None:
        """Carry out one deferred act. Doing it twice does it once: its commit has the act's own id."""
        item = keys.press(id_)
        snapshot = self._ctx.ledger.read(item)
        press = snapshot.readable(item, Press)
        act = _act(press)
        if press is None or act is None:
            # Nobody can tell whose it was; whoever it was has heard nothing, and tries again.
            self._forget(item)
            return
        unknown = None
        try:
            self._refresh(act)
            reply = self._dispatcher.carry_out(replace(act, looked=True))
            if reply.refused is not None and reply.refused.code is Code.NOT_KNOWN_YET:
                unknown = reply.refused
        except (DirectoryUnreachable, PolicyUnavailable) as problem:
            unknown = _not_known(str(problem))
        except FactsStale:
            unknown = _not_known("")
        except LedgerUnreachable:
            raise
        except Exception as problem:
            # Trying again would take as long as nobody knows, and somebody waits.
            number = self._ctx.fault("an act failed", problem, act=act.kind)
            note(self._ctx, f"act:{act.kind}", Failure(went_wrong(number)))
            reply = Reply(fault(number))
        if unknown is not None:
            self._not_yet(press, act, unknown)
            return
        if reply.message is not None:
            self._answer(act, reply.message)
        self._forget(item)
        if _is_at_home(act):
            # It was drawn anew when it was pressed, which was before this was decided.
            self._ctx.wake(keys.chat(keys.home(act.who)))

    def _answer(self, act: Interaction, message: Message) -> None:
        """The act is done, and must not be done again for the sake of its answer."""
        try:
            self._answers.answer(act, message)
        except Exception as problem:
            self._ctx.fault("an answer did not arrive", problem, act=act.kind)

    def _not_yet(self, press: Press, act: Interaction, unknown: Refused) -> None:
        """Nobody could tell who may do this. It is looked at again for a while, and the person hears of it."""
        item, now = keys.press(press.id), self._ctx.ledger.now()
        log.warning("an act waits", act=act.kind, why=unknown.params.get("why", ""))
        if now - press.at > GIVE_UP_AFTER:
            self._say(act, unknown, then="gave_up")
            self._forget(item)
            return
        if not press.told and now - press.at > TOLD_AFTER:
            self._say(act, unknown)
            self._note_told(press)
        self._ctx.ledger.remind(item, ASK_AGAIN_S)

    def _say(self, act: Interaction, unknown: Refused, then: str = "") -> None:
        told = replace(unknown, params={**unknown.params, "then": then})
        self._answer(act, notices.answer(refusal(told, command=self._command)))

    def _note_told(self, press: Press) -> None:
        item = keys.press(press.id)
        snapshot = self._ctx.ledger.read(item)
        if snapshot.items[item].is_absent:
            # Another worker has decided it meanwhile: it must not come back.
            return
        change = Change(
            commit_id=f"told:{item}:{snapshot.items[item].version}",
            at=snapshot.now,
            reads=snapshot.versions(),
            puts={item: replace(press, told=True)},
        )
        self._ctx.ledger.commit(change)

    def _refresh(self, act: Interaction) -> None:
        policy = self._ctx.policy.current()
        actor = self._directory.refresh_person(act.who, policy)
        for account in map(actor.colleague, named_accounts(act)):
            known = self._ctx.directory.person(account)
            if known is None or not is_fresh(known.as_of, self._ctx.ledger.now()):
                known = self._directory.refresh_person(account, policy)
            # Whoever is named is bound to their account, so that what is done to them is done to the person.
            whose(self._ctx, policy, known)
        for address in named_addresses(act, policy.former_domains):
            found = account_of(self._ctx, policy, self._ctx.directory.owner_of(address, policy.former_domains))
            if found is not None:
                fresh(self._ctx, policy, found.slack, self._ctx.ledger.now())
        names = {name for place in policy.environments.values() for name in groups_needed(policy, place)}
        old = self._ctx.directory.groups(policy, names).to_look_up(names, self._ctx.ledger.now())
        if old:
            self._directory.refresh_groups(policy, old)
        # Whoever was gone may be back, and then somebody can approve.
        for gone in in_doubt(self._ctx, self._ctx.directory.groups(policy, names), names)[:DOUBTED_MAX]:
            fresh(self._ctx, policy, gone, self._ctx.ledger.now())

    def _forget(self, item: str) -> None:
        snapshot = self._ctx.ledger.read(item)
        change = Change(
            # Of an act that is gone there is one version alone, and its item may come back more than once.
            commit_id=f"decided:{item}:{snapshot.items[item].version}:{self._ctx.chance.hex(8)}",
            at=snapshot.now,
            reads=snapshot.versions(),
            deletes=frozenset({item}),
            due={item: None},
        )
        self._ctx.ledger.commit(change)


def _is_at_home(act: Interaction) -> bool:
    """Whether it was done on somebody's own page: no message was pressed, or the form is opened there alone."""
    return (act.kind == PRESS and not act.channel) or act.kind in (LIFT, CONFIRM)


def _not_known(why: str) -> Refused:
    return Refused(Code.NOT_KNOWN_YET, {"what": "who you are, or who may do this", "why": why}, audited=False)
