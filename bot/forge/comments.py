"""What GitHub shows beside an answer, in its log of reviews, and GitLab at its approvals."""

from __future__ import annotations

from bot.chat.wording.refusals import refusal
from workflows.core.records.forge import ForgeWait
from workflows.core.refusal import Refused
from workflows.usecases.gates import state as stands

_LENGTH_MAX = 500


class GitHubComments:
    """A `Comments`. `command`: how the slash command is called here."""

    def __init__(self, command: str) -> None:
        self._command = command

    def no_rule(self, wait: ForgeWait) -> str:
        return _short(
            f"The policy of prodaccess names no gate for the environment {wait.environment} of {wait.repository}, whose id is "
            f"{wait.repository_id}: nobody could approve this."
        )

    def refused(self, refused: Refused) -> str:
        return _short(refusal(refused, command=self._command))

    def of_state(self, id_: str, state: stands.State) -> str:
        match state:
            case stands.Used():
                return f"{'Opened in an emergency' if state.emergency else 'Approved'} ({id_})."
            case stands.Denied():
                because = f": {state.reason}" if state.reason else ""
                return _short(f"Denied by {state.by or 'somebody'} ({id_}){because}")
            case stands.Withdrawn():
                return f"Taken back ({id_})."
            case stands.NotGiven():
                return _short(f"Not let on ({id_}): {self.refused(state.refused)}")
            case _:
                return f"Nobody approved it in time ({id_})."


def _short(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= _LENGTH_MAX else one_line[: _LENGTH_MAX - 1] + "…"
