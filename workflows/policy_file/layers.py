"""Precedence: the most specific level that says something wins, as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from workflows.core.durations import format_duration
from workflows.policy_file.problem import Problem
from workflows.policy_file.raw import EnvironmentFile, RoleHere, Rules, Settings, WorkspaceFile
from workflows.policy_file.yaml_reader import Document, Path


@dataclass(frozen=True, slots=True)
class Layer:
    settings: Settings
    document: Document
    path: Path


@dataclass(frozen=True, slots=True)
class Found:
    """An effective value; `depth` counts from the most specific level, `place` is `file:line`."""

    value: Any
    depth: int
    file: str
    line: int

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Menu:
    durations: tuple[timedelta, ...]
    default: timedelta
    longest: timedelta
    origins: Mapping[str, str]


def layers_of(
    role: tuple[RoleHere, str],
    environment: tuple[EnvironmentFile, Document],
    workspace: tuple[WorkspaceFile, Document],
    risk: str,
) -> tuple[Layer, ...]:
    """Role in the environment, environment, rule of tier and risk, workspace."""
    here, name = role
    file, document = environment
    common, common_document = workspace
    layers = [Layer(here, document, ("roles", name)), Layer(file, document, ())]
    if rule := rule_of(common.rules, file.tier, risk):
        layers.append(Layer(rule[0], common_document, ("rules", file.tier, rule[1])))
    return (*layers, Layer(common, common_document, ()))


def rule_of(rules: Rules, tier: str, risk: str) -> tuple[Settings, str] | None:
    """The rule of this risk, else the one of `any`, and under which word it stands."""
    of_tier: Mapping[str, Settings] = getattr(rules, tier)
    word = risk if risk in of_tier else "any"
    return (of_tier[word], word) if word in of_tier else None


def find(layers: tuple[Layer, ...], key: str) -> Found | None:
    for depth, layer in enumerate(layers):
        if key in layer.settings.model_fields_set:
            line = layer.document.line((*layer.path, key))
            return Found(getattr(layer.settings, key), depth, layer.document.file, line)
    return None


def resolve_menu(layers: tuple[Layer, ...], name: str) -> Menu | Problem:
    """Menu, limit and default, made to fit each other.

    Whoever writes a menu sees the limits above it, so an entry beyond the limit is an error there. A limit that is set
    further down shortens an inherited menu instead.
    """
    limit, menu, default = (find(layers, key) for key in ("max_duration", "durations", "default_duration"))
    if limit is None and menu is None:
        here = layers[0]
        words = f"nothing says how long {name} may last"
        return Problem(
            here.document.file,
            here.document.line(here.path),
            words,
            "add max_duration here, or in a rule of prodaccess.yaml",
        )
    longest: timedelta = limit.value if limit else max(menu.value) if menu else timedelta()
    durations: tuple[timedelta, ...] = menu.value if menu else (longest,)
    if menu and limit and menu.depth <= limit.depth and max(durations) > longest:
        return _too_long(menu, "durations has", max(durations), limit, longest)
    durations = tuple(dict.fromkeys(item for item in durations if item <= longest)) or (longest,)
    chosen = _default(default, menu, limit, durations, longest)
    if isinstance(chosen, Problem):
        return chosen
    found = {"max_duration": limit or menu, "durations": menu or limit, "default_duration": default or menu or limit}
    return Menu(durations, chosen, longest, {key: item.place for key, item in found.items() if item})


def _default(
    default: Found | None,
    menu: Found | None,
    limit: Found | None,
    durations: tuple[timedelta, ...],
    longest: timedelta,
) -> timedelta | Problem:
    if default is None:
        return durations[0]
    if default.value > longest and limit and default.depth <= limit.depth:
        return _too_long(default, "default_duration is", default.value, limit, longest)
    if default.value in durations:
        return timedelta(seconds=default.value.total_seconds())
    if default.depth <= (menu.depth if menu else default.depth) and default.value <= longest:
        listed = ", ".join(format_duration(item) for item in durations)
        words = f"default_duration is {format_duration(default.value)}, which is not in the menu ({listed})"
        return Problem(default.file, default.line, words, "take one of the menu, or add it to durations")
    return durations[0]


def _too_long(what: Found, words: str, value: timedelta, limit: Found, longest: timedelta) -> Problem:
    message = f"{words} {format_duration(value)}, but max_duration is {format_duration(longest)} ({limit.place})"
    return Problem(what.file, what.line, message, "shorten it, or raise max_duration")
