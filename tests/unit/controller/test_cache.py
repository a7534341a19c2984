"""The cache: what is known of the Spouts, and who was first to name a pipeline."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spout_operator.controller.cache import SpoutCache
from spout_operator.core.model import SpoutKey
from spout_operator.core.resource import SpoutResource
from tests.builders import Body, a_key, a_name, a_resource, a_spout_body

KEY = a_key()


class Woken(list[SpoutKey]):
    """The Spouts that want a look since the last `reset`."""

    def reset(self) -> None:
        self.clear()


def a_cache(*bodies: Body, woken: Woken | None = None) -> SpoutCache:
    """A cache that knows these; `woken` hears of what comes after them."""
    woken = Woken() if woken is None else woken
    cache = SpoutCache(woken.append)
    for body in bodies:
        cache.put(SpoutResource.from_body(body))
    woken.reset()
    return cache


def test_a_resource_that_was_put_in_is_there() -> None:
    body = a_spout_body()

    cache = a_cache(body)

    assert cache.get(KEY) == SpoutResource.from_body(body)
    assert cache.spouts() == [KEY]
    assert list(cache.claims()) == [(a_name(), frozenset({KEY}))]


def test_an_unknown_resource_is_none() -> None:
    assert a_cache().get(KEY) is None


def drop(cache: SpoutCache, key: SpoutKey) -> None:
    """Drop the object that is known."""
    known = cache.get(key)
    cache.drop(key, uid=known.uid if known else "unknown")


@dataclass(frozen=True, kw_only=True)
class News:
    """A body that comes after `a_spout_body()`: whether it is taken in, and whether it calls for a look."""

    reason: str
    body: Body
    taken: bool = True
    matters: bool


def newer(**metadata: Any) -> Body:
    return a_spout_body(**{"resourceVersion": "101", **metadata})


NEWS = [
    News(reason="the watch repeats itself", body=a_spout_body(), matters=False),
    News(
        reason="only the status changed: that was us",
        body=a_spout_body(resourceVersion="101", status={"commits": {"total": 1}}),
        matters=False,
    ),
    News(reason="only a label changed", body=newer(labels={"team": "a"}), matters=False),
    News(reason="the spec changed: its generation tells", body=newer(generation=2), matters=True),
    News(
        reason="it is being deleted",
        body=newer(deletionTimestamp="2026-01-31T13:00:00Z", finalizers=["f"]),
        matters=True,
    ),
    News(reason="a finalizer was added: that was us", body=newer(finalizers=["f"]), matters=False),
    News(
        reason="an event that was on its way while we wrote does not undo what is known",
        body=a_spout_body(resourceVersion="99", generation=2),
        taken=False,
        matters=False,
    ),
    News(
        reason="versions are numbers: 1000 is newer than 100, though it sorts before 99",
        body=a_spout_body(resourceVersion="1000", generation=2),
        matters=True,
    ),
    News(
        reason="another object of the same name: it was deleted and made anew",
        body=newer(uid="another"),
        matters=True,
    ),
]


@pytest.mark.parametrize("row", NEWS, ids=lambda row: row.reason)
def test_a_later_body_is_taken_in_where_it_is_newer(row: News) -> None:
    woken = Woken()
    cache = a_cache(a_spout_body(), woken=woken)

    cache.put(SpoutResource.from_body(row.body))

    assert woken == ([KEY] if row.matters else []), row.reason
    assert (cache.get(KEY) == SpoutResource.from_body(row.body)) is row.taken, row.reason


@pytest.mark.parametrize(
    "row", [row for row in NEWS if row.body["metadata"]["uid"] != "another"], ids=lambda row: row.reason
)
def test_the_answer_to_a_write_is_taken_in_where_it_is_newer(row: News) -> None:
    woken = Woken()
    cache = a_cache(a_spout_body(), woken=woken)

    cache.update(SpoutResource.from_body(row.body))

    assert woken == ([KEY] if row.matters else []), row.reason
    assert (cache.get(KEY) == SpoutResource.from_body(row.body)) is row.taken, row.reason


@pytest.mark.parametrize(
    "known",
    [
        pytest.param((), id="it is gone"),
        pytest.param((newer(uid="another"),), id="another of that name has come"),
    ],
)
def test_the_answer_to_a_write_brings_nothing_back(known: tuple[Body, ...]) -> None:
    woken = Woken()
    cache = a_cache(*known, woken=woken)

    cache.update(a_resource(resourceVersion="102"))

    assert (woken, [cache.get(key) for key in cache.spouts()]) == (
        [],
        [SpoutResource.from_body(body) for body in known],
    )


def test_the_first_body_calls_for_a_look() -> None:
    woken = Woken()

    a_cache(woken=woken).put(a_resource())

    assert woken == [KEY]


def test_two_digits_more_do_not_sort_before() -> None:
    woken = Woken()
    cache = a_cache(a_spout_body(resourceVersion="1000"), woken=woken)

    cache.put(a_resource(resourceVersion="999", generation=2))

    assert woken == []


def test_a_dropped_spout_is_forgotten_with_its_claim() -> None:
    woken = Woken()
    cache = a_cache(a_spout_body(), woken=woken)

    drop(cache, KEY)

    assert woken == [KEY]
    assert cache.get(KEY) is None
    assert cache.spouts() == []
    assert list(cache.claims()) == []


def test_dropping_what_is_not_known_is_no_error() -> None:
    woken = Woken()
    cache = a_cache(a_spout_body(), woken=woken)

    drop(cache, a_key("another"))

    assert (cache.spouts(), woken) == ([KEY], [])


def test_a_spout_made_anew_with_another_pipeline_gives_up_the_old_claim() -> None:
    cache = a_cache(a_spout_body(), newer_with_name := a_spout_body({"name": "other"}, resourceVersion="101", uid="2"))

    assert cache.get(KEY) == SpoutResource.from_body(newer_with_name)
    assert list(cache.claims()) == [(a_name("other"), frozenset({KEY}))]


def test_several_spouts_can_name_one_pipeline() -> None:
    cache = a_cache(
        a_spout_body({"name": "shared"}, name="a"),
        a_spout_body(name="shared", namespace="elsewhere"),
        a_spout_body(name="b"),
    )

    assert dict(cache.claims()) == {
        a_name("shared"): frozenset({a_key("a"), a_key("shared", "elsewhere")}),
        a_name("b"): frozenset({a_key("b")}),
    }


def a_claim(name: str, created: str, **metadata: Any) -> Body:
    return a_spout_body({"name": "shared"}, name=name, creationTimestamp=f"2026-01-31T12:00:{created}Z", **metadata)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Spouts besides `me`, which was made at 12:00:30 with uid `u5`, and the one that comes before it."""

    reason: str
    others: tuple[Body, ...]
    older: SpoutKey | None


CLAIMS = [
    Claim(reason="nobody else", others=(), older=None),
    Claim(reason="an older one", others=(a_claim("other", "29"),), older=a_key("other")),
    Claim(reason="a younger one", others=(a_claim("other", "31"),), older=None),
    Claim(
        reason="the oldest of several",
        others=(a_claim("b", "20"), a_claim("a", "10"), a_claim("c", "40")),
        older=a_key("a"),
    ),
    Claim(
        reason="of the same second, the uid decides", others=(a_claim("other", "30", uid="u4"),), older=a_key("other")
    ),
    Claim(reason="and decides the same for both", others=(a_claim("other", "30", uid="u6"),), older=None),
    Claim(
        reason="of another namespace too: pipelines have none",
        others=(a_claim("me", "10", namespace="elsewhere"),),
        older=a_key("me", "elsewhere"),
    ),
    Claim(reason="who names another pipeline is no rival", others=(a_spout_body(name="older"),), older=None),
]


@pytest.mark.parametrize("row", CLAIMS, ids=lambda row: row.reason)
def test_the_older_claim_is_told(row: Claim) -> None:
    cache = a_cache(a_claim("me", "30", uid="u5"), *row.others)

    assert cache.older_claim(a_key("me")) == row.older, row.reason


def test_an_older_one_that_may_not_have_the_pipeline_does_not_count() -> None:
    cache = a_cache(a_claim("me", "30"), a_claim("oldest", "10"), a_claim("older", "20"))

    assert cache.older_claim(a_key("me"), counts=lambda rival: rival.key.name != "oldest") == a_key("older")


def test_when_the_older_one_is_gone_the_pipeline_is_free() -> None:
    woken = Woken()
    cache = a_cache(a_claim("me", "30"), a_claim("other", "10"), woken=woken)

    drop(cache, a_key("other"))

    assert set(woken) == {a_key("me"), a_key("other")}, "it may be the turn of the one that is left"

    assert cache.older_claim(a_key("me")) is None


def test_a_spout_that_is_being_deleted_claims_nothing() -> None:
    going = {**a_claim("other", "10")}
    going["metadata"] = {**going["metadata"], "deletionTimestamp": "2026-01-31T13:00:00Z"}
    cache = a_cache(a_claim("me", "30"), going)

    assert cache.older_claim(a_key("me")) is None


def test_a_late_word_of_a_deletion_does_not_take_what_came_after() -> None:
    woken = Woken()
    cache = a_cache(a_spout_body(uid="the-new-one"), woken=woken)

    cache.drop(KEY, uid="the-old-one")

    assert (cache.spouts(), woken) == ([KEY], [])


rivals = st.lists(
    st.builds(a_claim, st.sampled_from("abcdef"), st.integers(10, 13).map(str)),
    min_size=1,
    unique_by=lambda body: body["metadata"]["name"],
)


@settings(deadline=None, max_examples=40)
@given(rivals)
def test_of_all_that_name_a_pipeline_exactly_one_has_nobody_before_it(bodies: list[Body]) -> None:
    cache = a_cache(*bodies)

    first = [key for key in cache.spouts() if cache.older_claim(key) is None]

    assert len(first) == 1
    assert {cache.older_claim(key) for key in cache.spouts() if key not in first} <= {first[0]}


steps = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["drop", "p", "q"]), st.integers(1, 20)), max_size=20)


@settings(deadline=None, max_examples=40)
@given(steps)
def test_claims_are_always_those_of_the_known_spouts(steps: list[tuple[str, str, int]]) -> None:
    cache = a_cache()
    for name, what, version in steps:
        if what == "drop":
            drop(cache, a_key(name))
        else:
            cache.put(a_resource({"name": what}, name=name, resourceVersion=str(version)))

    known = {key: resource.spec["name"] for key in cache.spouts() if (resource := cache.get(key)) is not None}
    claims = {key: name.name for name, keys in cache.claims() for key in keys}
    assert claims == known
    assert all(keys for _, keys in cache.claims()), "no name without a Spout"


def test_a_finalizer_that_was_taken_away_is_looked_at() -> None:
    woken = Woken()
    cache = a_cache(a_spout_body(finalizers=["spout-operator.io/pipeline"]), woken=woken)

    cache.put(SpoutResource.from_body(newer(finalizers=[])))

    assert woken == [KEY], "it may have been ours, and has to be put back"


def test_managed_fields_and_the_last_applied_manifest_are_not_kept() -> None:
    applied = "kubectl.kubernetes.io/last-applied-configuration"
    body = a_spout_body(managedFields=[{"manager": "kubectl"}], annotations={applied: "{}", "note": "x"})

    cache = a_cache(body)

    assert cache.get(KEY) == a_resource(annotations={"note": "x"})
    assert body["metadata"]["managedFields"], "the event itself is left as it is"


def test_a_resource_that_is_asked_for_again_is_not_read_again() -> None:
    cache = a_cache(a_spout_body())
    first, second = cache.get(KEY), cache.get(KEY)

    assert first is not None
    assert second is not None
    assert first.spec is second.spec


def with_password(password: str, **metadata: Any) -> Body:
    return a_spout_body({"transform.env": {"PASSWORD": password}}, **metadata)


def test_the_secrets_are_those_of_all_spouts_that_are_known() -> None:
    cache = a_cache(with_password("swordfish"), with_password("open-sesame", name="another"))
    said = "swordfish, open-sesame and hocus-pocus"
    assert a_cache().secrets().redact(said) == said
    assert cache.secrets().redact(said) == "[redacted], [redacted] and hocus-pocus"

    cache.put(SpoutResource.from_body(with_password("hocus-pocus", resourceVersion="101", generation=2)))
    assert cache.secrets().redact(said) == "swordfish, [redacted] and [redacted]"

    drop(cache, KEY)
    assert cache.secrets().redact(said) == "swordfish, [redacted] and hocus-pocus"


def test_a_key_is_in_memory_once() -> None:
    cache = a_cache(a_spout_body())
    first = cache.spouts()[0]

    cache.put(SpoutResource.from_body(newer(generation=2)))

    known, ((_, claims),) = cache.facts(KEY), cache.claims()
    assert known is not None
    assert known.key is first
    assert [key is first for key in claims] == [True]
