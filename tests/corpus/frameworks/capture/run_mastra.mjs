// Mastra: the coordinator has the researcher as a sub-agent; the bridge makes real spans, the exporter only sends them.
import { createOpenAI } from "@ai-sdk/openai";
import { Agent } from "@mastra/core/agent";
import { Mastra } from "@mastra/core";
import { createTool } from "@mastra/core/tools";
import { Observability } from "@mastra/observability";
import { OtelBridge } from "@mastra/otel-bridge";
import { OtelExporter } from "@mastra/otel-exporter";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { z } from "zod";
import { StartEndLog, instrumentation, scenario, together, tools } from "./recorder.mjs";

const bridged = instrumentation === "otel-bridge";
const exporter = new OTLPTraceExporter({ url: process.env.CORPUS_OTLP_URL });
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ "service.name": "mastra", "service.version": "1.4.0" }),
  spanProcessors: [new StartEndLog(), ...(bridged ? [new BatchSpanProcessor(exporter)] : [])],
});
provider.register();
const custom = { endpoint: process.env.CORPUS_OTLP_URL, protocol: "http/protobuf" };
const way = bridged ? { bridge: new OtelBridge() } : { exporters: [new OtelExporter({ provider: { custom } })] };
const openai = createOpenAI({ baseURL: process.env.CORPUS_MODEL_URL, apiKey: "scripted" });

const agents = {};
for (const [who, instructions] of Object.entries(scenario.instructions).reverse()) {
  const [team, role] = who.split("_");
  const offered = scenario.tools[role].map((name) => [
    name,
    createTool({
      id: name,
      description: `Use ${name}.`,
      inputSchema: z.object({ topic: z.string() }),
      execute: (input) => tools[name](input.context ?? input),
    }),
  ]);
  agents[who] = new Agent({
    id: who,
    name: who,
    description: `The ${role}.`,
    instructions,
    model: openai.chat(scenario.model),
    maxRetries: 2,
    tools: Object.fromEntries(offered),
    ...(role === "coordinator" ? { agents: { [`${team}_researcher`]: agents[`${team}_researcher`] } } : {}),
  });
}
const observability = new Observability({ configs: { default: { serviceName: "mastra", ...way } } });
const mastra = new Mastra({ agents, observability, logger: false });

await together(async (task, team) => {
  const tracingOptions = { metadata: { promptVersion: scenario.promptVersions[`${team}_coordinator`], sessionId: task } };
  await mastra.getAgent(`${team}_coordinator`).generate(scenario.questions[task], { tracingOptions });
});
await observability.shutdown();
await provider.shutdown();
process.exit(0);
