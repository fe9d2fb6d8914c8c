"""Series that programs make with metrics of their own, counted: nothing else bounds or tells how many there are."""

from collections.abc import Iterator
from typing import Final

from alerts.catalogue.model import MINUTE
from alerts.recording.rule import Record, RecordGroup
from collector.series_key import KPI_JOB

BY: Final = ("environment", "service")
OF_ONE: Final = "programs:series:count"
"""Series by environment and service, of services that have more than a few."""
OF_ALL: Final = "programs:series:all"
"""Series of all of them; who sends under ever new names is seen here."""
SELECTOR: Final = f'{{service!="",job!="{KPI_JOB}",__name__!~".*:.*|ALERTS.*"}}'
"""What programs send: neither KPIs nor what rules record, which have a service as well."""
_A_FEW: Final = 100  # so that a sender with ever new names makes few series here


def groups() -> Iterator[RecordGroup]:
    """One group, as it looks at every series."""
    of_one = Record(name=OF_ONE, expr=f"count by ({', '.join(BY)}) ({SELECTOR}) > {_A_FEW}")
    of_all = Record(name=OF_ALL, expr=f"count({SELECTOR})")
    yield RecordGroup(name="programs-series", interval_s=MINUTE, rules=(of_one, of_all))
