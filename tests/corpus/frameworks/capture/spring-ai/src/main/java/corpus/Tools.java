package corpus;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The tools of tool_server.py, as functions. */
final class Tools {
  private static final Path LOG = Path.of(System.getenv("CORPUS_TOOL_LOG"));

  private Tools() {}

  static String call(String tool, String topic) {
    switch (tool) {
      case "flaky":
        if (!failedBefore(topic)) {
          note(tool, topic, "failed");
          throw new IllegalStateException("register is busy, try " + topic + " again");
        }
        break;
      case "broken":
        note(tool, topic, "failed");
        throw new IllegalStateException("archive has no " + topic);
      case "slow":
        note(tool, topic, "started");
        giveUp();
        break;
      default:
    }
    note(tool, topic, "ok");
    return topic + ": shipped on Tuesday";
  }

  /** What a client does that does not wait for ever. */
  private static void giveUp() {
    try {
      Thread.sleep(4000);
    } catch (InterruptedException error) {
      Thread.currentThread().interrupt();
    }
    throw new IllegalStateException(new java.util.concurrent.TimeoutException("carrier did not answer within 4 s"));
  }

  private static synchronized boolean failedBefore(String topic) {
    try {
      return Files.readAllLines(LOG).stream()
          .anyMatch(line -> line.contains("\"" + topic + "\"") && line.contains("\"flaky\""));
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private static synchronized void note(String tool, String topic, String outcome) {
    String line = "{\"tool\": \"%s\", \"topic\": \"%s\", \"outcome\": \"%s\"}%n".formatted(tool, topic, outcome);
    try {
      Files.writeString(LOG, line, StandardOpenOption.APPEND);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }
}
