"""A deterministic model behind pydantic-ai's model interface: latency, tokens and rate limits like a real one.

Not here: what it says (`brains`).
"""

import asyncio
from functools import cache

from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RequestUsage

from agentobs import emit
from collector.prices import PriceTable, load
from demo.brains import BRAINS, Answer
from demo.state import TaskRun
from demo.system import FALLBACK_MODEL, PROVIDER, AgentName, ModelSpec
from demo.truth import ModelUse

_RATE_LIMITED = 429


@cache
def _prices() -> PriceTable:
    """The table that the collector has too."""
    return load()


class SimModel(Model[None]):
    """One model serving one agent run of one task. `attempt` > 0: it stands in for `fallback_from`."""

    def __init__(
        self, spec: ModelSpec, agent: AgentName, run: TaskRun, *, attempt: int = 0, fallback_from: str | None = None
    ) -> None:
        super().__init__()
        self._spec = spec
        self.agent = agent
        self._run = run
        self.attempt = attempt
        self.fallback_from = fallback_from
        self._step = 0

    @property
    def model_name(self) -> str:
        """Name for `gen_ai.request.model`."""
        return self._spec.name

    @property
    def system(self) -> str:
        """Name for `gen_ai.provider.name`."""
        return PROVIDER

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Answer one request after the time a model takes. Raises ModelHTTPError 429 when rate limited."""
        del messages, model_settings
        self._run.world.require_alive(self.agent)
        emit.annotate_model(attempt=self.attempt, fallback_from=self.fallback_from)
        step, self._step = self._step, self._step + 1
        if self._is_rate_limited(step):
            await asyncio.sleep(self._spec.base_s * self._run.time_scale)
            emit.annotate_error(str(_RATE_LIMITED))
            self._count(None)
            raise ModelHTTPError(_RATE_LIMITED, self.model_name, "too many requests")
        outputs = model_request_parameters.output_tools
        answer = BRAINS[self.agent](self._run, step, outputs[0].name if outputs else "")
        await self._think(answer)
        self._count(answer)
        emit.annotate_model(attempt=self.attempt, fallback_from=self.fallback_from, reasoning=answer.reasoning_tokens)
        usage = RequestUsage(
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
            cache_read_tokens=answer.cached_tokens,
        )
        return ModelResponse(parts=[answer.part], usage=usage, model_name=self.model_name, provider_name=PROVIDER)

    async def _think(self, answer: Answer) -> None:
        try:
            seconds = self._spec.base_s + self._spec.s_per_token * answer.output_tokens
            await asyncio.sleep(seconds * self._run.time_scale)
        except asyncio.CancelledError:
            emit.annotate_error("cancelled")
            self._count(None, "cancelled")
            raise

    def _is_rate_limited(self, step: int) -> bool:
        if self._spec is FALLBACK_MODEL or step > 0:
            return False
        draw = self._run.draws(self.agent, self._run.round, "rate limit").random()
        return draw < self._run.conditions.rate_limited_rate

    def _count(self, answer: Answer | None, error: str = str(_RATE_LIMITED)) -> None:
        tokens: dict[str, int] = {}
        cost = None
        if answer is not None:
            error = ""
            tokens = {
                "input": answer.input_tokens,
                "output": answer.output_tokens,
                "cache_read": answer.cached_tokens,
                "reasoning": answer.reasoning_tokens,
            }
            cost = _prices().cost_usd(self.model_name, answer.input_tokens, answer.output_tokens)
            self._run.task.add_usage(cost_usd=cost or 0.0, tokens=answer.input_tokens + answer.output_tokens)
        use = ModelUse(
            model=self.model_name,
            provider=PROVIDER,
            error=error,
            is_retry=self.attempt > 0,
            is_fallback=self.fallback_from is not None,
            tokens=tokens,
            cost_usd=cost,
        )
        self._run.truth.llm(self._run.slices(self.agent), use)
