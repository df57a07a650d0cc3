"""Both policies whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from workflows.core.loosening.environments import of_environments
from workflows.core.loosening.gone import Gone
from workflows.core.loosening.model import Loosened, in_order
from workflows.core.loosening.workspace import of_workspace
from workflows.core.policy import Policy


def loosened(old: Policy, new: Policy, now: datetime, lately: Sequence[Policy] = ()) -> tuple[Loosened, ...]:
    """Everything that `new` gives in production, or with less ado, and `old` did not; the more dangerous first.

    Nothing looser is missed: where nobody can tell whether something is more or less (another target, a ticket's pattern), it
    is told. A freeze that is over by `now` is nothing to lose.

    `lately`: policies of the last 30 days from which something of production went, the newest first. What comes
    back is held against them: it is looser to have it, and also whatever is looser than it was.
    """
    gone = Gone(old, lately)
    return in_order((*of_environments(old, new, now, gone), *of_workspace(old, new, gone)))
