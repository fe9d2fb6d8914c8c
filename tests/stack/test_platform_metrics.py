"""What the platform's alerts read is there: a metric that an upgrade renames would silence its alert for ever."""

from support.series import AT_FIRST_TROUBLE, names
from support.stores import FOREIGN

from alerts import alerting
from alerts.catalogue import Group
from alerts.promql import tree
from alerts.timing import PRODUCTION


def test_every_series_of_the_platforms_alerts_exists(stack, truths):  # noqa: ARG001 they make traffic
    read = {
        selector.name
        for alert in alerting.alerts(PRODUCTION)
        if alert.group is Group.PLATFORM
        for selector in tree.selectors(tree.parse(alert.expr))
    }
    read = {name for name in read if not name.startswith(FOREIGN)}
    assert len(read) > 20
    assert read - names(stack.url("prometheus")) <= AT_FIRST_TROUBLE
