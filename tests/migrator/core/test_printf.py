"""printf() with any conversion and any value: what SQLite prints, refused, or declined."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.migrator import servers
from tests.migrator.core.engines import Engines, engines
from tests.migrator.core.test_sqlite_compat import PACK
from tests.migrator.core.test_statements import rewritten


@pytest.fixture(scope="module", params=["embedded", "debian"])
def both(request: pytest.FixtureRequest) -> Iterator[Engines]:
    server = request.getfixturevalue(f"{request.param}_server")
    with servers.fresh_database(server) as url, engines(url) as pair:
        pair.postgres.execute(PACK.encode())
        yield pair


def _conversions(kinds: str, flags: str, places: list[str]) -> st.SearchStrategy[str]:
    return st.builds(
        "%{}{}{}{}".format,
        st.sets(st.sampled_from(flags)).map(sorted).map("".join),
        st.sampled_from(["", "", "1", "5", "12", "30"]),
        st.sampled_from(["", *places]),
        st.sampled_from(kinds),
    )


whole = st.integers(-(2**63) + 1, 2**63 - 1) | st.integers(-2000, 2000) | st.sampled_from([8, 999, 1000, 2**31, 2**32])
doubles = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-1e6, 1e6),
    st.builds(lambda digits, places: digits / 10**places, st.integers(-(10**9), 10**9), st.integers(0, 9)),
    st.sampled_from([0.0, -0.0, 1e-5, 9.9999995, 0.0001, 99999.95, 999999.5, 1e15, 1e16, 5e-324, -0.04, 2.5, 1e100]),
)
words = st.text("aÄ😀é'% ", max_size=6)


def agree(both: Engines, form: str, literal: str) -> None:
    sql = f"SELECT printf('<{form}>', {literal})"
    found = rewritten(sql)
    if found.rendered is None:
        assert [finding.rule for finding in found.findings] == ["function"]
        return
    try:
        both.agree_on_statement(sql, (), found)
    except UnicodeDecodeError:  # SQLite has cut a character in two
        with pytest.raises(psycopg.errors.CharacterNotInRepertoire):
            both.postgres.execute(found.rendered.sql.encode())


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_conversions("diuxXo", "-+ 0,", [".0", ".3", ".25"]), whole)
@example("%-,015d", -1234567)
@example("%o", -1)
@example("%+d", 0)
@example("%lld", 5)
def test_integers(both: Engines, form: str, number: int) -> None:
    agree(both, form, str(number))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_conversions("feEgG", "-+ 0", [".0", ".1", ".3", ".9", ".14", ".15", ".20"]), doubles)
@example("%010.2f", -3.14159)
@example("%.3e", 9999.5)
@example("%g", 100000.0)
def test_reals(both: Engines, form: str, number: float) -> None:
    agree(both, form, repr(number))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_conversions("sc", "-0!", [".0", ".1", ".2", ".5"]), words.map(lambda text: "'" + text.replace("'", "''") + "'"))
@example("%.3c", "'a'")
@example("%5s", "NULL")
@example("%.1s", "123")
def test_texts(both: Engines, form: str, literal: str) -> None:
    agree(both, form, literal)


@pytest.mark.parametrize(
    "form", ["%#x", "%*d", "%q", "%Q", "%w", "%n", "%5%", "%", "%.20f", "%,f", "%+ d", "%y", "%100d"]
)
def test_what_is_not_sure_is_declined(form: str) -> None:
    assert [finding.rule for finding in rewritten(f"SELECT printf('{form}', 1)").findings] == ["function"]
