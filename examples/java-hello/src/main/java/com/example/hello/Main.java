package com.example.hello;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Answers with its version, on PORT. It says whether it is healthy, and ends on SIGTERM. */
public final class Main {
  private Main() {}

  public static void main(String[] args) throws IOException {
    int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "8080"));
    HttpServer server = HttpServer.create(new InetSocketAddress(port), 128);
    ExecutorService threads = Executors.newFixedThreadPool(16);
    server.setExecutor(threads);
    server.createContext("/", new Hello(version()));
    server.start();
    System.out.printf("java-hello %s listens on port %d%n", version(), port);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      server.stop(5); // seconds, at most, for requests that are under way
      threads.shutdown();
    }));
  }

  private static String version() throws IOException {
    try (InputStream in = Main.class.getResourceAsStream("/VERSION")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).trim();
    }
  }
}
