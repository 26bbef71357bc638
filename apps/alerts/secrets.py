"""Targets' secrets at rest."""

import json
from dataclasses import asdict

from apps.alerts.outlets import Secret
from apps.core.credentials import seal, unseal


def seal_secret(secret: Secret) -> bytes:
    """Return a target's secret for its row."""
    return seal(json.dumps(asdict(secret)))


def open_secret(sealed: bytes | memoryview) -> Secret:
    """Return a target's secret; raise `SecretsError` where its key is gone."""
    return Secret(**json.loads(unseal(sealed)))
