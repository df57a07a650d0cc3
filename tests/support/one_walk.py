"""One walk through all that can become of a request: what is said is held against the record, and against the golden files.

Both take everything that can be tried at each step, which is most of what a walk costs; so it is done once in a process.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType
from typing import Any

import pytest

import bot.chat
import bot.slack
from bot.chat.form import Form
from bot.chat.message import Message
from bot.chat.messages import home
from bot.chat.outbox import homes
from tests.support import golden, golden_teams, spoken
from tests.support.every_scene import SCENES, STEPS, rules
from tests.support.spoken import Listener
from tests.support.truth import Walk, look_at, look_round
from tests.support.world import Counter, World


@cache
def walked() -> tuple[Walk, dict[str, str]]:
    """What the walk found, and what golden files have to hold."""
    walk = Walk()
    modules = [
        import_module(found.name)
        for package in (bot.chat, bot.slack)
        for found in walk_packages(package.__path__, f"{package.__name__}.")
        if found.name != "bot.chat.message"
    ]
    speaks = {
        function.__code__: f"{function.__module__}.{name}" for module in modules for name, function in speakers(module)
    }

    def heard(made: Any) -> Any:
        def make(self: object, *given: Any, **named: Any) -> None:
            # Who makes this message or form, and whoever they make it for.
            walk.spoke |= {speaks[code] for depth in range(1, 7) if (code := sys._getframe(depth).f_code) in speaks}
            made(self, *given, **named)

        return make

    with pytest.MonkeyPatch.context() as patch:
        for kind in (Message, Form):
            patch.setattr(kind, "__init__", heard(kind.__init__))
        for module in (homes, spoken):
            for draw in (home.home, home.home_instead):
                if getattr(module, draw.__name__, None) is draw:
                    patch.setattr(module, draw.__name__, drawn(walk, draw))
        scenes, teams = _through_all(walk)
    walk.silent = set(speaks.values()) - walk.spoke
    return walk, golden.files(scenes, teams)


def drawn(walk: Walk, draw: Any) -> Any:
    def make(*given: Any) -> Any:
        walk.spoke.add(f"{draw.__module__}.{draw.__name__}")
        return draw(*given)

    return make


def _through_all(walk: Walk) -> tuple[dict[str, list[dict[str, Any]]], golden_teams.Files]:
    scenes, teams = {}, golden_teams.Files()
    for name, scene_ in SCENES.items():
        t, heard = Listener(World(rules())), golden.Heard(name, teams)
        for step, ids in enumerate(scene_(t), 1):
            look, stands = look_round(walk, f"{name}, step {step}", t, ids, last=step == STEPS[name])
            heard.hear(step, look, stands)
            with as_it_was(t.world):
                look_at(look, stands)
        scenes[name] = heard.said
    return scenes, teams


@contextmanager
def as_it_was(world: World) -> Iterator[None]:
    """However much is tried: what is said later, and has numbers in it, is what it would be otherwise."""
    chance = world.ctx.chance
    assert isinstance(chance, Counter)
    before = chance._next, world._ids
    yield
    chance._next, world._ids = before


def speakers(module: ModuleType) -> list[tuple[str, Any]]:
    """The functions of a module that make a message, a form or a home."""
    return [
        (name, function)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and (inspect.signature(function).return_annotation in ("Message", "Form") or name in _HOMES)
    ]


_HOMES = ("home", "home_instead")
