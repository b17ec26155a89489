<?php

use Hello\App;
use PHPUnit\Framework\TestCase;

final class AppTest extends TestCase
{
    public function testHelloNamesItsVersion(): void
    {
        $this->assertSame([200, "php-hello v7\n"], (new App('v7'))->answer('/'));
    }

    public function testItIsHealthy(): void
    {
        $this->assertSame([200, "ok\n"], (new App('v7'))->answer('/healthz'));
    }

    public function testOtherPathsAreNotFound(): void
    {
        $this->assertSame(404, (new App('v7'))->answer('/other')[0]);
    }
}
