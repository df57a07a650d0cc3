"""Everything that the ledger stores under a key of its own."""

from __future__ import annotations

from workflows.core.clockwork import LedgerClock, WitnessRecord
from workflows.core.identity import AccountRecord, AddressRecord, Adoption, Identity, TargetIds, TargetUser
from workflows.core.ledger_doubt import LedgerDoubt
from workflows.core.mixed import OlderRunning
from workflows.core.records.activity import Activity
from workflows.core.records.certification import Certification, CertificationPart
from workflows.core.records.chat import ChatRecord, Press
from workflows.core.records.drift import Drift, DriftPass, DriftPlan
from workflows.core.records.erased import ErasedPeople
from workflows.core.records.forge import ForgeWait
from workflows.core.records.gate import TokenOnce
from workflows.core.records.grant import Grant
from workflows.core.records.holding import Holding
from workflows.core.records.installation import Installation
from workflows.core.records.leavers import Leavers
from workflows.core.records.oversight import BulkRevocation, Review, Trouble
from workflows.core.records.person import PersonRecord, Refusals, Uses
from workflows.core.records.policy_in_force import (
    ActivePolicy,
    FormerPolicies,
    PolicyFiles,
    PolicySummary,
    WaitingPolicy,
)
from workflows.core.records.request import Request, Slot
from workflows.core.records.retained import Retained
from workflows.core.records.seal import SealState
from workflows.core.records.signed import SignedVotes
from workflows.core.records.terminal import TerminalAct, Vouched
from workflows.core.records.words_key import WordsKey

Record = (
    Request
    | Grant
    | Activity
    | Holding
    | PersonRecord
    | Slot
    | ActivePolicy
    | PolicySummary
    | PolicyFiles
    | FormerPolicies
    | WaitingPolicy
    | Refusals
    | ChatRecord
    | Press
    | SignedVotes
    | Review
    | Uses
    | BulkRevocation
    | LedgerClock
    | LedgerDoubt
    | OlderRunning
    | WitnessRecord
    | Trouble
    | AccountRecord
    | Identity
    | AddressRecord
    | Adoption
    | TargetUser
    | TargetIds
    | Drift
    | DriftPass
    | DriftPlan
    | Installation
    | SealState
    | Retained
    | Leavers
    | WordsKey
    | TokenOnce
    | ForgeWait
    | TerminalAct
    | Vouched
    | Certification
    | CertificationPart
    | ErasedPeople
)
