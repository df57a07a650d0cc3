"""What is done with an activity that is proved: typed words, presses, forms that came back, news of conversations.

What is done, and which form opens, stands in `bot.chat.actions`, for every chat; here it is answered as Teams wants it.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.actions.handlers import handler
from bot.chat.actions.intake import Intake, ledger_away
from bot.chat.actions.request_forms import open_request_form
from bot.chat.actions.stray_copy import is_stray_copy
from bot.chat.commands.model import Again, Ask, AskFor, AskSeveral, Extend, OpenForm
from bot.chat.form import Filled
from bot.chat.forms.fields import BEGIN_THEN
from bot.chat.interaction import Interaction
from bot.chat.message import Message, read_value
from bot.chat.messages import notices
from bot.chat.messages.fault import fault
from bot.chat.messages.form_sent import LOOKING, NOTHING_HERE, SLOW, TAKEN, sent
from bot.chat.surface import NotDone, Posted
from bot.directory.refresh import ChatDirectory
from bot.teams.cards.pressed_cards import trigger_for
from bot.teams.client.surface import Teams
from bot.teams.guard import MESSAGE, Activity
from bot.teams.incoming import acts
from bot.teams.incoming.in_place import InPlace, doer, own, pressed
from bot.teams.incoming.remembered import Remembered
from bot.teams.incoming.turn import Said, Turn
from bot.teams.incoming.windows import Windows
from workflows.ports import LedgerUnreachable

log = structlog.get_logger()

_ASKS = (Again, Ask, AskFor, AskSeveral, Extend)


class Acts:
    def __init__(self, dispatcher: Dispatcher, teams: Teams, directory: ChatDirectory) -> None:
        self._dispatcher = dispatcher
        self._ctx = dispatcher.ctx
        self._teams = teams
        self._intake = Intake(dispatcher.ctx, dispatcher, teams)
        self._windows = Windows(dispatcher, teams, directory, self._intake)
        self._in_place = InPlace(teams, self._intake)
        self._remembered = Remembered(teams.shelf)

    def turn(self, *, waits: bool) -> Turn:
        return Turn(self._teams, self._intake.afterwards, waits=waits)

    def answer(self, activity: Activity, turn: Turn) -> Said:
        """What is said to whoever waits. Delivered again, an act is answered as it was before, and done once. Never raises."""
        self._teams.conversations.seen(activity)
        if not activity.acts:
            return Said()
        before = self._remembered.find(activity)
        if before is not None:
            return before
        done = self._carried_out(activity, turn)
        # Whoever waited was told so meanwhile, where nothing else was said in time.
        said = turn.close() or Said(SLOW)
        if done:
            self._remembered.keep(activity, said)
        return said

    def _carried_out(self, activity: Activity, turn: Turn) -> bool:
        """False where something failed: delivered again, it is tried again."""
        try:
            self._carry_out(activity, turn)
        except LedgerUnreachable as problem:
            turn.answer(doer(activity), ledger_away(doer(activity), problem))
            return False
        except Exception as problem:
            number = self._intake.fault("an act failed", problem, activity.type)
            turn.answer(doer(activity), fault(number))
            return False
        return True

    def _carry_out(self, activity: Activity, turn: Turn) -> None:
        verbs = {
            "press": self._pressed,
            "menu": self._pressed,
            "form": self._windows.sent,
            "redraw": self._windows.changed,
        }
        if activity.type == MESSAGE:
            self._typed(activity, turn)
        elif acts.is_automatic(activity):
            turn.say(NOTHING_HERE)
        else:
            verbs.get(acts.verb_of(activity), _nothing)(activity, turn)

    # ------------------------------------------------------------ typed

    def _typed(self, activity: Activity, turn: Turn) -> None:
        if not activity.text.strip():
            # A picture, or a reaction to one.
            return
        act = acts.typed(activity, self._dispatcher.command, lambda address: self._who_is(activity, address))
        parsed = self._dispatcher.parse(act.text)
        if isinstance(parsed, OpenForm):
            trigger, where = self._trigger(activity), acts.where(activity)
            open_request_form(self._windows.opener(turn), act, trigger, where, parsed.environment)
            return
        if isinstance(parsed, _ASKS) and self._teams.conversations.personal(activity.user) is not None:
            # What is said there stays, and an answer that waits would soon be untrue.
            act = replace(act, kept=True)
        reply = self._intake.carry_out(act)
        if reply.message is not None:
            turn.answer(act, reply.message)
        elif act.kept:
            # What is kept current comes when it is known who can approve it, which may take a while.
            turn.answer(act, sent(looking=reply.deferred))

    def _trigger(self, activity: Activity) -> str:
        facts = self._ctx.directory.person(acts.actor(activity))
        zone = activity.time_zone or (facts.time_zone if facts else "")
        return trigger_for(activity.user, acts.id_of(activity), zone)

    def _who_is(self, activity: Activity, address: str) -> str | None:
        """Whom a line mentions, by the object id; asked of Teams where we have not met them. None where nobody can tell."""
        known = self._teams.conversations.person_at(address)
        if known is not None:
            return known
        try:
            member = self._teams.connector.member(activity.service_url, activity.conversation, address)
        except NotDone as problem:
            log.warning("nobody can tell who was mentioned", error=problem.word)
            return None
        found = acts.object_id(member)
        if found is not None:
            self._teams.conversations.learn(address, found)
        return found

    # ------------------------------------------------------------ pressed

    def _pressed(self, activity: Activity, turn: Turn) -> None:
        act = acts.pressed(activity)
        if act.action == BEGIN_THEN:
            self._windows.changed(activity, turn)
            return
        found = handler(act)
        if found is None:
            turn.say(NOTHING_HERE)
            return
        self._windows.came_from(activity, turn)
        forms = self._windows.opener(turn)
        opens = found.opens(forms, act)
        if opens is not None:
            opens(forms, act, self._trigger(activity), turn.kept or Filled("", "", ()))
            return
        pointer = self._pointer(act, activity)
        if pointer is not None:
            self._in_place.becomes(activity, turn, *pointer)
            return
        reply = self._intake.carry_out(act)
        if reply.message is None:
            turn.say(LOOKING if reply.deferred else TAKEN)
        elif reply.replaces:
            self._in_place.becomes(activity, turn, reply.message, own(activity))
        else:
            turn.answer(act, reply.message)

    def _pointer(self, act: Interaction, activity: Activity) -> tuple[Message, Posted | None] | None:
        """What a copy that the ledger does not know becomes, and where it does so for all who see it. Which message was pressed
        is said by the client of whoever pressed: for all it has to be one in which we have put a button for this. One that was
        posted by a process that was gone before it noted it becomes a pointer for each who presses it.
        """
        value, message = read_value(act.value), acts.pressed_message(activity)
        if value is None or not is_stray_copy(self._ctx, act, message):
            return None
        about = self._teams.posted.about(activity.conversation, message)
        if about is not None and value[0] not in about:
            return None
        return notices.unknown_copy(value[0], self._dispatcher.command), pressed(activity) if about else None


def _nothing(_activity: Activity, turn: Turn) -> None:
    turn.say(NOTHING_HERE)
