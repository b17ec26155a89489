. "$HOME/.shiplock/node"
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
case $manager,$lock in
npm,) set -- install --no-package-lock ;;
npm,*) set -- ci ;;
pnpm,) set -- install --no-lockfile ;;
pnpm,*) set -- install --frozen-lockfile ;;
yarn,) set -- install ;;
yarn,*)
  case $version in
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
