<?php

namespace Hello;

/** App answers with its version. */
final class App
{
    private string $version;

    public function __construct(string $version)
    {
        $this->version = $version;
    }

    /** @return array{int, string} the status and the text for a path */
    public function answer(string $path): array
    {
        switch ($path) {
            case '/':
                return [200, "php-hello {$this->version}\n"];
            case '/healthz':
                return [200, "ok\n"];
        }
        return [404, "not found\n"];
    }
}
