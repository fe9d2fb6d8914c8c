"""The support desk as a program: `golden_gate.py` starts one for each case. Its tools are those of the file it gets."""

import asyncio
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

from agentobs import emit
from demo import golden


def main() -> None:
    case = json.loads(sys.stdin.readline())
    telemetry = emit.configure(
        service="desk", version="1", environment="golden", endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
    )
    tools = json.loads(Path(os.environ["AGENTOBS_MCP_SERVERS"]).read_text("utf-8"))
    servers = {name: server["url"] for name, server in tools["mcpServers"].items()}
    given = SimpleNamespace(input=case["input"], seed=case["context"]["seed"], servers=servers)
    answer = asyncio.run(golden.healthy(given))
    telemetry.shutdown()
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
