"""The support desk as a program: `golden_gate.py` starts one for each case. Its tools are those of the file it gets."""

import asyncio
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

from mcp import StdioServerParameters

from agentobs import emit
from demo import golden


def main() -> None:
    case = json.loads(sys.stdin.readline())
    telemetry = emit.configure(
        service="desk", version="1", environment="golden", endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
    )
    by_pipe = sys.argv[1:] == ["stdio"]
    file = os.environ["AGENTOBS_MCP_SERVERS_STDIO" if by_pipe else "AGENTOBS_MCP_SERVERS"]
    tools = json.loads(Path(file).read_text("utf-8"))["mcpServers"]
    servers = {name: StdioServerParameters(**each) if by_pipe else each["url"] for name, each in tools.items()}
    given = SimpleNamespace(input=case["input"], seed=case["context"]["seed"], servers=servers)
    answer = asyncio.run(golden.healthy(given))
    telemetry.shutdown()
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
