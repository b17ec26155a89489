# What the build wrote is the site: the folder named by SITE_DIR, or else the first
# of the usual ones that holds a page and is new; where none is and package.json has
# no build, the pages of the repository itself.
umask 022
. "$HOME/.shiplock/node"
first() { find "$1" -maxdepth 3 -name index.html -newer "$HOME/.shiplock/node" 2>/dev/null | awk '{ print gsub("/", "/"), $0 }' | sort -k1n -k2 | head -n 1 | cut -d' ' -f2-; }
usual=".output/public dist out build _site public www site htdocs .vitepress/dist docs/.vitepress/dist docs"
dir=
if [ -n "${SITE_DIR:-}" ]; then
  if ! [ -f "$SITE_DIR/index.html" ]; then
    echo "error: SITE_DIR is $SITE_DIR, and there is no $SITE_DIR/index.html: correct it, or the build" >&2
    exit 1
  fi
  dir=$SITE_DIR
else
  for d in $usual; do
    found=$(first "$d")
    if [ -n "$found" ]; then dir=$(dirname "$found") && break; fi
  done
fi
if [ -z "$dir" ] && ! [ -s "$HOME/.shiplock/order" ]; then
  for d in . $usual; do
    if [ -f "$d/index.html" ]; then dir=$d && break; fi
  done
fi
if [ -z "$dir" ]; then
  echo "error: no index.html of the site is in any of: $usual; name the build's folder by SITE_DIR, a variable of this step" >&2
  exit 1
fi
echo "the site is $dir"
mkdir -p start_env
if [ "$dir" = . ]; then
  mkdir start_env/www
  for f in * .well-known; do
    case $f in
    start_env | start.sh | node_modules | package.json | *-lock.json | *-lock.yaml | yarn.lock | coverage | junit.xml) ;;
    *) if [ -e "$f" ]; then cp -RP "$f" start_env/www/; fi ;;
    esac
  done
else
  cp -RP "$dir" start_env/www
fi
if [ -f start.sh ]; then
  cp start.sh start_env/start.sh
fi
found=$(grep -rlF "$root/" start_env/www | head -n 3 || :)
if [ -n "$found" ]; then
  echo "note: another build of this commit gives another image: the path of this build is in" $found
fi
