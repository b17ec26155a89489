// Copies the app with the packages that it needs at run time into start_env, each
// where it was, and nothing of how they came there: what package managers note
// about an installation differs from one to the next.
const fs = require('fs');
const path = require('path');

const root = fs.realpathSync(process.argv[2]);
const app = fs.realpathSync('.');
const out = path.join(app, 'start_env');
const modules = `${path.sep}node_modules${path.sep}`;
const inside = (at) => at === root || at.startsWith(root + path.sep);
const place = (at) => path.join(out, path.relative(root, at));

const packages = new Map(); // real folder → package.json
const links = new Map(); // link in a node_modules → real folder

function find(from, name) {
  for (let dir = from; inside(dir); dir = path.dirname(dir)) {
    if (path.basename(dir) === 'node_modules') continue;
    const at = path.join(dir, 'node_modules', name);
    if (fs.existsSync(path.join(at, 'package.json'))) return at;
  }
}

function needed(p) {
  const meta = p.peerDependenciesMeta ?? {};
  const peers = Object.keys(p.peerDependencies ?? {}).filter((name) => !meta[name]?.optional);
  return [...new Set([...Object.keys({ ...p.dependencies, ...p.optionalDependencies }), ...peers])].sort();
}

function visit(dir) {
  if (packages.has(dir)) return;
  const p = JSON.parse(fs.readFileSync(path.join(dir, 'package.json')));
  packages.set(dir, p);
  for (const name of needed(p)) {
    const at = find(dir, name);
    if (at === undefined) continue; // optional, or nobody misses it
    const real = fs.realpathSync(at);
    if (!inside(real)) throw new Error(`${at} is a link out of the repository`);
    if (real !== at) links.set(at, real);
    visit(real);
  }
}

// What stays behind: of our own code, what builds and tests leave; of others', what
// compiling native code leaves beside its result.
const noted = path.join(process.env.HOME, '.shiplock', 'left');
const left = new Set(fs.existsSync(noted) ? fs.readFileSync(noted, 'utf8').split('\n') : []);
const leftovers = new Set(['.git', '.npmrc', '.yarnrc.yml', '.yarn', 'start_env', 'coverage', '.nyc_output', 'junit.xml']);
const objects = /\/build\/(Makefile|config\.gypi|[^/]*\.(mk|Makefile)|(Release|Debug)\/(\.deps|obj|obj\.target))$/;

function copy(from, to, keep) {
  fs.mkdirSync(to, { recursive: true });
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const at = path.join(from, entry.name);
    const dest = path.join(to, entry.name);
    if (!keep(entry.name, at)) continue;
    if (entry.isDirectory()) copy(at, dest, keep);
    else if (entry.isSymbolicLink()) link(dest, fs.readlinkSync(at));
    else if (entry.isFile()) fs.copyFileSync(at, dest, fs.constants.COPYFILE_FICLONE);
  }
}

function link(at, target) {
  fs.mkdirSync(path.dirname(at), { recursive: true });
  fs.rmSync(at, { force: true, recursive: true });
  fs.symlinkSync(target, at);
}

function copyPackage(dir, p) {
  const own = !dir.includes(modules);
  const bundles = (p.bundleDependencies ?? p.bundledDependencies ?? []).length > 0;
  copy(dir, place(dir), (name, at) => {
    if (name === 'node_modules') return !own && bundles && path.dirname(at) === dir;
    if (own && (left.has(at) || (path.dirname(at) === dir && leftovers.has(name)))) return false;
    return !(own && packages.has(at)) && (own || !objects.test(at));
  });
}

// Programs of packages, for start scripts.
function linkPrograms(at, dir, p) {
  const folder = at.slice(0, at.lastIndexOf(modules) + modules.length - 1);
  if (!at.includes(modules) || ![root, app].includes(path.dirname(folder))) return;
  const programs = typeof p.bin === 'string' ? { [p.name.split('/').pop()]: p.bin } : (p.bin ?? {});
  for (const [name, file] of Object.entries(programs)) {
    const to = path.join(place(dir), file);
    if (!fs.existsSync(to) || name.includes('/')) continue;
    fs.chmodSync(to, 0o755);
    const from = path.join(place(folder), '.bin', name);
    link(from, path.relative(path.dirname(from), to));
  }
}

// pnpm lets a package use others that it does not name, by links in one folder for
// all. Those to packages of the image work there too.
function hoisted(folder) {
  if (!fs.existsSync(folder)) return;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory() && entry.name.startsWith('@')) hoisted(at);
    if (!entry.isSymbolicLink() || !fs.existsSync(at)) continue;
    const real = fs.realpathSync(at);
    if (packages.has(real)) links.set(at, real);
  }
}

visit(app);
hoisted(path.join(root, 'node_modules', '.pnpm', 'node_modules'));
for (const [dir, p] of packages) copyPackage(dir, p);
for (const [at, to] of links) link(place(at), path.relative(path.dirname(place(at)), place(to)));
for (const [dir, p] of packages) linkPrograms(dir, dir, p);
for (const [at, to] of links) linkPrograms(at, to, packages.get(to));
if (app !== root) {
  // The image is laid out like the repository; start.sh goes to the app's folder.
  fs.mkdirSync(path.join(out, '.shiplock'), { recursive: true });
  fs.writeFileSync(path.join(out, '.shiplock', 'app'), path.relative(root, app) + '\n');
  if (fs.existsSync('start.sh')) fs.copyFileSync('start.sh', path.join(out, 'start.sh'));
}
console.log(`the image gets the app and ${packages.size - 1} packages`);
