"""How far a follower of the audit log has come, in a file of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path


class NotOurs(ValueError):
    """The message is one sentence."""


class FollowState:
    """`number`: of the newest entry that was printed; 0 where nothing is noted. `log`: whose log it is; it may have no name yet.

    Raises NotOurs where the file is of another log, or none that this command wrote; and OSError.
    """

    def __init__(self, file: Path | None, log: str) -> None:
        self._file, self._log = file, log
        self.number = 0
        if file is not None and file.exists():
            self.number = self._read(file)

    def note(self, number: int) -> None:
        self.number = number
        if self._file is not None:
            part = self._file.with_name(f".{self._file.name}.part")
            part.write_text(json.dumps({"log": self._log, "number": number}) + "\n", encoding="utf-8")
            os.replace(part, self._file)

    def _read(self, file: Path) -> int:
        try:
            said = json.loads(file.read_text(encoding="utf-8"))
            log, number = said["log"], said["number"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise NotOurs(f"{file} is no state of this command: name another file, or take it away.") from None
        if (log and self._log and log != self._log) or type(number) is not int or number < 0:
            raise NotOurs(f"{file} is of another log: name another file, or take it away.")
        return number
