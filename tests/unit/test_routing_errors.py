"""A routing that would lose alerts or leak a secret is refused, with what is wrong and the fix."""

import pytest

from alerts.routing import PROFILES, Email, Opsgenie, PagerDuty, Profile, Routing, RoutingError, Slack, Team, Webhook
from stacks.environments import EnvName

WEBHOOK = Webhook(url_file="/secrets/webhook")
PAGER = PagerDuty(routing_key_file="/secrets/pagerduty")
OPSGENIE = Opsgenie(api_key_file="/secrets/opsgenie")
SLACK = Slack(channel="#alerts", api_url_file="/secrets/slack")
MAIL = Email(
    to="a@example.com", sender="b@example.com", smarthost="mail:587", username="b", password_file="/secrets/smtp"
)
COMPLETE = {"profile": Profile.PAGES, "pages": (PAGER,), "tickets": (SLACK,), "dead_mans_switch": WEBHOOK}
NO_PAGER = (
    "no pager receiver, so pages wake nobody; fix: a PagerDuty, Opsgenie or Webhook in `pages`"
    " (Slack and e-mail wake nobody)"
)
NO_TICKETS = "no ticket receiver, so tickets reach nobody; fix: any receiver in `tickets`"
NO_SWITCH = (
    "no dead man's switch, so nobody learns that alerting itself has stopped; fix: a Webhook in `dead_mans_switch`"
)
INLINE = "a webhook's address, which is a secret, stands in `url`; fix: put it in a file, give `url_file`"


def test_each_environment_has_its_profile():
    assert PROFILES == {
        "local": Profile.SHOW,
        "dev": Profile.TICKETS,
        "staging": Profile.TICKETS,
        "prod": Profile.PAGES,
    }
    assert set(EnvName) <= set(PROFILES)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"pages": ()}, NO_PAGER),
        ({"pages": (SLACK, MAIL)}, NO_PAGER),
        ({"dead_mans_switch": None}, NO_SWITCH),
        ({"tickets": ()}, NO_TICKETS),
        ({"platform": Team(tickets=(SLACK,))}, NO_PAGER.replace("`pages`", "`platform.pages`")),
        ({"platform": Team(pages=(PAGER,))}, NO_TICKETS.replace("`tickets`", "`platform.tickets`")),
        ({"tickets": (Webhook(url="https://x"),)}, INLINE),
        ({"dead_mans_switch": Webhook(url="https://x")}, INLINE),
        ({"pages": (), "tickets": (), "dead_mans_switch": None}, f"{NO_TICKETS}; {NO_PAGER}; {NO_SWITCH}"),
        ({"profile": Profile.TICKETS, "tickets": (), "dead_mans_switch": None}, NO_TICKETS),
        ({"profile": Profile.TICKETS, "tickets": (Webhook(url="https://x"),)}, INLINE),
    ],
)
def test_what_is_missing_is_named_with_the_fix(changed, said):
    with pytest.raises(RoutingError) as refused:
        Routing(**{**COMPLETE, **changed})
    profile = changed.get("profile", Profile.PAGES)
    assert str(refused.value) == f"routing with profile {profile}: {said}"


@pytest.mark.parametrize("waking", [PAGER, OPSGENIE, WEBHOOK])
def test_any_of_these_can_wake_somebody(waking):
    assert Routing(**{**COMPLETE, "pages": (MAIL, waking)}).pages == (MAIL, waking)


def test_what_wakes_nobody_needs_neither_pager_nor_switch():
    assert Routing(profile=Profile.SHOW).everybody == ()
    assert Routing(profile=Profile.TICKETS, tickets=(SLACK,)).everybody == (SLACK,)


@pytest.mark.parametrize(
    ("make", "owner"),
    [
        (lambda path: Webhook(url_file=path), "webhook"),
        (lambda path: Slack(channel="#a", api_url_file=path), "Slack"),
        (lambda path: PagerDuty(routing_key_file=path), "PagerDuty"),
        (lambda path: Opsgenie(api_key_file=path), "Opsgenie"),
        (lambda path: Email(to="a", sender="b", smarthost="c:1", username="d", password_file=path), "e-mail"),
    ],
)
def test_a_secret_is_in_a_file_with_its_whole_path(make, owner):
    with pytest.raises(RoutingError) as refused:
        make("secrets/key")
    said = f"{owner}: the file of the secret is 'secrets/key'; fix: give its whole path, starting with /"
    assert str(refused.value) == said


@pytest.mark.parametrize("given", [{}, {"url": "https://x", "url_file": "/secrets/x"}])
def test_a_webhook_has_one_address(given):
    with pytest.raises(RoutingError, match="expected one of `url` and `url_file`"):
        Webhook(**given)
