<?php

require __DIR__ . '/../vendor/autoload.php';

$version = trim(file_get_contents(__DIR__ . '/../VERSION'));
[$status, $text] = (new Hello\App($version))->answer(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));

http_response_code($status);
header('Content-Type: text/plain; charset=utf-8');
echo $text;
