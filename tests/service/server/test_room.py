"""What a process takes on, and what it says when it does not."""

import pytest

from seqserve.service.errors import OverloadedError
from seqserve.service.metrics.telemetry import Telemetry
from seqserve.service.server.room import Room
from seqserve.service.settings import Settings

MIB = 1024 * 1024


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def room(telemetry: Telemetry) -> Room:
    return Room(Settings(max_requests=4, max_buffered_bytes=2 * MIB), telemetry)


def test_a_client_may_have_its_share_and_others_find_room(room: Room) -> None:
    while room.accepts("a", 1):
        room.begin_request("a")
    assert room.requests.held == 2
    assert room.accepts("b", 1)
    error = room.overload("a")
    assert error.detail == (
        "2 requests of this client are being answered, its share of the 4 that a process takes (client_share)."
    )


def test_a_full_process_says_so(room: Room) -> None:
    for number in range(4):
        room.begin_request(str(number))
    assert not room.accepts("another", 1)
    assert room.overload("another").detail == ("4 requests are being answered, the limit of a process (max_requests).")


def test_what_ends_makes_room_and_is_counted(room: Room) -> None:
    for _ in range(3):
        room.begin_request("a")
        room.end_request("a")
    assert (room.requests.held, room.num_answered) == (0, 3)


def test_bytes_are_held_until_they_are_given_back(room: Room) -> None:
    room.hold("a", MIB)
    assert not room.bytes.fits("a", 1)
    with pytest.raises(OverloadedError) as caught:
        room.hold("a", 5)
    assert caught.value.detail == (
        "1048576 bytes of requests and answers are held, 1048576 of them for this client: 5 more exceed its share of "
        "2097152 (max_buffered_bytes)."
    )
    assert room.bytes.held == MIB
    room.release("a", MIB)
    room.hold("a", 5)


def test_every_refusal_is_counted(room: Room, telemetry: Telemetry) -> None:
    room.overload("a")
    room.excess("Too much.")
    text, _ = telemetry.render()
    assert b'rejected_total{code="overloaded"} 2' in text


def test_the_wait_is_what_the_requests_should_take(room: Room) -> None:
    assert room.excess("Too much.").retry_after_s == 1
    for number in range(90):
        room.begin_request(str(number))
    assert room.excess("Too much.").retry_after_s == 90  # of whose speed nothing is known
    for number in range(30):
        room.end_request(str(number))
    for _ in range(30):
        room.tick(1.0)
        room.num_answered += 20
    assert room.excess("Too much.").retry_after_s == 4  # 60 at 20 a second, a fraction less at first


def test_a_process_that_rests_forgets_its_speed(room: Room) -> None:
    room.num_answered = 1000
    room.tick(1.0)
    room.begin_request("a")
    assert room.excess("Too much.").retry_after_s == 1
    for number in range(9):
        room.begin_request(str(number))
    for _ in range(50):
        room.tick(1.0)
    assert room.excess("Too much.").retry_after_s == 10
