// Vercel AI SDK 5 with `experimental_telemetry`: the researcher is a tool of the coordinator.
import { createOpenAI } from "@ai-sdk/openai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { generateText, stepCountIs, tool } from "ai";
import { z } from "zod";
import { StartEndLog, scenario, together, tools } from "./recorder.mjs";

const exporter = new OTLPTraceExporter({ url: process.env.CORPUS_OTLP_URL });
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ "service.name": "ai-sdk", "service.version": "1.4.0" }),
  spanProcessors: [new StartEndLog(), new BatchSpanProcessor(exporter)],
});
provider.register();
const openai = createOpenAI({ baseURL: process.env.CORPUS_MODEL_URL, apiKey: "scripted" });

const offered = (role) =>
  Object.fromEntries(
    scenario.tools[role].map((name) => [
      name,
      tool({ description: `Use ${name}.`, inputSchema: z.object({ topic: z.string() }), execute: tools[name] }),
    ]),
  );

async function agent(who, prompt, task, more = {}) {
  const { text } = await generateText({
    model: openai.chat(scenario.model),
    system: scenario.instructions[who],
    prompt,
    tools: { ...offered(who.split("_")[1]), ...more },
    stopWhen: stepCountIs(8),
    experimental_telemetry: {
      isEnabled: true,
      functionId: who,
      metadata: { sessionId: `conversation-${task}`, promptVersion: scenario.promptVersions[who] },
    },
  });
  return text;
}

await together(async (task, team) => {
  const ask = tool({
    description: "Ask the researcher to find something out.",
    inputSchema: z.object({ request: z.string() }),
    execute: ({ request }) => agent(`${team}_researcher`, request, task),
  });
  await agent(`${team}_coordinator`, scenario.questions[task], task, { [`ask_${team}_researcher`]: ask });
});
await provider.shutdown();
