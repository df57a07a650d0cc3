"""A change of the policy's files that gives a role one more rule, and nothing else: exactly, or not at all.

The rule is written where the parser says that the role stands, and the result is read again. Comments, order and spelling of all
else stay as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import yaml

from workflows.core.policy import AutoApproval, Hours
from workflows.policy_file.folder import ENVIRONMENTS
from workflows.policy_file.taking_out import Files
from workflows.policy_file.yaml_places import NOTHING, Path, child_of, end_of, node_of, read_text

_KEY = "auto_approve"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def with_rule(files: Files, environment: str, role: str, rule: AutoApproval) -> Files | None:
    """The files in which this role of the environment has the rule behind those that it has; None where that cannot be made
    exactly.
    """
    name = f"{ENVIRONMENTS}/{environment}.yaml"
    text = files.get(name)
    if text is None:
        return None
    written, path = rule_text(rule), ("roles", role)
    changed = _changed(text, path, written)
    wanted = _wanted(text, path, written)
    return {**files, name: changed} if changed is not None and read_text(changed) == wanted else None


def rule_text(rule: AutoApproval) -> str:
    """`{name: always approved, who: [developers], max_duration: 1h}`, on one line."""
    parts = [f"name: {_word(rule.name)}", f"who: [{', '.join(map(_word, rule.who))}]"]
    if rule.in_incident_channel:
        parts.append("in_incident_channel: true")
    if rule.max_duration is not None:
        parts.append(f"max_duration: {duration_text(rule.max_duration)}")
    if rule.max_uses_per_day is not None:
        parts.append(f"max_uses_per_day: {rule.max_uses_per_day}")
    if rule.hours is not None:
        parts.append(f"hours: {_hours(rule.hours)}")
    return f"{{{', '.join(parts)}}}"


def duration_text(value: timedelta) -> str:
    """`1h30m`: all of it, as the policy reads it."""
    left_s, parts = int(value.total_seconds()), []
    for unit, unit_s in _UNITS:
        count, left_s = divmod(left_s, unit_s)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _hours(hours: Hours) -> str:
    days = ", ".join(_spans(sorted(hours.days)))
    return f'{{days: [{days}], from: "{hours.start:%H:%M}", until: "{hours.until:%H:%M}"}}'


def _spans(days: list[int]) -> Iterator[str]:
    """`mon-fri` for days that follow one another."""
    while days:
        length = next((n for n in range(len(days), 0, -1) if days[n - 1] == days[0] + n - 1), 1)
        first, last = _DAYS[days[0]], _DAYS[days[length - 1]]
        yield first if length == 1 else f"{first}-{last}"
        days = days[length:]


def _word(text: str) -> str:
    """In quotes where YAML would read it as something else."""
    plain = text.replace("-", "").replace(" ", "").isalnum() and text.isascii() and text[0].isalpha()
    return text if plain and read_text(f"[{text}]") == [text] else json.dumps(text, ensure_ascii=True)


# ---------------------------------------------------------------- the place


def _wanted(text: str, path: Path, written: str) -> Any:
    """What must be read from the new text."""
    data = read_text(text)
    holder = data
    for step in path[:-1]:
        holder = child_of(holder, step)
    there = child_of(holder, path[-1])
    if there is NOTHING or not isinstance(there, dict | None):
        return NOTHING
    rules = (there or {}).get(_KEY) or []
    holder[path[-1]] = {**(there or {}), _KEY: [*rules, read_text(written)]} if isinstance(rules, list) else NOTHING
    return data


def _changed(text: str, path: Path, written: str) -> str | None:
    parent, node = node_of(text, path[:-1]), node_of(text, path)
    if node is None or parent is None:
        return None
    rules = node_of(text, (*path, _KEY))
    if rules is not None:
        return _appended(text, rules, written)
    if isinstance(node, yaml.MappingNode) and node.flow_style and node.value:
        return _into_braces(text, node, f"{_KEY}: [{written}]")
    if parent.flow_style:
        return _into_braces(text, node, f"{_KEY}: [{written}]") if isinstance(node, yaml.MappingNode) else None
    return _as_block(text, parent, path[-1], node, written)


def _into_braces(text: str, node: Any, entry: str) -> str:
    """Behind what stands there."""
    place = end_of(node.value[-1][1]) if node.value else node.start_mark.index + 1
    return f"{text[:place]}{', ' if node.value else ''}{entry}{text[place:]}"


def _appended(text: str, rules: Any, written: str) -> str | None:
    if not isinstance(rules, yaml.SequenceNode) or not rules.value:
        return None
    place = end_of(rules.value[-1])
    if rules.flow_style:
        return f"{text[:place]}, {written}{text[place:]}"
    return _line_behind(text, place, f"{' ' * rules.start_mark.column}- {written}")


def _as_block(text: str, parent: Any, role: str | int, node: Any, written: str) -> str | None:
    """Right below the role's name, so that comments stay with what they are about."""
    key = next((key for key, _ in parent.value if key.value == role), None)
    if key is None:
        return None
    column = key.start_mark.column + 2
    if isinstance(node, yaml.MappingNode) and node.value:
        column = node.value[0][0].start_mark.column
    elif isinstance(node, yaml.MappingNode):
        # `{}`: what stands there is said by the lines below now.
        text = text[: node.start_mark.index].rstrip(" \t") + text[node.end_mark.index :]
    pad = " " * column
    return _line_behind(text, key.end_mark.index, f"{pad}{_KEY}:", f"{pad}  - {written}")


def _line_behind(text: str, place: int, *lines: str) -> str:
    """Below the line in which `place` is, with the file's own ends of lines."""
    stop = text.find("\n", place)
    end = "\r\n" if "\r\n" in text else "\n"
    if stop < 0:
        return text + "".join(f"{end}{line}" for line in lines)
    return text[: stop + 1] + "".join(f"{line}{end}" for line in lines) + text[stop + 1 :]
