"""Where Secrets are mounted: two paths to one place have one form."""

import pytest

from spout_operator.core.spec.mounts import normal_path


@pytest.mark.parametrize(
    ("path", "normal", "reason"),
    [
        ("/etc/kafka", "/etc/kafka", "it has that form already"),
        ("//etc//kafka/", "/etc/kafka", "doubled and trailing slashes"),
        ("/etc/./x/../kafka", "/etc/kafka", "dots"),
        ("/..", "/", "nothing is above the root"),
        ("/XX/kafka", "/XX/kafka", "letters stay, whatever they are"),
    ],
)
def test_a_path_has_one_form(path: str, normal: str, reason: str) -> None:
    assert normal_path(path) == normal, reason
