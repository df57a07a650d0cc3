"""Answers -> files in their place: looked at as the program itself will read them, before anything stands there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.settings import with_env_file
from bot.setup.answers import Answers
from bot.setup.env_file import env_text
from bot.setup.files import policy_files
from bot.setup.place import CONFIG, ENV, prepared, put, refuse_what_is_there
from workflows.policy_file import read_policy
from workflows.policy_file.schema import FOLDER, schemas


class NotInOrder(Exception):
    """What would be written does not pass the check. `sentences`: why, all of them."""

    def __init__(self, sentences: tuple[str, ...]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


def make(answers: Answers, values: Mapping[str, str], folder: Path) -> tuple[str, ...]:
    """Writes everything, or nothing. Returns the names of the files, relative to `folder`.

    `values`: variable -> what was given for it. Raises InTheWay, NotInOrder and OSError.
    """
    refuse_what_is_there(folder)
    policy = {**policy_files(answers), **{f"{FOLDER}/{name}": text for name, text in schemas().items()}}
    with prepared(folder, policy, env_text(answers, values)) as beside:
        if problems := (*_of_policy(beside / CONFIG), *_of_env(beside / ENV, values)):
            raise NotInOrder(problems)
        put(beside, folder)
    return (ENV, *(f"{CONFIG}/{name}" for name in policy))


def _of_policy(folder: Path) -> tuple[str, ...]:
    """What `prodaccess check --strict` says."""
    reading = read_policy(folder)
    return tuple(str(problem) for problem in (*reading.problems, *reading.warnings))


def _of_env(path: Path, values: Mapping[str, str]) -> tuple[str, ...]:
    """Each value must be read as it was given; which one is not is said without it."""
    found = with_env_file({}, path)
    if isinstance(found, tuple):
        return found
    return tuple(
        f"{name} cannot stand in {ENV}: give it by the environment."
        for name in values
        if found.get(name) != values[name]
    )
