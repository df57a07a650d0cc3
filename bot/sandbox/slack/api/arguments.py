"""The arguments of a Web API call, whichever way they travelled: query, form or JSON."""

import json
from collections.abc import Mapping
from typing import Any

from bot.sandbox.slack.errors import ApiError

_TRUE = frozenset({"1", "true", "True"})


class Arguments:
    """Typed reading of one call's arguments. Forms carry strings only, so JSON inside strings is unpacked."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = {key: value for key, value in raw.items() if key != "token" and value is not None}

    def __contains__(self, name: str) -> bool:
        return name in self.raw

    def text(self, name: str) -> str | None:
        value = self.raw.get(name)
        return None if value is None or value == "" else str(value)

    def needed(self, name: str) -> str:
        """Raise `invalid_arguments` where it is missing, as Slack does before it looks at anything else."""
        value = self.text(name)
        if value is None:
            raise ApiError("invalid_arguments", [f"missing required field: {name}"])
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.raw.get(name, default)
        return value if isinstance(value, bool) else str(value) in _TRUE

    def number(self, name: str, default: int, most: int) -> int:
        """Raise `invalid_limit` for what is no number from 1 to `most`."""
        value = str(self.raw.get(name, default))
        if not (value.isascii() and value.isdigit() and 1 <= int(value) <= most):
            raise ApiError("invalid_limit")
        return int(value)

    def structure(self, name: str, error: str) -> Any:
        """A list or object, given as such or as JSON text. None where it is missing; `error` where it is neither."""
        value = self.raw.get(name)
        if not isinstance(value, str):
            return value
        if value == "":
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise ApiError(error) from None
