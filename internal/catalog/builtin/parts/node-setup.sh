# The lock file says which package manager: here, or above in a workspace's root.
root=$PWD lock=
while :; do
  for f in pnpm-lock.yaml yarn.lock package-lock.json npm-shrinkwrap.json; do
    if [ -z "$lock" ] && [ -f "$root/$f" ]; then lock=$f; fi
  done
  if [ -n "$lock" ] || [ -e "$root/.git" ] || [ "$root" = / ]; then break; fi
  root=$(dirname "$root")
done
if [ "$root" != "$PWD" ] && ! [ -f "$root/pnpm-workspace.yaml" ] && ! grep -qs '"workspaces"' "$root/package.json"; then
  root=$PWD lock=
fi
says() { node -p "(p => $1 || '')(require(process.argv[1]))" "$root/package.json" 2>/dev/null || :; }
field=$(says p.packageManager)
field=${field%%+*}
case $lock in
pnpm-lock.yaml) manager=pnpm ;;
yarn.lock) manager=yarn ;;
"") manager=${field%%@*} ;;
*) manager=npm ;;
esac
manager=${manager:-npm}
wanted=
case $field in "$manager"@*) wanted=${field#*@} ;; esac
if [ -z "$wanted" ] && [ "$manager" = pnpm ]; then
  case $(sed -n "s/^lockfileVersion: *'*\([0-9]*\).*/\1/p" "$root/$lock") in
  5) wanted=7 ;;
  6) wanted=8 ;;
  *)
    wanted=$(says '(p.engines || {}).pnpm' | sed 's/^>= *\([0-9]\)/^\1/')
    case $wanted in "" | ^[1-8] | ^[1-8].*) wanted=9 ;; esac
    ;;
  esac
elif [ -z "$wanted" ] && [ "$manager" = yarn ]; then
  wanted=1.22.22
  if grep -qs '^__metadata:' "$root/yarn.lock"; then wanted=4; fi
fi

# Any but npm: the repository's own, the machine's in that version, or by npm. It is
# called by its name, by scripts of packages too.
tools=$HOME/.local/lib bin=$HOME/.local/bin
mkdir -p "$bin" "$HOME/.shiplock"
has() { case $("$@" --version 2>/dev/null) in "$wanted" | "$wanted".*) return 0 ;; esac; return 1; }
own=$(sed -n 's/^yarnPath: *"*\([^"]*\)"*$/\1/p' "$root/.yarnrc.yml" 2>/dev/null || :)
case $manager in
npm) ;;
yarn | pnpm)
  package=$manager@$wanted
  case $package in yarn@[2-9]*) package=@yarnpkg/cli-dist@$wanted ;; esac
  if [ "$manager" = yarn ] && [ -n "$own" ] && [ -f "$root/$own" ]; then
    printf '#!/bin/sh\nexec node "%s" "$@"\n' "$root/$own" >"$bin/yarn"
    chmod +x "$bin/yarn"
  elif case $(readlink -f "$(command -v "$manager" || :)") in *corepack*) false ;; esac && has "$manager"; then
    :
  elif npm install --prefix "$tools" --no-save --no-audit --no-fund --engine-strict --loglevel=error "$package" >/dev/null; then
    ln -sf "$tools/node_modules/.bin/$manager" "$bin/$manager"
  else
    echo "error: $manager $wanted is needed and npm could not install it: npm install -g $package where builds run" >&2
    exit 1
  fi
  ;;
*)
  echo "error: package.json asks for the package manager $manager: npm, pnpm and yarn are known" >&2
  exit 1
  ;;
esac

# Native code is compiled with the headers that came with node, where they did: else
# they would be fetched. pnpm's settings are not npm's, which warns of those that it
# does not know; a file that is copied cannot be changed for other builds. Classic yarn
# has one cache for the whole machine when root calls it.
headers=$(node -e '
  const { dirname } = require("path");
  const prefix = dirname(dirname(process.execPath));
  const version = require("fs").readFileSync(prefix + "/include/node/node_version.h", "utf8");
  if (/NODE_MAJOR_VERSION (\d+)/.exec(version)[1] === process.versions.node.split(".")[0]) console.log(prefix)' 2>/dev/null || :)
version=$($manager --version)
{
  printf 'root="%s" lock="%s" manager=%s version=%s\n' "$root" "$lock" "$manager" "$version"
  if [ -n "$headers" ]; then
    printf 'export npm_config_nodedir="%s"\n' "$headers"
  fi
  case $manager-$version in
  pnpm-*)
    for s in package_import_method=clone-or-copy manage_package_manager_versions=false; do
      echo "export npm_config_$s pnpm_config_$s"
    done
    ;;
  yarn-[01].*) printf 'export YARN_CACHE_FOLDER="%s"\n' "$HOME/.cache/yarn" ;;
  esac
} >"$HOME/.shiplock/node"
echo "this is built with node $(node --version) and $manager $version"
