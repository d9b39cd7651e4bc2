"""Each cause has its exit code, and the library's errors know nothing of it."""

import pytest

from iyu.console.exit_codes import exit_code
from iyu.schemas.contract import errors


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.SettingsError("wrong"), 2),
        (errors.InputError("wrong"), 2),
        (errors.ArtifactError("wrong"), 2),
        (errors.DatabaseOutdated("wrong"), 2),
        (errors.BrokerUnavailable("down"), 3),
        (errors.BrokerFull("full"), 3),
        (errors.DatabaseUnavailable("down"), 3),
        (errors.Backlogged(1, None), 4),
        (errors.MessageError("broken"), 1),
        (errors.IyuError("another cause"), 1),
    ],
)
def test_a_cause_has_its_exit_code(error: errors.IyuError, code: int):
    assert exit_code(error) == code
