"""What an object may be called, and how large it may be, in every archive."""

from __future__ import annotations

import re

# A part never begins with a dot, so that no name leads out of the archive, and none is a half-written file's.
_PART = r"[0-9A-Za-z_-][0-9A-Za-z._-]{0,99}"
_NAME = re.compile(rf"{_PART}(?:/{_PART}){{0,5}}")

# A run has 5,000 entries of some hundred bytes each. Whatever is larger is none of ours, and is not read into memory.
OBJECT_BYTES_MAX = 256 * 1024 * 1024


def is_name(name: str) -> bool:
    """Whether an object of ours could be called so: others that somebody has put there are passed over in lists."""
    return _NAME.fullmatch(name) is not None


def checked(name: str) -> str:
    """Raises ValueError for a name that no object can have: an error in the program."""
    if not is_name(name):
        raise ValueError(f"no object of an archive can be called {name!r}")
    return name
