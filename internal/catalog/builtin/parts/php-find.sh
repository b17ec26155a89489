# PHP in the version of the stack: a newer one of the same major version will do.
php=
for p in php@version@ php-@version@ php; do
  is=$($p -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;' 2>/dev/null || :)
  case $is in
  @version@) php=$p && break ;;
  ?*) if [ "${is%%.*}" = "$(echo @version@ | cut -d. -f1)" ] && [ "${is#*.}" -ge "$(echo @version@ | cut -d. -f2)" ]; then php=$p && break; fi ;;
  esac
done
if [ -z "$php" ]; then
  echo "error: PHP @version@ is needed and ${is:-none} is here: install php@version@-cli and php@version@-fpm where builds and apps run, or let the App use another stack" >&2
  exit 1
fi
