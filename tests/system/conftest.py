# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures: one lab for the run; after each test the machines must be as before it."""
import signal

import sandbox

sandbox.enter()

# pylint: disable=wrong-import-position
import pytest  # noqa: E402
import proc  # noqa: E402
from lab import Lab  # noqa: E402
from tunnel import SLOW, Before, Tunnel  # noqa: E402

TEST_SECONDS = 60


@pytest.fixture(scope="session")
def lab():
    lab = Lab()
    yield lab
    assert lab.services_intact()
    uids = lab.uid.values()
    proc.wait_for(lambda: not proc.of_users(uids), SLOW,
                  f"the end of {[(p, proc.argv(p)) for p in proc.of_users(uids)]}")
    tables = [node.name for node in lab.nodes if node is not lab.router and node.ruleset()]
    lab.close()
    assert not tables


@pytest.fixture(autouse=True)
def time_limit(request):
    """A test that hangs fails; it does not hang the run."""
    mark = request.node.get_closest_marker("seconds")
    seconds = (mark.args[0] if mark else TEST_SECONDS) * SLOW

    def expired(*_):
        raise TimeoutError(f"the test took more than {seconds} s")

    signal.signal(signal.SIGALRM, expired)
    signal.alarm(seconds)
    yield
    signal.alarm(0)


@pytest.fixture
def before(lab):
    """Checks when the test ends, after its tunnels are stopped, that nothing is left."""
    before = Before(lab)
    yield before
    before.assert_same()


@pytest.fixture
def tunnel(lab, before):
    """tunnel(args...) starts one and waits for its rules; all are stopped at the end."""
    running = []

    def start(*args, wait=True, **kwargs):
        running.append(Tunnel(lab, *args, **kwargs))
        return running[-1].ready() if wait else running[-1]

    yield start
    for each in running:
        each.stop()


def pytest_configure(config):
    config.addinivalue_line("markers", "seconds(n): the time limit of a test that needs more")
