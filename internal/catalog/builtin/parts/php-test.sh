. "$HOME/.shiplock/php"
phpunit=
for p in vendor/bin/phpunit bin/phpunit; do
  if [ -f "$p" ]; then phpunit=$p && break; fi
done
if ! [ -f phpunit.xml ] && ! [ -f phpunit.xml.dist ] && ! [ -f phpunit.dist.xml ]; then
  echo "there is no phpunit.xml: nothing to test"
  exit
fi
if [ -z "$phpunit" ] && ! phpunit=$(command -v phpunit); then
  echo "error: phpunit is not installed: add phpunit/phpunit to composer.json's require-dev, or install Debian's package phpunit where the build runs" >&2
  exit 1
fi
set -- --log-junit junit.xml
if $php -m | grep -qixE 'pcov|xdebug'; then
  set -- "$@" --coverage-clover clover.xml
fi
#include test-files.sh
files . >"$HOME/.shiplock/before"
XDEBUG_MODE=coverage $php "$phpunit" "$@"
files . | LC_ALL=C comm -13 "$HOME/.shiplock/before" - >"$HOME/.shiplock/left"
