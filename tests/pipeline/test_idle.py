"""A burst after a long pause is read whole by a window that holds only that burst.

Series that are pushed fall silent when nothing happens, and a window without a point before the burst loses its first
increment. The collector forgets a silent series and starts it from zero again, with a zero point in front. Prometheus
looks back 30 s here, so that three minutes of pause are as long for it as 30 are with its default of five minutes.
"""

import time
from collections import Counter

import pytest
from support.truth import Traffic, differences

PAUSE_S = 190  # forgotten after two minutes, looked for once a minute


@pytest.mark.idle
def test_a_burst_after_a_pause_counts_in_full(paused):
    time.sleep(max(0.0, paused.first_burst_at + PAUSE_S - time.time()))
    burst, traffic = Counter(), Traffic()  # the very series of the first burst
    started = time.time()
    for _ in range(10):
        message, adds = traffic.tasks(2)
        assert paused.collector.send(message).ok
        burst.update(adds)
    deadline = time.time() + 20
    while left := differences(burst, paused.prometheus.increases(window=f"{int(time.time() - started) + 3}s")):
        if time.time() > deadline:
            break
        time.sleep(0.5)
    assert left == []
    both = Counter({key: 2 * value for key, value in burst.items()})
    assert differences(both, paused.prometheus.increases(window="1h")) == []
