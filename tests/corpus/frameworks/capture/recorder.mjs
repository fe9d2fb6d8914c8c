// What every Node program of the corpus shares: the log of starts and ends, the tools, the tasks all at once.
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { AsyncLocalStorage } from "node:async_hooks";
import { trace, context, SpanKind, SpanStatusCode } from "@opentelemetry/api";

export const scenario = JSON.parse(process.env.CORPUS_SCENARIO);
export const instrumentation = process.env.CORPUS_INSTRUMENTATION;

const nanoseconds = ([seconds, rest]) => Number(BigInt(seconds) * 1_000_000_000n + BigInt(rest));
// The span that was started last in this chain of calls: all that a processor can go by where nothing is attached.
const last = new AsyncLocalStorage();

/** A line for each start and each end, in the order in which they happened; the same as Python's StartEndLog. */
export class StartEndLog {
  #write(line) {
    appendFileSync(process.env.CORPUS_EVENTS, JSON.stringify(line) + "\n");
  }

  onStart(span, parentContext) {
    const { traceId, spanId } = span.spanContext();
    const parent = trace.getSpan(parentContext);
    this.#write({
      event: "START",
      trace: traceId,
      span: spanId,
      parent: span.parentSpanContext?.spanId ?? null,
      name: span.name,
      kind: SpanKind[span.kind],
      scope: span.instrumentationScope?.name ?? null,
      scope_version: span.instrumentationScope?.version ?? null,
      attributes: { ...span.attributes },
      time: nanoseconds(span.startTime),
      thread: "main",
      parent_is_live: Boolean(parent?.attributes),
      parent_is_remote: Boolean(span.parentSpanContext?.isRemote),
      ambient: trace.getSpan(context.active())?.spanContext().spanId ?? null,
      last_in_context: last.getStore()?.span ?? null,
      baggage: {},
    });
    last.enterWith({ span: spanId });
  }

  onEnd(span) {
    const { traceId, spanId } = span.spanContext();
    this.#write({
      event: "END",
      trace: traceId,
      span: spanId,
      name: span.name,
      attributes: { ...span.attributes },
      events: span.events.map((e) => ({ name: e.name, time: nanoseconds(e.time), attributes: e.attributes ?? {} })),
      links: span.links.map((l) => ({ trace: l.context.traceId, span: l.context.spanId })),
      status: SpanStatusCode[span.status.code],
      status_message: span.status.message ?? null,
      time: nanoseconds(span.endTime),
      thread: "main",
    });
  }

  forceFlush() {
    return Promise.resolve();
  }

  shutdown() {
    return Promise.resolve();
  }
}

const note = (tool, topic, outcome) => {
  const at = Number(process.hrtime.bigint());
  appendFileSync(process.env.CORPUS_TOOL_LOG, JSON.stringify({ tool, topic, outcome, at }) + "\n");
};

/** The tools of tool_server.py, as functions. */
export const tools = {
  lookup: async ({ topic }) => {
    note("lookup", topic, "ok");
    return `${topic}: shipped on Tuesday`;
  },
  flaky: async ({ topic }) => {
    const before = readFileSync(process.env.CORPUS_TOOL_LOG, "utf8").split("\n");
    if (!before.some((line) => line.includes(`"${topic}"`) && line.includes('"flaky"'))) {
      note("flaky", topic, "failed");
      throw new Error(`register is busy, try ${topic} again`);
    }
    note("flaky", topic, "ok");
    return `${topic}: paid on Monday`;
  },
  broken: async ({ topic }) => {
    note("broken", topic, "failed");
    throw new Error(`archive has no ${topic}`);
  },
  slow: async ({ topic }) => {
    note("slow", topic, "started");
    // What a client does that gives up.
    await new Promise((_, reject) => {
      const error = new DOMException("The operation was aborted due to timeout", "TimeoutError");
      setTimeout(() => reject(error), 1000 * scenario.timeout);
    });
  },
};

/** All tasks at once, and what became of each. */
export async function together(run) {
  const outcomes = {};
  const one = async (task) => {
    try {
      await run(task, scenario.teams[task]);
      outcomes[task] = { outcome: "success" };
    } catch (error) {
      outcomes[task] = { outcome: "failure", exception: error.name };
    }
  };
  await Promise.all(JSON.parse(process.env.CORPUS_TASKS).map(one));
  writeFileSync(process.env.CORPUS_OUTCOMES, JSON.stringify(outcomes));
}
