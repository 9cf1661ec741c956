"""The dialogue without a socket: recorded frames of Home Assistant 2026.11, and whatever else may come instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_components.metastore.core.errors import InvalidToken, ProtocolError
from custom_components.metastore.core.protocol import Dialogue, Event, Failed, Message, Opened, Phase, Result, parse

RECORDED = Path(__file__).parent.parent / "fixtures" / "homeassistant-2026.11"
GREETING = {"type": "auth_required", "ha_version": "2026.11.0"}
WELCOME = {"type": "auth_ok", "ha_version": "2026.11.0"}

# Ids that were never sent, ids of the wrong kind, and kinds of other releases come often enough to matter.
IDS = st.one_of(st.integers(-1, 6), st.none(), st.booleans(), st.text(max_size=2), st.floats(allow_nan=False))
KINDS = st.one_of(
    st.sampled_from(["result", "event", "pong", "auth_required", "auth_ok", "auth_invalid", "novelty"]),
    st.none(),
    st.integers(),
    st.lists(st.integers(), max_size=1),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=5)),
    lambda children: st.one_of(
        st.lists(children, max_size=3), st.dictionaries(st.text(max_size=5), children, max_size=3)
    ),
    max_leaves=8,
)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "id": IDS,
        "type": KINDS,
        "success": st.one_of(st.booleans(), st.none()),
        "result": VALUES,
        "event": VALUES,
        "error": VALUES,
        "message": VALUES,
        "ha_version": VALUES,
    },
)
CONTENTS = st.one_of(MESSAGES, st.lists(st.one_of(MESSAGES, VALUES), max_size=5), VALUES)


def recorded(name: str) -> Any:
    return json.loads((RECORDED / name).read_text())


def opened() -> Dialogue:
    """A dialogue after the greeting, with nothing left to send."""
    dialogue = Dialogue("token")
    list(dialogue.receive([GREETING, WELCOME]))
    dialogue.outgoing()
    return dialogue


def sent(dialogue: Dialogue) -> list[Any]:
    return [json.loads(frame) for frame in dialogue.outgoing()]


# -- the beginning -----------------------------------------------------------------------------------------------------


def test_the_token_is_sent_when_the_home_asks_for_it() -> None:
    dialogue = Dialogue("<token>")
    frames = recorded("auth/auth_phase.json")["ok"]
    assert dialogue.outgoing() == []
    assert list(dialogue.receive(frames["frames"][0])) == []
    assert sent(dialogue) == [frames["sent"]]
    assert dialogue.phase is Phase.AUTHENTICATING
    assert list(dialogue.receive(frames["frames"][1])) == [Opened()]
    assert dialogue.phase is Phase.OPEN


def test_what_is_sent_first_asks_for_coalesced_messages() -> None:
    dialogue = Dialogue("token")
    list(dialogue.receive([GREETING, WELCOME]))
    assert sent(dialogue)[1:] == [{"id": 1, "type": "supported_features", "features": {"coalesce_messages": 1}}]


@pytest.mark.parametrize("case", ["bad_token", "missing_token", "wrong_type", "extra_key", "api_password"])
def test_a_refused_token_is_final_and_says_why(case: str) -> None:
    frames = recorded("auth/auth_phase.json")[case]["frames"]
    dialogue = Dialogue("token")
    list(dialogue.receive(frames[0]))
    with pytest.raises(InvalidToken, match=frames[1]["message"][:30]):
        list(dialogue.receive(frames[1]))


def test_a_command_before_the_token_was_accepted_is_refused() -> None:
    dialogue = Dialogue("token")
    for frame in (GREETING, None):
        with pytest.raises(ProtocolError):
            dialogue.command("get_config")
        if frame:
            list(dialogue.receive(frame))


@pytest.mark.parametrize("first", [WELCOME, {"type": "result", "id": 1}, {"type": "novelty"}, {}, {"type": None}])
def test_only_a_greeting_may_come_first(first: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        list(Dialogue("token").receive(first))


def test_a_token_is_in_no_message_of_an_error() -> None:
    dialogue = Dialogue("very-secret")
    with pytest.raises(ProtocolError) as raised:
        list(dialogue.receive([GREETING, GREETING]))
    assert "very-secret" not in str(raised.value)


# -- commands, results, events -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["commands/coalesce_off.json", "commands/coalesce_on.json"])
def test_a_recorded_burst_is_routed_message_by_message(name: str) -> None:
    """With and without coalescing the home said the same: seven results, two subscriptions of label events."""
    dialogue = opened()
    for _ in range(9):
        dialogue.command("recorded")
    messages = recorded(name)["frames"]
    routed = [message for frame in messages for message in dialogue.receive(frame)]
    flat = [message for frame in messages for message in (frame if isinstance(frame, list) else [frame])]
    assert [described(message) for message in routed] == [
        (raw["id"], raw["type"], raw.get("result", raw.get("event"))) for raw in flat
    ]


def described(message: Message) -> tuple[int, str, Any]:
    match message:
        case Result(number, value):
            return number, "result", value
        case Event(number, payload):
            return number, "event", payload
        case _:
            raise AssertionError(message)


def test_recorded_refusals_keep_code_and_reason() -> None:
    errors = recorded("commands/protocol_errors.json")
    for name in ("unknown_command", "missing_scope", "extra_key", "unsubscribe_again"):
        dialogue = opened()
        numbers = [dialogue.command("anything") for _ in range(errors[name]["id"])]
        error = errors[name]["error"]
        assert errors[name]["id"] in numbers
        assert list(dialogue.receive(errors[name])) == [Failed(errors[name]["id"], error["code"], error["message"])]


def test_a_recorded_pong_answers_its_ping() -> None:
    pong = recorded("commands/protocol_errors.json")["ping"]
    dialogue = opened()
    while dialogue.command("ping") < pong["id"]:
        pass
    assert list(dialogue.receive(pong)) == [Result(pong["id"], None)]


@pytest.mark.parametrize("name", ["id_reuse", "no_id"])
def test_answers_to_messages_that_we_never_send_end_the_connection(name: str) -> None:
    dialogue = opened()
    number = dialogue.command("get_config")
    list(dialogue.receive({"id": number, "type": "result", "success": True, "result": None}))
    with pytest.raises(ProtocolError):
        list(dialogue.receive(recorded("commands/protocol_errors.json")[name]))


def test_a_failure_without_an_error_is_still_a_failure() -> None:
    for error in ({}, {"error": None}, {"error": []}, {"error": {}}):
        dialogue = opened()
        number = dialogue.command("get_config")
        [failed] = dialogue.receive({"id": number, "type": "result", "success": False} | error)
        assert failed == Failed(number, "unknown_error", "no reason given")


@given(st.lists(st.text(min_size=1, max_size=8), max_size=20))
def test_ids_increase_from_each_command_to_the_next(kinds: list[str]) -> None:
    dialogue = opened()
    numbers = [dialogue.command(kind, argument=kind) for kind in kinds]
    assert numbers == list(range(2, len(kinds) + 2))
    assert sent(dialogue) == [
        {"id": number, "type": kind, "argument": kind} for number, kind in zip(numbers, kinds, strict=True)
    ]
    assert dialogue.outgoing() == []


@given(st.permutations(range(2, 10)), st.data())
def test_answers_may_come_in_any_order_and_in_frames_of_any_size(order: list[int], data: st.DataObject) -> None:
    dialogue = opened()
    for _ in order:
        dialogue.command("anything")
    answers = [{"id": number, "type": "result", "success": True, "result": number} for number in order]
    events = [{"id": number, "type": "event", "event": -number} for number in order]
    mixed = data.draw(st.permutations(answers + events))
    found: list[Message] = []
    while mixed:
        size = data.draw(st.integers(1, len(mixed)))
        frame: Any = mixed[0] if size == 1 else mixed[:size]
        found += dialogue.receive(frame)
        mixed = mixed[size:]
    assert [message.value for message in found if isinstance(message, Result)] == [
        message.id for message in found if isinstance(message, Result)
    ]
    assert sorted(message.id for message in found if isinstance(message, Result)) == sorted(order)
    assert {message.payload for message in found if isinstance(message, Event)} == {-number for number in order}


@given(st.integers(2, 5))
def test_a_second_answer_ends_the_connection(number: int) -> None:
    dialogue = opened()
    for _ in range(4):
        dialogue.command("anything")
    answer = {"id": number, "type": "result", "success": True, "result": None}
    received = dialogue.receive([answer, answer])
    assert next(received) == Result(number, None)
    with pytest.raises(ProtocolError, match="second result"):
        next(received)


@given(st.one_of(st.integers(max_value=0), st.integers(min_value=3)), st.sampled_from(["result", "event", "pong"]))
def test_an_id_that_was_never_sent_ends_the_connection(number: int, kind: str) -> None:
    dialogue = opened()
    dialogue.command("anything")
    with pytest.raises(ProtocolError, match="never sent"):
        list(dialogue.receive({"id": number, "type": kind, "success": True}))


@given(st.text(max_size=10).filter(lambda kind: kind not in ("result", "event", "pong")), VALUES)
def test_kinds_of_later_releases_are_left_alone(kind: str, more: object) -> None:
    assert list(opened().receive([{"type": kind, "more": more}, {"id": 99, "type": kind}])) == []


# -- whatever may come -------------------------------------------------------------------------------------------------


@given(st.lists(CONTENTS, max_size=6), st.integers(0, 4))
def test_nothing_that_comes_makes_the_dialogue_fail_in_a_way_that_is_not_planned(
    contents: list[Any], commands: int
) -> None:
    """And no command is answered twice."""
    dialogue = opened()
    numbers = [dialogue.command("anything") for _ in range(commands)]
    found: list[Message] = []
    try:
        for content in contents:
            found += dialogue.receive(content)
    except ProtocolError:
        pass
    answered = [message.id for message in found if isinstance(message, (Result, Failed))]
    assert len(answered) == len(set(answered))
    assert set(answered) <= {1, *numbers}


@given(st.lists(CONTENTS, max_size=4))
def test_nothing_that_comes_instead_of_a_greeting_fails_in_a_way_that_is_not_planned(contents: list[Any]) -> None:
    dialogue = Dialogue("token")
    try:
        for content in contents:
            list(dialogue.receive(content))
    except ProtocolError, InvalidToken:
        assert True
    assert sum("access_token" in frame for frame in dialogue.outgoing()) <= 1


@given(st.binary(max_size=50))
def test_a_frame_of_any_bytes_is_json_or_a_protocol_error(frame: bytes) -> None:
    try:
        content = parse(frame)
    except ProtocolError:
        with pytest.raises(ValueError, match=r".*"):
            orjson.loads(frame)
    else:
        assert content == orjson.loads(frame)


@given(VALUES)
def test_a_frame_that_was_cut_anywhere_is_no_message(value: object) -> None:
    """An object needs its closing brace, so every shorter beginning of it is refused."""
    frame = orjson.dumps({"id": 1, "type": "result", "result": value})
    assert parse(frame) == parse(frame.decode())
    for size in range(len(frame)):
        with pytest.raises(ProtocolError):
            parse(frame[:size])


@given(
    st.recursive(st.text("a\0\\u0", max_size=6), lambda items: st.lists(items) | st.dictionaries(st.text("\0a"), items))
)
def test_the_character_that_postgresql_lacks_is_replaced_everywhere(value: object) -> None:
    for frame in (orjson.dumps(value), orjson.dumps(value).decode()):
        assert parse(frame) == without_nul(value)


def without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return "\ufffd".join(value.split("\0"))
    if isinstance(value, list):
        return [without_nul(item) for item in value]
    return {without_nul(name): without_nul(item) for name, item in value.items()}


@pytest.mark.parametrize("nul", ["", "\\u0000"])
@pytest.mark.parametrize("depth", [100, 900, 1000, 1024, 1025, 100_000])
def test_a_frame_may_be_as_deep_as_it_likes(depth: int, nul: str) -> None:
    """Deeper than anybody can read is refused like everything else that is no JSON."""
    frame = "[" * depth + f'"{nul}"' + "]" * depth
    try:
        content = parse(frame)
    except ProtocolError:
        assert depth >= 900
        return
    while isinstance(content, list):
        [content] = content
    assert content == ("\ufffd" if nul else "")


@settings(max_examples=5, deadline=None)
@given(st.integers(1, 40_000))
def test_a_huge_list_is_routed_in_its_order(size: int) -> None:
    dialogue = opened()
    number = dialogue.command("subscribe_events")
    frame = orjson.dumps([{"id": number, "type": "event", "event": count} for count in range(size)])
    assert [event.payload for event in dialogue.receive(parse(frame)) if isinstance(event, Event)] == list(range(size))


@given(st.integers(0, 14))
def test_a_recorded_dialogue_may_end_at_any_message(end: int) -> None:
    """What came before the end was delivered, whole; and the next connection begins from nothing."""
    frames = recorded("commands/coalesce_on.json")["frames"]
    flat = [message for frame in frames for message in (frame if isinstance(frame, list) else [frame])]
    dialogue = opened()
    for _ in range(9):
        dialogue.command("recorded")
    delivered = list(dialogue.receive(flat[:end]))
    assert len(delivered) == end
    assert opened().command("again") == 2
