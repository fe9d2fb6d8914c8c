// CPU per span with and without the processor: `node bench/cost.js`. An agent's span with 20 model and tool calls
// inside, directly and 8 levels down; rounds alternate, the median counts.
import { ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { AgentContextProcessor } from "agentobs-sdk";

const CALLS = 20;
const RUNS = 400;
const ROUNDS = 15;
const SENT = {
  "gen_ai.provider.name": "openai",
  "gen_ai.request.model": "m",
  "server.address": "h",
  "server.port": 443,
};
const TOLD = {
  "gen_ai.usage.input_tokens": 812,
  "gen_ai.usage.output_tokens": 96,
  "gen_ai.response.model": "m-1",
  "gen_ai.response.id": "r",
};

const nothing = { onStart() {}, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {} };

function run(tracer, depth) {
  const opened = [];
  let around = ROOT_CONTEXT;
  for (let level = 0; level < depth; level++) {
    const attributes = level
      ? {}
      : { "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner", "gen_ai.prompt.version": "3" };
    const span = tracer.startSpan(level ? "step" : "invoke_agent planner", { attributes }, around);
    opened.push(span);
    around = trace.setSpan(around, span);
  }
  for (let call = 0; call < CALLS; call++) {
    const isTool = call % 2;
    const attributes = {
      "gen_ai.operation.name": isTool ? "execute_tool" : "chat",
      ...SENT,
      ...(isTool ? { "gen_ai.tool.name": "t", "gen_ai.tool.call.arguments": "{}" } : {}),
    };
    tracer
      .startSpan(isTool ? "execute_tool t" : "chat m", { attributes }, around)
      .setAttributes(TOLD)
      .end();
  }
  for (const span of opened.reverse()) span.end();
  return opened.length + CALLS;
}

function perSpan(processor, depth) {
  const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer("bench");
  let spans = 0;
  const before = process.cpuUsage();
  for (let i = 0; i < RUNS; i++) spans += run(tracer, depth);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / spans;
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
for (const depth of [1, 8]) {
  const figures = { without: [], with: [] };
  for (let round = -2; round < ROUNDS; round++) {
    const pair = [perSpan(nothing, depth), perSpan(new AgentContextProcessor(nothing), depth)];
    if (round >= 0) [figures.without, figures.with].forEach((list, i) => list.push(pair[i]));
  }
  const [without, withIt] = [median(figures.without), median(figures.with)];
  console.log(
    `depth ${depth}: ${without.toFixed(1)} us per span, ${(withIt - without).toFixed(1)} added by the processor`,
  );
}
