. "$HOME/.shiplock/node"
if ! [ -f package.json ]; then
  echo "there is no package.json: nothing to build"
  exit
fi
node - "$root" >"$HOME/.shiplock/order" <<'END'
#include node-order.js
END
if ! [ -s "$HOME/.shiplock/order" ]; then
  echo "package.json has no build script: nothing to build"
fi
while read -r dir; do
  cd "$dir"
  $manager run build </dev/null
done <"$HOME/.shiplock/order"
