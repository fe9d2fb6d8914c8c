"""Grafana: the boards and data sources of `dashboards/`, provisioned; nobody edits them where people rely on them."""

from functools import cache
from typing import Final

from alerts import alerting
from alerts.alerting.model import runbook_slug
from alerts.timing import PRODUCTION
from collector.document import to_yaml
from collector.stores import LogKind
from dashboards import documents, provisioning
from dashboards.boards.runbook import Page
from dashboards.lib.sources import PLUGINS
from runbooks.book import library
from runbooks.book.kinds import Kind
from runbooks.book.library import Library
from stacks.components import external
from stacks.components.prometheus import METRICS_PASSWORD, METRICS_USER, links
from stacks.deployment import Auth, Deployment, External
from stacks.environments import OnDestroy
from stacks.versions import VICTORIALOGS_PLUGIN
from stacks.workload import CONFIG_DIR, Outside, Placement, Probe, SecretUse, Workload

BOARDS_DIR: Final = f"{CONFIG_DIR}/boards"
RUNBOOKS_DIR: Final = f"{CONFIG_DIR}/runbooks"
_SECRETS: Final = "/etc/agentobs/secrets"


def editable(deployment: Deployment) -> bool:
    """Whether a browser may change a board, which the next start undoes: only where people try things out."""
    return deployment.cluster is not None and deployment.cluster.on_destroy is OnDestroy.DELETE


def boards(deployment: Deployment) -> dict[str, str]:
    """File -> text of every board; those of runbooks by family, as a family shares a ConfigMap."""
    sites = _sites(deployment)
    made = documents.provisioned(sites, editable=editable(deployment))
    pages = documents.pages(sites, pages_of(library.load()), editable=editable(deployment))
    return {
        **{f"boards/{slug}.json": documents.text(board) for slug, board in made.items()},
        **{f"runbooks/{_chapters()[slug]}/{slug}.json": documents.text(board) for slug, board in pages.items()},
    }


def _sites(deployment: Deployment) -> documents.Sites:
    """Runbooks are where the operator says, else on their boards, which every Grafana of ours has."""
    outside = documents.runbooks(links(deployment)) if deployment.runbooks_url else {}
    pages = outside or documents.runbook_boards()
    return documents.Sites(runbooks=pages, langfuse=trace_url(deployment), stores=deployment.stores)


def pages_of(found: Library) -> list[Page]:
    """The pages of people, as boards show them."""
    return [
        Page(
            name=page.name,
            title=page.title,
            sections={each.title: each.body for each in page.sections}
            if page.kind is Kind.ALERT
            else {page.title: page.body},
        )
        for page in found.pages.values()
    ]


@cache
def _chapters() -> dict[str, str]:
    """Slug of a runbook's board -> the family of its alert, or what kind of page it is."""
    families = {runbook_slug(alert.name): str(alert.group) for alert in alerting.alerts(PRODUCTION)}
    rest = {
        runbook_slug(name): str(kind) for kind in Kind if kind is not Kind.ALERT for name in library.expected()[kind]
    }
    return families | rest


def trace_url(deployment: Deployment) -> str:
    """The address in Langfuse that a trace id completes; empty without Langfuse."""
    return deployment.langfuse_traces_url or ""


def workload(deployment: Deployment, at: Placement) -> Workload:
    """The Grafana of an environment."""
    services = external.stores(deployment)
    shown = boards(deployment)
    return Workload(
        name="grafana",
        command=("grafana",),
        checks=(),
        files={
            "provisioning/datasources/agentobs.yaml": to_yaml(provisioning.data_sources(_backends(deployment, at))),
            "provisioning/dashboards/agentobs.yaml": to_yaml(
                provisioning.boards(BOARDS_DIR, runbooks=RUNBOOKS_DIR, editable=editable(deployment))
            ),
            **shown,
        },
        reloaded=frozenset(shown),
        ports=("grafana",),
        metrics_port="grafana",
        ready_port="grafana",
        ready_path="/api/health",
        ready_timeout_s=120,
        calls=_live(deployment),
        outside=_outside(deployment),
        env=_settings(deployment, at),
        reaches=(*(service.url for service in services), *_database_url(deployment)),
        secrets=(
            *(SecretUse(value=value, file=f"{_SECRETS}/{value}") for value in _secrets(deployment).values()),
            *external.variable_secrets(services),
        ),
        scratch=("/tmp", "/var/log/grafana"),  # noqa: S108 a volume of the pod
        alive=Probe(port="grafana"),
    )


def _outside(deployment: Deployment) -> tuple[Outside, ...]:
    """People's identity provider, and the publisher of the one plugin; neither, no way out."""
    fetches = deployment.stores.logs is LogKind.VICTORIALOGS
    return (Outside.HTTPS,) if deployment.oidc or fetches else ()


def _database_url(deployment: Deployment) -> tuple[str, ...]:
    return (f"postgres://{deployment.grafana_database.address}",) if deployment.grafana_database else ()


def _backends(deployment: Deployment, at: Placement) -> provisioning.Backends:
    """Where the data sources are, ours or external ones."""
    services = {service.name: service for service in external.stores(deployment)}
    addresses = {
        name: services[name].url if name in services else f"http://{at.address(name)}" for name in _live(deployment)
    }
    logins = {name: _login(service) for name, service in services.items() if service.auth is not Auth.NONE}
    return provisioning.Backends(
        prometheus=addresses["prometheus"],
        logs=addresses[deployment.stores.logs],
        traces=addresses[deployment.stores.traces],
        stores=deployment.stores,
        scrape_interval_s=deployment.scrape_interval_s,
        langfuse=trace_url(deployment),
        logins=logins,
    )


def _live(deployment: Deployment) -> tuple[str, ...]:
    return ("prometheus", str(deployment.stores.logs), str(deployment.stores.traces))


def _login(service: External) -> provisioning.Login:
    user = external.variable(f"{service.name}User") if service.auth is Auth.BASIC else ""
    return provisioning.Login(token=external.variable(f"{service.name}Token"), user=user)


def _settings(deployment: Deployment, at: Placement) -> dict[str, str]:
    """Grafana's own hardening guide, as variables."""
    root = deployment.grafana_url or f"http://localhost:{at.address('grafana').rpartition(':')[2]}"
    https = "true" if root.startswith("https://") else "false"
    return {
        "GF_PATHS_DATA": at.data_dir("grafana"),
        "GF_PATHS_PROVISIONING": f"{CONFIG_DIR}/provisioning",
        "GF_SERVER_ROOT_URL": root,
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        "GF_NEWS_NEWS_FEED_ENABLED": "false",
        "GF_AUTH_ANONYMOUS_ENABLED": "false",
        # A password in a header counts for every request of the API, whatever the login page asks for.
        "GF_AUTH_BASIC_ENABLED": "false",
        "GF_USERS_AUTO_ASSIGN_ORG_ROLE": "None",
        "GF_METRICS_BASIC_AUTH_USERNAME": METRICS_USER,
        "GF_USERS_ALLOW_SIGN_UP": "false",
        "GF_SECURITY_COOKIE_SECURE": https,
        "GF_SECURITY_COOKIE_SAMESITE": "lax",
        "GF_SECURITY_STRICT_TRANSPORT_SECURITY": https,
        "GF_SECURITY_CONTENT_SECURITY_POLICY": "true",
        "GF_SECURITY_DISABLE_GRAVATAR": "true",
        "GF_SNAPSHOTS_EXTERNAL_ENABLED": "false",
        **_plugins(deployment, at),
        "GF_UNIFIED_ALERTING_ENABLED": "false",
        "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": f"{BOARDS_DIR}/fleet.json",
        "GF_LOG_MODE": "console",
        **_sign_on(deployment),
        **_database(deployment),
        **{setting: f"$__file{{{_SECRETS}/{value}}}" for setting, value in _secrets(deployment).items()},
    }


def _plugins(deployment: Deployment, at: Placement) -> dict[str, str]:
    """None but the one that is needed to read VictoriaLogs, which Grafana fetches from its publisher when it starts."""
    if deployment.stores.logs is not LogKind.VICTORIALOGS:
        return {"GF_PLUGINS_PREINSTALL_DISABLED": "true"}
    plugin = f"{PLUGINS[LogKind.VICTORIALOGS]}@{VICTORIALOGS_PLUGIN}"
    return {"GF_PLUGINS_PREINSTALL": plugin, "GF_PATHS_PLUGINS": f"{at.data_dir('grafana')}/plugins"}


def _sign_on(deployment: Deployment) -> dict[str, str]:
    oidc = deployment.oidc
    if oidc is None:
        return {}
    return {
        "GF_AUTH_GENERIC_OAUTH_ENABLED": "true",
        "GF_AUTH_GENERIC_OAUTH_NAME": oidc.name,
        "GF_AUTH_GENERIC_OAUTH_CLIENT_ID": oidc.client_id,
        "GF_AUTH_GENERIC_OAUTH_SCOPES": "openid profile email",
        "GF_AUTH_GENERIC_OAUTH_AUTH_URL": oidc.auth_url,
        "GF_AUTH_GENERIC_OAUTH_TOKEN_URL": oidc.token_url,
        "GF_AUTH_GENERIC_OAUTH_API_URL": oidc.api_url,
        "GF_AUTH_GENERIC_OAUTH_USE_PKCE": "true",
        "GF_AUTH_GENERIC_OAUTH_ROLE_ATTRIBUTE_PATH": oidc.role_path,
        "GF_AUTH_GENERIC_OAUTH_ROLE_ATTRIBUTE_STRICT": "true",
        "GF_AUTH_DISABLE_LOGIN_FORM": "true",
    }


def _database(deployment: Deployment) -> dict[str, str]:
    """Several Grafanas share one database, else a person signs in anew with every click."""
    database = deployment.grafana_database
    if database is None:
        return {}
    return {
        "GF_DATABASE_TYPE": "postgres",
        "GF_DATABASE_HOST": database.address,
        "GF_DATABASE_NAME": database.name,
        "GF_DATABASE_USER": database.user,
        "GF_DATABASE_SSL_MODE": "verify-full" if database.tls else "disable",
    }


def _secrets(deployment: Deployment) -> dict[str, str]:
    """Setting of Grafana -> value of a secret. All are read from files, out of sight of what prints variables."""
    return {
        "GF_SECURITY_ADMIN_PASSWORD": "grafanaAdminPassword",
        "GF_SECURITY_SECRET_KEY": "grafanaSecretKey",
        "GF_METRICS_BASIC_AUTH_PASSWORD": METRICS_PASSWORD,
        **({"GF_AUTH_GENERIC_OAUTH_CLIENT_SECRET": "oidcClientSecret"} if deployment.oidc else {}),
        **({"GF_DATABASE_PASSWORD": "grafanaDatabasePassword"} if deployment.grafana_database else {}),
    }
