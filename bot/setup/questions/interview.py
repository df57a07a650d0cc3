"""The whole conversation, in its order; it ends with answers that are in order, or with nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.setup.answers import Answers
from bot.setup.questions.asker import Asker, Question, yes
from bot.setup.questions.chat import ask_chats, ask_people_of_ours, ask_receipts
from bot.setup.questions.draft import Draft
from bot.setup.questions.environments import ask_environments, ask_security, ask_tickets
from bot.setup.questions.roles import ask_aws, ask_roles
from bot.setup.questions.secrets import ask_secrets
from bot.setup.questions.summary import summary
from bot.setup.reading import read_answers
from bot.setup.scalars import block
from workflows.policy_file.problem import Problem

Step = Callable[[Asker, Draft], None]

_WELCOME = """\
This asks what prodaccess has to know, some thirty short questions, and writes config/ and .env {where}.
Nothing is written before the end; Ctrl-C stops, and nothing is left. Each answer can be changed in the files later.
What stands between [ ] is taken when you just press Enter."""

_PARTS: Sequence[tuple[str, Sequence[Step]]] = (
    ("Chat", (ask_chats,)),
    ("Your people", (ask_people_of_ours,)),
    ("AWS", (ask_aws, ask_roles)),
    ("Environments", (ask_environments,)),
    ("Rules", (ask_security, ask_tickets)),
    ("Receipts", (ask_receipts,)),
    ("Secrets", (ask_secrets,)),
)


@dataclass(frozen=True, slots=True)
class Interview:
    """`answers`; None where they are not wanted, or the `slips` stand in the way. `typed`: as a file for --answers, without
    secrets.
    """

    answers: Answers | None
    slips: tuple[Problem, ...]
    values: dict[str, str]
    typed: str


def interview(asker: Asker, where: str) -> Interview:
    """Raises what ends the asking."""
    asker.say(_WELCOME.format(where=where))
    draft = Draft()
    for number, (title, steps) in enumerate(_PARTS, start=1):
        asker.say(f"\n--- {number} of {len(_PARTS)}: {title}")
        for step in steps:
            step(asker, draft)
    typed = f"{block(draft.data, 0)}\n"
    found = read_answers("the answers", typed)
    if not isinstance(found, Answers):
        return Interview(None, found, draft.values, typed)
    asker.say(f"\n--- This will be written {where}\n\n{summary(found, draft.values)}")
    wanted = yes(asker, Question("Write it?", default="y"))
    return Interview(found if wanted else None, (), draft.values, typed)
