"""Teams as a chat: see `bot.chat.surface`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from bot.chat.form import Form
from bot.chat.interaction import Interaction
from bot.chat.message import Message, Part, plain
from bot.chat.messages.form_sent import cannot_write_to_you
from bot.chat.surface import Means, NotDone, Posted, Shown
from bot.chat.untold import UNTOLD
from bot.teams.cards.form_view import form_card, still_open
from bot.teams.cards.pressed_cards import alone, read_trigger, versioned, window_of
from bot.teams.client.answers import NOT_INSTALLED, not_done
from bot.teams.client.connector import Connector
from bot.teams.client.conversations import Conversations
from bot.teams.client.form_store import Forms, Standing, same
from bot.teams.client.messenger import Messenger
from bot.teams.client.posted_cards import PostedCards
from bot.teams.client.shelf import Shelf
from bot.teams.client.tokens import Tokens
from workflows.core.destination import Destination, Kind, is_channel, read_destination
from workflows.core.identity import TEAMS
from workflows.core.people import Account
from workflows.ports import LedgerUnreachable

log = structlog.get_logger()

ALREADY_OPEN = "already_open"
# A press is delivered again after a quarter of a minute at the latest.
OPENED_KEEP_S = 3600
# Whoever goes on all the same takes a channel's few messages away from everybody.
POINTED_KEEP_S = 600


class Teams(Messenger):
    """A `bot.chat.surface.Surface`. `name`: makes names for forms, which nobody can guess."""

    def __init__(
        self,
        connector: Connector,
        conversations: Conversations,
        tokens: Tokens,
        shelf: Shelf,
        *,
        app_id: str,
        tenant: str,
        command: str,
        name: Callable[[], str],
    ) -> None:
        super().__init__(connector, conversations, tokens, app_id, tenant, command)
        self.forms = Forms(shelf)
        self.posted = PostedCards(shelf)
        self.shelf = shelf
        self._name = name

    def post(self, to: Destination, message: Message, *, nonce: str = "", under: Posted | None = None) -> Posted:  # noqa: ARG002 - the port's
        """Raises NotDone. `nonce` has no place in a message of Teams."""
        card, summary = self.shown(message)
        posted = self.send(to, self.activity(card, summary), under)
        self.posted.keep(posted, card)
        return posted

    # ------------------------------------------------------------ answers

    def answer(self, act: Interaction, message: Message) -> bool:
        """In their own chat with us. Never raises."""
        try:
            return self._told(act, message)
        except LedgerUnreachable as problem:
            log.error("somebody was told nothing", act=act.kind, user=act.who.user, why=str(problem))
            UNTOLD.inc()
            return False

    def answer_in_place(self, act: Interaction, message: Message) -> bool:
        """The press that is answered in place is answered while it waits (`turn`); this one comes later."""
        return self.answer(act, message)

    def _told(self, act: Interaction, message: Message) -> bool:
        person, words = Destination(TEAMS, Kind.PERSON, act.who.user), []
        for each in (message, plain(message)):
            try:
                card, summary = self.shown(each)
                self.send(person, self.activity(alone(card), summary))
                return True
            except NotDone as problem:
                words.append(problem.word)
                if problem.means is not Means.FORM:
                    break
        UNTOLD.inc()
        log.error("somebody was told nothing", act=act.kind, user=act.who.user, tried=words)
        self._point_at_the_app(act)
        return False

    def _point_at_the_app(self, act: Interaction) -> None:
        """Where they acted, and read by all there: that they cannot be written to, and nothing else."""
        if not is_channel(act.channel):
            return
        at = read_destination(act.channel)
        pointed = f"pointed:{at.id}:{act.who.user}"
        if self.shelf.get(pointed) is not None:
            return
        self.shelf.put(pointed, b"1", POINTED_KEEP_S)
        root = Posted(at, act.thread_ts) if act.thread_ts else None
        try:
            self.post(at, cannot_write_to_you(), under=root)
        except NotDone as problem:
            log.warning("nor where they acted", error=problem.word)

    # ------------------------------------------------------------ forms

    def open_form(self, trigger: str, form: Form, *, on_top: bool = False) -> None:  # noqa: ARG002 - the port's
        """As a card in somebody's own chat with us; once for each trigger, see `trigger_for`. Raises NotDone."""
        person, act, zone = read_trigger(trigger)
        opened = f"opened:{act}"
        if not person or self.shelf.get(opened) is not None:
            raise not_done(ALREADY_OPEN if person else NOT_INSTALLED)
        name, form = self._name(), self.here(form)
        card = form_card(versioned(form, name, 1), zone=zone)
        posted = self.send(Destination(TEAMS, Kind.PERSON, person), self.activity(card, form.title))
        self.shelf.put(opened, b"1", OPENED_KEEP_S)
        self.forms.keep(name, Standing(form, 1, zone, posted.to.id, posted.id))
        self.forms.opened(person, name)

    def redraw_form(self, shown: Shown, form: Form) -> None:
        """`shown.id`: its name. Raises NotDone."""
        drawn = self.drawn_again(shown, form)
        if drawn is not None:
            self.show(drawn[0], drawn[1], form.title)

    def drawn_again(self, shown: Shown, form: Form, **given: Any) -> tuple[Standing, Mapping[str, Any]] | None:
        """The form as it is kept now, and its card; None where it was sent, or another redraw was faster. `given`: what
        `form_card` takes more.
        """
        standing = self.forms.find(shown.id)
        if standing is None or str(standing.version) != shown.version:
            return None
        version, form = standing.version + 1, self.here(form)
        newer = Standing(form, version, standing.zone, standing.conversation, standing.message)
        self.forms.keep(shown.id, newer)
        # A press after which nothing has changed would look as if it had not been heard.
        errors = still_open(form) if same(form, standing.form) else {}
        return newer, form_card(versioned(form, shown.id, version), errors, zone=standing.zone, **given)

    def show(self, standing: Standing, card: Mapping[str, Any], summary: str) -> None:
        """In place of what stands there. Raises NotDone."""
        at = Destination(TEAMS, Kind.DIRECT, standing.conversation)
        self.put(Posted(at, standing.message), card, summary)

    def standing(self, name: object) -> tuple[Shown, Standing] | None:
        """The form whose card came back with this name; `shown` as that card showed it."""
        window, version = window_of(name)
        found = self.forms.find(window)
        return (Shown(window, version), found) if found is not None else None

    def card_of_form(self, name: str) -> Mapping[str, Any] | None:
        """As it stands by now; None where it was sent."""
        found = self.forms.find(name)
        return form_card(versioned(found.form, name, found.version), zone=found.zone) if found is not None else None

    def show_home(self, account: Account, page: Sequence[Part]) -> None:
        """There is no such page here."""
