package corpus;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;

/** A pool that waits at its end: Java 17's cannot be closed. */
record Threads(ExecutorService pool) implements AutoCloseable {
  void run(Runnable work) {
    pool.submit(work);
  }

  @Override
  public void close() throws InterruptedException {
    pool.shutdown();
    pool.awaitTermination(100, TimeUnit.SECONDS);
  }
}
