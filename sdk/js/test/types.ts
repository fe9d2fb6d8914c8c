// What a program in TypeScript writes; compiled, never run.
import { BasicTracerProvider, BatchSpanProcessor, ConsoleSpanExporter } from "@opentelemetry/sdk-trace-base";
import { AgentContextProcessor, carry } from "agentobs-sdk";

const processor = new AgentContextProcessor(new BatchSpanProcessor(new ConsoleSpanExporter()), { longestWaitMs: 10 });
export const provider = new BasicTracerProvider({ spanProcessors: [processor] });
export const answer: Promise<string> = carry({ agent: "planner", promptVersion: "12" }, async () => "42");
// @ts-expect-error a version is text
carry({ promptVersion: 12 }, () => 1);
