"""The Bolt app. A listener reads an act, hands it to the intake and draws the answer; it records first, acknowledges, and
does the rest later.

No call to Slack stands between a press and its acknowledgement. Opening a form needs its trigger within three seconds,
so that is started at once, beside the acknowledgement.
"""

from __future__ import annotations

import logging
import re

from slack_bolt import Ack, App, BoltRequest, BoltResponse
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.actions.handlers import handler
from bot.chat.actions.intake import Intake, ledger_away
from bot.chat.actions.open_form import FormOpener
from bot.chat.actions.reply import Reply
from bot.chat.actions.request_forms import environment_choices, open_request_form, redraw_request_form
from bot.chat.actions.sent_forms import SENT, Sent, SentForm
from bot.chat.actions.stray_copy import is_stray_copy
from bot.chat.actions.voted import is_vote
from bot.chat.commands.model import OpenForm
from bot.chat.forms.fields import ENVIRONMENT, REDRAWING
from bot.chat.forms.request import Where
from bot.chat.interaction import Interaction
from bot.chat.message import read_value
from bot.chat.messages import notices
from bot.chat.messages.fault import fault
from bot.chat.surface import Shown
from bot.settings import Settings
from bot.slack import acts, failures
from bot.slack.acts import Body
from bot.slack.client import RotatingClient
from bot.slack.directory import SlackRefresher
from bot.slack.form_input import errors_in, filled
from bot.slack.form_view import options_of
from bot.slack.render import blocks_of, text_of
from bot.slack.shapes import ShapedApp
from bot.slack.signed import signed
from bot.slack.socket_mode import quiet_about_connections
from bot.slack.surface import Slack
from workflows.core import keys
from workflows.core.identity import SLACK, Account
from workflows.ports import LedgerUnreachable

SOCKET_CONCURRENCY = 16
SOCKET_PING_S = 5


def build_app(dispatcher: Dispatcher, client: WebClient, refresher: SlackRefresher) -> App:
    """The app with all its listeners. Nothing is sent: who may act is decided by the signed payload and the ledger."""

    def authorize() -> AuthorizeResult:
        # One workspace, one token: no call to Slack is needed to find it.
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_token=client.token)

    # Bolt warns that it does not use a token which it finds in the environment by itself.
    quiet = logging.getLogger("bot.slack.bolt")
    quiet.setLevel(logging.ERROR)
    app = ShapedApp(
        logger=quiet,
        client=client,
        authorize=authorize,
        # `Events` has proved it, by any value of a secret that is rotated. In Socket Mode there are no signatures: the
        # connection is ours, and /slack/events takes nothing.
        request_verification_enabled=False,
        # The answer is ready when the listener is done, so nothing has to poll for it.
        process_before_response=True,
        raise_error_for_unhandled_request=False,
    )
    slack = Slack(client)
    intake = Intake(dispatcher.ctx, dispatcher, slack)
    forms = FormOpener(dispatcher, slack, refresher)
    Listeners(dispatcher, intake, forms, refresher).register(app)
    return app


def socket_mode(settings: Settings, app: App) -> SocketModeHandler:
    """A connection to Slack that needs no public address."""
    secret = settings.secrets.of("slack_app_token")
    if secret is None:
        raise ValueError("SLACK_APP_TOKEN is not set")
    # With each connection the newest token, whatever the handler was given.
    client = RotatingClient(secret, base_url=settings.slack_api_url, retry_handlers=[])
    return SocketModeHandler(
        app,
        secret.newest,
        logger=quiet_about_connections(),
        web_client=client,
        # `Line` does.
        auto_reconnect_enabled=False,
        ping_interval=SOCKET_PING_S,
        concurrency=SOCKET_CONCURRENCY,
    )


# Fields whose choice changes the form in which they stand, and its button that fills something in.
_REDRAW = re.compile(rf"^({'|'.join(REDRAWING)})$")
_ANY = re.compile(r"^.*$")


class Listeners:
    """What is done, and which form opens, stands in `bot.chat.actions.handlers` and `.sent_forms`."""

    def __init__(self, dispatcher: Dispatcher, intake: Intake, forms: FormOpener, refresher: SlackRefresher) -> None:
        self._dispatcher = dispatcher
        self._ctx = dispatcher.ctx
        self._intake = intake
        self._forms = forms
        self._refresher = refresher

    def register(self, app: App) -> None:
        app.command(self._dispatcher.command)(self.command)
        app.action(_REDRAW)(self.form_changed)
        app.action(_ANY)(self.press)
        app.options(ENVIRONMENT)(self.options)
        app.view(_ANY)(self.form_sent)
        app.shortcut("request_access")(self.shortcut)
        app.shortcut("request_access_here")(self.shortcut)
        app.event("app_home_opened")(self.home_opened)
        app.event("user_change")(self.user_changed)
        app.error(self.went_wrong)

    # ------------------------------------------------------------ typed, pressed

    def command(self, ack: Ack, body: Body, request: BoltRequest) -> None:
        act = acts.typed(body)
        parsed = self._dispatcher.parse(act.text)
        act = signed(act, request) if is_vote(act, parsed) else act
        if isinstance(parsed, OpenForm):
            self._open_request_form(act, body, Where(act.channel, act.channel_name), parsed.environment)
            ack()
            return
        reply = self._intake.carry_out(act)
        if reply.message is None:
            ack()
        else:
            ack(text=text_of(reply.message), blocks=blocks_of(reply.message), response_type="ephemeral")

    def press(self, ack: Ack, body: Body, request: BoltRequest) -> None:
        act = acts.pressed(body)
        act = signed(act, request) if is_vote(act) else act
        found = handler(act)
        if found is None:
            # A link that Slack opens by itself, or a field that is read when the form is sent.
            ack()
            return
        at_home = (body.get("view") or {}).get("type") == "home"
        forms = self._forms.at_home() if at_home else self._forms
        opens = found.opens(forms, act)
        if opens is not None:
            self._intake.afterwards(opens, forms, act, body["trigger_id"], filled(body.get("view") or {}))
            ack()
            self._draw_home(act, at_home=at_home)
            return
        with self._intake.read_at_once(act):
            reply = self._stray_or_carried_out(act, acts.pressed_message(body))
        ack()
        self._draw_home(act, at_home=at_home)
        self._intake.tell(act, reply)

    def _draw_home(self, act: Interaction, *, at_home: bool) -> None:
        """A card changes by itself; somebody's home has to be drawn again, also where it turned out to be old."""
        if at_home:
            self._ctx.wake(keys.chat(keys.home(act.who)))

    def _stray_or_carried_out(self, act: Interaction, message: str) -> Reply:
        try:
            stray = is_stray_copy(self._ctx, act, message)
        except LedgerUnreachable as problem:
            return Reply(ledger_away(act, problem))
        value = read_value(act.value)
        if stray and value is not None:
            return Reply(notices.unknown_copy(value[0], self._dispatcher.command), replaces=True)
        return self._intake.carry_out(act)

    def shortcut(self, ack: Ack, body: Body) -> None:
        act, where = acts.by_shortcut(body)
        self._open_request_form(act, body, where)
        ack()

    def _open_request_form(self, act: Interaction, body: Body, where: Where, environment: str | None = None) -> None:
        self._intake.afterwards(open_request_form, self._forms, act, body["trigger_id"], where, environment)

    # ------------------------------------------------------------ forms

    def form_changed(self, ack: Ack, body: Body) -> None:
        view = body["view"]
        shown = Shown(str(view["id"]), str(view["hash"]))
        self._intake.afterwards(redraw_request_form, self._forms, acts.pressed(body), shown, filled(view))
        ack()

    def options(self, ack: Ack, body: Body) -> None:
        who, query = acts.actor(body), str(body.get("value") or "")
        ack(options_of(environment_choices(self._forms, who, query)))

    def form_sent(self, ack: Ack, body: Body, request: BoltRequest) -> None:
        view = body["view"]
        form = SENT.get(str(view["callback_id"]))
        found = form.read(filled(view)) if form is not None else None
        if form is None or found is None:
            ack()
        elif isinstance(found, Sent):
            act = acts.sent(body, form.act, found.fields, found.where)
            self._carry_out_sent(ack, body, form, signed(act, request) if is_vote(act) else act)
        else:
            ack(response_action="errors", errors=errors_in(view, found))

    def _carry_out_sent(self, ack: Ack, body: Body, form: SentForm, act: Interaction) -> None:
        reply = self._intake.carry_out(act)
        if reply.refused is not None:
            ack(response_action="errors", errors=errors_in(body["view"], form.beside(reply)))
            return
        if form.closes_all:
            ack(response_action="clear")
        else:
            ack()
        self._draw_home(act, at_home=str(body["view"].get("external_id") or "").startswith(keys.HOME))
        if form.tells:
            self._intake.tell(act, reply)

    # ------------------------------------------------------------ events

    def home_opened(self, event: Body, body: Body) -> None:
        if event.get("tab", "home") == "home":
            who = Account(SLACK, str(body.get("team_id") or ""), str(event["user"]))
            self._ctx.wake(keys.chat(keys.home(who)))

    def user_changed(self, event: Body, body: Body) -> None:
        """Somebody was deactivated, became a guest, changed their address: they are asked about anew when they matter next."""
        for account in self._refresher.heard(event.get("user"), str(body.get("team_id") or "")):
            if self._ctx.directory.person(account) is None:
                continue
            # Whoever has left may have access, and an address that has changed puts the account on hold before it acts.
            item = keys.whois(account)
            self._ctx.ledger.remind(item, 0.0)
            self._ctx.wake(item)

    def went_wrong(self, error: Exception, body: Body) -> BoltResponse:
        """A listener failed before it could answer: Slack is answered, and whoever acted is told."""
        number = self._intake.fault("a listener failed", error, failures.kind_of(body))
        act = failures.to_be_told(body)
        if act is not None:
            self._intake.tell(act, Reply(fault(number)))
        return failures.acknowledged(body, number)
