"""The policy that the bot is given: the folder that may be changed and tried, with the channels of Teams beside those of Slack.

The folder itself names Slack's alone, so that it stays an example for whoever has no Teams.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

EACH_S = 0.5

_Seen = Mapping[Path, tuple[int, int]]


class PolicyCopy:
    """Keeps `to` like `source` while entered.

    `channels`: Slack's id of a channel -> that of Teams. `incidents`: of them, by Slack's id, those that are an incident's.
    """

    def __init__(self, source: Path, to: Path, channels: Mapping[str, str], incidents: tuple[str, ...] = ()) -> None:
        self._source, self._to = source, to
        self._channels = channels
        self._incidents = [channels[id_] for id_ in incidents]
        self._seen: _Seen = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="policy-copy", daemon=True)

    def __enter__(self) -> Self:
        self.look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def look(self) -> None:
        """Bring over what has changed, and take away what is gone; a file is whole at every moment."""
        now = dict(self._files())
        for path in now.keys() | self._seen.keys():
            if now.get(path) == self._seen.get(path):
                continue
            there = self._to / path.relative_to(self._source)
            if path in now:
                there.parent.mkdir(parents=True, exist_ok=True)
                fresh = self._to.with_name("policy.new")
                fresh.write_bytes(self._content(path))
                os.replace(fresh, there)
            else:
                there.unlink(missing_ok=True)
        self._seen = now

    def _files(self) -> Iterator[tuple[Path, tuple[int, int]]]:
        for path in sorted(self._source.rglob("*")):
            if path.is_file():
                status = path.stat()
                yield path, (status.st_mtime_ns, status.st_size)

    def _content(self, path: Path) -> bytes:
        content = path.read_bytes()
        return self._with_teams(content.decode()).encode() if path.suffix == ".yaml" else content

    def _with_teams(self, text: str) -> str:
        for slack, teams in self._channels.items():
            named = rf"\b(receipts_channel|approvals_channel|channel): {slack}\b"
            text = re.sub(named, rf'\1: [{slack}, "teams:{teams}"]', text)
        listed = ", ".join(f'"{id_}"' for id_ in self._incidents)
        return re.sub(r"^incident_channels:\n", f"incident_channels:\n  teams: [{listed}]\n", text, flags=re.MULTILINE)

    def _follow(self) -> None:
        while not self._over.wait(EACH_S):
            try:
                self.look()
            except (OSError, UnicodeDecodeError):  # somebody is saving it: the next look finds it whole
                continue
