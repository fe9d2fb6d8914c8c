"""Items about alerting: the rules that run are ours and well, and what fires reaches somebody."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from agentobs.contract import Label
from alerts import probing
from alerts.alerting import WATCHDOG
from alerts.catalogue import Owner, Severity
from alerts.promql import tree
from alerts.routing.document import DEAD_MANS_SWITCH
from runbooks.checklist.model import Context, Outcome, Proof, failed, passed, unjudged
from runbooks.checklist.platform import Silence

_FEW: Final = 5
_MATCHER: Final = re.compile(r'(\w+)(=~|!~|!=|=)"(.*)"', re.DOTALL)
_STALE_S: Final = 600
PROBE: Final = "DeliveryProbe"


def rules_loaded(context: Context) -> Outcome:
    """Prometheus runs exactly the rules that the settings render to."""
    running = Counter(
        (rule.group, rule.name, _normal(rule.expr), _labels(rule.labels)) for rule in context.platform.rules()
    )
    wanted = Counter(_wanted(context.platform.wanted_rules()))
    lacking, foreign = wanted - running, running - wanted
    # Rules that an operator adds in groups of their own are theirs.
    groups = {group for group, *_ in wanted}
    foreign = Counter({key: count for key, count in foreign.items() if key[0] in groups})
    proof = Proof(what="rules that run, of those rendered", value=f"{(wanted & running).total()} of {wanted.total()}")
    if lacking or foreign:
        said = []
        if lacking:
            said.append(f"missing or other than rendered: {_few(key[1] for key in lacking)}")
        if foreign:
            said.append(f"running and not rendered: {_few(key[1] for key in foreign)}")
        return failed("; ".join(said), f"pulumi up -s {context.stack}", proof)
    return passed(f"all {wanted.total()} rules run as rendered", proof)


def _wanted(groups: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str, str, str]]:
    for group in groups:
        for rule in group["rules"]:
            name = rule.get("record") or rule["alert"]
            yield group["name"], name, _normal(rule["expr"]), _labels(rule.get("labels", {}))


def _normal(expr: str) -> str:
    """Prometheus gives an expression back in a form of its own."""
    try:
        return tree.parse(expr).prettify()
    except ValueError:
        return expr


def _labels(labels: Mapping[str, object]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))


def _few(names: Iterable[str]) -> str:
    every = sorted(set(names))
    rest = f" and {len(every) - _FEW} more" if len(every) > _FEW else ""
    return ", ".join(every[:_FEW]) + rest


def rules_healthy(context: Context) -> Outcome:
    """Every rule was evaluated lately, without an error."""
    rules = context.platform.rules()
    broken = [rule for rule in rules if rule.error]
    if broken:
        proofs = [Proof(what=rule.name, value=rule.error) for rule in broken[:_FEW]]
        return failed(f"rules fail: {_few(rule.name for rule in broken)}", "read the error, mend the rule", *proofs)
    late = [rule for rule in rules if context.end - rule.at > _STALE_S]
    if late:
        return failed(
            f"not evaluated for {_STALE_S // 60} minutes: {_few(rule.name for rule in late)}",
            "see whether Prometheus keeps up: alert RulesLate, board platform",
        )
    return passed(f"{len(rules)} rules were evaluated without an error")


def receivers(context: Context) -> Outcome:
    """Alertmanager routes as rendered, and every route leads to somebody."""
    running, wanted = context.platform.alertmanager(), context.platform.wanted_alertmanager()
    if _shape(running) != _shape(wanted):
        return failed(
            "Alertmanager does not run with the rendered routes and receivers",
            f"pulumi up -s {context.stack}",
            Proof(what="running", value=_said(running)),
            Proof(what="rendered", value=_said(wanted)),
        )
    silent = sorted(set(_led_to(running["route"])) - {name for name, kinds in _receivers(running).items() if kinds})
    if silent:
        return failed(
            f"nobody is told by: {', '.join(silent)}",
            "name receivers: pulumi config set agentobs:alertWebhook (this computer) or agentobs:pages and"
            " agentobs:tickets (cluster); agentobs:deadMansSwitchUrl or deadMansSwitch for the dead man's switch",
            Proof(what="running", value=_said(running)),
        )
    return passed("every route leads to a receiver", Proof(what="receivers", value=_said(running)))


def _receivers(config: Mapping[str, Any]) -> dict[str, list[str]]:
    """Name -> kinds of integrations, one for each."""
    return {
        each["name"]: sorted(kind for kind, many in each.items() if kind.endswith("_configs") for _ in many or ())
        for each in config.get("receivers", [])
    }


def _led_to(route: Mapping[str, Any]) -> list[str]:
    below = [name for child in route.get("routes") or () for name in _led_to(child)]
    return [route["receiver"], *below] if "receiver" in route else below


def _tree(route: Mapping[str, Any]) -> tuple[Any, ...]:
    children = tuple(_tree(child) for child in route.get("routes") or ())
    return route.get("receiver", ""), tuple(sorted(route.get("matchers") or ())), children


def _shape(config: Mapping[str, Any]) -> tuple[Any, ...]:
    """What decides who is told; defaults and secrets are left out."""
    return sorted(_receivers(config).items()), _tree(config["route"]), len(config.get("inhibit_rules") or ())


def _said(config: Mapping[str, Any]) -> str:
    kinds = (
        f"{name}: {', '.join(each).replace('_configs', '') or 'nobody'}" for name, each in _receivers(config).items()
    )
    return "; ".join(kinds)


def watchdog(context: Context) -> Outcome:
    """The alert that always fires arrives at the dead man's switch, so that silence is noticed."""
    alerts = [alert for alert in context.platform.alerts() if alert.labels.get("alertname") == WATCHDOG.name]
    if not alerts:
        return failed(
            "the Watchdog does not reach Alertmanager",
            "see whether Prometheus runs the rule and knows Alertmanager: alerts AlertmanagerUnknown, AlertsNotSent",
        )
    if not any(DEAD_MANS_SWITCH in alert.receivers for alert in alerts):
        return failed("the Watchdog goes to no dead man's switch", f"pulumi up -s {context.stack}")
    count = context.platform.deliveries().get(DEAD_MANS_SWITCH)
    if count is None:
        return failed(
            "the dead man's switch has no receiver, so nobody notices when alerting stops",
            "pulumi config set agentobs:deadMansSwitchUrl https://... (in a cluster: deadMansSwitch and its secret)",
        )
    proof = Proof(what="deliveries of the Watchdog", value=f"{count.delivered:g} of {count.requests:g} requests")
    if count.delivered <= 0:
        return failed(
            "the Watchdog was never delivered",
            "see whether the address of the dead man's switch answers: log of Alertmanager",
            proof,
        )
    return passed("the Watchdog fires and is delivered", proof)


def delivery(context: Context) -> Outcome:
    """An alert of this checklist's own is sent through Alertmanager and taken by the receiver."""
    # Like the platform's own alerts it is of no environment of agents.
    labels = {
        "alertname": PROBE,
        "severity": str(Severity.TICKET),
        "owner": str(Owner.PLATFORM),
        "release": context.release,
    }
    sent = context.platform.send_probe(labels)
    proof = Proof(
        what=f"probe to {', '.join(sent.receivers) or 'nobody'}",
        value=sent.message or f"taken after {sent.took_s:.1f} s",
    )
    if sent.muted_by:
        said = f"the probe was muted by {', '.join(sent.muted_by)}"
        return unjudged(said, "try again once what mutes it is over", proof)
    if sent.message:
        return failed(sent.message, "see the log of Alertmanager for why the receiver did not take it", proof)
    return passed(f"a probe alert reached {', '.join(sent.receivers)} after {sent.took_s:.1f} s", proof)


def notifications(context: Context) -> Outcome:
    """No receiver has failed to take a notification lately."""
    probe = probing.probe(probing.NOTIFICATIONS)
    failing = [s for s in context.platform.metrics.instant(probe.expr, context.end) if s.value > probe.threshold]
    proof = Proof(what="failed in the last minutes", query=probe.expr, value=str(sum(s.value for s in failing)))
    if failing:
        kinds = _few(sample.labels.get("integration", "?") for sample in failing)
        return failed(f"notifications by {kinds} fail", "see the log of Alertmanager", proof)
    return passed("no notification failed", proof)


def quiet(context: Context) -> Outcome:
    """No page of this environment is open: a deployment into an incident hides both."""
    open_ = [
        alert
        for alert in context.platform.alerts()
        if alert.labels.get("severity") == Severity.PAGE
        and alert.labels.get(Label.ENVIRONMENT, "") in {"", context.environment}
    ]
    if open_:
        names = _few(alert.labels["alertname"] for alert in open_)
        return failed(f"pages are open: {names}", "end the incident first; each alert links its runbook")
    return passed("no page is open in this environment")


def silences(context: Context) -> Outcome:
    """Nothing mutes the pages of this environment while it is deployed."""
    wide = [each for each in context.platform.silences() if _mutes(each, context.environment)]
    if wide:
        proofs = [Proof(what=f"{', '.join(s.matchers)} by {s.by}", value=s.comment) for s in wide]
        return failed(f"{len(wide)} silences are in force", "end them, or deploy after the maintenance", *proofs)
    return passed("no silence is in force here")


def _mutes(silence: Silence, environment: str) -> bool:
    """Whether a silence can mute an alert of the environment; one that names none can."""
    found = (_MATCHER.fullmatch(matcher) for matcher in silence.matchers)
    return all(_holds(each[2], each[3], environment) for each in found if each and each[1] == Label.ENVIRONMENT)


def _holds(sign: str, pattern: str, value: str) -> bool:
    equal = bool(re.fullmatch(pattern, value)) if sign.endswith("~") else pattern == value
    return equal is not sign.startswith("!")
