"""Everything that the ledger stores under a key of its own."""

from __future__ import annotations

from workflows.core.clockwork import LedgerClock, WitnessRecord
from workflows.core.identity import AccountRecord, AddressRecord, Adoption, Identity, TargetIds, TargetUser
from workflows.core.mixed import OlderRunning
from workflows.core.records.chat import ChatRecord, Press
from workflows.core.records.grant import Grant
from workflows.core.records.holding import Holding
from workflows.core.records.oversight import BulkRevocation, Review, Trouble
from workflows.core.records.person import PersonRecord, Refusals, Uses
from workflows.core.records.policy_in_force import ActivePolicy, PolicyFiles, PolicySummary, WaitingPolicy
from workflows.core.records.request import Request, Slot

Record = (
    Request
    | Grant
    | Holding
    | PersonRecord
    | Slot
    | ActivePolicy
    | PolicySummary
    | PolicyFiles
    | WaitingPolicy
    | Refusals
    | ChatRecord
    | Press
    | Review
    | Uses
    | BulkRevocation
    | LedgerClock
    | OlderRunning
    | WitnessRecord
    | Trouble
    | AccountRecord
    | Identity
    | AddressRecord
    | Adoption
    | TargetUser
    | TargetIds
)
