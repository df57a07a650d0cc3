"""Reads what came back in a form, and puts what is wrong with it beside its field. The counterpart of `form_view`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.chat.carried import read_moment
from bot.chat.form import Errors, Filled, Value
from bot.chat.text import cut
from bot.slack.form_view import NONE

View = Mapping[str, Any]
_ERROR_LENGTH_MAX = 1000


def filled(view: View) -> Filled:
    """A view of a submission or of a choice in it, whatever of it is there."""
    return Filled(str(view.get("callback_id") or ""), str(view.get("private_metadata") or ""), tuple(_values(view)))


def _values(view: View) -> Iterator[Value]:
    state: Mapping[str, Mapping[str, Any]] = (view.get("state") or {}).get("values") or {}
    for block_id, elements in state.items():
        of = block_id.partition(":")[2] or None
        for name, held in elements.items():
            yield _value(name, of, held or {})


def _value(name: str, of: str | None, held: Mapping[str, Any]) -> Value:
    options = [held.get("selected_option"), *(held.get("selected_options") or ())]
    values = (*(str(option.get("value") or "") for option in options if option), str(held.get("selected_user") or ""))
    picked = held.get("selected_date_time")
    return Value(
        name,
        of,
        text=str(held.get("value") or ""),
        chosen=tuple(value for value in values if value not in ("", NONE)),
        # In seconds since the epoch: Slack knows the clock of whoever picked it.
        moment=read_moment(picked),
    )


def errors_in(view: View, errors: Errors) -> dict[str, str]:
    """For `response_action: errors`: by block_id. What is about a field that is not shown stands beside the first one."""
    inputs = [block for block in view.get("blocks") or () if "action_id" in (block.get("element") or {})]
    ids = {str(block["element"]["action_id"]): str(block["block_id"]) for block in inputs}
    first = next(iter(ids.values()), "")
    found: dict[str, str] = {}
    for name, sentence in errors.items():
        block_id, said = ids.get(name, first or name), _unformatted(sentence)
        found[block_id] = cut(f"{found[block_id]} {said}" if block_id in found else said, _ERROR_LENGTH_MAX)
    return found


def _unformatted(sentence: str) -> str:
    """Beside a field nothing formats."""
    return sentence.replace("`", "")
