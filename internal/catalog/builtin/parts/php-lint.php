<?php
// Prints the files that cannot be parsed; one process reads thousands in a second.
while (($file = fgets(STDIN)) !== false) {
    try {
        token_get_all(file_get_contents(rtrim($file, "\n")), TOKEN_PARSE);
    } catch (Throwable $e) {
        echo $file;
    }
}
