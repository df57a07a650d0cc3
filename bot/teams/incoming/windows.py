"""Forms that came back: changed, sent, or with a press of a button that stands in them."""

from __future__ import annotations

from dataclasses import replace

from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.actions.intake import Intake
from bot.chat.actions.open_form import FormOpener
from bot.chat.actions.request_forms import redraw_request_form
from bot.chat.actions.sent_forms import SENT, Sent, SentForm
from bot.chat.form import Errors, Filled, Form
from bot.chat.forms.fields import BEGIN, BEGIN_THEN
from bot.chat.forms.request import Where
from bot.chat.messages import notices
from bot.chat.messages.form_sent import LOOKING, NOTHING_HERE, TAKEN, sent
from bot.chat.surface import Posted, Shown
from bot.directory.refresh import ChatDirectory
from bot.teams.cards.form_input import filled
from bot.teams.cards.form_view import form_card
from bot.teams.cards.pressed_cards import versioned
from bot.teams.client.form_store import Standing
from bot.teams.client.surface import Teams
from bot.teams.guard import Activity
from bot.teams.incoming import acts
from bot.teams.incoming.in_place import InPlace, doer
from bot.teams.incoming.turn import Turn
from workflows.core.destination import Destination, Kind
from workflows.core.identity import TEAMS


class Windows:
    def __init__(self, dispatcher: Dispatcher, teams: Teams, directory: ChatDirectory, intake: Intake) -> None:
        self._dispatcher = dispatcher
        self._teams = teams
        self._directory = directory
        self._intake = intake
        self._in_place = InPlace(teams, intake)

    def opener(self, turn: Turn) -> FormOpener:
        return FormOpener(self._dispatcher, turn, self._directory)

    def came_from(self, activity: Activity, turn: Turn) -> None:
        """The form that a press came from: it can be drawn in its place."""
        standing = self._standing(activity)
        if standing is not None:
            turn.window, turn.kept = standing[0], self._filled(activity)

    def changed(self, activity: Activity, turn: Turn) -> None:
        """Another choice was made in a form, which follows it."""
        self.came_from(activity, turn)
        if turn.window is None or turn.kept is None:
            turn.say(NOTHING_HERE)
            return
        act, found = acts.pressed(activity), turn.kept
        if act.action == BEGIN_THEN:
            # It fills in when it begins, whatever stood there.
            turn.kept = replace(found, values=[value for value in found.values if value.name != BEGIN])
        redraw_request_form(self.opener(turn), act, turn.window, found)

    def sent(self, activity: Activity, turn: Turn) -> None:
        data = self._filled(activity)
        form = SENT.get(data.kind)
        found = form.read(data) if form is not None else None
        if form is None or found is None:
            turn.say(NOTHING_HERE)
        elif isinstance(found, Sent):
            self._carry_out(activity, turn, form, found, data)
        else:
            self._beside_fields(activity, turn, found, data)

    def _carry_out(self, activity: Activity, turn: Turn, form: SentForm, found: Sent, data: Filled) -> None:
        # Where it was asked for opens doors, and is no word of whoever sends it: of a form that nobody keeps it is not known.
        kept = self._kept(activity, data.kind)
        act = acts.sent(activity, form.act, found.fields, found.where if kept is not None else Where())
        reply = self._intake.carry_out(act)
        errors = form.beside(reply) if reply.refused is not None else {}
        if errors:
            self._beside_fields(activity, turn, errors, data)
            return
        said = reply.message if form.tells or reply.refused is not None else None
        standing = self._standing(activity)
        if standing is not None:
            self._in_place.becomes(activity, turn, said or sent(looking=reply.deferred), _at(standing[1]))
            self._teams.forms.forget(standing[0].id)
        elif said is not None:
            turn.answer(act, said)
        else:
            turn.say(LOOKING if reply.deferred else TAKEN)

    def _beside_fields(self, activity: Activity, turn: Turn, errors: Errors, data: Filled) -> None:
        """The form again, with what is wrong; where it stands in a card of several, the sentences alone."""
        found = self._standing(activity)
        if found is None:
            turn.answer(doer(activity), notices.answer(" ".join(errors.values())))
            return
        shown, standing = found
        form = versioned(standing.form, shown.id, standing.version)
        turn.show(form_card(form, self._teams.here(errors), data, standing.zone))

    def _filled(self, activity: Activity) -> Filled:
        """What was filled in. What the form carries is as we have kept it, whatever came back of it: whoever has a client of
        their own sends what they like.
        """
        found = filled(acts.data_of(activity), self._dispatcher.ctx.ledger.now())
        kept = self._kept(activity, found.kind)
        return replace(found, carries=kept.carries) if kept is not None else found

    def _kept(self, activity: Activity, kind: str) -> Form | None:
        """The form that came back, as it was drawn; None where it stands in a card of several, or is kept no longer."""
        standing = self._standing(activity)
        return standing[1].form if standing is not None and standing[1].form.kind == kind else None

    def _standing(self, activity: Activity) -> tuple[Shown, Standing] | None:
        """Where what came in is of a form; of somebody else's it is none."""
        found = self._teams.standing(acts.data_of(activity).get("name"))
        return found if found is not None and found[1].conversation == activity.conversation else None


def _at(standing: Standing) -> Posted:
    return Posted(Destination(TEAMS, Kind.DIRECT, standing.conversation), standing.message)
