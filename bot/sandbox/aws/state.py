"""moto's state, reached directly: one place that knows how its backends are built."""

from collections.abc import Iterator
from typing import Any

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.core.utils import unix_time
from moto.iam.models import iam_backends
from moto.identitystore.models import identitystore_backends
from moto.moto_api._internal import mock_random
from moto.s3.models import s3_backends
from moto.ssoadmin.models import ssoadmin_backends

from bot.sandbox.aws.spec import WorldSpec

PARTITION = "aws"
# Of the ids that moto makes up.
_SEED = 20


class State:
    """The backends of one world. All of it is guarded by the proxy's lock."""

    def __init__(self, spec: WorldSpec) -> None:
        self.spec = spec
        # Actions (`sso:DeleteAccountAssignment`) that a simulation of the caller's rights refuses.
        self.may_not: set[str] = set()

    @property
    def sso(self) -> Any:
        """The backend of sso-admin; there is one instance for the whole organisation."""
        return ssoadmin_backends[self.spec.home_account][self.spec.region]

    @property
    def store(self) -> Any:
        """The identity store: `users`, `groups` and `group_memberships`, each a dict by id."""
        backend = identitystore_backends[self.spec.home_account][self.spec.region]
        backend.list_groups(self.spec.identity_store_id, [])  # makes the store where there is none
        return backend.identity_stores[self.spec.identity_store_id]

    @property
    def store_backend(self) -> Any:
        """The identity store's backend, for its own functions."""
        return identitystore_backends[self.spec.home_account][self.spec.region]

    def iam(self, account: str) -> Any:
        """The IAM backend of an account."""
        return iam_backends[account][PARTITION]

    def s3(self) -> Any:
        """The home account's S3."""
        return s3_backends[self.spec.home_account][PARTITION]

    def iam_accounts(self) -> Iterator[tuple[str, Any]]:
        """The accounts that have an IAM backend, with it."""
        for account, partitions in list(iam_backends.items()):
            if PARTITION in partitions:
                yield account, partitions[PARTITION]

    def find_assignment(self, arguments: Any) -> Any | None:
        """The assignment that a Create or Delete call means, or None."""
        for entry in self.sso.account_assignments:
            if (entry.target_id, entry.permission_set_arn, entry.principal_type, entry.principal_id) == (
                arguments["TargetId"],
                arguments["PermissionSetArn"],
                arguments["PrincipalType"],
                arguments["PrincipalId"],
            ):
                return entry
        return None

    def wipe(self) -> None:
        """Forgets everything in all of moto. What is seeded next gets the ids that it got before: as far as anybody can see
        who has noted them, nothing was wiped.
        """
        BackendDict.reset()
        reset_model_data()
        mock_random.seed(_SEED)


def wall_clock() -> float:
    """Seconds since 1970, for the dates in answers, by moto's own clock."""
    return float(unix_time())
