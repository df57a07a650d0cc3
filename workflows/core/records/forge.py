"""A deployment that a forge holds back until it is told whether it may go on: what is known of it, and what it is to be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ForgeAnswer:
    """It stands, and has to be told. `run_key`: of the very run that it is for; empty where nobody was asked, because it cannot
    be let on. `until`: from then on nobody is let on by it. `tried_at`: when the forge was first told, whatever came of it.
    """

    approved: bool
    comment: str
    run_key: str
    at: datetime
    until: datetime
    tried_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ForgeWait:
    """All but the last three from a message that GitHub has signed, or as GitLab's API tells. Ids and numbers are the forge's
    own, as text.

    `id`: a digest of repository, run, environment and deployment. `ticket`: 64 random hex digits in the place of a wait ticket's
    hash, so that nobody has the ticket. `environment`: the forge's word. `people`: who sent the message and who made the
    deployment, by the numbers of their accounts. `request`: the ask, once there is one. `gitlab`: the issuer of the GitLab server
    that it waits at; empty: it waits at GitHub. `repository_id`, `owner_id`, `run`: there of project, namespace and pipeline.
    `installation`: empty there.
    """

    id: str
    ticket: str
    repository: str
    repository_id: str
    owner_id: str
    installation: str
    environment: str
    deployment: str
    commit: str
    run: str
    people: tuple[int, ...]
    since: datetime
    request: str | None = None
    answer: ForgeAnswer | None = None
    gitlab: str = ""
