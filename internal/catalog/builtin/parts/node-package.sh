umask 022
. "$HOME/.shiplock/node"
node - "$root" <<'END'
#include node-closure.js
END
found=$(grep -rlF --exclude-dir=node_modules "$root/" start_env | head -n 3 || :)
if [ -n "$found" ]; then
  echo "note: another build of this commit gives another image: the path of this build is in" $found
fi
