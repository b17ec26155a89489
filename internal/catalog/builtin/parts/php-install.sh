#include php-find.sh
mkdir -p "$HOME/.shiplock"
echo "php=$(command -v "$php")" >"$HOME/.shiplock/php"
$php -v | head -n 1
if ! [ -f "${COMPOSER:-composer.json}" ]; then
  echo "there is no ${COMPOSER:-composer.json}: nothing to install"
elif git ls-files --error-unmatch vendor/autoload.php >/dev/null 2>&1; then
  echo "vendor/ is in the repository: nothing to install"
elif ! [ -f composer.lock ] && ! ls phpunit*.xml* >/dev/null 2>&1 && $php -r '
  $c = json_decode(file_get_contents("composer.json"), true) ?: [];
  exit(isset($c["autoload"]) || preg_grep("~/~", array_keys($c["require"] ?? [])) ? 1 : 0);'; then
  echo "composer.json asks for nothing that runs or is tested: nothing to install"
else
  if ! composer=$(command -v composer); then
    echo "error: composer is not installed where the build runs: install Debian's package composer, or https://getcomposer.org" >&2
    exit 1
  fi
  echo "composer=$composer; export COMPOSER_HOME=$HOME/.composer" >>"$HOME/.shiplock/php"
  # Names in what Composer makes are random unless they are told.
  mkdir -p "$HOME/.composer"
  name=$(cat composer.json composer.lock 2>/dev/null | sha256sum | cut -c1-32)
  printf '{"config": {"autoloader-suffix": "%s"}}\n' "$name" >"$HOME/.composer/config.json"
  export COMPOSER_HOME="$HOME/.composer"
  if ! [ -f composer.lock ]; then
    echo "warning: there is no composer.lock, so two builds may get different versions" >&2
  fi
  $php "$composer" install --no-progress --prefer-dist
fi
