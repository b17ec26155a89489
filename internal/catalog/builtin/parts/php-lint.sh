. "$HOME/.shiplock/php"
find . -name '*.php' -not -path '*/vendor/*' -not -path '*/node_modules/*' -not -path './start_env/*' -type f | LC_ALL=C sort >"$HOME/.shiplock/files"
cat >"$HOME/.shiplock/lint.php" <<'END'
#include php-lint.php
END
$php -d memory_limit=-1 "$HOME/.shiplock/lint.php" <"$HOME/.shiplock/files" >"$HOME/.shiplock/broken"
# In PHP's own words.
while read -r file; do
  $php -n -d display_errors=stderr -d log_errors=0 -l "$file" >/dev/null || :
done <"$HOME/.shiplock/broken"
if [ -s "$HOME/.shiplock/broken" ]; then
  exit 1
fi
echo "$(wc -l <"$HOME/.shiplock/files") files of PHP are well-formed"
