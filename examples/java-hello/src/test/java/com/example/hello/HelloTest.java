package com.example.hello;

import static org.junit.Assert.assertEquals;

import org.junit.Test;

public class HelloTest {
  private final Hello hello = new Hello("v7");

  @Test
  public void namesItsVersion() {
    assertEquals("java-hello v7\n", hello.answer("/"));
  }

  @Test
  public void isHealthy() {
    assertEquals(200, hello.status("/healthz"));
  }

  @Test
  public void otherPathsAreNotFound() {
    assertEquals(404, hello.status("/other"));
  }
}
