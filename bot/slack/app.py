"""The Bolt app. A listener parses, calls the desk and renders; it records first, acknowledges, and does the rest later.

No call to Slack stands between a press and its acknowledgement. Opening a form needs its trigger within three seconds,
so that is started at once, beside the acknowledgement.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import structlog
from prometheus_client import Counter
from slack_bolt import Ack, App, BoltResponse
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.chat import plain_text
from bot.chat.actions.deferred import defer
from bot.chat.actions.dispatcher import Desk, FactsStale, Reply
from bot.chat.actions.refusal_limit import REFUSED_MAX, RefusalLimit, Verdict
from bot.chat.commands.model import OpenForm
from bot.chat.form import Errors
from bot.chat.forms import break_glass as glass_form
from bot.chat.forms import extension as extend_form
from bot.chat.forms import reason as reason_forms
from bot.chat.forms import reduced_approval as less_form
from bot.chat.forms import request as form
from bot.chat.forms.fields import BREAK_GLASS, ENVIRONMENT, MORE_ROLES, REASON, ROLE
from bot.chat.interaction import COMMAND, DENY, DENY_ALL, END, EXTEND, FLAG, FORM, GLASS, LESS, PRESS, Interaction
from bot.chat.message import Message
from bot.chat.messages import approval_card as cards
from bot.chat.messages import break_glass as glass
from bot.chat.messages import notices
from bot.chat.messages.batch import APPROVE_ALL, WITHDRAW_ALL
from bot.chat.messages.batch import DENY_ALL as PRESS_DENY_ALL
from bot.chat.messages.fault import fault
from bot.chat.messages.holds import CONFIRM_ANOTHER, CONFIRM_SAME
from bot.chat.messages.home import ASK, WITHDRAW
from bot.chat.messages.notices import DECLINE, OPEN_CONSOLE
from bot.chat.messages.revoke_all import REVOKE_ALL
from bot.monotonic import monotonic_s
from bot.observability.log import log_failure
from bot.settings import Settings
from bot.slack import failures
from bot.slack.directory import SlackRefresher
from bot.slack.doors import Doors
from bot.slack.form_input import errors_in, filled
from bot.slack.form_view import options_of
from bot.slack.mrkdwn import read_typed
from bot.slack.render import blocks_of, text_of
from bot.slack.socket_mode import quiet_about_connections
from workflows.core import keys
from workflows.core.identity import SLACK, Account
from workflows.core.refusal import Code
from workflows.ports import LedgerUnreachable, PolicyUnavailable
from workflows.usecases.shared.context import Context
from workflows.usecases.shared.outside import went_wrong
from workflows.usecases.shared.troubles import Failure, note

log = structlog.get_logger()

ACTS = Counter("prodaccess_acts_total", "What people did in chat, by kind.", ["kind"])
# For what follows an acknowledgement: opening forms, answering presses.
AFTERWARDS_THREADS = 16
SOCKET_CONCURRENCY = 16
SOCKET_PING_S = 5

Body = Mapping[str, Any]
FieldOf = Callable[[Code], str]


def build_app(settings: Settings, context: Context, desk: Desk, client: WebClient, refresher: SlackRefresher) -> App:
    """The app with all its listeners. Nothing is sent: who may act is decided by the signed payload and the ledger."""
    secret = settings.slack_signing_secret

    def authorize() -> AuthorizeResult:
        # One workspace, one token: no call to Slack is needed to find it.
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_token=client.token)

    # Bolt warns that it does not use a token which it finds in the environment by itself.
    quiet = logging.getLogger("bot.slack.bolt")
    quiet.setLevel(logging.ERROR)
    app = App(
        logger=quiet,
        client=client,
        authorize=authorize,
        signing_secret=secret.get_secret_value() if secret else None,
        # In Socket Mode there are no signatures: the connection is ours, and /slack/events takes nothing.
        request_verification_enabled=True,
        # The answer is ready when the listener is done, so nothing has to poll for it.
        process_before_response=True,
        raise_error_for_unhandled_request=False,
    )
    doors = Doors(context, client, refresher, desk, settings.command)
    Listeners(context, desk, doors, settings.command).register(app)
    return app


def socket_mode(settings: Settings, app: App) -> SocketModeHandler:
    """A connection to Slack that needs no public address."""
    token = settings.slack_app_token
    if token is None:
        raise ValueError("SLACK_APP_TOKEN is not set")
    client = WebClient(token=token.get_secret_value(), base_url=settings.slack_api_url, retry_handlers=[])
    return SocketModeHandler(
        app,
        token.get_secret_value(),
        logger=quiet_about_connections(),
        web_client=client,
        # `Line` does.
        auto_reconnect_enabled=False,
        ping_interval=SOCKET_PING_S,
        concurrency=SOCKET_CONCURRENCY,
    )


def takes_away(act: Interaction) -> bool:
    """Whether it denies, ends or gives back: that is heard however often somebody was refused."""
    typed = act.text.lower().split(maxsplit=1)[:1]
    return act.kind in _TAKING or act.action in _TAKING or (act.kind == COMMAND and typed in _TAKING_WORDS)


_TAKING = frozenset({DENY, DENY_ALL, END, FLAG, cards.END, WITHDRAW, WITHDRAW_ALL, DECLINE, REVOKE_ALL})
_TAKING_WORDS = (["deny"], ["end"], ["revoke"], ["revoke-all"], ["withdraw"], ["decline"])
_TOO_OFTEN = (
    f"I have said no to you {REFUSED_MAX} times within a minute, so I do not listen until the minute is over. Denying, ending "
    "and giving back still work."
)


class Listeners:
    def __init__(self, context: Context, desk: Desk, doors: Doors, command: str) -> None:
        self._context = context
        self._desk = desk
        self._command_name = command
        self._doors = doors
        self._limit = RefusalLimit(monotonic_s)
        self._afterwards = ThreadPoolExecutor(AFTERWARDS_THREADS, thread_name_prefix="afterwards")

    def register(self, app: App) -> None:
        app.command(self._command_name)(self.command)
        for action in (
            cards.APPROVE,
            cards.END,
            WITHDRAW,
            DECLINE,
            glass.ACKNOWLEDGE,
            REVOKE_ALL,
            CONFIRM_SAME,
            CONFIRM_ANOTHER,
            APPROVE_ALL,
            WITHDRAW_ALL,
        ):
            app.action(action)(self.press)
        app.action(cards.MORE)(self.press_more)
        app.action(cards.DENY)(self.press_deny)
        app.action(PRESS_DENY_ALL)(self.press_deny_all)
        app.action(glass.FLAG)(self.press_flag)
        app.action(BREAK_GLASS)(self.press_break_glass)
        app.action(cards.EXTEND)(self.press_extend)
        app.action(ASK)(self.press_ask)
        app.action(notices.AGAIN)(self.press_again)
        app.action(notices.ASK_THEN)(self.press_ask_then)
        app.action(OPEN_CONSOLE)(self.nothing)
        app.action(re.compile(rf"^({ENVIRONMENT}|{ROLE}|{MORE_ROLES})$"))(self.form_changed)
        app.action(re.compile(r"^.*$"))(self.nothing)
        app.options(ENVIRONMENT)(self.options)
        app.view(form.REQUEST_FORM)(self.form_sent)
        app.view(glass_form.GLASS_FORM)(self.glass_form_sent)
        app.view(reason_forms.FLAG_FORM)(self.reason_sent)
        app.view(reason_forms.DENY_FORM)(self.reason_sent)
        app.view(reason_forms.DENY_ALL_FORM)(self.reason_sent)
        app.view(reason_forms.END_FORM)(self.reason_sent)
        app.view(less_form.LESS_FORM)(self.less_sent)
        app.view(extend_form.EXTEND_FORM)(self.extend_sent)
        app.shortcut("request_access")(self.shortcut)
        app.shortcut("request_access_here")(self.shortcut)
        app.event("app_home_opened")(self.home_opened)
        app.event("user_change")(self.user_changed)
        app.error(self.went_wrong)

    # ------------------------------------------------------------ typed

    def command(self, ack: Ack, body: Body) -> None:
        act = Interaction(
            id=f"command:{body['trigger_id']}",
            kind=COMMAND,
            who=Account(SLACK, str(body["team_id"]), str(body["user_id"])),
            text=read_typed(str(body.get("text") or "")[:10_000]),
            channel=str(body.get("channel_id") or ""),
            channel_name=str(body.get("channel_name") or ""),
            response_url=str(body.get("response_url") or ""),
        )
        meant = self._desk.parse(act.text)
        if isinstance(meant, OpenForm):
            where = form.Where(act.channel, act.channel_name)
            self._later(self._doors.open_request_form, act, body["trigger_id"], where, meant.environment)
            ack()
            return
        reply = self._carry_out(act)
        if reply.message is None:
            ack()
        else:
            ack(text=text_of(reply.message), blocks=blocks_of(reply.message), response_type="ephemeral")

    # ------------------------------------------------------------ pressed

    def press(self, ack: Ack, body: Body) -> None:
        act = _pressed(body)
        try:
            stray = self._doors.is_stray_copy(act, body)
        except LedgerUnreachable as problem:
            ack()
            self._later(self._doors.tell, act, _away(act, problem))
            return
        if stray:
            ack()
            self._later(self._doors.turn_into_pointer, act)
            return
        reply = self._carry_out(act)
        ack()
        if (body.get("view") or {}).get("type") == "home":
            # A card changes by itself; somebody's home has to be drawn again.
            self._context.wake(keys.chat(keys.home(act.who)))
        if reply.message is not None:
            self._later(self._doors.take_place if reply.replaces else self._doors.tell, act, reply.message)

    def press_deny(self, ack: Ack, body: Body) -> None:
        self._later(self._doors.open_deny_form, _pressed(body), body["trigger_id"])
        ack()

    def press_extend(self, ack: Ack, body: Body) -> None:
        self._later(self._doors.open_extend_form, _pressed(body), body["trigger_id"])
        ack()

    def press_deny_all(self, ack: Ack, body: Body) -> None:
        self._later(self._doors.open_deny_all_form, _pressed(body), body["trigger_id"])
        ack()

    def press_more(self, ack: Ack, body: Body) -> None:
        act = _pressed(body)
        chosen = cards.read_more(act.value)
        if chosen is None or chosen[0] != cards.LESS:
            self.press(ack, body)
            return
        self._later(self._doors.open_less_form, act, body["trigger_id"])
        ack()

    def press_flag(self, ack: Ack, body: Body) -> None:
        self._later(self._doors.open_flag_form, _pressed(body), body["trigger_id"])
        ack()

    def press_break_glass(self, ack: Ack, body: Body) -> None:
        self._later(self._doors.open_glass_form, _pressed(body), body["trigger_id"], body["view"])
        ack()

    def press_ask(self, ack: Ack, body: Body) -> None:
        act = _pressed(body)
        environment, _, role = act.value.partition(" ")
        self._later(self._doors.open_request_form, act, body["trigger_id"], form.Where(), environment, role or None)
        ack()

    def press_again(self, ack: Ack, body: Body) -> None:
        self._later(self._doors.open_again_form, _pressed(body), body["trigger_id"])
        ack()

    def press_ask_then(self, ack: Ack, body: Body) -> None:
        self._later(self._doors.open_then_form, _pressed(body), body["trigger_id"])
        ack()

    def nothing(self, ack: Ack) -> None:
        """A link that Slack opens by itself, or a field that is read when the form is sent."""
        ack()

    # ------------------------------------------------------------ forms

    def shortcut(self, ack: Ack, body: Body) -> None:
        channel = body.get("channel") or {}
        message = body.get("message") or {}
        thread = message.get("thread_ts") or message.get("ts")
        where = form.Where(str(channel.get("id", "")), str(channel.get("name", "")), str(thread) if thread else None)
        act = Interaction(
            id=f"shortcut:{body['trigger_id']}",
            kind=PRESS,
            who=Account(SLACK, _team(body), str(body["user"]["id"])),
            channel=where.channel,
            response_url=str(body.get("response_url") or ""),
        )
        self._later(self._doors.open_request_form, act, body["trigger_id"], where)
        ack()

    def form_changed(self, ack: Ack, body: Body) -> None:
        self._later(self._doors.redraw_request_form, _pressed(body), body["view"])
        ack()

    def options(self, ack: Ack, body: Body) -> None:
        try:
            environments = list(self._context.policy.current().environments.values())
        except PolicyUnavailable:
            environments = []
        ack(options_of(form.choices_for(str(body.get("value") or ""), environments)))

    def form_sent(self, ack: Ack, body: Body) -> None:
        self._ask_sent(ack, body, FORM, form.read(filled(body["view"])), form.field_of)

    def glass_form_sent(self, ack: Ack, body: Body) -> None:
        found = glass_form.read_glass(filled(body["view"]))
        self._ask_sent(ack, body, GLASS, found, glass_form.glass_field_of)

    def _ask_sent(self, ack: Ack, body: Body, kind: str, found: form.FormAsk | Errors, field_of: FieldOf) -> None:
        """`field_of`: the field that a refusal is about."""
        if not isinstance(found, form.FormAsk):
            ack(response_action="errors", errors=errors_in(body["view"], found))
            return
        ask, where = found.ask, found.where
        roles = ",".join((ask.role, *found.more))
        fields = {"environment": ask.environment, "role": roles, "reason": ask.reason, "ticket": ask.ticket or ""}
        if ask.duration is not None:
            fields["duration_s"] = str(int(ask.duration.total_seconds()))
        if ask.start_at is not None:
            fields["start_at"] = str(int(ask.start_at.timestamp()))
        act = self._sent(body, kind, fields, where)
        reply = self._carry_out(act)
        if reply.refused is not None:
            errors = form.beside_fields(_said(reply), field_of)
            ack(response_action="errors", errors=errors_in(body["view"], errors))
            return
        # The window under an emergency's own has nothing left to ask.
        if kind == GLASS:
            ack(response_action="clear")
        else:
            ack()
        if reply.message is not None:
            self._later(self._doors.tell, act, reply.message)

    def reason_sent(self, ack: Ack, body: Body) -> None:
        view = body["view"]
        found = reason_forms.read_reason(filled(view))
        if found is None:
            ack()
            return
        kind = _REASONS[view["callback_id"]]
        act = self._sent(body, kind, {"id": found[0], "reason": found[2]}, form.Where())
        reply = self._carry_out(act)
        if reply.refused is not None and reply.message is not None:
            ack(response_action="errors", errors=errors_in(view, {REASON: _sentence(reply)}))
            return
        ack()

    def less_sent(self, ack: Ack, body: Body) -> None:
        fields = less_form.read(filled(body["view"]))
        if fields is None:
            ack()
            return
        reply = self._carry_out(self._sent(body, LESS, fields, form.Where()))
        if reply.refused is not None and reply.message is not None:
            errors = {less_form.field_of(reply.refused.code): _sentence(reply)}
            ack(response_action="errors", errors=errors_in(body["view"], errors))
            return
        ack()

    def extend_sent(self, ack: Ack, body: Body) -> None:
        fields = extend_form.read(filled(body["view"]))
        if fields is None:
            ack()
            return
        act = self._sent(body, EXTEND, fields, form.Where())
        reply = self._carry_out(act)
        if reply.refused is not None and reply.message is not None:
            errors = form.beside_fields(_said(reply), extend_form.field_of)
            ack(response_action="errors", errors=errors_in(body["view"], errors))
            return
        ack()
        if reply.message is not None:
            self._later(self._doors.tell, act, reply.message)

    def _sent(self, body: Body, kind: str, fields: dict[str, str], where: form.Where) -> Interaction:
        view = body["view"]
        return Interaction(
            # A form that was refused and corrected is sent again under the same id: what was taken is not taken twice.
            id=f"view:{view['id']}",
            kind=kind,
            who=Account(SLACK, _team(body), str(body["user"]["id"])),
            fields=fields,
            channel=where.channel,
            channel_name=where.channel_name,
            thread_ts=where.thread_ts,
        )

    # ------------------------------------------------------------ events

    def home_opened(self, event: Body, body: Body) -> None:
        if event.get("tab", "home") == "home":
            who = Account(SLACK, str(body.get("team_id") or ""), str(event["user"]))
            self._context.wake(keys.chat(keys.home(who)))

    def user_changed(self, event: Body, body: Body) -> None:
        """Somebody was deactivated, became a guest, changed their address: they are asked about anew when they matter next."""
        self._doors.heard(event.get("user"), str(body.get("team_id") or ""))

    # ------------------------------------------------------------ the common part

    def _carry_out(self, act: Interaction) -> Reply:
        """The desk's answer; or the act is put on the ledger for a worker, and answered later."""
        ACTS.labels(act.kind).inc()
        verdict = Verdict.GO if takes_away(act) else self._limit.verdict(act.who)
        if verdict is not Verdict.GO:
            return Reply(notices.answer(_TOO_OFTEN) if verdict is Verdict.TELL else None)
        try:
            try:
                reply = self._desk.carry_out(act)
            except FactsStale:
                self._limit.refused(act.who)
                defer(self._context, act)
                return Reply()
            if reply.refused is not None:
                self._limit.refused(act.who)
            return reply
        except LedgerUnreachable as problem:
            return Reply(_away(act, problem))
        except Exception as problem:
            return Reply(fault(self._fault("an act failed", problem, act.kind)))

    def _later(self, then: Callable[..., None], *args: object) -> None:
        """What follows an acknowledgement. Whoever acted hears of it where it fails: the act is among the arguments."""
        act = next((arg for arg in args if isinstance(arg, Interaction)), None)

        def run() -> None:
            try:
                then(*args)
            except Exception as problem:
                self._tell_instead(act, problem)

        self._afterwards.submit(run)

    def _tell_instead(self, act: Interaction | None, problem: Exception) -> None:
        """A form that does not open needs a word, too."""
        if isinstance(problem, LedgerUnreachable) and act is not None:
            message = _away(act, problem)
        else:
            message = fault(
                self._fault("what follows an acknowledgement failed", problem, act.kind if act else "event")
            )
        if act is not None:
            try:
                self._doors.tell(act, message)
            except Exception as silent:
                self._fault("a word could not be said", silent, act.kind)

    def went_wrong(self, error: Exception, body: Body) -> BoltResponse:
        """A listener failed before it could answer: Slack is answered, and whoever acted is told."""
        number = self._fault("a listener failed", error, failures.kind_of(body))
        act = failures.to_be_told(body)
        if act is not None:
            self._later(self._doors.tell, act, fault(number))
        return failures.acknowledged(body, number)

    def _fault(self, what: str, problem: Exception, kind: str) -> str:
        """Into the log and the count; three within ten minutes are an alarm. Returns the number to say."""
        ctx = self._context
        number = ctx.fault(what, problem, act=kind)
        self._afterwards.submit(partial(_noted, ctx, kind, number))
        return number


_REASONS = {
    reason_forms.DENY_FORM: DENY,
    reason_forms.DENY_ALL_FORM: DENY_ALL,
    reason_forms.END_FORM: END,
    reason_forms.FLAG_FORM: FLAG,
}

# Nothing is promised about what was on its way when the records fell silent: only they know.
_LEDGER_AWAY = (
    "I cannot reach my records just now, so I cannot tell that I took this. Please try again in a minute: what was taken "
    "is not done twice. Access that is open still ends by itself. (error {})"
)


def _noted(ctx: Context, kind: str, number: str) -> None:
    try:
        note(ctx, f"act:{kind}", Failure(went_wrong(number)))
    except LedgerUnreachable as problem:
        log.warning("a failure was not noted", why=str(problem))


def _said(reply: Reply) -> Sequence[tuple[Code, str]]:
    """Each slip with its own sentence, for the fields of a form."""
    return reply.said or ([(reply.refused.code, _sentence(reply))] if reply.refused else [])


def _sentence(reply: Reply) -> str:
    """What a refusal says, for the field of a form."""
    return plain_text.text_of(reply.message.summary) if reply.message else ""


def _away(act: Interaction, problem: LedgerUnreachable) -> Message:
    number = log_failure("the ledger does not answer", problem, act=act.kind)
    return notices.answer(_LEDGER_AWAY.format(number))


def _pressed(body: Body) -> Interaction:
    """A button, or a choice of a menu. The clicked element names itself; who clicked is in the signed payload."""
    action = body["actions"][0]
    chosen = action.get("selected_option") or {}
    channel = body.get("channel") or {}
    return Interaction(
        id=f"press:{_team(body)}:{body['user']['id']}:{action['action_id']}:{action['action_ts']}:{body['trigger_id']}",
        kind=PRESS,
        who=Account(SLACK, _team(body), str(body["user"]["id"])),
        action=str(action["action_id"]),
        value=str(action.get("value") or chosen.get("value") or ""),
        channel=str(channel.get("id") or ""),
        channel_name=str(channel.get("name") or ""),
        response_url=str(body.get("response_url") or ""),
    )


def _team(body: Body) -> str:
    """The actor's own team: somebody of another organisation in a shared channel has another one than the channel."""
    return str((body.get("user") or {}).get("team_id") or (body.get("team") or {}).get("id") or "")
