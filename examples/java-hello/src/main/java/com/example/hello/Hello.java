package com.example.hello;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Says hello with its version. */
final class Hello implements HttpHandler {
  private final String version;

  Hello(String version) {
    this.version = version;
  }

  @Override
  public void handle(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    byte[] body = answer(path).getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status(path), body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  int status(String path) {
    return path.equals("/") || path.equals("/healthz") ? 200 : 404;
  }

  String answer(String path) {
    switch (path) {
      case "/":
        return "java-hello " + version + "\n";
      case "/healthz":
        return "ok\n";
      default:
        return "not found\n";
    }
  }
}
