"""Tables that stand apart and have to name the same: whoever adds to one of them is told of the others."""

import json

import pytest

from bot.chat.actions.handlers import OTHERS, PRESSES
from bot.chat.actions.sent_forms import SENT
from bot.chat.commands import parser
from bot.chat.forms.fields import BEGIN_THEN, BREAK_GLASS, DURATION, ENVIRONMENT, MORE_ENVIRONMENTS, MORE_ROLES, ROLE
from bot.chat.wording.troubles import what_fails
from bot.queues import JOBS
from tests.support import golden
from tests.support.build import NOW
from workflows.core.policy import Entitlement
from workflows.core.records.oversight import Trouble
from workflows.policy_file import raw, values

# Menus of a form, which are read when it is sent or draw it anew, and the button that does.
FIELDS = {ENVIRONMENT, ROLE, DURATION, MORE_ROLES, MORE_ENVIRONMENTS, BREAK_GLASS, BEGIN_THEN}
# A key that has a shorter name where it is decided.
SHORTER = {"request_expires_after": "expires_after"}


def test_no_environment_can_be_called_like_a_command():
    assert set(parser.VERBS) <= values.VERBS


def test_what_every_form_brings_is_carried_out():
    assert {form.act for form in SENT.values()} <= OTHERS.keys()


def test_every_button_that_is_shown_does_something_when_it_is_pressed():
    shown = set()
    for path in golden.FOLDER.glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            shown |= set(_actions(json.loads(line)))
    assert shown
    assert shown - FIELDS <= PRESSES.keys()


def _actions(node):
    if isinstance(node, dict):
        if node.get("type") == "button" and "url" not in node:
            yield node["action_id"]
        for value in node.values():
            yield from _actions(value)
    elif isinstance(node, list):
        for value in node:
            yield from _actions(value)


@pytest.mark.parametrize("kind", sorted(JOBS))
def test_what_is_due_and_fails_has_words(kind):
    trouble = Trouble(f"{kind}:PA-1", 1, "no answer", NOW, NOW, NOW)
    assert not what_fails(trouble).startswith(f"{kind} ")


def test_every_key_of_a_role_reaches_what_is_decided():
    written = {*raw.Role.model_fields, *raw.Settings.model_fields}
    known = {*Entitlement.__dataclass_fields__}
    assert {SHORTER.get(name, name) for name in written} <= known, "filled in resolve.py?"
