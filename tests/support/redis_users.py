"""The users of `deploy/redis/users.acl`, put into a server, and what each may do."""

from __future__ import annotations

import re
from pathlib import Path

import redis

FILE = Path(__file__).parents[2] / "deploy" / "redis" / "users.acl"


def rules(name: str) -> list[str]:
    """The rules of one user, a selector in one piece."""
    line = next(line for line in FILE.read_text().splitlines() if line.startswith(f"user {name} "))
    return re.findall(r"\([^)]*\)|\S+", line)[2:]


def commands(name: str) -> set[str]:
    """Every command that the user is given anywhere: `config|get`."""
    return {found.lower() for rule in rules(name) for found in re.findall(r"\+([\w|]+)", rule)}


def put_in_place(admin: redis.Redis, *names: str) -> None:
    """Each with its own name as a password."""
    for name in names:
        admin.execute_command("ACL", "SETUSER", name, *rules(name), f">{name}")


def url(name: str, port: int) -> str:
    return f"redis://{name}:{name}@127.0.0.1:{port}/0"
