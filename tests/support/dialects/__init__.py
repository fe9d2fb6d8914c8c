"""Spans of each dialect with what the contract wants of them: the table behind `pipeline/test_normalise.py`."""

from support.dialects.ai_sdk import AI_SDK
from support.dialects.case import Case
from support.dialects.conventions import RENAMED, SEMCONV, TASKS, VALUES
from support.dialects.failures import FAILURES
from support.dialects.frameworks import FRAMEWORKS
from support.dialects.further import FURTHER
from support.dialects.openinference import OPENINFERENCE
from support.dialects.openllmetry import OPENLLMETRY
from support.dialects.usage import USAGE
from support.dialects.vendors import LANGFUSE, MCP

CASES: tuple[Case, ...] = (
    *SEMCONV,
    *RENAMED,
    *OPENINFERENCE,
    *OPENLLMETRY,
    *LANGFUSE,
    *MCP,
    *FRAMEWORKS,
    *AI_SDK,
    *FURTHER,
    *USAGE,
    *FAILURES,
    *VALUES,
    *TASKS,
)
