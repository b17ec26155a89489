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
field=$(node -p 'require(process.argv[1]).packageManager || ""' "$root/package.json" 2>/dev/null || :)
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
  case $(sed -n "s/^lockfileVersion: *'*\([0-9]*\).*/\1/p" "$root/$lock") in 5) wanted=7 ;; 6) wanted=8 ;; *) wanted=9 ;; esac
elif [ -z "$wanted" ] && [ "$manager" = yarn ]; then
  wanted=1.22.22
  if grep -qs '^__metadata:' "$root/yarn.lock"; then wanted=4; fi
fi

# Any but npm: the repository's own, the machine's in that version, or by npm.
# Scripts of packages call it by its name.
tools=$HOME/.shiplock/tools bin=$HOME/.shiplock/bin
mkdir -p "$bin"
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
  elif npm install --prefix "$tools" --no-save --no-audit --no-fund --silent "$package"; then
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
printf 'manager=%s root="%s"\nexport PATH="%s:$PATH"\n' "$manager" "$root" "$bin" >"$HOME/.shiplock/node"
export PATH="$bin:$PATH"

if ! [ -f package.json ]; then
  echo "there is no package.json: nothing to install"
  exit
fi
wanted=$(node -p '
  const p = require(process.argv[1] + "/package.json");
  Object.keys({...p.dependencies, ...p.devDependencies, ...p.optionalDependencies, ...p.peerDependencies}).length + (p.workspaces ? 1 : 0)' "$root")
cd "$root"
if [ "$wanted" = 0 ] && ! [ -f pnpm-workspace.yaml ]; then
  echo "package.json names no dependencies: nothing to install"
  exit
fi
echo "installing with $manager $($manager --version)"
case $manager,$lock in
npm,) set -- install --no-package-lock ;;
npm,*) set -- ci ;;
pnpm,) set -- install --no-lockfile ;;
pnpm,*) set -- install --frozen-lockfile ;;
yarn,) set -- install ;;
yarn,*)
  case $($manager --version) in
  [01].*) set -- install --frozen-lockfile --non-interactive --no-progress ;;
  *) set -- install --immutable ;;
  esac
  ;;
esac
if [ -z "$lock" ]; then
  echo "warning: there is no lock file, so two builds may get different versions" >&2
fi
if [ "$manager" = npm ]; then
  set -- "$@" --no-audit --no-fund
fi
$manager "$@"
