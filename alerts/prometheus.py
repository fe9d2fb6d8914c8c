"""Prometheus HTTP API client: the `MetricsSource` of the diagnosis and of the status table."""

import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import requests

from agentobs.errors import AgentobsError
from alerts import promql
from alerts.source import Exemplar, Sample, Series

_TIMEOUT_S: Final = 30
_log = logging.getLogger(__name__)


class PrometheusError(AgentobsError):
    """Prometheus could not be asked, or refused the query."""


class Prometheus:
    """One Prometheus-compatible store at `url`; `headers` hold the login where it wants one.

    A store that does not know `anchored` is asked again in the plain form, and from then on only so.
    """

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.headers.update(headers or {})
        self._plain = False

    def _get(self, path: str, params: dict[str, str]) -> Any:  # noqa: ANN401 JSON
        """What the store answers; raises PrometheusError."""
        plain = {**params, "query": promql.plain(params["query"])}
        body = self._answer(path, plain if self._plain else params)
        if body.get("errorType") == "bad_data" and not self._plain and plain != params:
            body = self._answer(path, plain)
            self._plain = body.get("status") == "success"
            if self._plain:
                _log.warning("%s does not know `anchored`: its counts are guessed at the edges of windows", self._url)
        if body.get("status") != "success":
            raise PrometheusError(f"Prometheus refused {params.get('query')}: {body.get('error')}")
        return body["data"]

    def _answer(self, path: str, params: dict[str, str]) -> dict[str, Any]:
        try:
            response = self._session.post(f"{self._url}/api/v1/{path}", data=params, timeout=_TIMEOUT_S)
            if response.status_code in {requests.codes.unauthorized, requests.codes.forbidden}:
                raise PrometheusError(f"Prometheus at {self._url} refuses the login: HTTP {response.status_code}")
            return dict(response.json())
        except UnicodeEncodeError:
            asked = f"Prometheus at {self._url} can be asked"
            raise PrometheusError(f"{asked} only for text in UTF-8; leave out what is none") from None
        except requests.ConnectionError:
            raise PrometheusError(
                f"no Prometheus answers at {self._url}; start the stack with `agentobs up`"
                " or name another one with --prometheus URL"
            ) from None
        except requests.RequestException as error:
            raise PrometheusError(f"Prometheus at {self._url} did not answer {path}: {error}") from error

    @contextmanager
    def _reading(self, path: str) -> Iterator[None]:
        """Reading an answer: where it has another form, something else than Prometheus answers there."""
        try:
            yield
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise PrometheusError(
                f"what answers at {self._url} is no Prometheus, by its answer to {path}; name another one with"
                " --prometheus URL"
            ) from error

    def rules(self) -> list[dict[str, Any]]:
        """Groups of rules as they run, with their health."""
        try:
            body = self._session.get(f"{self._url}/api/v1/rules", timeout=_TIMEOUT_S).json()
        except requests.RequestException as error:
            raise PrometheusError(f"Prometheus at {self._url} did not tell its rules: {type(error).__name__}") from None
        return list(body["data"]["groups"])

    def instant(self, query: str, at: float) -> list[Sample]:
        """Evaluate at one moment; NaN results are left out."""
        with self._reading("query"):
            result = self._get("query", {"query": query, "time": f"{at:.3f}"})["result"]
            samples = [Sample(_labels(row), float(row["value"][1])) for row in result]
        return [sample for sample in samples if not math.isnan(sample.value)]

    def range(self, query: str, start: float, end: float, step: float) -> list[Series]:
        """Evaluate over a period."""
        params = {"query": query, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:.3f}"}
        result = self._get("query_range", params)["result"]
        return [Series(_labels(row), [(float(at), float(value)) for at, value in row["values"]]) for row in result]

    def exemplars(self, query: str, start: float, end: float) -> list[Exemplar]:
        """Exemplars in a period, of all series that the selector matches."""
        params = {"query": query, "start": f"{start:.3f}", "end": f"{end:.3f}"}
        found = [item for row in self._get("query_exemplars", params) for item in row["exemplars"]]
        return [
            Exemplar(item["labels"]["trace_id"], float(item["value"]), float(item["timestamp"]))
            for item in found
            if "trace_id" in item["labels"]
        ]


def _labels(row: dict[str, Any]) -> dict[str, str]:
    return dict(row["metric"])
