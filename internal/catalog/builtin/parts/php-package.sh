umask 022
. "$HOME/.shiplock/php"
if [ -n "${composer:-}" ]; then
  $php "$composer" install --no-dev --no-progress --prefer-dist --optimize-autoloader
fi
# The folder that the world sees: SITE_DIR, or else the usual one.
dir=
for d in ${SITE_DIR:-public web htdocs public_html webroot pub www .}; do
  if [ -f "$d/index.php" ]; then dir=$d && break; fi
done
if [ -z "$dir" ]; then
  echo "error: there is no index.php in ${SITE_DIR:-public, web, htdocs, public_html, webroot, pub, www or the App's folder}; name its folder by SITE_DIR, a variable of this step" >&2
  exit 1
fi
echo "the world sees $dir"
mkdir -p start_env/.shiplock
echo "$dir" >start_env/.shiplock/root
for f in * .[!.]*; do
  case $f in
  start_env | .git | .github | node_modules | junit.xml | clover.xml | coverage | .phpunit.result.cache | .phpunit.cache) ;;
  *) if [ -e "$f" ] || [ -h "$f" ]; then cp -RP "$f" start_env/; fi ;;
  esac
done
if [ -f "$HOME/.shiplock/left" ]; then
  while read -r f; do
    rm -rf "start_env/$f"
  done <"$HOME/.shiplock/left"
fi
find start_env -name .git -prune -exec rm -rf {} +
found=$(grep -rlF "$PWD/" start_env | head -n 3 || :)
if [ -n "$found" ]; then
  echo "note: another build of this commit gives another image: the path of this build is in" $found
fi
