"""Slack's own client, as far as it matters here: turns what a person does into a payload, and the answer into what they see."""

from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack.api.responses import command_answer
from bot.sandbox.slack.blockkit.elements import OPTION, OPTION_GROUP, every_option
from bot.sandbox.slack.blockkit.schema import Problems, array, record
from bot.sandbox.slack.blockkit.values import held_as, value_of
from bot.sandbox.slack.errors import ApiError, CannotDo
from bot.sandbox.slack.events import payloads
from bot.sandbox.slack.events.courier import Ack, Courier, Delivery
from bot.sandbox.slack.model import Channel, Json, Message, User, View
from bot.sandbox.slack.people.typing import escaped
from bot.sandbox.slack.workspace import Workspace

TROUBLE = "We had some trouble connecting. Try again?"
_SUGGESTIONS = record({"options": array(OPTION, 100, least=0), "option_groups": array(OPTION_GROUP, 100, least=0)})


@dataclass(frozen=True)
class Delivered:
    """What came of one thing that a person did.

    `error` is None, or Slack's word for what went wrong: `operation_timeout`, `dispatch_failed`,
    `invalid_command_response`, `invalid_response`, `cancelled` (the confirmation was refused), `incomplete` (the
    form was not sent, because the client wants fields filled first). `shown` is the sentence the person reads about
    it, `detail` says more to whoever debugs. `confirmed` is the confirmation dialog that was agreed to. `delivery` is
    what was sent; None if nothing was.
    """

    error: str | None = None
    shown: str | None = None
    detail: str | None = None
    delivery: Delivery | None = None
    confirmed: Json | None = None

    @property
    def ok(self) -> bool:
        return self.error is None

    @property
    def response(self) -> Json | str | None:
        """What the app said in its acknowledgement."""
        return self.delivery.ack.body if self.delivery else None


class Client:
    """The mechanics of each interaction. Locks while it reads or changes, never while it waits for the app."""

    def __init__(self, ws: Workspace, courier: Courier) -> None:
        self.ws = ws
        self.courier = courier

    def command(self, user: User, channel: Channel, name: str, text: str) -> Delivered:
        ws = self.ws
        with ws.lock:
            sent = escaped(ws, text) if ws.app.should_escape else text
            payload = payloads.command(ws, user, channel, name, sent)
        delivery = self.courier.deliver("slash_commands", payload)
        error, detail = delivery.ack.error, None
        if error is None:
            try:
                command_answer(ws, user.id, channel.id, delivery.ack.body)
            except ApiError as refused:
                error, detail = "invalid_command_response", str(refused.body())
        shown = f'{name} failed with the error "{error}"' if error else None
        if shown:
            ws.tell(user.id, shown, "command", channel.id)
        return Delivered(error, shown, detail, delivery)

    def act(self, user: User, surface: Message | View, block: Json, element: Json, value: Json) -> Delivered:
        """`block_actions`. Slack looks at nothing in the answer but whether it came."""
        ws = self.ws
        with ws.lock:
            payload = self._action_payload(user, surface)
            payload["actions"] = [payloads.action(ws, block, element, value)]
        delivery = self.courier.deliver("interactive", payload)
        return self._acted(user, delivery, surface)

    def _action_payload(self, user: User, surface: Message | View) -> Json:
        ws = self.ws
        if isinstance(surface, View):
            trigger = payloads.view_trigger(ws, user, surface)
            return payloads.in_view(ws, "block_actions", user, surface) | {"trigger_id": trigger}
        url = payloads.response_url(ws, user, ws.channel(surface.channel), surface)
        more = {"trigger_id": ws.triggers.issue(user.id), "response_url": url}
        return payloads.in_message(ws, "block_actions", user, surface) | more

    def _acted(self, user: User, delivery: Delivery, surface: Message | View | None = None) -> Delivered:
        if delivery.ack.ok:
            return Delivered(delivery=delivery)
        channel = surface.channel if isinstance(surface, Message) else None
        shown = f"⚠ This app is not responding ({delivery.ack.error})"
        self.ws.tell(user.id, shown, "interaction", channel)
        return Delivered(delivery.ack.error, shown, delivery=delivery)

    def shortcut(self, user: User, callback_id: str, message: Message | None = None) -> Delivered:
        ws = self.ws
        with ws.lock:
            payload = (
                payloads.message_shortcut(ws, user, callback_id, message)
                if message
                else payloads.shortcut(ws, user, callback_id)
            )
        return self._acted(user, self.courier.deliver("interactive", payload), message)

    def value(
        self, user: User, surface: Message | View, block: Json, element: Json, choice: Any, query: str | None
    ) -> Json:
        """What the element holds once `choice` is made. Raise CannotDo for an entry, person or channel that is not there."""
        offered = None
        chosen = choice if isinstance(choice, list) else [choice]
        if element["type"].endswith("external_select") and choice:
            typed = str(chosen[0]) if query is None else query
            offered = self.suggestions(user, surface, block, element, typed)
        if element["type"].endswith(("users_select", "channels_select", "conversations_select")) and choice:
            known = self.ws.users.keys() | self.ws.channels.keys()
            if not known.issuperset(chosen):
                raise CannotDo(f"the menu has no {choice!r}")
        return value_of(element, choice, offered)

    def suggestions(self, user: User, surface: Message | View, block: Json, element: Json, query: str) -> list[Json]:
        """Every option that a type-ahead menu then has, whatever its group. Raise CannotDo as `suggested` does."""
        return every_option(self.suggested(user, surface, block, element, query))

    def suggested(self, user: User, surface: Message | View, block: Json, element: Json, query: str) -> Json:
        """Type into a type-ahead menu. Raise CannotDo where no usable options come back ("Result not loaded")."""
        ws = self.ws
        if len(query) < element.get("min_query_length", 3):
            raise CannotDo(f"the menu asks the app only from {element.get('min_query_length', 3)} characters on")
        with ws.lock:
            payload = (
                payloads.in_view(ws, "block_suggestion", user, surface)
                if isinstance(surface, View)
                else payloads.in_message(ws, "block_suggestion", user, surface)
            )
        identity = {"action_id": element["action_id"], "block_id": block["block_id"], "value": query}
        ack = self.courier.deliver("interactive", payload | identity).ack
        problems = Problems()
        _SUGGESTIONS(ack.body, "", problems)
        if not ack.ok or problems.found:
            raise CannotDo(f"Result not loaded: {ack.error or problems.found}")
        return ack.body if isinstance(ack.body, dict) else {}

    # Modals

    def submit(self, user: User, view: View) -> Delivered:
        """Send a form. The acknowledgement closes it, or says what to do with it instead (docs: view_submission)."""
        ws = self.ws
        with ws.lock:
            view.errors, view.trouble = {}, None
            payload = payloads.in_view(ws, "view_submission", user, view)
            payload |= {"trigger_id": payloads.view_trigger(ws, user, view), "response_urls": []}
        delivery = self.courier.deliver("interactive", payload)
        with ws.lock:
            return self._submitted(user, view, delivery)

    def _submitted(self, user: User, view: View, delivery: Delivery) -> Delivered:
        ack = delivery.ack
        error, detail = ack.error, None
        if ack.ok:
            try:
                self._follow(user, view, ack)
            except ApiError as refused:
                error, detail = "invalid_response", str(refused.body())
        if error:
            view.trouble = TROUBLE
            self.ws.tell(user.id, TROUBLE, "modal")
        return Delivered(error, TROUBLE if error else None, detail, delivery)

    def _follow(self, user: User, view: View, ack: Ack) -> None:
        """Do what the acknowledgement says. Raise ApiError for what Slack would not understand."""
        body: Any = ack.body or {}
        action = body.get("response_action") if isinstance(body, dict) else "?"
        stack = self.ws.views.stack(user.id)
        match action:
            case None if not body:
                stack[:] = [other for other in stack if other is not view]
            case "clear":
                stack.clear()
            case "errors":
                view.errors = _named_inputs(view, body.get("errors"))
            case "update":
                self.ws.views.update(view, body.get("view"))
            case "push":
                self.ws.views.push(user.id, body.get("view"), view.root_id)
            case _:
                raise ApiError("invalid_arguments", [f"no such response_action: {body!r}"])

    def close(self, user: User, view: View, *, everything: bool) -> Delivered:
        """Close one modal, or with the cross all of them. The app hears of it only with `notify_on_close`."""
        ws = self.ws
        with ws.lock:
            stack = ws.views.stack(user.id)
            cleared = everything or bool(view.body["clear_on_close"])
            gone = list(stack) if cleared else [view]
            stack[:] = [other for other in stack if other not in gone]
            told = [
                payloads.in_view(ws, "view_closed", user, closed) | {"is_cleared": cleared}
                for closed in gone
                if closed.body["notify_on_close"]
            ]
        deliveries = [self.courier.deliver("interactive", payload) for payload in told]
        return Delivered(delivery=deliveries[0]) if deliveries else Delivered()


def _named_inputs(view: View, errors: Any) -> dict[str, str]:
    """Raise `invalid_arguments` unless every error belongs to an input block of the form."""
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors:
        raise ApiError("invalid_arguments", ["response_action errors without errors"])
    for block_id, sentence in errors.items():
        if block_id not in inputs or not isinstance(sentence, str) or not sentence:
            raise ApiError("invalid_arguments", [f"no input block {block_id!r} among {sorted(inputs)}"])
    return dict(errors)


def action_value(element: Json, value: Json | None) -> Json:
    """What an action reports beside its identity: nothing more for a button, the choice for everything else."""
    if value is None or element["type"] == "button":
        return {}
    key = held_as(element["type"])
    return {key: value[key]}
