"""What is done with an activity that is proved: typed words, presses, forms that were sent or changed, news of conversations.

What is done, and which form opens, stands in `bot.chat.actions`, for every chat; here it is answered as Teams wants it.
"""

from __future__ import annotations

import json
from dataclasses import replace

import structlog

from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.actions.handlers import handler
from bot.chat.actions.intake import Intake, ledger_away
from bot.chat.actions.open_form import FormOpener
from bot.chat.actions.reply import Reply
from bot.chat.actions.request_forms import open_request_form, redraw_request_form
from bot.chat.actions.sent_forms import SENT, Sent, SentForm
from bot.chat.actions.stray_copy import is_stray_copy
from bot.chat.commands.model import OpenForm
from bot.chat.form import Errors, Filled
from bot.chat.forms.fields import BEGIN, BEGIN_THEN
from bot.chat.interaction import PRESS, Interaction
from bot.chat.message import Message, read_value
from bot.chat.messages import notices
from bot.chat.messages.fault import fault
from bot.chat.messages.form_sent import LOOKING, NOTHING_HERE, TAKEN, sent
from bot.chat.surface import NotDone, Posted
from bot.directory.refresh import ChatDirectory
from bot.teams import acts
from bot.teams.form_input import filled
from bot.teams.form_view import form_card
from bot.teams.guard import INVOKE, MESSAGE, Activity
from bot.teams.pressed_cards import trigger_for, versioned
from bot.teams.render import card_of, summary_of
from bot.teams.surface import Teams
from bot.teams.turn import Said, Turn
from workflows.core.destination import read_destination
from workflows.ports import LedgerUnreachable

log = structlog.get_logger()

# What is delivered again comes within a minute.
REMEMBER_S = 600


class Acts:
    def __init__(self, dispatcher: Dispatcher, teams: Teams, directory: ChatDirectory) -> None:
        self._dispatcher = dispatcher
        self._ctx = dispatcher.ctx
        self._teams = teams
        self._directory = directory
        self._intake = Intake(dispatcher.ctx, dispatcher, teams)

    def turn(self, *, waits: bool) -> Turn:
        return Turn(self._teams, self._intake.afterwards, waits=waits)

    def answer(self, activity: Activity, turn: Turn) -> Said:
        """What is said to whoever waits. Delivered again, an act is answered as it was before, and done once. Never raises."""
        self._teams.conversations.seen(activity)
        if not activity.acts:
            return Said()
        before = self._remembered(activity)
        if before is not None:
            return before
        if not self._carried_out(activity, turn):
            return turn.close()
        said = turn.close()
        self._remember(activity, said)
        return said

    def _carried_out(self, activity: Activity, turn: Turn) -> bool:
        """False where something failed: delivered again, it is tried again."""
        try:
            self._carry_out(activity, turn)
        except LedgerUnreachable as problem:
            turn.answer(self._doer(activity), ledger_away(self._doer(activity), problem))
            return False
        except Exception as problem:
            number = self._intake.fault("an act failed", problem, activity.type)
            turn.answer(self._doer(activity), fault(number))
            return False
        return True

    def _carry_out(self, activity: Activity, turn: Turn) -> None:
        if activity.type == MESSAGE:
            self._typed(activity, turn)
        elif activity.type == INVOKE and not acts.is_automatic(activity):
            verbs = {"press": self._pressed, "menu": self._pressed, "form": self._sent, "redraw": self._changed}
            verbs.get(acts.verb_of(activity), self._nothing)(activity, turn)
        else:
            self._nothing(activity, turn)

    def _doer(self, activity: Activity) -> Interaction:
        """Whoever acted, where nothing is known of what they did."""
        return Interaction("", PRESS, acts.actor(activity))

    def _nothing(self, _activity: Activity, turn: Turn) -> None:
        turn.say(NOTHING_HERE)

    def _opener(self, turn: Turn) -> FormOpener:
        return FormOpener(self._dispatcher, turn, self._directory)

    # ------------------------------------------------------------ typed

    def _typed(self, activity: Activity, turn: Turn) -> None:
        if not activity.text.strip():
            # A picture, or a reaction to one.
            return
        act = acts.typed(activity, self._dispatcher.command, lambda address: self._who_is(activity, address))
        parsed = self._dispatcher.parse(act.text)
        if isinstance(parsed, OpenForm):
            trigger, where = self._trigger(activity), acts.where(activity)
            open_request_form(self._opener(turn), act, trigger, where, parsed.environment)
            return
        reply = self._intake.carry_out(act)
        if reply.message is not None:
            turn.answer(act, reply.message)

    def _trigger(self, activity: Activity) -> str:
        facts = self._ctx.directory.person(acts.actor(activity))
        return trigger_for(
            activity.user, acts.id_of(activity), activity.time_zone or (facts.time_zone if facts else "")
        )

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
        found = handler(act)
        if act.action == BEGIN_THEN:
            self._changed(activity, turn)
            return
        if found is None:
            self._nothing(activity, turn)
            return
        self._in_form(activity, turn)
        forms = self._opener(turn)
        opens = found.opens(forms, act)
        if opens is not None:
            opens(forms, act, self._trigger(activity), turn.kept or Filled("", "", ()))
            return
        reply = self._stray_or_carried_out(act, acts.pressed_message(activity))
        if reply.replaces and reply.message is not None:
            self._becomes(activity, turn, reply.message)
        elif reply.message is not None:
            turn.answer(act, reply.message)
        else:
            turn.say(LOOKING if reply.deferred else TAKEN)

    def _stray_or_carried_out(self, act: Interaction, message: str) -> Reply:
        value = read_value(act.value)
        if value is not None and is_stray_copy(self._ctx, act, message):
            return Reply(notices.unknown_copy(value[0], self._dispatcher.command), replaces=True)
        return self._intake.carry_out(act)

    def _becomes(self, activity: Activity, turn: Turn, message: Message) -> None:
        """In place of the pressed card: at once for whoever pressed, and then for all who see it."""
        card = card_of(message)
        if not turn.show(card):
            turn.answer(self._doer(activity), message)
        pressed = Posted(read_destination(acts.place(activity)), activity.reply_to)
        self._intake.afterwards(self._put, pressed, card, summary_of(message))

    def _put(self, *given: object) -> None:
        try:
            self._teams.put(*given)  # type: ignore[arg-type]  # as `_becomes` gives them
        except NotDone as problem:
            log.warning("a card that was pressed is left as it is", error=problem.word)

    # ------------------------------------------------------------ forms

    def _in_form(self, activity: Activity, turn: Turn) -> None:
        """The form that a press came from: it can be drawn in its place."""
        data = acts.data_of(activity)
        standing = self._teams.standing(data.get("name"))
        if standing is not None:
            turn.window, turn.kept = standing[0], filled(data, self._ctx.ledger.now())

    def _changed(self, activity: Activity, turn: Turn) -> None:
        """Another choice was made in a form, which follows it."""
        self._in_form(activity, turn)
        if turn.window is None or turn.kept is None:
            self._nothing(activity, turn)
            return
        act, found = acts.pressed(activity), turn.kept
        if act.action == BEGIN_THEN:
            # It fills in when it begins, whatever stood there.
            turn.kept = replace(found, values=[value for value in found.values if value.name != BEGIN])
        redraw_request_form(self._opener(turn), act, turn.window, found)

    def _sent(self, activity: Activity, turn: Turn) -> None:
        data = filled(acts.data_of(activity), self._ctx.ledger.now())
        form = SENT.get(data.kind)
        found = form.read(data) if form is not None else None
        if form is None or found is None:
            self._nothing(activity, turn)
        elif isinstance(found, Sent):
            self._carry_out_sent(activity, turn, form, found, data)
        else:
            self._beside_fields(activity, turn, found, data)

    def _carry_out_sent(self, activity: Activity, turn: Turn, form: SentForm, found: Sent, data: Filled) -> None:
        act = acts.sent(activity, form.act, found.fields, found.where)
        reply = self._intake.carry_out(act)
        errors = form.beside(reply) if reply.refused is not None else {}
        if errors:
            self._beside_fields(activity, turn, errors, data)
            return
        said = reply.message if reply.message is not None and (form.tells or reply.refused) else None
        standing = self._teams.standing(acts.data_of(activity).get("name"))
        if standing is None:
            turn.answer(act, said) if said is not None else turn.say(LOOKING if reply.deferred else TAKEN)
            return
        self._becomes(activity, turn, said or sent(looking=reply.deferred))
        self._teams.forms.forget(standing[0].id)

    def _beside_fields(self, activity: Activity, turn: Turn, errors: Errors, data: Filled) -> None:
        """The form again, with what is wrong; where it stands in a card of several, the sentences alone."""
        found = self._teams.standing(acts.data_of(activity).get("name"))
        if found is None:
            turn.answer(self._doer(activity), notices.answer(" ".join(errors.values())))
            return
        shown, standing = found
        form = versioned(standing.form, shown.id, standing.version)
        turn.show(form_card(form, errors, data, standing.zone))

    # ------------------------------------------------------------ delivered again

    def _remembered(self, activity: Activity) -> Said | None:
        try:
            body = self._teams.shelf.get(_answered(activity))
            found = json.loads(body) if body else None
            return Said(found["sentence"], found["card"]) if found else None
        except (LedgerUnreachable, ValueError, TypeError, KeyError):
            return None

    def _remember(self, activity: Activity, said: Said) -> None:
        body = json.dumps({"sentence": said.sentence, "card": said.card}).encode()
        try:
            self._teams.shelf.put(_answered(activity), body, REMEMBER_S)
        except LedgerUnreachable as problem:
            log.warning("an answer was not kept", why=str(problem))


def _answered(activity: Activity) -> str:
    return f"answered:{acts.id_of(activity)}"
