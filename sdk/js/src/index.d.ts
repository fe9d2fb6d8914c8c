import type { Context } from "@opentelemetry/api";
import type { ReadableSpan, Span, SpanProcessor } from "@opentelemetry/sdk-trace-base";

/**
 * Wraps the processor that exports: `new AgentContextProcessor(new BatchSpanProcessor(exporter))`.
 *
 * Spans of models and tools get the name, prompt, graph, workflow, track and conversation of the agent whose work they
 * are. An error in it costs an attribute and is told once; it never costs a span or breaks the program.
 */
export declare class AgentContextProcessor implements SpanProcessor {
  constructor(
    inner: SpanProcessor,
    options?: { /** A span waits so long for the name of its agent. */ longestWaitMs?: number },
  );
  onStart(span: Span, parentContext: Context): void;
  onEnding?: (span: Span) => void;
  onEnd(span: ReadableSpan): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

/** What spans started inside `carry` belong to. It travels as baggage and leaves the process: no personal data. */
export interface Carried {
  agent?: string;
  promptName?: string;
  promptVersion?: string;
  graphVersion?: string;
  track?: string;
  release?: string;
  conversation?: string;
}

/** Run a function; spans that start in it, also after an `await`, belong to what is given. */
export declare function carry<T>(values: Carried, work: () => T): T;
