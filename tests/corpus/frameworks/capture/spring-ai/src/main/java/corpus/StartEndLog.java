package corpus;

import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A line for each start and each end, in the order in which they happened; the same as Python's StartEndLog. */
final class StartEndLog implements SpanProcessor {
  private static final Path FILE = Path.of(System.getenv("CORPUS_EVENTS"));
  private static final ThreadLocal<String> LAST = new ThreadLocal<>();

  @Override
  public void onStart(Context parentContext, ReadWriteSpan span) {
    SpanData data = span.toSpanData();
    Span parent = Span.fromContext(parentContext);
    Map<String, Object> line = base("START", data, data.getStartEpochNanos());
    line.put("parent", data.getParentSpanContext().isValid() ? data.getParentSpanId() : null);
    line.put("kind", data.getKind().name());
    line.put("scope", data.getInstrumentationScopeInfo().getName());
    line.put("scope_version", data.getInstrumentationScopeInfo().getVersion());
    line.put("parent_is_live", parent instanceof ReadableSpan);
    line.put("parent_is_remote", data.getParentSpanContext().isRemote());
    line.put("ambient", Span.current().getSpanContext().isValid() ? Span.current().getSpanContext().getSpanId() : null);
    line.put("last_in_context", LAST.get());
    line.put("baggage", Map.of());
    LAST.set(data.getSpanId());
    write(line);
  }

  @Override
  public void onEnd(ReadableSpan span) {
    SpanData data = span.toSpanData();
    Map<String, Object> line = base("END", data, data.getEndEpochNanos());
    line.put(
        "events",
        data.getEvents().stream()
            .map(e -> Map.of("name", e.getName(), "time", e.getEpochNanos(), "attributes", plain(e.getAttributes())))
            .toList());
    line.put("links", List.of());
    line.put("status", data.getStatus().getStatusCode().name());
    line.put("status_message", data.getStatus().getDescription());
    write(line);
  }

  @Override
  public boolean isStartRequired() {
    return true;
  }

  @Override
  public boolean isEndRequired() {
    return true;
  }

  private static Map<String, Object> base(String event, SpanData data, long time) {
    Map<String, Object> line = new TreeMap<>();
    line.put("event", event);
    line.put("trace", data.getTraceId());
    line.put("span", data.getSpanId());
    line.put("name", data.getName());
    line.put("attributes", plain(data.getAttributes()));
    line.put("time", time);
    line.put("thread", Thread.currentThread().getName());
    return line;
  }

  private static Map<String, Object> plain(Attributes attributes) {
    Map<String, Object> found = new TreeMap<>();
    attributes.forEach((key, value) -> found.put(key.getKey(), value));
    return found;
  }

  private static synchronized void write(Map<String, Object> line) {
    try {
      Files.writeString(FILE, json(line) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private static String json(Object value) {
    if (value instanceof Map<?, ?> map) {
      return "{" + String.join(", ", map.entrySet().stream().map(e -> json(e.getKey()) + ": " + json(e.getValue())).toList()) + "}";
    }
    if (value instanceof List<?> list) {
      return "[" + String.join(", ", list.stream().map(StartEndLog::json).toList()) + "]";
    }
    if (value == null || value instanceof Number || value instanceof Boolean) {
      return String.valueOf(value);
    }
    StringBuilder text = new StringBuilder("\"");
    for (char c : value.toString().toCharArray()) {
      text.append(c == '"' || c == '\\' ? "\\" + c : c < ' ' ? "\\u%04x".formatted((int) c) : String.valueOf(c));
    }
    return text.append('"').toString();
  }
}
