"""The distance that the benchmarks claim is the one that clients see."""

import os
import socket
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.benchmarks.environment import module
from tests.benchmarks.servers.latency import MOST_HELD
from tests.benchmarks.servers.window import FIRST, Window
from tests.benchmarks.transfer import distance
from tests.servers.process import HOST, free_port

MB = 1_000_000


def echo(wire):
    while block := wire.recv(1 << 16):
        wire.sendall(block)


def swallow(wire):
    scratch = bytearray(1 << 20)
    count = 0
    while got := wire.recv_into(scratch):
        count += got
    wire.sendall(str(count).encode())


@contextmanager
def server(serve):
    """A server that treats each connection in a thread, and hangs up after that; gives its port."""

    def serve_one(wire):
        with wire:
            serve(wire)

    def accept():
        while True:
            try:
                wire, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve_one, args=(wire,), daemon=True).start()

    with socket.create_server((HOST, 0), backlog=512) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def trip(wire):
    """Seconds until a byte is back."""
    started = time.perf_counter()
    wire.sendall(b"x")
    assert wire.recv(1) == b"x"
    return time.perf_counter() - started


def upload(port, size):
    """Seconds until ``size`` bytes have arrived, and that was told."""
    block = bytes(MB)
    started = time.perf_counter()
    with socket.create_connection((HOST, port)) as wire:
        for _ in range(size // MB):
            wire.sendall(block)
        wire.shutdown(socket.SHUT_WR)
        assert int(wire.recv(100)) == size
    return time.perf_counter() - started


def processor_time(process):
    """Seconds that a process was busy for so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def log(tmp_path):
    return tmp_path / "latency.log"


@pytest.mark.parametrize("claimed", [0.02, 0.1])
def test_a_byte_takes_the_round_trip_that_is_claimed_and_a_connection_another_one(claimed, log):
    with server(echo) as port, distance(port, claimed * 1000, log) as far:
        first, later = [], []
        for _ in range(5):
            started = time.perf_counter()
            with socket.create_connection((HOST, far)) as wire:
                trip(wire)
                first.append(time.perf_counter() - started)
                later += [trip(wire) for _ in range(3)]
    assert min(later) >= claimed
    assert min(first) >= 2 * claimed
    assert min(later) < claimed + 0.01  # the best of them: others may have met a busy machine
    assert min(first) < 2 * claimed + 0.02


def test_what_is_on_its_way_does_not_wait_for_what_went_before(log):
    """Each segment is held by itself: ten that leave within a moment arrive within a moment."""
    with (
        server(echo) as port,
        distance(port, 100, log) as far,
        socket.create_connection((HOST, far)) as wire,
    ):
        trip(wire)
        started = time.perf_counter()
        for _ in range(10):
            wire.sendall(b"x")
            time.sleep(0.005)
        count = 0
        while count < 10:
            count += len(wire.recv(10))
        assert 0.1 <= time.perf_counter() - started < 0.9


@pytest.mark.long
@pytest.mark.parametrize("milliseconds", [0, 50])
def test_a_large_transfer_is_not_limited(milliseconds, log):
    """Its bytes are copied twice more, by a process that shares the machine; nothing else slows it."""
    size = 300 * MB
    with server(swallow) as port, distance(port, milliseconds, log) as far:
        direct, carried = (min(upload(one, size) for _ in range(3)) for one in (port, far))
    assert carried - 2 * milliseconds / 1000 < 8 * direct + 0.1


def test_a_window_doubles_each_round_trip_as_long_as_it_is_made_use_of():
    window = Window(0.1)
    rooms = []
    for turn in range(4):
        rooms.append(window.room(turn * 0.1))
        window.sent(rooms[-1], turn * 0.1)
        assert window.room(turn * 0.1 + 0.05) == 0
        assert window.opens() == pytest.approx((turn + 1) * 0.1)
    assert rooms == [FIRST, 2 * FIRST, 4 * FIRST, 8 * FIRST]


def test_a_window_that_is_not_made_use_of_grows_by_what_arrived():
    window = Window(0.1)
    window.sent(1000, 0)
    assert [window.room(now) for now in (0, 0.1, 5)] == [FIRST - 1000, FIRST + 1000, FIRST + 1000]


def test_a_new_connection_is_slow_at_first_where_windows_have_to_open(log):
    """Of 64 beginnings of a window, the last half leaves after six round trips: 1 + 2 + ... + 32 = 63."""
    size, claimed = 64 * FIRST, 0.05

    def serve(wire):
        while wire.recv(1):
            wire.sendall(bytes(size))

    def fetch(wire):
        started = time.perf_counter()
        wire.sendall(b"x")
        left = size
        while left:
            left -= len(wire.recv(1 << 18))
        return time.perf_counter() - started

    def best_of_three(how):
        with distance(port, claimed * 1000, log, slow_start=how) as far:
            taken = []
            for _ in range(3):
                with socket.create_connection((HOST, far)) as wire:
                    trip_of_handshake = claimed
                    taken.append((fetch(wire) - trip_of_handshake, fetch(wire)))
            return min(taken)[0], min(again for _, again in taken)

    with server(serve) as port:
        first, again = best_of_three(True)
        assert 7 * claimed <= first < 12 * claimed
        assert claimed <= again < 6 * claimed
        first, again = best_of_three(False)
        assert claimed <= min(first, again)
        assert max(first, again) < 6 * claimed


def test_many_connections_are_carried_at_once(log):
    content = bytes(range(256)) * 40
    with server(echo) as port, distance(port, 50, log) as far:
        started = time.perf_counter()
        wires = [socket.create_connection((HOST, far)) for _ in range(200)]
        for wire in wires:
            wire.sendall(content)
            wire.shutdown(socket.SHUT_WR)
        for wire in wires:
            with wire, wire.makefile("rb") as stream:
                assert stream.read() == content
        taken = time.perf_counter() - started
    assert taken < 200 * 0.1 / 4  # one after the other they would take 200 times two round trips


@pytest.mark.long
def test_all_bytes_arrive_in_order_though_the_receiver_is_slow(log):
    content = b"".join(number.to_bytes(4) * 1000 for number in range(20_000))
    assert len(content) > MOST_HELD

    def read_slowly(wire):
        time.sleep(0.3)
        with wire.makefile("rb", buffering=1 << 20) as stream:
            wire.sendall(b"same" if stream.read() == content else b"other")

    with (
        server(read_slowly) as port,
        distance(port, 10, log) as far,
        socket.create_connection((HOST, far)) as wire,
    ):
        wire.sendall(content)
        wire.shutdown(socket.SHUT_WR)
        assert wire.recv(10) == b"same"


def test_a_server_that_hangs_up_is_heard_of(log):
    with (
        server(lambda wire: wire.sendall(b"bye")) as port,
        distance(port, 20, log) as far,
        socket.create_connection((HOST, far)) as wire,
        wire.makefile("rb") as stream,
    ):
        assert stream.read() == b"bye"


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the time")
def test_waiting_costs_no_processor_time(log):
    """A connection that is half closed, or idle, wakes nobody."""
    far = free_port()
    with (
        server(lambda wire: time.sleep(1)) as port,
        module("latency", str(far), str(port), "10", log=log, port=far) as process,
        socket.create_connection((HOST, far)) as wire,
    ):
        time.sleep(0.1)
        before = processor_time(process)
        wire.shutdown(socket.SHUT_WR)
        time.sleep(0.5)
        assert processor_time(process) - before <= 0.1
