// A provider with the processor, and what it exported.
import { SpanKind, SpanStatusCode, context, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { AgentContextProcessor } from "agentobs-sdk";
import { Attr } from "../src/names.js";

export const OPERATION = Attr.OPERATION;
export const AGENT = Attr.AGENT_NAME;

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

export class Traced {
  constructor({ options = {}, config = {}, inner = (processor) => processor } = {}) {
    this.exported = new InMemorySpanExporter();
    this.processor = new AgentContextProcessor(inner(new SimpleSpanProcessor(this.exported)), options);
    this.provider = new BasicTracerProvider({ spanProcessors: [this.processor], ...config });
  }

  /** Run `work` inside a span, like a framework does. */
  span(name, attributes, work = () => {}, { scope = "app", kind = SpanKind.INTERNAL } = {}) {
    return this.provider.getTracer(scope).startActiveSpan(name, { attributes, kind }, (span) => {
      const end = (result) => (span.end(), result);
      const result = work(span);
      return result instanceof Promise ? result.then(end) : end(result);
    });
  }

  agent(name, work, attributes = {}) {
    return this.span(`invoke_agent ${name}`, { [OPERATION]: "invoke_agent", [AGENT]: name, ...attributes }, work);
  }

  model(attributes = {}, options = {}) {
    this.span("chat", { [OPERATION]: "chat", ...attributes }, undefined, options);
    return this.of("chat");
  }

  call(tool, { fails = false, arguments: given = "{}", ...attributes } = {}) {
    const all = { [OPERATION]: "execute_tool", [Attr.TOOL_NAME]: tool, [Attr.TOOL_ARGUMENTS]: given, ...attributes };
    this.span(`execute_tool ${tool}`, all, (span) => fails && span.setStatus({ code: SpanStatusCode.ERROR }));
  }

  get spans() {
    return this.exported.getFinishedSpans();
  }

  /** Attributes of the newest span of a name. */
  of(name) {
    return this.spans.findLast((span) => span.name === name)?.attributes;
  }

  get attempts() {
    return this.spans.filter((span) => span.name.includes("tool")).map((span) => span.attributes[Attr.RETRY_ATTEMPT]);
  }
}

export function carrying(values, work) {
  let baggage = propagation.getActiveBaggage() ?? propagation.createBaggage();
  for (const [key, value] of Object.entries(values)) baggage = baggage.setEntry(key, { value });
  return context.with(propagation.setBaggage(context.active(), baggage), work);
}

/** Run `work` as a server does that was called: the parent is another process's span. */
export function calledFromAfar(work) {
  const caller = { traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: 1, isRemote: true };
  return context.with(trace.setSpanContext(context.active(), caller), work);
}
