"""The two ways in which something is refused here: by Slack to the app, and by Slack's client to a person."""

from collections.abc import Mapping, Sequence
from typing import Any


class ApiError(Exception):
    """A Web API call is refused: becomes `{"ok": false, "error": code, ...}`, as Slack answers with status 200."""

    def __init__(self, code: str, messages: Sequence[str] = (), extra: Mapping[str, Any] | None = None) -> None:
        super().__init__(code, *messages)
        self.code = code
        self.messages = list(messages)
        self.extra = dict(extra or {})

    def body(self) -> dict[str, Any]:
        answer: dict[str, Any] = {"ok": False, "error": self.code, **self.extra}
        if self.messages:
            answer["errors"] = list(self.messages)
            answer["response_metadata"] = {"messages": [f"[ERROR] {message}" for message in self.messages]}
        return answer


class CannotDo(Exception):
    """A person tries what Slack's client would not let them do: press a button that is not there, for one."""
