"""Whatever stands in an activity, in whichever place: it is refused or read, and nothing raises."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bot.teams.guard import Activity, Refusal, read
from bot.teams.incoming import acts
from tests.support import teams as t

ODD: tuple[Any, ...] = (None, 0, -1.5, True, "", "x" * 3000, "\x00\ud83d", [], [None, 5, {}], {}, {"id": {}, "a": [1]})
WHOLE = (
    t.in_channel(
        "<at>prodaccess</at> help", entities=[{"type": "mention", "text": "<at>x</at>", "mentioned": {"id": "y"}}]
    ),
    t.pressed("press", {"action": "approve", "value": "PA-1", "alone": True}),
    t.pressed("form", {"form": "request_form", "carries": "{}", "name": "ab.1", "reason": "why"}),
    t.message(type="conversationUpdate", membersAdded=[{"id": "28:x"}], membersRemoved=[{"id": "29:y"}]),
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in items:
        yield from paths(part, (*path, name))


@pytest.mark.parametrize("number", range(len(WHOLE)))
def test_it_is_refused_or_read(number: int) -> None:
    for path in paths(WHOLE[number]):
        for odd in ODD:
            found = json.loads(json.dumps(WHOLE[number]))
            at = found
            for name in path[:-1]:
                at = at[name]
            at[path[-1]] = odd
            activity = read(json.dumps(found).encode(), t.EXPECTED)
            assert isinstance(activity, Activity | Refusal)
            if isinstance(activity, Activity) and activity.acts:
                used(activity)


def used(activity: Activity) -> None:
    for read_as in (
        acts.typed(activity, "/prodaccess", {"y": t.OLU}.get),
        acts.pressed(activity),
        acts.sent(activity, "form", {}, acts.where(activity)),
    ):
        # It can be stored, and sent.
        read_as.packed().encode()
        assert read_as.who == acts.actor(activity)
    acts.verb_of(activity)
    acts.pressed_message(activity)
    acts.is_automatic(activity)
