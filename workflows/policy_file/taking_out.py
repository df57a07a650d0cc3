"""A change of the policy's files that takes a role or a member out, and nothing else: as a diff, or not at all.

The text is cut where the parser says that the entry stands, and read again: unless just that entry is gone, there is no change.
Comments, order and spelling of all else stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import unified_diff
from itertools import pairwise
from typing import Any

import yaml

from workflows.policy_file.folder import ENVIRONMENTS, WORKSPACE, Snapshot
from workflows.policy_file.load import understand
from workflows.policy_file.yaml_places import NOTHING, Path, child_of, end_of, node_of, place_of, read_text

Files = Mapping[str, str]
_BLANK = " \t"


def without_role(files: Files, environment: str, role: str) -> Files | None:
    """The files without this role of the environment; None where that cannot be made exactly, or no role would be there."""
    for name, text in files.items():
        data = read_text(text)
        if name.startswith(f"{ENVIRONMENTS}/") and isinstance(data, dict) and data.get("environment") == environment:
            return _replaced(files, name, ("roles", role))
    return None


def without_member(files: Files, group: str, is_them: Callable[[str], bool]) -> Files | None:
    """The same without whoever `is_them` of the group's listed addresses; None where nobody is, or nobody would be left."""
    found: Files | None = files
    while found is not None:
        data = read_text(found.get(WORKSPACE, ""))
        groups = data.get("groups") if isinstance(data, dict) else None
        listed = (groups.get(group) or {}).get("members") if isinstance(groups, dict) else None
        place = next((at for at, one in enumerate(listed or ()) if isinstance(one, str) and is_them(one)), None)
        if place is None:
            return found if found is not files else None
        found = _replaced(found, WORKSPACE, ("groups", group, "members", place))
    return None


def diff_of(before: Files, after: Files) -> Iterator[str]:
    """Lines of a unified diff, as `git apply` and `patch -p1` read it in the policy folder, without the ends of lines."""
    for name in sorted({*before, *after}):
        old, new = _lines(before.get(name, "")), _lines(after.get(name, ""))
        for line in unified_diff(old, new, f"a/{name}", f"b/{name}", lineterm="\n"):
            yield line.removesuffix("\n")
            if not line.endswith("\n"):
                yield "\\ No newline at end of file"


def _lines(text: str) -> list[str]:
    """With their ends. A line ends where git says so: there are more characters that Python takes for an end."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def problems_of(files: Files) -> Sequence[str]:
    """Why these files would be no policy: what else names what was taken out."""
    return tuple(map(str, understand(Snapshot("", files)).problems))


# ---------------------------------------------------------------- one cut


def _replaced(files: Files, name: str, path: Path) -> Files | None:
    text = files[name]
    cut = _cut(text, path)
    return {**files, name: cut} if cut is not None and read_text(cut) == _wanted(text, path) else None


def _wanted(text: str, path: Path) -> Any:
    """What must be read from the new text. An object that equals nothing where what is taken out is not there, or is the last."""
    data = read_text(text)
    holder = data
    for step in path[:-1]:
        holder = child_of(holder, step)
    last = path[-1]
    there = child_of(holder, last) is not NOTHING
    if not there or len(holder) < 2:
        return NOTHING
    del holder[last]
    return data


def _cut(text: str, path: Path) -> str | None:
    node = node_of(text, path[:-1])
    spans = _spans(node)
    place = place_of(node, path[-1])
    if place is None or place >= len(spans):
        return None
    begin, end = _of_flow(spans, place) if node.flow_style else _of_block(text, spans[place])
    return text[:begin] + text[end:] if begin < end else None


def _spans(node: Any) -> list[tuple[int, int]]:
    """Where each entry begins and ends, as places in the text."""
    if isinstance(node, yaml.MappingNode):
        return [(key.start_mark.index, max(key.end_mark.index, end_of(value))) for key, value in node.value]
    if isinstance(node, yaml.SequenceNode):
        return [(item.start_mark.index, end_of(item)) for item in node.value]
    return []


def _of_flow(spans: Sequence[tuple[int, int]], place: int) -> tuple[int, int]:
    """With the comma behind it, or the one before it where it is the last."""
    for at, ((_, end), (begin, _)) in enumerate(pairwise(spans)):
        if at == place:
            return spans[place][0], begin
        if at + 1 == place == len(spans) - 1:
            return end, spans[place][1]
    return 0, 0


def _of_block(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """Whole lines, where nothing but blanks, a dash and a comment stand there beside it; else nothing."""
    begin = text.rfind("\n", 0, span[0]) + 1
    stop = text.find("\n", span[1])
    end = len(text) if stop < 0 else stop + 1
    before, after = text[begin : span[0]].strip(_BLANK), text[span[1] : end].strip()
    alone = before in ("", "-") and (after == "" or after.startswith("#"))
    return (begin, end) if alone else (0, 0)
