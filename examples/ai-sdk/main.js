// Vercel AI SDK 7: the executor is a tool of the planner. Instrumented with @ai-sdk/otel.
import { randomUUID } from "node:crypto";
import { createOpenAI } from "@ai-sdk/openai";
import { OpenTelemetry } from "@ai-sdk/otel";
import { trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { AgentContextProcessor, carry } from "agentobs-sdk";
import { generateText, registerTelemetry, stepCountIs, tool } from "ai";
import { z } from "zod";

const resource = resourceFromAttributes({
  "service.name": "refunds-ai-sdk",
  "service.version": "1.4.0",
  "deployment.environment.name": "dev",
});
const exporter = new BatchSpanProcessor(new OTLPTraceExporter());
const provider = new NodeTracerProvider({ resource, spanProcessors: [new AgentContextProcessor(exporter)] });
provider.register();
registerTelemetry(new OpenTelemetry());

const baseURL = process.env.OPENAI_BASE_URL || "http://127.0.0.1:8642/v1";
const openai = createOpenAI({ baseURL, apiKey: process.env.OPENAI_API_KEY || "scripted" });
const model = openai(process.env.OPENAI_MODEL || "gpt-4.1-mini");
await fetch(`${baseURL}/models`).catch((error) => {
  console.error(
    `no model answers at OPENAI_BASE_URL=${baseURL}: ${error.cause?.message ?? error.message}. Fix: start the scripted ` +
      "one in another terminal with `python3 examples/model_server`, or set OPENAI_BASE_URL and OPENAI_API_KEY for a real one",
  );
  process.exit(1);
});

const order = z.object({ order: z.string() });
const versioned = (version) => trace.getActiveSpan()?.setAttribute("agentic.tool.version", version);
const refused = new Set();

const order_lookup = tool({
  description: "Look up an order by its number.",
  inputSchema: order,
  execute: async ({ order }) => {
    versioned("3.1.0");
    return `order ${order}: one kettle, 42.00 EUR, paid by card`;
  },
});
const order_refund = tool({
  description: "Refund an order by its number.",
  inputSchema: order,
  execute: async ({ order }) => {
    versioned("2.0.4");
    if (!refused.has(order)) {
      refused.add(order);
      throw new Error("the payment provider is busy, try again");
    }
    return `order ${order}: refunded 42.00 EUR`;
  },
});

/** One agent with its tools; `carry` says which prompt it has. */
async function agent(name, promptVersion, instructions, tools, prompt) {
  const telemetry = { functionId: name };
  const ask = () => generateText({ model, instructions, prompt, tools, stopWhen: stepCountIs(8), telemetry });
  return (await carry({ agent: name, promptName: name, promptVersion }, ask)).text;
}

const ask_executor = tool({
  description: "Have the executor do something.",
  inputSchema: z.object({ request: z.string() }),
  execute: ({ request }) =>
    agent(
      "executor",
      "3",
      "You are the executor of a support desk. Refund the order you are told of. If that fails, try once more.",
      { order_refund },
      request,
    ),
});

const ask = () =>
  carry({ graphVersion: "7", track: "stable", conversation: randomUUID() }, () =>
    agent(
      "planner",
      "12",
      "You are the planner of a support desk. Look the order up, then have the executor refund it, naming the order.",
      { order_lookup, ask_executor },
      "The kettle of order 1007 came broken. I want my money back.",
    ),
  );
try {
  console.log(await ask());
} finally {
  await provider.shutdown(); // sends what is queued, also of a task that failed
}
