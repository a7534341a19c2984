"""Times, as Kubernetes writes them."""

import datetime
import os
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spout_operator.core.timestamps import parse_time, print_time

moments = st.datetimes(timezones=st.just(datetime.UTC)).map(lambda moment: moment.replace(microsecond=0))


def test_a_time_is_printed_in_utc_and_whole_seconds() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=2))
    moment = datetime.datetime(2026, 11, 22, 23, 9, 44, 999_999, tzinfo=zone)

    assert print_time(moment) == "2026-11-22T21:09:44Z"


@pytest.fixture
def _nine_hours_east() -> Iterator[None]:
    """The process runs on a machine whose clock shows another time."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "EAST-9"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.usefixtures("_nine_hours_east")
def test_a_time_is_printed_in_utc_whatever_the_zone_of_the_machine() -> None:
    assert print_time(datetime.datetime(2026, 11, 22, 21, 9, 44, tzinfo=datetime.UTC)) == "2026-11-22T21:09:44Z"


def test_no_time_is_none() -> None:
    assert print_time(None) is None


def test_the_year_has_four_digits() -> None:
    # Go's zero time, which Pachyderm sends for "never"; the API server refuses "1-01-01".
    assert print_time(datetime.datetime(1, 1, 1, tzinfo=datetime.UTC)) == "0001-01-01T00:00:00Z"


@given(moments)
def test_a_printed_time_can_be_read_back(moment: datetime.datetime) -> None:
    printed = print_time(moment)

    assert printed is not None
    assert parse_time(printed) == moment


@given(moments, moments)
def test_printed_times_sort_as_times_do(one: datetime.datetime, other: datetime.datetime) -> None:
    # The cache decides by them which of two Spouts is older.
    assert (str(print_time(one)) < str(print_time(other))) is (one < other)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-22", "2026-11-22T21:09:44+02:00", "2026-11-22T21:09:44.5Z"])
def test_other_forms_are_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="expected a time such as"):
        parse_time(text)
