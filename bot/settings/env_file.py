"""`.env` for `prodaccess up`."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

from bot.settings.secret_files import why


def with_env_file(environ: Mapping[str, str], path: Path) -> dict[str, str] | tuple[str, ...]:
    """`environ`, and below it what the file says; a missing file says nothing. Values are literal, `$` too."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return dict(environ)
    except (OSError, UnicodeDecodeError) as error:
        return (f"{path} cannot be read: {why(error)}.",)
    lines = list(parse_stream(StringIO(text)))
    wrong = tuple(f"{path}:{line.original.line}: this is not NAME=value." for line in lines if line.error)
    found = {line.key: line.value for line in lines if line.key is not None and line.value is not None}
    return wrong or {**found, **environ}
