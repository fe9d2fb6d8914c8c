"""Bad and unsafe settings of a stack on Kubernetes: each is one sentence with the key, the reason and the fix."""

import json

import pytest
from support.clusters import SECRETS, SETTINGS, planned

from stacks.cluster import load
from stacks.environments import ENVIRONMENTS, EnvName
from stacks.settings import SettingsError

DEV, STAGING, PROD = EnvName.DEV, EnvName.STAGING, EnvName.PROD

_PROMETHEUS = {"prometheus": "external", "prometheusUrl": "https://metrics.example.com"}
_LOKI = {"loki": "external", "lokiUrl": "https://logs.example.com"}
_ALERTS = {"alertmanager": "external", "alertmanagerUrl": "https://alerts.example.com"}
_LANGFUSE = {"langfuse": "external", "langfuseUrl": "http://langfuse.example.com", "langfuseKeys": "x"}
CASES = [
    # What is missing.
    (DEV, {"context": None}, "agentobs:context of stack dev: it is missing. Fix: pulumi config set agentobs:context"),
    (STAGING, {"tickets": None, "pages": None}, "tickets would reach nobody in staging"),
    (STAGING, {"objectsEndpoint": None}, "object storage, which staging uses, needs objectsEndpoint"),
    (STAGING, {"lokiBucket": None}, "needs lokiBucket. Fix: pulumi config set agentobs:lokiBucket"),
    (STAGING, {"otlpTokens": None}, "agentobs:otlpTokens of stack staging is missing: bearer tokens"),
    (STAGING, {"grafanaDatabase": None}, "Grafana, of which several run, needs grafanaDatabase"),
    (PROD, {"pages": None}, "no page would wake anybody in prod"),
    (PROD, {"deadMansSwitch": None}, "nobody in prod would learn that alerting itself has stopped"),
    (PROD, {"deadMansSwitchUrl": None}, "agentobs:deadMansSwitchUrl of stack prod is missing"),
    (PROD, {"pagerdutyRoutingKey": None}, "the routing key of a PagerDuty service"),
    (PROD, {"slackChannel": None}, "the receiver slack needs slackChannel"),
    (PROD, {"tickets": "email"}, "the receiver email needs emailTo, emailFrom, emailSmarthost, emailUsername"),
    (PROD, {"collectorTlsSecret": None}, "the collector's TLS needs collectorTlsSecret"),
    (PROD, {"oidcClientId": None}, "single sign-on in prod needs oidcClientId"),
    (PROD, {"domain": None}, "single sign-on in prod needs domain"),
    (DEV, {"ingressClass": "nginx"}, "an ingress or a gateway needs domain, ingressNamespace"),
    (DEV, {"gateway": "public"}, "agentobs:gateway of stack dev"),
    (PROD, {"oidcClientSecret": None}, "agentobs:oidcClientSecret of stack prod is missing"),
    (PROD, {"grafanaDatabasePassword": None}, "the password of Grafana's database"),
    (PROD, {"clickhouseUrl": None}, "Langfuse, whose data stores in prod are external, needs clickhouseUrl"),
    (PROD, {"redis": None, "langfuseBucket": None}, "needs redis, langfuseBucket"),
    (PROD, {"langfuseDatabaseUrl": None}, "the address of Langfuse's Postgres"),
    (PROD, {"objectsSecretKey": None}, "agentobs:objectsSecretKey of stack prod is missing"),
    (DEV, {"langfuse": "external"}, "an external Langfuse needs langfuseUrl"),
    (PROD, {"langfuseOidcClientId": "x"}, "Langfuse's single sign-on needs langfuseOidcIssuer"),
    (PROD, {"langfuseOidcIssuer": "https://id.example.com"}, "needs langfuseOidcClientId"),
    (PROD, {"langfuseOidcClientId": "x", "langfuseOidcIssuer": "https://i.example.com"}, "langfuseOidcClientSecret of"),
    (DEV, {"redis": "redis.example.com"}, "needs clickhouseUrl, clickhouseMigrationUrl, langfuseBucket"),
    # What an external backend needs.
    (DEV, {"prometheus": "external"}, "an external Prometheus needs prometheusUrl"),
    (DEV, _PROMETHEUS, "an external Prometheus that comes to our Alertmanager needs prometheusNamespace"),
    (DEV, {"alertmanager": "external"}, "an external Alertmanager needs alertmanagerUrl"),
    (DEV, {"loki": "external"}, "an external Loki needs lokiUrl"),
    (DEV, {"tempo": "external", "tempoUrl": "https://t.example.com"}, "an external Tempo needs tempoOtlpUrl"),
    (DEV, {"grafana": "external"}, "an external Grafana needs grafanaUrl"),
    (DEV, {**_LOKI, "lokiAuth": "bearer"}, "agentobs:lokiToken of stack dev is missing: the bearer token, or the"),
    (DEV, {**_LOKI, "lokiAuth": "basic", "lokiToken": "x"}, "agentobs:lokiUser of stack dev is missing: the user at"),
    (DEV, {"remoteWriteUrl": "https://m.example.com", "remoteWriteAuth": "bearer"}, "remoteWriteToken of stack dev"),
    # What would have no effect.
    (DEV, {"prometheusUrl": "https://m.example.com"}, "prometheusUrl has no effect: prometheus is managed"),
    (DEV, {"lokiOtlpUrl": "https://l.example.com"}, "lokiOtlpUrl has no effect: loki is managed"),
    (DEV, {"tempoAuth": "bearer"}, "tempoAuth has no effect: tempo is managed"),
    (DEV, {"grafanaUrl": "https://g.example.com"}, "grafanaUrl has no effect: grafana is managed"),
    (DEV, {"alertmanagerUrl": "https://a.example.com"}, "alertmanagerUrl has no effect: alertmanager is managed"),
    (DEV, {"langfuseUrl": "https://lf.example.com"}, "langfuseUrl has no effect: langfuse is managed"),
    (DEV, {"langfuse": "off", "langfuseAdmin": "a@example.com"}, "langfuseAdmin has no effect: langfuse is off"),
    (DEV, {"langfuse": "off", "langfuseOidcIssuer": "https://i.example.com"}, "langfuseOidcIssuer has no effect"),
    (DEV, {"remoteWriteAuth": "bearer"}, "remoteWriteAuth has no effect: no remoteWriteUrl is given"),
    (DEV, {"objectsEndpoint": "s3.example.com"}, "objectsEndpoint has no effect: nothing lies in object storage"),
    (DEV, {**_LOKI, "logsRetention": "48h"}, "logsRetention has no effect: the external Loki stores as it says"),
    (STAGING, {"tempo": "external"}, "tempoBucket has no effect: the external Tempo stores as it says"),
    (DEV, {**_PROMETHEUS, "metricsRetention": "9d"}, "metricsRetention has no effect: the external Prometheus keeps"),
    (STAGING, _ALERTS, "tickets has no effect: the external Alertmanager decides who is told"),
    (PROD, {"grafana": "external"}, "oidcClientId has no effect: the external Grafana has its own database and sign"),
    (DEV, {**_PROMETHEUS, **_ALERTS}, "alertmanagerUrl has no effect: the external Prometheus knows its Alertmanager"),
    # What is unsafe.
    (
        DEV,
        {**_LOKI, "lokiUrl": "http://logs.example.com", "lokiAuth": "bearer"},
        "lokiUrl would send lokiToken over http",
    ),
    (DEV, {**_LOKI, "lokiOtlpUrl": "http://o.example.com", "lokiAuth": "basic"}, "lokiOtlpUrl would send lokiToken"),
    (DEV, _LANGFUSE, "langfuseUrl would send langfuseKeys over http outside the cluster"),
    (PROD, {"remoteWriteUrl": "http://mimir.example.com"}, "remoteWriteUrl is http outside the cluster, which prod"),
    (PROD, {**_ALERTS, "alertmanagerUrl": "http://alerts.svc.example.com"}, "alertmanagerUrl is http outside"),
    (DEV, {**_LOKI, "lokiUrl": "https://user:secret@logs.example.com"}, "without user, password or ?query"),
    (DEV, {"remoteWriteUrl": "https://m.example.com/push?token=1"}, "without user, password or ?query"),
    (PROD, {"pages": "slack"}, "pages needs one of opsgenie, pagerduty, webhook"),
    (PROD, {"pages": "email,slack"}, "no page would wake anybody in prod"),
    (PROD, {"clickhouseUrl": "https://user:secret@clickhouse.example.com"}, "without keys in it"),
    (PROD, {"clickhouseMigrationUrl": "clickhouse://u:p@host:9000"}, "without user and password"),
    (PROD, {"redis": "redis://:secret@redis.example.com"}, "without a scheme, a user or a password"),
    (PROD, {"oidcAuthUrl": "http://id.example.com/authorize"}, "write https://host/path"),
    (PROD, {"langfuseOidcIssuer": "http://id.example.com"}, "write https://host/path"),
    (DEV, {"runbooksUrl": "https://u:p@example.com"}, "leave the password out"),
    # What is misspelt or no value.
    (DEV, {"contxt": "kind"}, "agentobs:contxt of stack dev is not a setting; did you mean agentobs:context?"),
    (DEV, {"loki": "off"}, "agentobs:loki of stack dev: Input should be 'managed' or 'external'"),
    (DEV, {**_LOKI, "lokiUrl": "logs.example.com"}, "this is no address; write https://host[:port][/path]"),
    (
        DEV,
        {**_LOKI, "lokiAuth": "digest"},
        "agentobs:lokiAuth of stack dev: Input should be 'none', 'bearer' or 'basic'",
    ),
    (DEV, {"servicePodPorts": "3000"}, "agentobs:servicePodPorts of stack dev"),
    (DEV, {"servicePodPorts": '{"grafana": 3000}'}, "agentobs:servicePodPorts.grafana.[key] of stack dev"),
    (DEV, {"userNamespaces": "perhaps"}, "agentobs:userNamespaces of stack dev: Input should be a valid boolean"),
    (DEV, {"prometheusNamespace": "Monitoring"}, "'Monitoring' is not a name of Kubernetes"),
    (DEV, {"plainRules": "perhaps"}, "agentobs:plainRules of stack dev: Input should be a valid boolean"),
    (DEV, {"ports": '{"loki": 1}'}, "agentobs:ports of stack dev is not a setting; the settings are"),
    (DEV, {"replicas": "3"}, "agentobs:replicas of stack dev is not a setting"),
    (DEV, {"namespace": "Agent_Obs"}, "'Agent_Obs' is not a name of Kubernetes"),
    (DEV, {"namespace": "x" * 64}, "is not a name of Kubernetes; use lower case letters, digits and -"),
    (DEV, {"storageClass": "fast disks"}, "'fast disks' is not a name of Kubernetes"),
    (DEV, {"registry": "https://mirror.example.com"}, "is not a registry; write its host"),
    (DEV, {"pullPolicy": "Never"}, "Input should be 'Always' or 'IfNotPresent'"),
    (DEV, {"rolloutTimeout": "soon"}, "agentobs:rolloutTimeout of stack dev"),
    (DEV, {"langfuse": "maybe"}, "Input should be 'managed', 'external' or 'off'"),
    (DEV, {"langfuse": "external", "langfuseUrl": "langfuse"}, "the address is not a base address"),
    (DEV, {"langfuseAdmin": "admin"}, "'admin' is not a mail address"),
    (DEV, {"domain": "https://example.com"}, "is not a domain; write for example agents.example.com"),
    (DEV, {"tickets": "pigeon"}, "Input should be 'webhook', 'pagerduty', 'opsgenie', 'slack' or 'email'"),
    (DEV, {"tracesRetention": "7 days"}, "write whole hours or days, such as 36h or 15d"),
    (DEV, {"metricsRetention": "0d"}, "'0d' is not a duration"),
    (DEV, {"logsRetention": "3h"}, "shorter than the 24h that stores of logs accept"),
    (DEV, {"identities": "loki"}, "expected a map of workloads to annotations"),
    (DEV, {"identities": '{"loki": "role"}'}, "agentobs:identities.loki of stack dev"),
    (DEV, {"objectsTls": "perhaps"}, "agentobs:objectsTls of stack dev: Input should be a valid boolean"),
    (DEV, {"dailyBudgetUsd": "-1"}, "agentobs:dailyBudgetUsd of stack dev: Input should be greater than 0"),
    (DEV, {"alertSpeed": "0"}, "agentobs:alertSpeed of stack dev"),
    (DEV, {"pricesFile": "prices.yaml"}, "prices.yaml is a relative path; give the whole path"),
    (DEV, {"runbooksUrl": "runbooks"}, "'runbooks' is no address"),
]


@pytest.mark.parametrize(("name", "changed", "said"), CASES)
def test_a_bad_setting_is_refused_with_key_reason_and_fix(name, changed, said):
    with pytest.raises(SettingsError) as refused:
        planned(name, **changed)
    assert said in str(refused.value)
    assert "fix: pulumi config" in str(refused.value).lower()
    assert "secret@" not in str(refused.value)


def test_the_settings_of_the_tests_are_good_ones():
    assert all(planned(name).manifests for name in SETTINGS)


def test_everything_that_is_wrong_is_said_at_once():
    with pytest.raises(SettingsError) as refused:
        load.parse({"agentobs:context": "c"}, (), ENVIRONMENTS[PROD])
    lines = str(refused.value).splitlines()
    assert len(lines) >= 8
    assert len(lines) == len(set(lines))


@pytest.mark.parametrize("key", sorted(SECRETS))
def test_a_secret_in_plain_text_is_refused_and_not_repeated(key):
    raw = {**SETTINGS[PROD], key: "sentinel-plain"}
    with pytest.raises(SettingsError) as refused:
        load.parse(raw, [each for each in SECRETS if each != key], ENVIRONMENTS[PROD])
    assert f"{key} of stack prod is a secret that stands there in plain text" in str(refused.value)
    assert f"pulumi config set --secret {key} -s prod" in str(refused.value)
    assert "sentinel-plain" not in str(refused.value)


def test_no_message_repeats_the_value_of_a_secret():
    for name, changed, _ in CASES:
        with pytest.raises(SettingsError) as refused:
            planned(name, **changed)
        assert not [value for value in SECRETS.values() if value in str(refused.value)], json.dumps(changed)
